/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps say when they cannot: what failed, on what, why, and what to do about it.
 */
#include <sys/stat.h>

#include "faketree_react.h"
#include "machine.h"
#include "suite.h"

/* A systemd with a user each of SESSIONS on seat0, whose units are those that UNITS names. */
static void put_systemd(const char *units, const char *sessions)
{
	char text[1024];

	faketree_file("", "/run/systemd/system/x");
	faketree_file("alice:x:1000:1000::/home/alice:/bin/sh\n"
		      "bob:x:1001:1001::/home/bob:/bin/sh\n",
		      "/etc/passwd");
	faketree_file("", "/run/user/1000/systemd/private");
	faketree_file("UID=1000\nUSER=alice\nCLASS=user\nSEAT=seat0\nTTY=tty2\n",
		      "/run/systemd/sessions/2");
	faketree_file("UID=1001\nUSER=bob\nCLASS=user\nSEAT=seat0\nTTY=tty3\n",
		      "/run/systemd/sessions/4");
	snprintf(text, sizeof(text), "SESSIONS=%s\n", sessions);
	faketree_file(text, "/run/systemd/seats/seat0");
	snprintf(text, sizeof(text),
		 "for u; do :; done\n"
		 "case \" %s \" in\n"
		 "*\" $2$u \"*) echo Id=$u; echo LoadState=loaded; echo ActiveState=active ;;\n"
		 "*) echo LoadState=not-found; echo ActiveState=inactive ;;\n"
		 "esac\n",
		 units);
	faketree_program("systemctl", text);
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
}

/* seat= means whoever is there, and of him what he has. */
START_TEST(units_of_a_seat)
{
	put_systemd("--machine=alice@pipewire.socket", "2 4 2");
	steps("service.stop = seat=seat0 pulseaudio.socket pipewire.socket");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("there is no unit pulseaudio.socket of user alice: passed over");
	assert_has("unit user:alice:pipewire.socket  active → inactive");
	assert_hasnt("user:bob:pipewire.socket  active");
	ck_assert_ptr_null(strstr(strstr(out, "user:alice:pipewire.socket  active") + 1,
				  "user:alice:pipewire.socket  active"));
	steps("service.stop = user=alice pulseaudio.socket");
	ck_assert_int_eq(command("plan win10"), STATUS_FAILED);
	assert_has("there is no unit pulseaudio.socket of user alice: systemctl --user "
		   "list-unit-files shows all; put '-' in front of the line");
}
END_TEST

START_TEST(nobody_at_a_seat)
{
	put_systemd("", "");
	steps("service.stop = seat=seat0 pipewire.socket");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("nobody is logged in at seat0");
	assert_hasnt("inactive");
}
END_TEST

/* A systemd with the unit x.service, which is active while /active is there. */
static void put_unit(void)
{
	faketree_file("", "/run/systemd/system/x");
	faketree_program("systemctl",
			 "case $2 in\n"
			 "is-system-running) cat $R/manager; exit 1 ;;\n"
			 "start) : >$R/active ;;\n"
			 "stop) rm $R/active ;;\n"
			 "show) [ -e $R/active ] || S=in; echo Id=x.service; "
			 "echo LoadState=loaded; echo ActiveState=${S}active ;;\n"
			 "esac\n");
	domain("");
}

/* Under a manager that says MANAGER, PHASE with LINE succeeds and STARTS x.service, or not. */
static void assert_starts(const char *manager, const char *line, const char *phase,
			  bool starts)
{
	char text[80];

	snprintf(text, sizeof(text), "run win10 %s", phase);
	faketree_file(manager, "/manager");
	steps(line);
	ck_assert_msg(command(text) == STATUS_OK, "%s %s: %s", manager, text, out);
	ck_assert_msg(host_exists(&host, "/active") == starts, "%s %s", manager, text);
}

START_TEST(nothing_starts_while_the_system_stops)
{
	static const char *const managers[] = { "running\n", "degraded\n", "stopping\n" };
	char path[PATH_MAX];

	put_unit();
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
		const bool starts = i < 2;

		assert_starts(managers[i], "service.start = x", "prepare", starts);
		ck_assert_int_eq(command("run win10 release"), STATUS_OK);
		faketree_file("", "/active");
		steps("service.stop = x");
		ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
		ck_assert(!host_exists(&host, "/active"));
		assert_starts(managers[i], "service.stop = x", "release", starts);
		if (starts)
			unlink(host_path(&host, path, "/active"));
	}
}
END_TEST

