/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steps that act on files and processes: what they refuse and say while the config is
 * read, what their globs find, and which processes are ever signalled.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "config.h"
#include "ending.h"
#include "faketree.h"
#include "glob.h"
#include "services.h"
#include "spawn.h"
#include "suite.h"
#include "systemd.h"

static struct host host;

static void setup(void)
{
	faketree_new(&host);
}

static void teardown(void)
{
	faketree_free();
}

/* The first problem of a config with this line in prepare; NULL: it is fine. */
static char *problem_of(const char *line)
{
	_cleanup_(config_done) struct config config = {};
	_cleanup_error_ struct error err = {};
	char path[PATH_MAX], text[512];

	snprintf(text, sizeof(text), "[prepare/begin]\n%s\n", line);
	faketree_file(text, "/conf.d/x.ini");
	host_path(&host, path, "/conf.d/x.ini");
	if (config_load(&host, path, &config, &err) == 0)
		return NULL;
	return strdup(error_text(&err));
}

static const struct {
	const char *line, *text; /* NULL: no mistake */
} lines[] = {
	{ "sysctl.write = vm.swappiness 10", NULL },
	{ "sysctl.write = net/ipv4/conf/*/forwarding 1", NULL },
	{ "sysctl.write = undo=none vm.drop_caches 3", NULL },
	{ "sysctl.write = vm.drop_caches 3", "undo=VALUE" },
	{ "sysctl.write = vm.compact_memory 1", "undo=VALUE" },
	{ "sysctl.write = vm.swappiness", "sysctl.write = NAME VALUE" },
	{ "sysctl.write = vm.swappiness =", "a \"=\" between blanks" },
	{ "sysctl.write = /proc/sys/../passwd x", "without \"..\"" },
	{ "sysctl.write = /sys/kernel/mm/ksm/run 1",
	  "sysfs.write = /sys/kernel/mm/ksm/run" },
	{ "sysfs.write = /proc/sys/vm/swappiness 1", "sysctl.write = /proc/sys/vm" },
	{ "sysfs.write = /sys/kernel/mm/ksm/run 1", NULL },
	{ "sysfs.write = /etc/passwd 1", "not below /sys" },
	{ "sysfs.write = /sys 1", "not below /sys" },
	{ "sysfs.write = /sysfoo/x 1", "not below /sys" },
	{ "sysfs.write = /sys/../etc/passwd 1", "without \"..\"" },
	{ "sysfs.write = /sys/bus/pci/rescan 1", "undo=none" },
	{ "sysfs.write = undo=none /sys/bus/pci/rescan 1", NULL },
	{ "sysfs.write = undo=none /sys/bus/pci/drivers/e1000e/unbind x", "pci.detach" },
	{ "sysfs.write = /sys/bus/pci/devices/0000:0a:00.0/driver_override x",
	  "pci.detach" },
	{ "file.own = owner=user /dev/input/event*", NULL },
	{ "file.own = /dev/input/event3", "owner=, group= or mode=" },
	{ "file.own = mode=rw /dev/input/event3", "octal" },
	{ "file.own = mode=0960 /dev/input/event3", "octal" },
	{ "file.own = mode=0660 event3", "the whole path" },
	{ "file.own = mode=0660 /dev/../etc/x", "without \"..\"" },
	{ "shm.create = owner=user size=32M looking-glass", NULL },
	{ "shm.create = /dev/shm/looking-glass", NULL },
	{ "shm.create = /dev/shm/a/b", "no file in /dev/shm itself" },
	{ "shm.create = ..", "no file in /dev/shm itself" },
	{ "shm.create = /tmp/x", "no file in /dev/shm itself" },
	{ "shm.create = size=big x", "a size such as" },
	{ "holders.kill = signal=STOP", "TERM|KILL|INT|HUP|QUIT" },
	{ "process.stop = sunshine", NULL },
	{ "sysctl.write = vm.swappiness=10", "write \"sysctl.write = vm.swappiness 10\"" },
	{ "sysctl.write = vm.swappiness = 10",
	  "write \"sysctl.write = vm.swappiness 10\"" },
	{ "sysctl.write = undo=none vm.x=1", "write \"sysctl.write = undo=none vm.x 1\"" },
	{ "sysfs.write = undo=none /sys/x = 1",
	  "write \"sysfs.write = undo=none /sys/x 1\"" },
	{ "hugepages.allocate = 16G", "write \"hugepages.allocate = memory=16G\"" },
	{ "hugepages.allocate = timeout=5s 16 GiB",
	  "write \"hugepages.allocate = timeout=5s memory=16G\"" },
	{ "hugepages.allocate = 8192", "write \"hugepages.allocate = pages=8192\"" },
	{ "-service.stop = seat=seat0 pipewire.socket", NULL },
	{ "service.stop = seat=screen pipewire.socket",
	  "a seat's name begins with \"seat\"" },
	{ "service.stop = seat=seat0 user=alice pipewire.socket", "write one of them" },
	{ "session.end = seat=tty1", "a seat's name begins with \"seat\"" },
	{ "session.end = seat0", "write \"session.end = seat=seat0\"" },
	{ "session.end = 20s", "write \"session.end = timeout=20s\"" },
	{ "holders.kill = signal=SIGTERM", "is wanted: write signal=TERM" },
	{ "holders.kill = signal=9", "is wanted: write signal=KILL" },
	{ "holders.kill = signal=sigint", "is wanted: write signal=INT" },
	{ "pci.detach = group=Whole", "is wanted: write group=whole" },
	{ "service.stop = lightdm, gdm", "between words stand blanks, no commas" },
	{ "exec.run = /bin/a | /bin/b", "no shell runs exec's line, and \"|\" would be" },
	{ "exec.run = /bin/a && /bin/b", "and \"&&\" would be an argument" },
	{ "exec.run = /bin/a > /dev/null", "and \">\" would be an argument" },
	{ "exec.run = /bin/a 2>&1", "and \"2>&1\" would be an argument" },
	{ "exec.run = /bin/a '|' \">\" 12 a>b \\>c --x=<y>", NULL },
	{ "detach = gpu", "unknown step \"detach\", did you mean \"pci.detach\"?" },
	{ "modprobe -r nvidia", "(of scripts `vfio-hook import` makes such)" },
	{ "[prepare/end]",
	  "unknown section [prepare/end], did you mean [prepare/begin]?" },
	{ "[start/end]", "unknown section [start/end], did you mean [start/begin]?" },
	{ "irq.move = 0-3", "write \"irq.move = to=0-3\"" },
	{ "irq.move = to=0-3 nvme*", NULL },
	{ "process.stop = /usr/bin/sunshine", "without its folder: sunshine" },
	{ "process.stop = systemd", "never stopped" },
	{ "process.stop = virtqemud", "never stopped" },
	{ "process.stop = qemu-system-x86_64", "never stopped" },
};

