/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody sees who types the commands on a terminal: colours, and how far long work
 * is; and what `run`, `undo` and `test` say at their end.
 */
#include "machine.h"
#include "suite.h"

static void terminal_setup(void)
{
	machine_setup();
	setenv("TERM", "xterm", 1);
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
}

static const char *const coloured[] = {
	"check win10", "plan win10", "plan win10 --diff", "devices", "status",
};

START_TEST(colours)
{
	steps("pci.detach =");
	command_on_terminal(coloured[_i], "");
	assert_has("\033[");
	setenv("NO_COLOR", "1", 1);
	command_on_terminal(coloured[_i], "");
	assert_hasnt("\033[");
	/* Empty, it says nothing: no-color.org. */
	setenv("NO_COLOR", "", 1);
	command_on_terminal(coloured[_i], "");
	assert_has("\033[");
	setenv("TERM", "dumb", 1);
	command_on_terminal(coloured[_i], "");
	assert_hasnt("\033[");
	setenv("TERM", "xterm", 1);
	command(coloured[_i]);
	assert_hasnt("\033[");
}
END_TEST

START_TEST(no_colours_for_programs)
{
	steps("pci.detach =");
	ck_assert_int_eq(command_on_terminal("plan win10 --json", ""), STATUS_OK);
	assert_hasnt("\033");
}
END_TEST

/* Also those that are longer than the terminal. */
static const char *const listings[] = {
	"--help",  "plan --help",      "check win10",
	"check",   "plan win10",       "plan win10 --diff",
	"devices", "status",	       "status win10",
	"steps",   "steps pci.detach", "init -o - win10",
};

static const char *const pagers[] = {
	"PAGER", "SYSTEMD_PAGER", "MANPAGER", "GIT_PAGER", "LESSOPEN", "LESS",
};

/* What would be started as one leaves a mark, whatever its name; so it does, called so. */
static void make_pagers(void)
{
	static const char *const names[] = { "less", "more", "most", "pager" };
	char path[PATH_MAX], line[PATH_MAX + 64];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		faketree_program(names[i], "touch $R/mark\n");
	for (size_t i = 0; i < ARRAY_SIZE(pagers); i++)
		setenv(pagers[i], host_path(&host, path, "/usr/sbin/pager"), 1);
	snprintf(line, sizeof(line), "%s:%s", host_path(&host, path, "/usr/sbin"),
		 getenv("PATH"));
	setenv("PATH", line, 1);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		ck_assert_int_eq(system(names[i]), 0);
		ck_assert_int_eq(unlink(host_path(&host, path, "/mark")), 0);
	}
}

/* What is printed is there at once, and nobody has to leave it. */
START_TEST(no_pager)
{
	steps("pci.detach =");
	make_pagers();
	command(listings[_i]);
	ck_assert_uint_gt(strlen(out), 0);
	command_on_terminal(listings[_i], "");
	ck_assert_uint_gt(strlen(out), 0);
	ck_assert_msg(!host_exists(&host, "/mark"), "%s: has called a pager",
		      listings[_i]);
	assert_hasnt("\033[?"); /* nor is it one itself */
}
END_TEST

START_TEST(progress_of_pages)
{
	faketree_hugepages(2048, 0, 1000);
	faketree_file("MemTotal: 8000000 kB\nMemFree: 7000000 kB\n"
		      "MemAvailable: 7000000 kB\nHugepagesize: 2048 kB\n",
		      "/proc/meminfo");
	steps("hugepages.allocate = pages=900");
	domain("<memoryBacking><hugepages/></memoryBacking>");
	ck_assert_int_eq(command_on_terminal("run win10 prepare", ""), STATUS_OK);
	assert_has("\r\033[K...     hugepages.allocate: ");
	assert_has(" of 900 pages");
	assert_has("\r\033[K\033[32mok    \033[0m  hugepages.allocate = pages=900  ");
}
END_TEST

START_TEST(progress_of_holders)
{
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipewire", "user@1000.service", "/dev/snd/controlC1");
	steps("-holders.wait = timeout=1s " SOUND);
	ck_assert_int_eq(command_on_terminal("run win10 prepare", ""), STATUS_OK);
	assert_has("\r\033[K...     -holders.wait: waiting for pipewire (pid 812, ");
	assert_has(" s left");
	assert_has("\r\033[K\033[1;31mfailed\033[0m  -holders.wait = timeout=1s " SOUND);
}
END_TEST