/* Prepare with LINES is refused: CAUSE and CURE are in its one line, and all is as it was. */
static void refused(const char *lines, const char *cause, const char *cure)
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

static void not_read(const char *lines, const char *cause, const char *cure)
{
	domain("");
	steps(lines);
	ck_assert_msg(command("run win10 prepare") != STATUS_OK, "%s: %s", lines, out);
	assert_has("win10.ini:2: ");
	assert_has(cause);
	assert_has(cure);
}

static void put_cpus(void)
{
	faketree_file("0-3\n", "/sys/devices/system/cpu/online");
}

START_TEST(irq_move)
{
	put_cpus();
	refused("irq.move = to=6-7", "none of the CPUs in to=6-7 is online",
		"use those that are: 0-3");
	refused("irq.move = to=0-1", "/proc/irq: cannot read",
		"No such file or directory");
	refused("irq.move =", "The step names none", "the domain's XML has no <vcpupin>");
}
END_TEST

START_TEST(cpuset_isolate)
{
	put_cpus();
	not_read("cpuset.isolate = cores", "'cores' is no list of CPUs", "like 2-7,10-15");
	refused("cpuset.isolate = 2-9", "some of the CPUs are not there or not online",
		"use those that are: 0-3");
	refused("cpuset.isolate = 0-3", "no CPU would be left to the host",
		"(online: 0-3): take fewer");
	refused("cpuset.isolate = 2-3",
		"no partition: the XML's <emulatorpin> does not lie "
		"inside of 2-3",
		"this host was not booted with systemd: leave this line out");
	faketree_file("", "/run/systemd/system/x");
	refused("cpuset.isolate = 2-3", "/sys/fs/cgroup has no cpuset controller",
		"(cgroup_disable=)");
	faketree_file("cpuset cpu\n", "/sys/fs/cgroup/cgroup.controllers");
	faketree_file("2-3\n", "/sys/fs/cgroup/system.slice/cpuset.cpus");
	faketree_program("systemctl", "echo AllowedCPUs=2-3\n");
	refused("cpuset.isolate = 2-3",
		"no CPU would be left to system.slice, which has 2-3",
		"take fewer from the host");
}
END_TEST

/* Why the CPUs become no partition: in plan, where masks would do as well. */
START_TEST(cpuset_partition)
{
	static const struct {
		const char *tune, *why;
	} cases[] = {
		{ "<emulatorpin cpuset='1'/>", "the XML's <emulatorpin> does not lie" },
		{ "<emulatorpin cpuset='2-3'/><iothreadpin iothread='1' cpuset='1'/>",
		  "an <iothreadpin> of the XML lies outside of 2-3" },
		{ "<vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='2-3'/>",
		  "a <vcpupin> of the XML lies outside of 2-3" },
		{ "<vcpupin vcpu='0' cpuset='2'/><emulatorpin cpuset='2-3'/>",
		  "machine.slice is a partition already" },
	};
	_cleanup_free_ char *parts = NULL;

	put_cpus();
	faketree_file("", "/run/systemd/system/x");
	faketree_file("cpuset cpu\n", "/sys/fs/cgroup/cgroup.controllers");
	faketree_file("root\n", "/sys/fs/cgroup/machine.slice/cpuset.cpus.partition");
	ck_assert_int_gt(asprintf(&parts, "<cputune>%s</cputune>", cases[_i].tune), 0);
	domain(parts);
	steps("cpuset.isolate = 2-3");
	command("plan win10");
	assert_has(cases[_i].why);
}
END_TEST

/*
 * No group has the controller, and there is no machine.slice, until the first guest comes:
 * systemd makes both when it is asked.
 */