START_TEST(lines_and_their_mistakes)
{
	_cleanup_free_ char *problem = problem_of(lines[_i].line);

	if (lines[_i].text)
		ck_assert_msg(problem && strstr(problem, lines[_i].text), "%s: %s",
			      lines[_i].line, problem ? problem : "no mistake");
	else
		ck_assert_msg(!problem, "%s: %s", lines[_i].line, problem);
}
END_TEST

static void assert_glob(const char *pattern, const char *below, int code,
			const char *expected)
{
	_cleanup_strv_ struct strv found = {};
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *joined = NULL;

	ck_assert_int_eq(host_glob(&host, pattern, below, &found, &err), code);
	if (code < 0) {
		ck_assert_msg(strstr(error_text(&err), expected), "%s", error_text(&err));
		return;
	}
	joined = strv_join(&found, " ");
	ck_assert_str_eq(joined, expected);
}

START_TEST(globs_stay_in_their_tree)
{
	faketree_file("1", "/sys/glob/a0/on");
	faketree_file("1", "/sys/glob/a1/on");
	faketree_file("1", "/sys/glob/b/on");
	faketree_file("1", "/etc/on");
	faketree_link("../glob/a1", "/sys/class/again");
	faketree_link("../../etc", "/sys/class/out");
	assert_glob("/sys/glob/a*/on", "/sys", 0, "/sys/glob/a0/on /sys/glob/a1/on");
	assert_glob("/sys/glob/[ab][0-9]/on", "/sys", 0,
		    "/sys/glob/a0/on /sys/glob/a1/on");
	assert_glob("/sys/class/a*/on", "/sys", 0, "/sys/glob/a1/on");
	assert_glob("/sys/class/out/on", "/sys", -EPERM, "leads to /etc/on");
	assert_glob("/sys/glob/c*/on", "/sys", -ENOENT, "is not there");
	assert_glob("/sys/*/*/on", "", 0,
		    "/etc/on /sys/glob/a0/on /sys/glob/a1/on /sys/glob/b/on");
}
END_TEST