START_TEST(end_of_run_and_undo)
{
	steps("pci.detach =");
	ck_assert_int_eq(command("run win10 prepare"), STATUS_OK);
	assert_has("win10: prepare/begin: done, ");
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
	ck_assert_int_eq(command("run win10 release"), STATUS_OK);
	assert_has("win10: release/end: done, 3 changes\n");
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	ck_assert_int_eq(command("run win10 release"), STATUS_OK);
	assert_has("win10: release/end: done, nothing had to be changed\n");
	ck_assert_int_eq(command("run win10 prepare"), STATUS_OK);
	ck_assert_int_eq(command("undo win10"), STATUS_OK);
	assert_has("win10: undo: done, 3 changes\n");
	ck_assert_int_eq(command("undo win10"), STATUS_OK);
	assert_has("win10: nothing to put back\n");
}
END_TEST

static void unlink_file(const char *path)
{
	char rooted[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, rooted, "%s", path)), 0);
}

static void session(const char *state)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_gt(asprintf(&text,
				  "UID=1000\nUSER=alice\nCLASS=%s\nSEAT=seat0\nTTY=tty2\n"
				  "SERVICE=sddm\nLEADER=1234\n",
				  state),
			 0);
	faketree_file(text, "/run/systemd/sessions/2");
	faketree_file("SESSIONS=2\n", "/run/systemd/seats/seat0");
}

#define ENDS \
	"session.end (line 2) ends the desktop of this host: what is open in it is lost"

START_TEST(end_of_the_desktop)
{
	session("user");
	steps("-session.end = seat=seat0 timeout=1s");
	ck_assert_int_eq(command_on_terminal("test win10 0", "\n"), STATUS_OK);
	assert_has("win10: " ENDS);
	assert_has("Ctrl-C stops now; Enter goes on, as does waiting for 10 s.");
	assert_has("from another machine by ssh");
	assert_has("win10: released; all is as it was\r\n");
	/* A number that is wrong is told before anybody is frightened. */
	ck_assert_int_eq(command_on_terminal("test win10 5x", ""), STATUS_USAGE);
	assert_hasnt("desktop");
	/* Nobody is there to read it. */
	ck_assert_msg(command("test win10 0") == STATUS_OK, "%s", out);
	assert_hasnt("desktop");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("   !  session.end ends the desktop of this host: ");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("  advice   " ENDS);

	/* It does not end what does not run. */
	unlink_file("/run/systemd/sessions/2");
	ck_assert_int_eq(command_on_terminal("test win10 0", ""), STATUS_OK);
	assert_hasnt("desktop");
	command("plan win10");
	assert_hasnt("desktop");
	command("check win10");
	assert_hasnt("desktop");
}
END_TEST

START_TEST(test_finds_a_difference)
{
	faketree_file("0\n", "/sys/kernel/mm/x");
	steps("sysfs.write = /sys/kernel/mm/x 1");
	ck_assert_msg(command("test win10 0") == STATUS_OK, "%s", out);
	assert_has("win10: released; all is as it was\n");
	ck_assert_str_eq(faketree_read("/sys/kernel/mm/x"), "0");

	/* A step of release has the last word, and it is another one. */
	steps("sysfs.write = /sys/kernel/mm/x 1\n[release/end]\n"
	      "sysfs.write = /sys/kernel/mm/x 2");
	ck_assert_int_eq(command("test win10 0"), STATUS_FAILED);
	assert_has("  different: attr /sys/kernel/mm/x: was 0, is 2\n");
	assert_has("win10: released; not all is as it was\n");
}
END_TEST

static unsigned count(const char *path, const char *word)
{
	_cleanup_free_ char *text = NULL;
	unsigned n = 0;

	ck_assert_int_ge(host_read_all(&host, &text, "%s", path), 0);
	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

START_TEST(log_keeps_twenty_phases)
{
	static const char log[] = "/var/log/vfio-hook/win10.log";

	steps("wait.for = path=/etc");
	for (unsigned i = 0; i < 12; i++) {
		ck_assert_int_eq(command("run win10 prepare"), STATUS_OK);
		ck_assert_int_eq(command("run win10 release"), STATUS_OK);
		ck_assert_uint_eq(count(log, " == win10 "), i < 10 ? 2 * i + 2 : 20);
	}
	ck_assert_uint_eq(count(log, " == win10 prepare/begin"), 10);
	ck_assert_uint_eq(count(log, " -- win10 "), 20);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("terminal");

	tcase_add_checked_fixture(tc, terminal_setup, machine_teardown);
	tcase_add_loop_test(tc, colours, 0, ARRAY_SIZE(coloured));
	tcase_add_test(tc, no_colours_for_programs);
	tcase_add_loop_test(tc, no_pager, 0, ARRAY_SIZE(listings));
	tcase_add_test(tc, progress_of_pages);
	tcase_add_test(tc, progress_of_holders);
	tcase_add_test(tc, end_of_run_and_undo);
	tcase_add_test(tc, end_of_the_desktop);
	tcase_add_test(tc, test_finds_a_difference);
	tcase_add_test(tc, log_keeps_twenty_phases);
	return suite_run_as_root("terminal", tc);
}