START_TEST(cpuset_partition_of_a_new_slice)
{
	put_cpus();
	faketree_file("", "/run/systemd/system/x");
	faketree_file("cpuset cpu\n", "/sys/fs/cgroup/cgroup.controllers");
	faketree_file("0-3\n", "/sys/fs/cgroup/cpuset.cpus.effective");
	faketree_program("systemctl", "s=$R/sys/fs/cgroup/machine.slice\n"
				      "case $2 in\n"
				      "start) [ \"$4\" = machine.slice ] && mkdir $s ;;\n"
				      "set-property) [ -d $s ] || exit 1; "
				      "echo member >$s/cpuset.cpus.partition; "
				      "echo ${6#AllowedCPUs=} >$s/cpuset.cpus ;;\n"
				      "esac\n");
	domain("<cputune><vcpupin vcpu='0' cpuset='2'/><emulatorpin cpuset='2-3'/>"
	       "</cputune>");
	steps("cpuset.isolate = 2-3");
	command("plan win10");
	assert_has("partition machine.slice");
	assert_hasnt("AllowedCPUs");
	ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
	ck_assert_str_eq(faketree_read("/sys/fs/cgroup/machine.slice/cpuset.cpus"), "2-3");
	ck_assert_str_eq(faketree_read(
				 "/sys/fs/cgroup/machine.slice/cpuset.cpus.partition"),
			 "root");
	ck_assert_msg(command("undo win10") == STATUS_OK, "%s", out);
	ck_assert_str_eq(faketree_read("/sys/fs/cgroup/machine.slice/cpuset.cpus"), "");
	ck_assert_str_eq(faketree_read(
				 "/sys/fs/cgroup/machine.slice/cpuset.cpus.partition"),
			 "member");
}
END_TEST

/* As a kernel without power management has it. */
static void lose(const char *attr)
{
	char path[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, path,
					  "/sys/devices/pci0000:00/" GPU "/%s", attr)),
			 0);
}

START_TEST(pci_power)
{
	not_read("pci.power = 0a:00.0", "say what to set",
		 "control=on|auto or d3cold=0|1");
	lose("d3cold_allowed");
	lose("power/control");
	refused("pci.power = d3cold=0 0a:00.0", GPU " has no d3cold_allowed",
		"leave d3cold= out");
	refused("pci.power = control=on 0a:00.0", GPU " has no power/control",
		"leave control= out");
}
END_TEST

static void put_inhibitor(const char *run)
{
	faketree_file("", "/run/systemd/system/x");
	faketree_program("systemd-inhibit", "exit 1\n");
	faketree_program("systemd-run", run);
}

/* The lock of a guest with another UUID, as logind notes it. */
static void put_lock_of_another(void)
{
	faketree_file("WHAT=sleep:idle:handle-lid-switch\nMODE=block\nWHO=vfio-hook\n"
		      "WHY=The guest other is running (vfio-hook-inhibit-"
		      "5b3e9a40-0000-4000-8000-0000000000ff.service)\n",
		      "/run/systemd/inhibit/1");
}

START_TEST(sleep_inhibit)
{
	refused("sleep.inhibit =", "sleep.inhibit needs systemd and its logind",
		"use exec.run and exec.undo");
	faketree_file("", "/run/systemd/system/x");
	refused("sleep.inhibit =", "systemd-run is not installed", "put '-' in front");
	faketree_program("systemctl", "echo Id=x; echo LoadState=not-found; "
				      "echo ActiveState=inactive\n");
	put_inhibitor("echo no bus >&2; exit 3\n");
	refused("sleep.inhibit =",
		"systemd-run --unit=vfio-hook-inhibit-" UUID ".service failed (status 3)",
		"no bus");
	put_inhibitor("");
	put_lock_of_another();
	refused("sleep.inhibit =",
		"systemd-inhibit ended at once: does systemd-logind run?",
		"journalctl -u vfio-hook-inhibit-" UUID);
	faketree_program("systemctl",
			 "[ -e $R/ran ] || S=in; [ $2 != stop ] || rm $R/ran; "
			 "echo Id=x; echo LoadState=loaded; "
			 "echo ActiveState=${S}active\n");
	put_inhibitor(": >$R/ran\n");
	refused("sleep.inhibit =\n[domain]\ntimeout = 4s",
		"logind has not taken the lock of vfio-hook-inhibit-" UUID
		".service in time",
		"");
	put_inhibitor(": >$R/ran; echo \"WHO=vfio-hook $*\" >$R/run/systemd/inhibit/2\n");
	steps("sleep.inhibit =");
	ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
	ck_assert_ptr_nonnull(strstr(faketree_read("/run/systemd/inhibit/2"),
				     "--what=sleep:idle:handle-lid-switch"));
}
END_TEST

