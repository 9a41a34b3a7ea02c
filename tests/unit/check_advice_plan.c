/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `check` takes from the plan of each phase, and the lines that it has for it.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "journal.h"
#include "machine.h"

/* The same config, whose lines stand behind what prepare and start leave. */
static void phases(const char *lines)
{
	_cleanup_free_ char *text = NULL;

	install("\177ELF", 0755);
	ck_assert_int_gt(asprintf(&text, "[prepare/begin]\npci.detach =\n%s\n", lines), 0);
	faketree_file(text, "/etc/libvirt/hooks/conf.d/win10.ini");
}

START_TEST(check_every_phase)
{
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	phases("[started/begin]\nkmod.load = nosuch\n");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("win10: a start would fail\n");
	assert_has("conf.d/win10.ini:4: kmod.load: ");

	phases("[start/begin]\nexec.run = /no/such/program\n");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("conf.d/win10.ini:4: exec.run: ");

	/* What the guest's start brings cannot be there yet. */
	phases("[started/begin]\nsysfs.write = /sys/class/net/vnet0/mtu 1500\n");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("  warning  ");
	assert_has("win10.ini:4: sysfs.write: /sys/class/net/vnet0/mtu does not exist");

	/* The same mistake in two phases is told of each. */
	phases("[started/begin]\nexec.run = /no/such\n[release/end]\nexec.run = /no/such\n");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("conf.d/win10.ini:4: exec.run: ");
	assert_has("conf.d/win10.ini:6: exec.run: ");

	/* The guest starts; it is told all the same. */
	phases("[release/end]\nkmod.load = nosuch\n");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("win10: a start would work, but not all of the way back\n");
	assert_has("conf.d/win10.ini:4: kmod.load: ");
}
END_TEST

START_TEST(check_phases_in_their_order)
{
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	/* The module goes only once prepare has taken its device; release finds it gone. */
	phases("[stopped/end]\nkmod.unload = e1000e\n"
	       "[release/end]\nkmod.load = e1000e\npci.reattach =\n");
	ck_assert_msg(command("check win10") == STATUS_OK, "%s", out);
	assert_has("win10: fine\n");
	phases("[release/end]\nundo =\nkmod.load = e1000e\n");
	ck_assert_msg(command("check win10") == STATUS_OK, "%s", out);
	assert_has("win10: fine\n");

	/* The machine as it is has the module already, with another parameter. */
	phases("[started/begin]\nkmod.load = e1000e debug=1\n");
	command("check win10");
	assert_has("e1000e was loaded before with debug=0, not debug=1");
	phases("kmod.unload = e1000e\n[started/begin]\nkmod.load = e1000e debug=1\n");
	command("check win10");
	assert_has("win10: fine\n");

	/* Prepare's way leaves the machine as it was for the next look. */
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	ck_assert_uint_eq(faketree_writes(), 0);
}
END_TEST

START_TEST(check_boot_phase)
{
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	phases("[boot/begin]\nkmod.load = nosuch\n");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10.ini:4: as things are now, kmod.load: ");
}
END_TEST

START_TEST(check_boot_unit)
{
	static const char unit[] = "vfio-hook-boot.service";

	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	phases("[boot/begin]\nkmod.load = e1000e\n");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt(unit); /* without systemd it is no use */
	faketree_file("", "/run/systemd/system/.keep");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("vfio-hook-boot.service is not enabled");
	assert_has("systemctl enable vfio-hook-boot.service\n");
	faketree_file("", "/etc/systemd/system/multi-user.target.wants/%s", unit);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt(unit);
}
END_TEST