START_TEST(finds_groups)
{
	_cleanup_error_ struct error err = {};
	gid_t gid = 0;

	faketree_file("root:x:0:\nshort:x\nkvm:x:104:a,b\n", "/etc/group");
	ck_assert_int_eq(group_find(&host, "kvm", &gid, &err), 0);
	ck_assert_uint_eq(gid, 104);
	ck_assert_int_eq(group_find(&host, "104", &gid, &err), 0);
	ck_assert_int_eq(group_find(&host, "short", &gid, &err), -ENOENT);
	ck_assert_msg(strstr(error_text(&err), "group short is not in /etc/group"), "%s",
		      error_text(&err));
}
END_TEST

START_TEST(spares_what_must_live)
{
	static const struct {
		const char *comm;
		bool spared;
	} names[] = {
		{ "Xorg", false },	     { "systemd", true },
		{ "systemd-logind", true },  { "libvirtd", true },
		{ "virtqemud", true },	     { "qemu-system-x86", true },
		{ "dbus-broker-lau", true }, { "pipewire", false },
		{ "qemucheck", false },	     { "vfio-hook", true },
		{ "virt-manager", false },
	};
	struct run run = { .cancel_fd = -1 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct holder holder = { .pid = 4194000 };

		snprintf(holder.comm, sizeof(holder.comm), "%s", names[i].comm);
		ck_assert_msg(process_is_spared(&run, &holder) == names[i].spared, "%s",
			      names[i].comm);
	}
	ck_assert(process_is_spared(&run, &(struct holder){ .pid = 1, .comm = "x" }));
	ck_assert(process_is_spared(&run, &(struct holder){ .pid = getpid() }));
	ck_assert(process_is_spared(&run, &(struct holder){ .pid = getppid() }));
	ck_assert(process_is_spared(
		&run, &(struct holder){ .pid = 4194000, .comm = "x", .is_vfio = true }));
}
END_TEST

static void assert_state(const char *target, const char *expected)
{
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *state = NULL;

	ck_assert_msg(unit_state(&host, target, &state, &err) == 0, "%s",
		      error_text(&err));
	ck_assert_str_eq(state, expected);
}

/* Stops, starts and restarts "sddm", which runs and is called so by all managers. */
static void assert_service_goes_and_comes(void)
{
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *target = NULL;
	struct run run = { .host = host, .cancel_fd = -1, .event.phase = PHASE_PREPARE };

	run.deadline = run.budget = now_ms() + 20000;
	ck_assert_msg(unit_target(&host, "sddm.service", NULL, &target, &err) == 0, "%s",
		      error_text(&err));
	ck_assert_str_eq(target, "sddm");
	assert_state("sddm", "active");
	ck_assert_int_eq(unit_call(&run, "sddm", "stop", &err), 0);
	assert_state("sddm", "inactive");
	ck_assert_int_eq(unit_call(&run, "sddm", "reset-failed", &err), 0);
	ck_assert_int_eq(unit_call(&run, "sddm", "start", &err), 0);
	assert_state("sddm", "active");
	ck_assert_int_eq(unit_call(&run, "sddm", "restart", &err), 0);
	assert_state("sddm", "active");
	assert_state("nothing", "");
	ck_assert_int_eq(unit_call(&run, "wedged", "stop", &err), -EIO);
	ck_assert_msg(strstr(error_text(&err), "wedged failed") ||
			      strstr(error_text(&err), "wedged stop failed"),
		      "%s", error_text(&err));
}

static void assert_no_target(const char *name, const char *user, const char *text)
{
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *target = NULL;

	ck_assert_int_lt(unit_target(&host, name, user, &target, &err), 0);
	ck_assert_msg(strstr(error_text(&err), text), "%s", error_text(&err));
}

static void assert_dependants(const char *target, const char *expected)
{
	_cleanup_free_ char *joined = NULL;
	_cleanup_strv_ struct strv list = {};
	_cleanup_error_ struct error err = {};

	ck_assert_msg(unit_dependants(&host, target, &list, &err) == 0, "%s",
		      error_text(&err));
	joined = strv_join(&list, " ");
	ck_assert_str_eq(joined, expected);
}