START_TEST(shm_create)
{
	faketree_file("", "/etc/passwd");
	faketree_file("", "/etc/group");
	refused("shm.create = looking-glass", "there is no /dev/shm",
		"mount -t tmpfs tmpfs /dev/shm");
	faketree_file("four", "/dev/shm/looking-glass");
	faketree_file("", "/dev/shm/folder/x");
	not_read("shm.create = a/b", "a/b is no file in /dev/shm itself",
		 "write its name, as looking-glass");
	not_read("shm.create = mode=rw x", "mode=rw", "write it in octal, as 0660");
	refused("shm.create = size=32M looking-glass",
		"/dev/shm/looking-glass is there with 4 bytes instead of 33554432",
		"remove it if nobody uses it, or leave size= out");
	refused("shm.create = folder", "/dev/shm/folder is there and no file",
		"remove it, or choose another name");
	refused("shm.create = size=900000G x", "size=900000G does not fit into /dev/shm",
		"mount -o remount,size=");
	refused("shm.create = owner=anna x", "user anna is not in /etc/passwd",
		"(users that LDAP or systemd-homed provide are not seen here)");
	refused("shm.create = group=kvm x", "group kvm is not in /etc/group",
		"(groups that LDAP or systemd-homed provide are not seen here)");
}
END_TEST

START_TEST(file_own)
{
	faketree_file("", "/etc/passwd");
	faketree_file("", "/dev/input/event3");
	faketree_link("event3", "/dev/input/link");
	not_read("file.own = /dev/input/event3", "say what is to be set",
		 "owner=, group= or mode=");
	not_read("file.own = mode=0660 event3", "event3: write the whole path",
		 "from / on");
	not_read("file.own = mode=0660 /dev/../etc/shadow",
		 "/dev/../etc/shadow: write the path", "without \"..\"");
	refused("file.own = mode=0660 /dev/kvmfr0", "/dev/kvmfr0 is not there",
		"put '-' in front of the line");
	refused("file.own = owner=anna /dev/input/event3",
		"user anna is not in /etc/passwd", "LDAP");
	{
		char path[PATH_MAX];

		ck_assert_int_eq(chmod(host_path(&host, path, "/dev/input"), 0777), 0);
	}
	refused("file.own = mode=0660 /dev/input/link",
		"/dev/input/link leads over a symlink to /dev/input/event3",
		"name the file itself");
}
END_TEST

START_TEST(process_stop)
{
	faketree_file("", "/etc/passwd");
	not_read("process.stop = /usr/bin/sunshine",
		 "'/usr/bin/sunshine': write the program's name without its folder",
		 "sunshine");
	not_read("process.stop = libvirtd", "libvirtd is never stopped",
		 "could not go on");
	refused("process.stop = user=anna pulseaudio", "user anna is not in /etc/passwd",
		"LDAP");
	refused("process.stop = pulseaudio", "with --root no process is signalled",
		"they are this machine's");
}
END_TEST

START_TEST(suspend_cycle)
{
	not_read("suspend.cycle = seconds=1", "seconds= is 2 to 600", "");
	refused("suspend.cycle =",
		"this host cannot suspend to RAM: /sys/power/state offers "
		"nothing",
		"leave suspend.cycle out");
	faketree_file("freeze mem\n", "/sys/power/state");
	refused("suspend.cycle =", "nothing could wake this host: its clock has no alarm",
		"leave suspend.cycle out");
	faketree_file("\n", "/sys/class/rtc/rtc0/wakealarm");
	faketree_fail("/power/state", FAKE_ERRNO, EBUSY);
	domain("");
	steps("suspend.cycle = seconds=2");
	ck_assert_int_eq(command("run win10 prepare"), STATUS_FAILED);
	assert_has(
		"the host would not sleep (Device or resource busy): a device or program "
		"refuses; the kernel's log has its name");
}
END_TEST

