/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <getopt.h>
#include <stdio_ext.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "log.h"
#include "machine.h"
#include "phase_of.h"
#include "suite.h"

struct host host;
char *out;

void machine_setup(void)
{
	faketree_new(&host);
	faketree_module("nvidia", "nvidia");
	faketree_module("snd_hda_intel", "snd_hda_intel");
	faketree_module("e1000e", "e1000e");
	faketree_module_load("nvidia");
	faketree_module_load("snd_hda_intel");
	faketree_module_load("e1000e");
	faketree_pci("0000:00:01.0", "8086:1901", "060400", NULL, "1");
	faketree_pci(GPU, "10de:1e84", "030000", "nvidia", "14");
	faketree_pci(SOUND, "10de:10f8", "040300", "snd_hda_intel", "14");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
	unsetenv("NO_COLOR");
}

void machine_teardown(void)
{
	free(STEAL(out));
	faketree_free();
}

/* All that was written to FD. */
static void take_output(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);

	free(out);
	out = calloc(1, (size_t)size + 1);
	ck_assert(out && pread(fd, out, (size_t)size, 0) == size);
	close(fd);
}

/* LINE, with stdin at IN, stdout and stderr at FD, or stdout at PATH if that is not NULL. */
static int command_at(int in, int fd, const char *path, const char *line)
{
	_cleanup_free_ char *copy = strdup(line);
	int saved[3], status, argc = 0;
	char *argv[32] = {}, *word;

	argv[argc++] = (char *)(uintptr_t) "vfio-hook";
	argv[argc++] = (char *)(uintptr_t) "--root";
	argv[argc++] = (char *)(uintptr_t)faketree_root();
	for (char *rest = copy; argc < 31 && (word = strsep(&rest, " "));)
		argv[argc++] = word;
	fflush(NULL);
	for (int i = 0; i < 3; i++) {
		saved[i] = dup(i);
		ck_assert_int_ge(dup2(i ? fd : in, i), 0);
	}
	if (path) {
		int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		ck_assert(to >= 0 && dup2(to, STDOUT_FILENO) >= 0);
		close(to);
	}
	optind = 0;
	status = command_main(argc, argv);
	if (path) {
		__fpurge(stdout);
		clearerr(stdout);
	}
	fflush(NULL);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(dup2(saved[i], i), 0);
		close(saved[i]);
	}
	return status;
}

/*
 * What has no lines to put in: a switch of the firmware, a package to choose, an init that
 * nobody here knows, and what another finding has the lines for.
 */
static bool has_cure_in_text(const char *line, size_t len)
{
	static const char *const exceptions[] = {
		"  problem  the IOMMU is off",
		": there is none",
		" which is not part of the plan and would lose its driver",
		": neither systemd (/run/systemd/system), OpenRC",
		" are no whole number of pages of ",
		"this host has no S3: ",
	};

	for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++) {
		const char *found = strstr(line, exceptions[i]);

		if (found && found < line + len)
			return true;
	}
	return false;
}

/* Each problem and warning has its lines. */
static void assert_cures(void)
{
	for (const char *line = out, *next; *line; line = next) {
		size_t len = strcspn(line, "\n");

		next = line + len + (line[len] == '\n');
		if ((str_after(line, "  problem  ") || str_after(line, "  warning  ")) &&
		    !str_after(next, "             ") && !has_cure_in_text(line, len))
			ck_abort_msg("no lines to put in: %.*s", (int)len, line);
	}
}

int command(const char *line)
{
	return command_to(NULL, line);
}

int command_to(const char *path, const char *line)
{
	int fd = memfd_create("out", MFD_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int status = command_at(null, fd, path, line);

	close(null);
	take_output(fd);
	if (!path && str_after(line, "check") && !strstr(line, "--help"))
		assert_cures();
	return status;
}

/* Who reads what the terminal gets, until nobody has it open any more. */
static _Noreturn void watch_terminal(int master, int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = read(master, buf, sizeof(buf))) > 0)
		if (write(fd, buf, (size_t)n) != n)
			_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

