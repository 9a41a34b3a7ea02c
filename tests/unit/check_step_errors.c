/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps say when they cannot: what failed, on what, why, and what to do about it.
 */
#include <sys/stat.h>

#include "machine.h"

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
	steps("-file.own = mode=0660 /dev/kvmfr0");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("/dev/kvmfr0 is not there\n");
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
	{ "epp.set = Power", "'Power' is no preference: write one of those in",
	  "/policy0/energy_performance_available_preferences" },
	{ "governor.set = Fast", "'Fast' is no governor: write one of those in",
	  "/policy0/scaling_available_governors" },
	{ "pci.detach = driver=vfio/pci 0a:00.0", "driver= is the name of a PCI driver",
	  "like vfio-pci" },
	{ "pci.resize-bar = bar=0 0a:00.0", "size= is needed, a power of two", "256M" },
	{ "scripts.run = win10.d", "win10.d: write the folder's whole path", "from / on" },
	{ "wait.for =", "say what to wait for", "path=FILE or unit=UNIT" },
	{ "wait.for = path=/dev/x unit=x", "say what to wait for", ", one a line" },
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

static const struct {
	const char *line, *cause, *cure;
} lacks[] = {
	{ "exec.run = /usr/sbin", "/usr/sbin is not a file", "name the program itself" },
	{ "exec.run = /usr/sbin/tool", "/usr/sbin/tool is not executable",
	  ": chmod 0755 /" },
	{ "hugepages.allocate = size=1G pages=1",
	  "this kernel has no pages of 1 GiB: use a size that it has: hugepages-2048kB",
	  "; 1G pages need a CPU with pdpe1gb" },
	{ "pci.reset = 0f:00.0", "0000:0f:00.0 cannot be reset",
	  "the kernel knows no method for it: leave this line out" },
	{ "scripts.run = /etc/nowhere", "there is no folder /etc/nowhere", ": mkdir it" },
	{ "service.stop = seat=seat0 x", "cannot read the sessions of seat0",
	  "(Is a directory): look what /run/systemd/seats/seat0 is" },
	{ "session.end =", "cannot read the sessions of seat0",
	  "(Is a directory): look what /run/systemd/seats/seat0 is" },
	{ "suspend.cycle = seconds=500",
	  "500 s of sleep do not fit into the time that is left",
	  "raise timeout= of [domain]" },
	{ "sysfs.write = /sys/power 1", "/sys/power is a folder",
	  "name the file in it that is to be written" },
	{ "sysfs.write = /sys/power/link 1",
	  "/sys/power/link does not exist on this machine now",
	  ": put '-' in front of the line" },
	{ "wait.sleep = 900", "900 is longer than the phase has left (",
	  "raise timeout= in [domain]" },
};

START_TEST(a_host_that_lacks_a_thing)
{
	faketree_file("", "/usr/sbin/tool");
	faketree_file("", "/run/systemd/seats/seat0/x");
	faketree_file("mem\n", "/sys/power/state");
	faketree_file("\n", "/sys/class/rtc/rtc0/wakealarm");
	faketree_link("nothing", "/sys/power/link");
	faketree_hugepages(2048, 0, 0);
	faketree_pci("0000:0f:00.0", "8086:10d3", "020000", NULL, "19");
	refused(lacks[_i].line, lacks[_i].cause, lacks[_i].cure);
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
	refused("epp.set = power",
		"policy0 has no energy preference (its driver is 'acpi-cpufreq')",
		"put '-' in front of the line");
	refused("session.end =", "there is no systemd-logind on this host",
		"leave this line out, and stop what runs there with service.stop");
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

static void add(TCase *tc)
{
	tcase_add_test(tc, pci_power);
	tcase_add_test(tc, shm_create);
	tcase_add_test(tc, file_own);
	tcase_add_test(tc, process_stop);
	tcase_add_test(tc, suspend_cycle);
	tcase_add_test(tc, kmod_unload);
	tcase_add_test(tc, kernel_keeps_a_module);
	tcase_add_test(tc, screen_on_a_loaded_nvidia);
	tcase_add_loop_test(tc, words_of_a_line, 0, (int)ARRAY_SIZE(words));
	tcase_add_loop_test(tc, a_host_that_lacks_a_thing, 0, (int)ARRAY_SIZE(lacks));
	tcase_add_test(tc, a_host_that_lacks_it);
}

int main(void)
{
	return machine_run("step_errors", add);
}
