/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps say in a plan of processes that are in the way, and what they say when the
 * host does not do what was asked for: each with the name of who, and the cure.
 */
#include "machine.h"
#include "suite.h"
#include "util.h"

#define DEVICE "/sys/devices/pci0000:00/"

/* The plan of LINES in prepare. */
static void plan(const char *lines)
{
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	steps(lines);
	command("plan win10");
}

/* Prepare with LINES fails, with CAUSE and CURE in its one line. */
static void fails(const char *lines, const char *cause, const char *cure)
{
	domain("");
	steps(lines);
	ck_assert_msg(command("run win10 prepare") == STATUS_FAILED, "%s: %s", lines, out);
	assert_has(cause);
	assert_has(cure);
}

static void put_programs(void)
{
	faketree_file("", DEVICE SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipewire", "user@1000.service", "/dev/snd/controlC1");
	faketree_file("/usr/bin/pipewire", "/proc/812/cmdline");
	faketree_process(813, "libvirtd", "libvirtd.service", "/dev/snd/controlC1");
	faketree_file("/usr/sbin/libvirtd", "/proc/813/cmdline");
	faketree_process(814, "pipewire-pulse", "user@1000.service", NULL);
	faketree_file("/usr/bin/pipewire-pulse", "/proc/814/cmdline");
}

START_TEST(process_stop_foretells)
{
	put_programs();
	plan("process.stop = pipewire");
	assert_has("pipewire (pid 812, ");
	assert_has(") gets SIGTERM (one way)");
	assert_hasnt("pid 814");
	plan("process.stop = pipewire-pulse sunshine");
	assert_has("pipewire-pulse (pid 814, ");
	assert_hasnt("pipewire (pid 812, root) gets");
}
END_TEST

START_TEST(holders_kill_foretells)
{
	put_programs();
	plan("holders.kill = signal=KILL");
	assert_has("pipewire (pid 812, ");
	assert_has(", /dev/snd/controlC1) gets SIGKILL (one way)");
	assert_has("libvirtd (pid 813, ");
	assert_has(") has /dev/snd/controlC1 open and is never killed");
	assert_hasnt("pid 814");
	plan("holders.kill =");
	assert_has(", /dev/snd/controlC1) gets SIGTERM (one way)");
}
END_TEST

START_TEST(holders_wait_notes)
{
	put_programs();
	faketree_process_gone(813);
	plan("holders.wait =");
	assert_has("note: " SOUND " is held by pipewire (pid 812, ");
	assert_has("and may stay so: ");
	faketree_process_gone(812);
	plan("holders.wait =");
	assert_hasnt("may stay so");
}
END_TEST

START_TEST(drm_release_notes)
{
	plan("drm.release =");
	assert_has("note: no DRM node: nothing has to be released");
	faketree_file("", DEVICE GPU "/drm/card1/uevent");
	faketree_process(815, "kwin_wayland", "user@1000.service", "/dev/dri/card1");
	plan("drm.release =");
	assert_has("note: " GPU " is held by kwin_wayland (pid 815, ");
	assert_has(
		"that has to close it when told of the removal, as Wayland compositors with "
		"another card do, else the start is refused");
	assert_hasnt("no DRM node");
}
END_TEST

START_TEST(kmod_load)
{
	not_read("kmod.load = kvmfr.ko", "\"kvmfr.ko\" is no module name", "without .ko");
	not_read("kmod.load = kvmfr size=64 i2c.ko", "\"i2c.ko\" is no module name",
		 "without .ko");
	fails("kmod.load = nowhere", "module nowhere: there is none", "kmod.load");
	plan("kmod.load = e1000e debug=3");
	assert_has(
		"e1000e was loaded before with debug=0, not debug=3: add a kmod.unload of "
		"it above, or set it in modprobe.d");
	plan("kmod.load = e1000e debug=n");
	assert_hasnt("was loaded before");
	faketree_module("kvmfr", NULL);
	faketree_program("modprobe", "exit 0\n");
	faketree_fail("load", FAKE_ERRNO, EKEYREJECTED);
	fails("kmod.load = kvmfr", "module kvmfr cannot be loaded", "");
	faketree_fail("load", FAKE_SILENT, 0);
	fails("kmod.load = kvmfr",
	      "kvmfr is not there after it was loaded: does modprobe.d",
	      "or an install command that loads nothing?");
}
END_TEST

START_TEST(hugepages_of_the_wrong_kind)
{
	not_read("hugepages.allocate = size=3M memory=6M", "size=3M is no size of a page",
		 "use 2M or 1G");
	faketree_hugepages(2048, 0, 64);
	faketree_hugepages(1048576, 0, 4);
	faketree_file("MemTotal: 8000000 kB\nMemAvailable: 7000000 kB\n"
		      "Hugepagesize: 2048 kB\n",
		      "/proc/meminfo");
	faketree_file("0\n", "/sys/devices/system/node/online");
	domain("<memoryBacking><hugepages><page size='2' unit='M'/></hugepages>"
	       "</memoryBacking>");
	steps("hugepages.allocate = size=1G");
	command("plan win10");
	assert_has("the guest will not use pages of 1 GiB: the XML wants such of "
		   "2 MiB for it");
	assert_has("the guest: 4 MiB are no whole number of pages of 1 GiB: the last one "
		   "is taken whole, if QEMU does not refuse");
	domain("<memoryBacking><hugepages/></memoryBacking>"
	       "<numatune><memory mode='strict' nodeset='1'/></numatune>");
	steps("hugepages.allocate = node=0");
	command("plan win10");
	assert_has("will not use pages of node 0: the XML binds it to others");
}
END_TEST

START_TEST(reset_that_cannot_be)
{
	faketree_pci("0000:0c:00.0", "1002:67df", "020000", NULL, "16");
	faketree_file("", DEVICE "0000:0c:00.0/reset");
	faketree_fail("/reset", FAKE_ERRNO, ENOTTY);
	fails("pci.reset = 0c:00.0",
	      "0000:0c:00.0: none of its reset methods can be used now",
	      "(a bus reset needs all functions of the bus)");
	faketree_fail("/reset", FAKE_ERRNO, EIO);
	fails("pci.reset = 0c:00.0", "0000:0c:00.0/reset", "Input/output error");
	faketree_file("", DEVICE "0000:0b:00.0/reset");
	fails("pci.reset = 0b:00.0",
	      NIC " is in the hands of e1000e, which a reset would take by surprise",
	      "put a pci.detach in front");
}
END_TEST

static void not_resized(int error, const char *why)
{
	faketree_fail("resource0_resize", FAKE_ERRNO, error);
	fails("pci.resize-bar = bar=0 size=1G 0c:00.0",
	      "BAR 0000:0c:00.0 0 cannot become 1G: ", why);
}

START_TEST(bar_that_cannot_grow)
{
	faketree_pci("0000:0c:00.0", "1002:67df", "020000", NULL, "16");
	faketree_file("0x00000000d0000000 0x00000000dfffffff 0x000000000014220c\n",
		      DEVICE "0000:0c:00.0/resource");
	faketree_file("0000000000003fc0\n", DEVICE "0000:0c:00.0/resource0_resize");
	not_resized(ENOSPC, "the window of the bridge above has no room");
	not_resized(ENOENT, "the window of the bridge above has no room");
	not_resized(EBUSY, "the function has a driver, or its virtual functions are on");
	fails("pci.resize-bar = bar=0 size=1M 0c:00.0",
	      "BAR 0 of 0000:0c:00.0 cannot be 1M", "use one of the sizes offered: 64M");
}
END_TEST

START_TEST(console_that_stays)
{
	faketree_vtcon(0, "(S) dummy device", false);
	faketree_vtcon(1, "(M) frame buffer device", true);
	faketree_fail("vtcon1/bind", FAKE_SILENT, 0);
	fails("[domain]\nheadless = yes\n[prepare/begin]\nvtconsole.unbind =",
	      "console 'frame buffer device' was not unbound: the kernel reports success but "
	      "changed nothing",
	      "(is CONFIG_VT_HW_CONSOLE_BINDING on?)");
}
END_TEST

START_TEST(module_that_others_use)
{
	faketree_module("nvidia_drm", NULL);
	faketree_module_load("nvidia_drm");
	faketree_module_use("nvidia", "nvidia_drm");
	fails("[domain]\nheadless = yes\n[prepare/begin]\nkmod.unload = nvidia",
	      "nvidia is used by the module nvidia_drm, which must be unloaded before it: ",
	      "kmod.unload = nvidia_drm nvidia");
}
END_TEST

/* It drives nothing itself, but what vfio-pci has would go with it. */
START_TEST(vfio_modules_stay)
{
	faketree_module("vfio_iommu_type1", NULL);
	faketree_pci("0000:0e:00.0", "10de:2204", "030000", "vfio-pci", "18");
	fails("kmod.unload = vfio_iommu_type1",
	      "vfio_iommu_type1 stays: 0000:0e:00.0 is on a vfio driver, and unloading "
	      "would take it away",
	      "");
	ck_assert(host_exists(&host, "/sys/module/vfio_iommu_type1/initstate"));
}
END_TEST

START_TEST(programs)
{
	fails("exec.undo = /bin/true",
	      "exec.undo undoes the exec.run in the line directly above it, and there is none",
	      "put it right behind one");
	fails("exec.run = no-such-program",
	      "there is no program no-such-program in /usr/local/sbin, ",
	      "/sbin or /bin: install it, or write its whole path");
	faketree_program("slow", "exec sleep 300\n");
	fails("exec.run = timeout=1s slow", "slow did not end within 1 s and was killed",
	      "give timeout= more, or let it go to the background");
}
END_TEST

START_TEST(masks_that_are_not_taken)
{
	faketree_file("0-3\n", "/sys/devices/system/cpu/online");
	faketree_file("", "/run/systemd/system/x");
	faketree_file("cpuset cpu\n", "/sys/fs/cgroup/cgroup.controllers");
	faketree_file("0-3\n", "/sys/fs/cgroup/cpuset.cpus.effective");
	faketree_file("\n", "/sys/fs/cgroup/system.slice/cpuset.cpus");
	faketree_program("systemctl", "[ $2 != show ] || echo AllowedCPUs=\n");
	fails("cpuset.isolate = 2-3",
	      "systemd took AllowedCPUs=0-1 for system.slice, but "
	      "/sys/fs/cgroup/system.slice/cpuset.cpus does not have it",
	      "");
	faketree_file("all of them\n", "/sys/fs/cgroup/system.slice/cpuset.cpus");
	fails("cpuset.isolate = 2-3",
	      "system.slice: cpuset.cpus has no list of CPUs ('all of them')",
	      "leave cpuset.isolate out");
}
END_TEST

static void put_sleep(const char *mem_sleep)
{
	faketree_file("freeze mem\n", "/sys/power/state");
	faketree_file("\n", "/sys/class/rtc/rtc0/wakealarm");
	faketree_file(mem_sleep, "/sys/power/mem_sleep");
}

#define DEEP "sysfs.write = /sys/power/mem_sleep deep"

START_TEST(suspend_that_takes_no_power)
{
	put_sleep("[s2idle] deep\n");
	domain(PASSTHROUGH);
	steps("suspend.cycle =");
	command("check win10");
	assert_has(
		"suspend to RAM is s2idle on this host (/sys/power/mem_sleep), in which "
		"a card keeps its power and is not reset: put " DEEP " in front\n"
		"             " DEEP "\n");
	steps("[release/end]\nsuspend.cycle =");
	command("check win10");
	assert_has("is not reset: put " DEEP " into [prepare/begin]\n"
		   "             [prepare/begin]\n"
		   "             " DEEP "\n");
	put_sleep("[s2idle]\n");
	command("check win10");
	assert_has(
		"this host has no S3: /sys/power/mem_sleep offers no deep sleep, only "
		"s2idle, in which a card may keep its power and is not reset then: look "
		"for S3 in the setup of the firmware, or leave suspend.cycle out");
}
END_TEST

START_TEST(suspend_that_takes_all_power)
{
	static const struct {
		const char *mem_sleep, *lines;
	} cases[] = {
		{ "s2idle [deep]\n", "suspend.cycle =" },
		{ "[s2idle] deep\n", DEEP "\nsuspend.cycle =" },
		{ "[s2idle] deep\n", DEEP "\n[release/end]\nsuspend.cycle =" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_sleep(cases[i].mem_sleep);
		domain(PASSTHROUGH);
		steps(cases[i].lines);
		command("check win10");
		assert_hasnt("not reset");
	}
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, process_stop_foretells);
	tcase_add_test(tc, holders_kill_foretells);
	tcase_add_test(tc, holders_wait_notes);
	tcase_add_test(tc, drm_release_notes);
	tcase_add_test(tc, kmod_load);
	tcase_add_test(tc, hugepages_of_the_wrong_kind);
	tcase_add_test(tc, reset_that_cannot_be);
	tcase_add_test(tc, bar_that_cannot_grow);
	tcase_add_test(tc, console_that_stays);
	tcase_add_test(tc, module_that_others_use);
	tcase_add_test(tc, vfio_modules_stay);
	tcase_add_test(tc, programs);
	tcase_add_test(tc, masks_that_are_not_taken);
	tcase_add_test(tc, suspend_that_takes_no_power);
	tcase_add_test(tc, suspend_that_takes_all_power);
}

int main(void)
{
	return machine_run("step_texts", add_tests);
}