START_TEST(services_of_openrc)
{
	faketree_program("rc-service",
			 "[ \"$1\" != --exists ] || { [ $2 != nothing ]; exit; }\n"
			 "[ $1 != nothing ] || exit 1\n"
			 "[ $1 != wedged ] || { echo no >&2; exit 1; }\n"
			 "case $2 in\n"
			 "needsme) echo 'panel greeter ' ;;\n"
			 "status) [ ! -e $R/stopped ] || exit 3 ;;\n"
			 "stop) : >$R/stopped ;;\n"
			 "start | restart) rm -f $R/stopped ;;\n"
			 "zap) ;;\n"
			 "*) exit 1 ;;\n"
			 "esac\n");
	assert_service_goes_and_comes();
	assert_dependants("sddm", "panel greeter");
	assert_no_target("nothing", NULL, "OpenRC has no service nothing");
	assert_no_target("pipewire", "alice",
			 "services of users (user=, seat=) are systemd's");
	ck_assert(!system_is_stopping(&host));
	faketree_file("", "/run/openrc/rc.stopping");
	ck_assert(system_is_stopping(&host));
}
END_TEST

/* What goes along comes before what it needs, each once, of a user's by his manager. */
START_TEST(dependants_of_systemd)
{
	_cleanup_strv_ struct strv conflicts = {};

	faketree_file("", "/run/systemd/system/x");
	faketree_file("", "/run/user/1000/systemd/private");
	faketree_file("alice:x:1000:1000::/home/alice:/bin/sh\n", "/etc/passwd");
	faketree_program(
		"systemctl",
		"for u; do :; done\n"
		"[ \"$1\" = --user ] && [ $u = a.service ] && { echo BoundBy=m.service; "
		"exit; }\n"
		"case $u in\n"
		"a.service) echo 'RequiredBy=b.service c.service'; echo BoundBy= ;;\n"
		"b.service) echo 'ConsistsOf=d.service' ;;\n"
		"d.service) echo 'RequiredBy=a.service c.service' ;;\n"
		"f.service) echo 'Conflicts=shutdown.target g.service'; "
		"echo ConflictedBy=h.service ;;\n"
		"*) echo RequiredBy= ;;\n"
		"esac\n");
	assert_dependants("a.service", "c.service d.service b.service");
	assert_dependants("e.service", "");
	ck_assert_int_eq(unit_conflicts(&host, "f.service", &conflicts, NULL), 0);
	ck_assert_uint_eq(conflicts.n, 2);
	ck_assert_str_eq(conflicts.v[0], "g.service");
	ck_assert_str_eq(conflicts.v[1], "h.service");
	assert_dependants("user:alice:a.service", "user:alice:m.service");
}
END_TEST

START_TEST(services_of_runit)
{
	faketree_program("sv",
			 "[ \"$1\" = -w ] || exit 100\n"
			 "shift 2\n"
			 "case $1:$2 in\n"
			 "*:nothing) echo \"fail: $2: unable to change to service "
			 "directory: file does not exist\"; exit 1 ;;\n"
			 "*:wedged) echo \"timeout: run: $2: (pid 7) 9s, got TERM\"; "
			 "exit 1 ;;\n"
			 "status:*) if [ -e $R/stopped ]; then echo \"down: $2: 1s, "
			 "normally up\"; else echo \"run: $2: (pid 7) 9s\"; fi ;;\n"
			 "stop:*) : >$R/stopped ;;\n"
			 "start:* | restart:*) rm -f $R/stopped ;;\n"
			 "*) exit 1 ;;\n"
			 "esac\n");
	assert_service_goes_and_comes();
	assert_no_target("nothing", NULL, "runit does not supervise a service nothing");
	assert_no_target("../x", NULL, "not the name of a service");
}
END_TEST

START_TEST(no_service_manager)
{
	assert_no_target("sddm", NULL, "use exec.run and exec.undo");
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("steps");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, lines_and_their_mistakes, 0, (int)ARRAY_SIZE(lines));
	tcase_add_test(tcase, globs_stay_in_their_tree);
	tcase_add_test(tcase, finds_groups);
	tcase_add_test(tcase, spares_what_must_live);
	tcase_add_test(tcase, services_of_openrc);
	tcase_add_test(tcase, dependants_of_systemd);
	tcase_add_test(tcase, services_of_runit);
	tcase_add_test(tcase, no_service_manager);
	return suite_run("steps", tcase);
}