START_TEST(kmod_unload)
{
	not_read("kmod.unload = nvidia.ko", "\"nvidia.ko\" is no module name",
		 "without .ko");
	faketree_module("vfio_pci", "vfio-pci");
	faketree_module_load("vfio_pci");
	faketree_pci("0000:0e:00.0", "10de:2204", "030000", "vfio-pci", "18");
	refused("kmod.unload = vfio_pci", "vfio_pci drives 0000:0e:00.0",
		"vfio modules may stay loaded, so leave this out");
	faketree_module_use("nvidia", "nvidia_drm");
	refused("kmod.unload = e1000e", "e1000e also drives " NIC,
		"add that one to the devices");
	faketree_file("live\n", "/sys/module/i915/initstate");
	refused("kmod.unload = i915", "i915 could not be loaded again afterwards",
		"(a kernel update without a reboot?)");
}
END_TEST

static void not_removed(int error, const char *cause, const char *cure)
{
	faketree_fail("remove", FAKE_ERRNO, error);
	refused("kmod.unload = timeout=1s dummy", cause, cure);
}

START_TEST(kernel_keeps_a_module)
{
	faketree_module("dummy", NULL);
	faketree_module_load("dummy");
	not_removed(EBUSY, "dummy cannot be unloaded: it is being loaded or unloaded",
		    "built without a way out");
	not_removed(EPERM, "dummy cannot be unloaded: the kernel lets nobody do so",
		    "(kernel.modules_disabled=1, or a missing capability)");
	not_removed(EIO, "dummy cannot be unloaded", "Input/output error");
	not_removed(EAGAIN, "dummy is in use (reference count ",
		    "vtconsole.unbind lets go of the console");
}
END_TEST

/* A second card needs the module, and this one lights a screen. */
START_TEST(screen_on_a_loaded_nvidia)
{
	faketree_pci("0000:0d:00.0", "10de:2204", "030000", "nvidia", "17");
	faketree_file("enabled\n",
		      "/sys/devices/pci0000:00/" GPU "/drm/card1/card1-DP-2/enabled");
	faketree_file("disabled\n",
		      "/sys/devices/pci0000:00/" GPU "/drm/card1/card1-DP-1/enabled");
	refused("pci.detach = while-loaded=yes 0a:00.*",
		"nvidia_drm drives the output card1-DP-2 of " GPU,
		"disconnect that screen or use kmod.unload");
	assert_hasnt("card1-DP-1");
}
END_TEST

static const struct {
	const char *line, *cause, *cure;
} words[] = {
	{ "epp.set = default", "'default' reads back as another name",
	  "write that one, as balance_performance" },
	{ "framebuffer.unbind = efifb", "\"efifb\" is no firmware framebuffer",
	  "they are named efi-framebuffer.0" },
	{ "hugepages.allocate = memory=4M pages=2", "memory= and pages= say the same",
	  "keep one" },
	{ "hugepages.allocate = pages=0", "no pages at all", "leave the line out" },
	{ "pci.reset = method=a/b 0a:00.0", "method=a/b",
	  "write a word of the function's reset_method, like flr or bus" },
	{ "pci.resize-bar = size=256M 0a:00.0", "bar= is needed", "0 to 5" },
	{ "wait.for = path=dev/x", "path=dev/x must begin with /", "" },
	{ "wait.sleep = soon", "'soon' is no time", "write seconds, as 5, 0.5 or 500ms" },
};

START_TEST(words_of_a_line)
{
	not_read(words[_i].line, words[_i].cause, words[_i].cure);
}
END_TEST