/* An hour from now, or long ago. */
static void initramfs_made(int64_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	struct utsname u;
	char path[PATH_MAX];

	uname(&u);
	faketree_file("", "/boot/initrd.img-%s", u.release);
	snprintf(path, sizeof(path), "%s/boot/initrd.img-%s", faketree_root(), u.release);
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(check_initramfs)
{
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	phases("[boot/begin]\nkmod.load = e1000e\n");
	initramfs_made(1000);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("initrd.img"); /* nothing of ours goes in there */
	faketree_file("", "/usr/share/initramfs-tools/hooks/vfio-hook");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("/etc/libvirt/hooks/conf.d/win10.ini was changed last");
	assert_has("update-initramfs -u\n");
	initramfs_made(time(NULL) + 3600);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("initrd.img");
	phases("kmod.load = e1000e\n");
	initramfs_made(1000);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("initrd.img");
}
END_TEST

/* What is told below a problem does not deny it. */
START_TEST(notes_beside_problems)
{
	steps("pci.detach = 0e:00.0");
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_eq(command("plan win10"), STATUS_FAILED);
	assert_has("PROBLEM: ");
	assert_hasnt("all are on a vfio driver already");

	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipewire", "user@1000.service", "/dev/snd/controlC1");
	faketree_process(813, "mpd", "mpd.service", "/dev/snd/controlC1");
	steps("session.end =\npci.detach = 0a:00.*");
	ck_assert_int_eq(command("plan win10"), STATUS_FAILED);
	assert_has("PROBLEM: " SOUND " is held by mpd (pid 813, ");
	assert_has("note: " SOUND " is held by pipewire (pid 812, ");
	assert_has("an earlier step may end that\n");
	assert_hasnt("waits to its deadline");
}
END_TEST

/* A host where each of the lines below has its mistake. */
static void put_mistakes(void)
{
	faketree_file("four", "/dev/shm/looking-glass");
	faketree_file("", "/dev/input/event3");
	faketree_file("", "/etc/passwd");
	faketree_file("", "/usr/bin/plain");
	faketree_file("2\n", "/sys/devices/pci0000:00/" NIC "/sriov_numvfs");
	faketree_file("0\n", "/sys/devices/system/cpu/cpufreq/policy0/affected_cpus");
	faketree_file("powersave\n",
		      "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor");
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_file("0-3\n", "/sys/devices/system/cpu/online");
	faketree_process(700, "irqbalance", "irqbalance.service", NULL);
	faketree_process(811, "pipewire", "user@1000.service", "/dev/snd/controlC1");
	faketree_process(812, "mpd", "mpd.service", "/dev/snd/controlC1");
	faketree_process(813, "looper", "", "/dev/snd/controlC1");
	faketree_module("nvidia_drm", NULL);
	faketree_module_load("nvidia_drm");
	faketree_module_use("nvidia", "nvidia_drm");
}

static const struct {
	const char *line, *cure; /* what is to be put in */
} cures[] = {
	{ "pci.detach = 0a:00.0", "kmod.unload = nvidia_drm nvidia" },
	{ "pci.detach = 0a:00.0", "pci.detach = group=whole 0a:00.0" },
	{ "pci.detach = timeout=9s group=check 0a:00.0",
	  "pci.detach = group=whole timeout=9s 0a:00.0" },
	{ "pci.detach = timeout=9s driver=e1000e 0b:00.0",
	  "pci.detach = timeout=9s 0b:00.0" },
	{ "pci.detach = 0b:00.0",
	  "echo 0 > /sys/bus/pci/devices/0000:0b:00.0/sriov_numvfs" },
	{ "pci.detach = 0a:00.1", "session.end =" },
	{ "pci.detach = 0a:00.1", "service.stop = mpd.service" },
	{ "pci.detach = 0a:00.1", "process.stop = looper" },
	{ "kmod.unload = nvidia", "kmod.unload = nvidia_drm nvidia" },
	{ "kmod.load = e1000e debug=1", "kmod.unload = e1000e" },
	{ "irq.move = to=0-1", "service.stop = irqbalance" },
	{ "sysfs.write = /sys/kernel/none 1", "-sysfs.write = /sys/kernel/none 1" },
	{ "exec.run = /no/such x", "-exec.run = /no/such x" },
	{ "exec.run = /usr/bin/plain", "chmod 0755 /usr/bin/plain" },
	{ "scripts.run = /no/folder", "-scripts.run = /no/folder" },
	{ "file.own = mode=0660 /dev/none", "-file.own = mode=0660 /dev/none" },
	{ "shm.create = mode=0660 size=32M looking-glass",
	  "shm.create = mode=0660 looking-glass" },
	{ "shm.create = size=32M looking-glass", "shm.create = looking-glass" },
	{ "epp.set = performance", "-epp.set = performance" },
	{ "pci.power = d3cold=0 control=on 0b:00.0", "pci.power = control=on 0b:00.0" },
	{ "wait.sleep = 100min", "timeout = 60" }, /* and what is spare */
	{ "hugepages.allocate =", "<memoryBacking><hugepages/></memoryBacking>" },
};

/* What the plan says to do, alone, to be copied: for people, and for programs. */
START_TEST(lines_to_put_in)
{
	char path[PATH_MAX];

	put_mistakes();
	ck_assert_int_eq(unlink(host_path(&host, path,
					  "/sys/devices/pci0000:00/" NIC
					  "/d3cold_allowed")),
			 0);
	domain("");
	steps(cures[_i].line);
	command("check win10");
	snprintf(path, sizeof(path), "\n             %s", cures[_i].cure);
	assert_has(path);
	for (const char *argument = "check"; argument;
	     argument = streq(argument, "check") ? "plan" : NULL) {
		snprintf(path, sizeof(path), "%s --json win10", argument);
		command(path);
		assert_has("\"cure\": \"");
		assert_has(cures[_i].cure);
	}
}
END_TEST

/* A line that is marked so already is not marked again. */
START_TEST(no_lines_to_put_in)
{
	domain("");
	steps("-sysfs.write = /sys/kernel/none 1");
	ck_assert_int_eq(command("plan --json win10"), STATUS_OK);
	assert_has("/sys/kernel/none does not exist on this machine now");
	assert_has("\"cure\": null");
	steps("governor.set = performance");
	ck_assert_int_eq(command("plan --json win10"), STATUS_FAILED);
	assert_has("\"cure\": \"-governor.set = performance\"");
	/* Nor is what one finding says to do said of the next. */
	faketree_file("four", "/dev/shm/looking-glass");
	steps("shm.create = size=32M looking-glass\nkmod.load = nosuch");
	ck_assert_int_eq(command("plan --json win10"), STATUS_FAILED);
	assert_has("\"cure\": \"shm.create = looking-glass\"");
	assert_has("there is none: install it\", \"cure\": null");
}
END_TEST

/* A mounted disk, whose unit frees it. */
START_TEST(lines_for_a_disk)
{
	static const char disk[] = "/sys/devices/pci0000:00/" NIC "/block/sdx";

	domain("");
	faketree_disk("sdx", NIC);
	faketree_file("8:16\n", "%s/dev", disk);
	faketree_file("36 35 8:16 / /games rw - ext4 /dev/sdx rw\n",
		      "/proc/self/mountinfo");
	faketree_file("", "/run/systemd/system/x");
	faketree_program("systemctl", "echo Id=games.mount; echo LoadState=loaded; "
				      "echo ActiveState=active\n");
	steps("pci.detach = 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("\n             service.stop = games.mount\n");
}
END_TEST

/* The only card with a picture. */
START_TEST(lines_for_the_last_picture)
{
	faketree_free();
	faketree_new(&host);
	faketree_module("amdgpu", "amdgpu");
	faketree_module_load("amdgpu");
	faketree_pci(GPU, "1002:73df", "030000", "amdgpu", "14");
	domain("");
	steps("pci.detach = 0a:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("\n             [domain]\n             headless = yes\n");
}
END_TEST

/* Another domain has the device, and is there. */
START_TEST(lines_against_another_domain)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	_cleanup_error_ struct error err = {};

	ck_assert_msg(journal_open(&host, "99999999-2222-3333-4444-555555555555",
				   "old one", true, NULL, &journal, &err) == 0,
		      "%s", error_text(&err));
	faketree_process(500, "libvirtd", "libvirtd.service", NULL);
	journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL);
	journal_record(&journal, &state_driver, NIC, "e1000e", "vfio-pci", "",
		       PHASE_PREPARE, NULL);
	journal_owner(&journal, 500, 500, NULL);
	domain("");
	steps("pci.detach = 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has(NIC " belongs to domain old one now");
	assert_has("\n             virsh shutdown 'old one'\n");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, check_every_phase);
	tcase_add_test(tc, check_phases_in_their_order);
	tcase_add_test(tc, check_boot_phase);
	tcase_add_test(tc, check_boot_unit);
	tcase_add_test(tc, check_initramfs);
	tcase_add_test(tc, notes_beside_problems);
	tcase_add_loop_test(tc, lines_to_put_in, 0, (int)ARRAY_SIZE(cures));
	tcase_add_test(tc, no_lines_to_put_in);
	tcase_add_test(tc, lines_for_a_disk);
	tcase_add_test(tc, lines_for_the_last_picture);
	tcase_add_test(tc, lines_against_another_domain);
}

int main(void)
{
	return machine_run("advice_plan", add);
}