int command_on_terminal(const char *line, const char *typed)
{
	const struct winsize size = { .ws_row = 25, .ws_col = 120 };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), terminal, status;
	int fd = memfd_create("out", MFD_CLOEXEC), watched;
	pid_t watcher;

	ck_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert(terminal >= 0 && ioctl(terminal, TIOCSWINSZ, &size) == 0);
	fflush(NULL);
	watcher = fork();
	ck_assert_int_ge(watcher, 0);
	if (watcher == 0) {
		close(terminal);
		watch_terminal(master, fd);
	}
	ck_assert(write(master, typed, strlen(typed)) == (ssize_t)strlen(typed));
	status = command_at(terminal, terminal, NULL, line);
	close(terminal);
	ck_assert_int_eq(waitpid(watcher, &watched, 0), watcher);
	ck_assert(WIFEXITED(watched) && WEXITSTATUS(watched) == 0);
	close(master);
	take_output(fd);
	return status;
}

void assert_has(const char *text)
{
	ck_assert_msg(strstr(out, text) != NULL, "no \"%s\" in:\n%s", text, out);
}

void assert_hasnt(const char *text)
{
	ck_assert_msg(strstr(out, text) == NULL, "\"%s\" in:\n%s", text, out);
}

static const char xml_begin[] = "<domain type='kvm'><name>win10</name><uuid>" UUID
				"</uuid>"
				"<memory unit='MiB'>4</memory>";

void domain(const char *parts)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_gt(asprintf(&text, "%s%s</domain>", xml_begin, parts), 0);
	faketree_file(text, "/etc/libvirt/qemu/win10.xml");
}

void install(const char *text, mode_t mode)
{
	char path[PATH_MAX];

	faketree_file(text, "/etc/libvirt/hooks/qemu");
	ck_assert_int_eq(chmod(host_path(&host, path, "/etc/libvirt/hooks/qemu"), mode),
			 0);
	ck_assert_int_eq(chmod(host_path(&host, path, "/etc/libvirt/hooks"), 0755), 0);
}

void steps(const char *lines)
{
	_cleanup_free_ char *text = NULL;

	install("\177ELF", 0755);
	ck_assert_int_gt(asprintf(&text, "[prepare/begin]\n%s\n", lines), 0);
	faketree_file(text, "/etc/libvirt/hooks/conf.d/win10.ini");
}

void hook_prepares(void)
{
	_cleanup_free_ char *xml = NULL;
	struct event event;

	free(STEAL(out));
	ck_assert_int_eq(host_read_all(&host, &xml, "/etc/libvirt/qemu/win10.xml"), 0);
	event_of_phase(&event, "win10", PHASE_PREPARE);
	log_open(&host, "win10");
	assert_no_error(phase_of(host.root, &event, xml));
	log_close();
	ck_assert_int_eq(host_read_all(&host, &out, "/var/log/vfio-hook/win10.log"), 0);
}

void refused(const char *lines, const char *cause, const char *cure)
{
	_cleanup_free_ char *before = NULL, *after = NULL;

	domain("");
	steps(lines);
	before = faketree_snapshot();
	ck_assert_msg(command("run win10 prepare") == STATUS_FAILED, "%s: %s", lines, out);
	assert_has(cause);
	assert_has(cure);
	after = faketree_snapshot();
	ck_assert_str_eq(after, before);
}

void not_read(const char *lines, const char *cause, const char *cure)
{
	domain("");
	steps(lines);
	ck_assert_msg(command("run win10 prepare") == STATUS_USAGE, "%s: %s", lines, out);
	assert_has("win10.ini:2: ");
	assert_has(cause);
	assert_has(cure);
}

int machine_run(const char *name, void (*add)(TCase *tc))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, machine_setup, machine_teardown);
	add(tc);
	return suite_run(name, tc);
}