START_TEST(a_host_that_lacks_it)
{
	faketree_file("schedutil\n",
		      "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor");
	faketree_file(
		"ondemand schedutil\n",
		"/sys/devices/system/cpu/cpufreq/policy0/scaling_available_governors");
	faketree_file("acpi-cpufreq\n",
		      "/sys/devices/system/cpu/cpufreq/policy0/scaling_driver");
	faketree_file("0\n", "/sys/devices/system/cpu/cpufreq/policy0/affected_cpus");
	refused("governor.set = warp", "policy0 has no governor warp",
		"use one that its driver (acpi-cpufreq) offers: ondemand schedutil");
	refused("exec.run = env=A /bin/true", "env=A: write NAME=VALUE",
		"\"env=A=1 B=2\"");
	refused("exec.run = /usr/bin/nothing",
		"/usr/bin/nothing: No such file or directory", "install it, or put '-'");
	faketree_pci("0000:0f:00.0", "8086:10d3", "020000", "e1000e", NULL);
	refused("pci.detach = 0f:00.0", "0000:0f:00.0 is in no IOMMU group",
		"boot with intel_iommu=on");
	faketree_file("0\n", "/sys/kernel/mm/ksm/run");
	faketree_fail("ksm/run", FAKE_SILENT, 0);
	refused("sysfs.write = /sys/kernel/mm/ksm/run 1",
		"/sys/kernel/mm/ksm/run is '0' after '1' was written",
		"the kernel did not take it");
}
END_TEST

/* The texts of the call of run_problem() at P, one behind the other, in BUF. */
static void texts_of_call(const char *p, char *buf, size_t size)
{
	size_t n = 0;

	for (unsigned depth = 1; depth && *p; p++) {
		depth += *p == '(';
		depth -= *p == ')';
		if (*p != '"')
			continue;
		for (p++; *p != '"'; p++) {
			p += *p == '\\';
			if (n + 1 < size)
				buf[n++] = *p;
		}
	}
	buf[n] = '\0';
}

/* What it is told by others was looked at when a test came by it. */
static bool is_told_by_others(const char *text)
{
	return !*text || streq(text, "%s") || str_ends(text, ": %s") ||
	       str_ends(text, ", but %s");
}

static unsigned problems_of_file(const char *path)
{
	_cleanup_free_ char *source = calloc(1, 65536);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char text[1024];
	unsigned n = 0;

	ck_assert(f && source && fread(source, 1, 65535, f) > 0);
	for (const char *p = source; (p = strstr(p, "run_problem("));) {
		p += strlen("run_problem(");
		texts_of_call(p, text, sizeof(text));
		ck_assert_msg(is_told_by_others(text) || fake_has_cure(text), "%s: %s",
			      path, text);
		n++;
	}
	return n;
}

/* Also those that no test comes by. */
START_TEST(every_problem_has_its_cure)
{
	static const char *const folders[] = { "hook", "plugins" };
	const char *source = getenv("SOURCE");
	unsigned n = 0;

	ck_assert_msg(source, "SOURCE is not set");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		const struct host here = { .root = source };
		_cleanup_strv_ struct strv names = {};
		char path[PATH_MAX];

		ck_assert_int_eq(host_list(&here, &names, "/%s", folders[i]), 0);
		for (size_t k = 0; k < names.n; k++)
			if (str_ends(names.v[k], ".c"))
				n += problems_of_file(host_path(&here, path, "/%s/%s",
								folders[i], names.v[k]));
	}
	ck_assert_uint_gt(n, 60);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, every_problem_has_its_cure);
	tcase_add_loop_test(tc, words_of_a_line, 0, (int)ARRAY_SIZE(words));
	tcase_add_test(tc, a_host_that_lacks_it);
	tcase_add_test(tc, irq_move);
	tcase_add_test(tc, cpuset_isolate);
	tcase_add_loop_test(tc, cpuset_partition, 0, 4);
	tcase_add_test(tc, cpuset_partition_of_a_new_slice);
	tcase_add_test(tc, pci_power);
	tcase_add_test(tc, nothing_starts_while_the_system_stops);
	tcase_add_test(tc, sleep_inhibit);
	tcase_add_test(tc, shm_create);
	tcase_add_test(tc, file_own);
	tcase_add_test(tc, process_stop);
	tcase_add_test(tc, suspend_cycle);
	tcase_add_test(tc, kmod_unload);
	tcase_add_test(tc, kernel_keeps_a_module);
	tcase_add_test(tc, screen_on_a_loaded_nvidia);
	tcase_add_test(tc, units_of_a_seat);
	tcase_add_test(tc, nobody_at_a_seat);
}

int main(void)
{
	return machine_run("step_errors", add_tests);
}
