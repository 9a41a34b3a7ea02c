/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands for people print, on a machine made of files, and their exit status.
 */
#include "journal.h"
#include "machine.h"

START_TEST(help_and_usage)
{
	ck_assert_int_eq(command("--help"), STATUS_OK);
	assert_has("Commands:");
	ck_assert_int_eq(command("devices --help"), STATUS_OK);
	assert_has("Usage: vfio-hook [OPTION…] devices");
	ck_assert_int_eq(command("nonsense"), STATUS_USAGE);
	ck_assert_int_eq(command("devices too many"), STATUS_USAGE);
	ck_assert_int_eq(command("steps --gpu"), STATUS_USAGE);
	assert_has("steps has no option --gpu");
}
END_TEST

/* The table says what cannot be put back, and no line of a step is too long to read. */
START_TEST(steps_one_way)
{
	ck_assert_int_eq(command("steps"), STATUS_OK);
	assert_has("session.end            wait until the sessions of a seat are closed "
		   "(one way)\n");
	assert_has("pci.detach             bind PCI devices to VFIO\n");
	ck_assert_int_eq(command("steps session.end"), STATUS_OK);
	assert_has("\n  force=yes|no ");
	assert_has("\none way                what it does cannot be put back\n");
	ck_assert_int_eq(command("steps cpuset.isolate"), STATUS_OK);
	assert_has("cpuset.isolate = [CPUS]\n");
	assert_hasnt("one way");
	assert_has("\nundo                   the partition ends");
	assert_has("\n                       mask that the kernel will not clear");
}
END_TEST

/* What is told to be run can be copied, whatever the domain is called. */
START_TEST(commands_can_be_copied)
{
	faketree_file("<domain type='kvm'><name>my win</name><uuid>" UUID
		      "</uuid><memory>1024</memory><devices>" HOSTDEV(
			      "0x0b", "0") "</devices></domain>",
		      "/etc/libvirt/qemu/my win.xml");
	command("check");
	assert_has("             vfio-hook init --write 'my win'\n");
}
END_TEST

START_TEST(devices)
{
	faketree_file("0x00000000f0000000 0x00000000f0ffffff 0x0000000000040200\n"
		      "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		      "0x00000000d0000000 0x00000000dfffffff 0x000000000014220c\n",
		      "/sys/devices/pci0000:00/" GPU "/resource");
	faketree_file("0000000000003fc0\n",
		      "/sys/devices/pci0000:00/" GPU "/resource2_resize");
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipewire", "user@1000.service", "/dev/snd/controlC1");

	ck_assert_int_eq(command("devices"), STATUS_OK);
	assert_has("group 14: these 2 go to a guest together or not at all\n");
	assert_has("  0000:0a:00.0  display  10de:1e84  nvidia         ");
	assert_has("      reset flr bus, boot display, BAR0 16 MiB, "
		   "BAR2 256 MiB (can be 64 MiB to 8 GiB)\n");
	assert_has("      held by pipewire (pid 812, ");
	assert_has("group 15\n");
	assert_has("group 1: bridges stay with the host\n");
	assert_hasnt("\033");

	ck_assert_int_eq(command("devices --gpu"), STATUS_OK);
	assert_has(SOUND);
	assert_hasnt(NIC);

	ck_assert_int_eq(command("devices --json"), STATUS_OK);
	assert_has("\"iommu\": true");
	assert_has("\"address\": \"" GPU "\", \"group\": \"14\", \"class\": \"display\", "
		   "\"id\": \"10de:1e84\"");
	assert_has("\"with\": [\"" SOUND "\"]");
	assert_has("\"bar\": 2, \"size\": 268435456, \"min\": 67108864, "
		   "\"max\": 8589934592");
	assert_has("\"pid\": 812, \"command\": \"pipewire\"");
}
END_TEST

static const char *const names_of_nic[] = {
	NIC, "0b:00.0", "0b:00.*", "pci_0000_0b_00_0", "8086:10d3",
};

START_TEST(devices_that_are_named)
{
	_cleanup_free_ char *line = NULL;

	ck_assert_int_gt(asprintf(&line, "devices %s", names_of_nic[_i]), 0);
	ck_assert_int_eq(command(line), STATUS_OK);
	assert_has("group 15\n  " NIC "  network  8086:10d3  e1000e  ");
	assert_hasnt("group 14");
	assert_hasnt("group 1:");
}
END_TEST

/* They go to a guest together. */
START_TEST(devices_with_those_of_their_group)
{
	ck_assert_int_eq(command("devices 0a:00.1"), STATUS_OK);
	assert_has("group 14: these 2 go to a guest together or not at all\n  " GPU);
	assert_has("  " SOUND);
	assert_hasnt(NIC);
	ck_assert_int_eq(command("devices 0a:00.1 0b:00.0 --json"), STATUS_OK);
	assert_has("\"address\": \"" GPU "\"");
	assert_has("\"address\": \"" NIC "\"");
	assert_hasnt("0000:00:01.0");
}
END_TEST

START_TEST(devices_that_are_alike)
{
	faketree_pci("0000:0c:00.0", "8086:10d3", "020000", "e1000e", "16");
	ck_assert_int_eq(command("devices 8086:10d3"), STATUS_OK);
	assert_has("group 15\n");
	assert_has("group 16\n");
	assert_hasnt(GPU);
}
END_TEST

/* Without groups each is alone. */
START_TEST(devices_that_are_named_without_iommu)
{
	faketree_free();
	faketree_new(&host);
	faketree_pci(GPU, "10de:1e84", "030000", NULL, NULL);
	faketree_pci(SOUND, "10de:10f8", "040300", NULL, NULL);
	ck_assert_int_eq(command("devices 0a:00.1"), STATUS_FAILED);
	assert_has("  " SOUND);
	assert_hasnt(GPU);
}
END_TEST

/* What the databases and the kernel call them. */
START_TEST(devices_by_their_names)
{
	faketree_file("8086  Intel of the fake\n\t10d3  The Network Card\n"
		      "10de  Another vendor\n",
		      "/usr/share/misc/pci.ids");
	faketree_module("oddly_called", "its-driver");
	faketree_module_load("oddly_called");
	faketree_pci("0000:0c:00.0", "8086:ffff", "020000", "its-driver", "16");
	ck_assert_int_eq(command("devices"), STATUS_OK);
	assert_has("  " NIC "  network  8086:10d3  e1000e         Intel of the fake The "
		   "Network Card\n");
	assert_has("its-driver     Intel of the fake Device ffff\n"
		   "      reset flr bus, module oddly_called\n");
	assert_hasnt("module e1000e"); /* as its driver */
	ck_assert_int_eq(command("devices --json"), STATUS_OK);
	assert_has("\"name\": \"Intel of the fake The Network Card\", \"driver\": "
		   "\"e1000e\", \"module\": \"e1000e\"");
	assert_has("\"driver\": \"its-driver\", \"module\": \"oddly_called\"");
}
END_TEST

START_TEST(devices_without_iommu)
{
	faketree_free();
	faketree_new(&host);
	faketree_pci(GPU, "10de:1e84", "030000", NULL, NULL);
	faketree_file("vendor_id\t: GenuineIntel\n", "/proc/cpuinfo");
	ck_assert_int_eq(command("devices"), STATUS_FAILED);
	assert_has("no IOMMU: no device can be given to a guest; switch on \"VT-d\"");
	assert_has("intel_iommu=on");
}
END_TEST

static const char log_text[] =
	"2026-01-31T12:00:00.000+0000 INFO == win10 prepare/begin\n"
	"2026-01-31T12:00:00.001+0000 INFO -governor.set = performance ...\n"
	"2026-01-31T12:00:00.002+0000 INFO governor.set: done in 10 ms\n"
	"2026-01-31T12:00:00.003+0000 INFO pci.detach = timeout=15s gpu ...\n"
	"2026-01-31T12:00:00.004+0000 INFO pci.detach: done in 1230 ms\n"
	"2026-01-31T12:00:00.005+0000 INFO -- win10 prepare/begin: done in 1250 ms\n"
	"2026-01-31T12:00:01.000+0000 INFO == win10 release/end\n"
	"2026-01-31T12:00:01.000+0000 INFO == other undo\n"
	"2026-01-31T12:00:01.000+0000 INFO -- other undo: done in 1 ms\n"
	"2026-01-31T12:00:02.000+0000 ERROR -- win10 release/end: failed after 70 ms: oh\n"
	"torn\n"
	"2026-01-31T12:00:03.000+0000 INFO == win10 prepare/begin\n"
	"2026-01-31T12:00:03.000+0000 INFO governor.set = performance ...\n"
	"2026-01-31T12:00:03.000+0000 INFO governor.set: done in 10 ms\n"
	"2026-01-31T12:00:03.000+0000 INFO kmod.unload = timeout=30s nvidia_drm nvidia ...\n"
	"2026-01-31T12:00:03.000+0000 INFO module nvidia_drm: loaded → none\n";

START_TEST(status_after_a_reboot)
{
	faketree_file(log_text, "/var/log/vfio-hook/win10.log");
	ck_assert_int_eq(command("status"), STATUS_FAILED);
	assert_has("win10   interrupted");
	ck_assert_int_eq(command("status win10"), STATUS_FAILED);
	assert_has("win10: interrupted in prepare at kmod.unload nvidia_drm nvidia\n");
	assert_has("2026-01-31 12:00:00  prepare done in 1.2 s: pci.detach gpu 1.2 s\n");
	assert_has("release failed after 70 ms: oh\n");
	assert_has("prepare never ended\n");
	ck_assert_int_eq(command("status --json win10"), STATUS_FAILED);
	assert_has("\"interrupted\": \"in prepare at kmod.unload nvidia_drm nvidia\"");
	assert_has(
		"{\"step\": \"governor.set = performance\", \"ms\": 10, \"ended\": true");
	assert_has("\"result\": \"failed\", \"ms\": 70, \"error\": \"oh\"");

	ck_assert_int_eq(command("status win11"), STATUS_FAILED);
	assert_has("nothing is known of win11");
}
END_TEST

/* A journal as prepare leaves it, of an owner with this pid. */
static void write_journal(int owner)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	_cleanup_error_ struct error err = {};
	struct baseline b = {};
	int r = journal_open(&host, UUID, "win10", true, NULL, &journal, &err);

	ck_assert_msg(r == 0, "%s", error_text(&err));
	snprintf(b.name, sizeof(b.name), GPU);
	b.driver = b.module = (char *)(uintptr_t) "nvidia";
	b.override = b.reset_method = (char *)(uintptr_t) "";
	b.power_control = b.d3cold_allowed = b.id = b.override;
	journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL);
	journal_baseline(&journal, &b, NULL);
	journal_record(&journal, &state_driver, GPU, "nvidia", "vfio-pci", "",
		       PHASE_PREPARE, NULL);
	journal_record(&journal, &state_override, GPU, "", "vfio-pci", "", PHASE_PREPARE,
		       NULL);
	journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_COMPLETE, NULL);
	journal_owner(&journal, owner, (uint64_t)owner, NULL);
}

START_TEST(status_of_what_is_changed)
{
	faketree_file("[prepare/begin]\n", "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("status"), STATUS_OK);
	assert_has("win10   idle");

	faketree_process(500, "libvirtd", "libvirtd.service", NULL);
	write_journal(500);
	ck_assert_int_eq(command("status"), STATUS_OK);
	assert_has("win10   prepared  1        2");
	ck_assert_int_eq(command("status win10"), STATUS_OK);
	assert_has("  owner   libvirtd (pid 500)\n");
	assert_has("  driver 0000:0a:00.0    nvidia    nvidia  vfio-pci\n");
	ck_assert_int_eq(command("devices"), STATUS_OK);
	assert_has("taken by domain win10");

	faketree_process_gone(500);
	ck_assert_int_eq(command("status win10"), STATUS_FAILED);
	assert_has("win10: orphaned\n");
	assert_has("put it back with: vfio-hook undo win10");
	ck_assert_int_eq(command("status --json"), STATUS_FAILED);
	assert_has("\"owner\": {\"pid\": 500, \"command\": null, \"alive\": false}");
	assert_has("\"kind\": \"driver\", \"target\": \"" GPU
		   "\", \"original\": \"nvidia\", \"set\": \"vfio-pci\", "
		   "\"now\": \"nvidia\", \"phase\": \"prepare/begin\"");
}
END_TEST

START_TEST(init_for_the_only_gpu)
{
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0b", "0") "</devices>");
	faketree_vtcon(1, "(M) frame buffer device", true);
	faketree_platform("efi-framebuffer.0", "efi-framebuffer");
	ck_assert_int_eq(command("init win10"), STATUS_OK);
	assert_has("; not in the domain's XML, but it goes along: " SOUND ", audio\n"
		   "gpu = 0000:0a:00.* id=10de:1e84\n");
	assert_has("nic = 0000:0b:00.0 id=8086:10d3\n");
	assert_has("\nvtconsole.unbind =\n");
	assert_has("\nframebuffer.unbind =\n");
	assert_has("\nkmod.unload = timeout=30s nvidia\n");
	assert_has("\npci.detach = timeout=15s gpu nic\n");
	assert_has(
		"; <memoryBacking><hugepages/></memoryBacking> into the XML, and here:\n"
		";   hugepages.allocate =\n");
	assert_hasnt("\nhugepages.allocate");
	assert_hasnt("governor");
	ck_assert_int_eq(command("init win10 -o -"), STATUS_OK);
	assert_has("\npci.detach = timeout=15s gpu nic\n");
	assert_hasnt("written");
	ck_assert_int_ne(access("-", F_OK), 0);

	ck_assert_int_eq(command("init win10 --write"), STATUS_OK);
	assert_has("/etc/libvirt/hooks/conf.d/win10.ini: written");
	ck_assert_int_eq(command("init win10 --write"), STATUS_FAILED);
	assert_has("not written over");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
}
END_TEST

/* What has the card open goes from above: sound, then the desktop, then its sessions. */
START_TEST(init_for_a_desktop)
{
	const char *sound, *desktop, *session;

	faketree_file("", "/run/systemd/system/x");
	faketree_file("SESSIONS=\n", "/run/systemd/seats/seat0");
	faketree_program("systemctl", "echo Id=lightdm.service; echo LoadState=loaded\n"
				      "echo ActiveState=active\n");
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	ck_assert_int_eq(command("init win10"), STATUS_OK);
	sound = strstr(out, "\n-service.stop = seat=seat0 pipewire-pulse.socket ");
	desktop = strstr(out, "\nservice.stop = display-manager.service\n");
	session = strstr(out, "\nsession.end = seat=seat0 ");
	ck_assert_msg(sound && sound < desktop && desktop < session, "%s", out);
	ck_assert_int_eq(command("init win10 --write"), STATUS_OK);
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("nobody is logged in at seat0");
}
END_TEST

START_TEST(init_for_a_second_gpu)
{
	faketree_pci("0000:0c:00.0", "10de:2204", "030000", "nvidia", "16");
	faketree_file("0\n", "/sys/devices/pci0000:00/0000:0c:00.0/boot_vga");
	faketree_vtcon(1, "(M) frame buffer device", true);
	domain("<memoryBacking><hugepages/></memoryBacking><devices>" HOSTDEV("0x0c", "0")
		       HOSTDEV("0x77", "0") "</devices>");
	ck_assert_int_eq(command("init win10"), STATUS_OK);
	assert_has("; 0000:77:00.0 is in the XML, but this host has no such device.\n");
	assert_has("\nhugepages.allocate =\n");
	assert_hasnt("not in huge pages");
	assert_has("\npci.detach = timeout=15s while-loaded=yes gpu\n");
	assert_hasnt("kmod.unload");
	assert_hasnt("vtconsole");
	assert_hasnt("session.end");
	ck_assert_int_eq(command("init win10 --gpu"), STATUS_USAGE);
	ck_assert_int_eq(command("init nobody"), STATUS_USAGE);
}
END_TEST

START_TEST(plan)
{
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	faketree_file("[prepare/begin]\npci.detach = 0b:00.0\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("   1  pci.detach = 0b:00.0\n");
	assert_has("e1000e → vfio-pci\n");
	assert_has("   <  put back afterwards\n");
	assert_has("vfio-pci → e1000e\n");
	assert_has("vfio-pci → none\n");
	assert_has("      DEVICE        GROUP  DRIVER");
	assert_has("      " NIC "  15     e1000e");
	assert_hasnt("\033");

	ck_assert_int_eq(command("plan win10 --diff"), STATUS_OK);
	assert_has("--- win10 now\n+++ win10 after prepare/begin\n");
	assert_has("@@ driver " NIC " @@\n- e1000e\n+ vfio-pci\n");
	assert_hasnt("put back");

	ck_assert_int_eq(command("plan win10 --json"), STATUS_OK);
	assert_has("\"undo\": [");
	assert_has("{\"target\": \"driver " NIC
		   "\", \"now\": \"vfio-pci\", \"then\": \"e1000e\"}");
	ck_assert_int_eq(command("check --diff"), STATUS_USAGE);
}
END_TEST

/* Whoever has a device open that would go. */
START_TEST(plan_tells_who_holds)
{
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	steps("session.end =\nkmod.unload = nvidia\npci.detach = 0a:00.*");
	faketree_file("", "/run/systemd/seats/seat0");
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("      DEVICE        GROUP  DRIVER         HELD BY\n");
	assert_has("      " SOUND "  14     snd_hda_intel\n");
	faketree_process(812, "pipewire", "user@1000.service", "/dev/snd/controlC1");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("      " SOUND "  14     snd_hda_intel  pipewire (pid 812, ");
	assert_has("      " GPU "  14     nvidia\n");
	ck_assert_int_eq(command("plan --json win10"), STATUS_OK);
	assert_has("{\"address\": \"" GPU
		   "\", \"group\": \"14\", \"driver\": \"nvidia\", "
		   "\"holders\": []}");
	assert_has("{\"address\": \"" SOUND "\", \"group\": \"14\", \"driver\": "
		   "\"snd_hda_intel\", \"holders\": [{\"pid\": 812, \"command\": "
		   "\"pipewire\", \"user\": ");
	assert_has("\"node\": \"/dev/snd/controlC1\"");
	/* What comes back on the way down is no loss. */
	ck_assert_int_eq(command("plan --json win10 release"), STATUS_OK);
	assert_has("\"devices\": []");
}
END_TEST

/* What has the module open goes before: then only fbcon is left, or nothing is. */
START_TEST(plan_knows_what_pins_a_module)
{
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	steps("service.stop = audio\nvtconsole.unbind =\nkmod.unload = snd_hda_intel nvidia\n"
	      "pci.detach = 0a:00.*");
	faketree_file("", "/run/systemd/system/x");
	faketree_program("systemctl", "for u; do :; done\n"
				      "echo Id=$u; echo LoadState=loaded; echo "
				      "ActiveState=active; echo RequiredBy=\n");
	faketree_vtcon(0, "(M) dummy device", false);
	faketree_vtcon(1, "(M) frame buffer device", true);
	faketree_link("../../../devices/pci0000:00/" SOUND,
		      "/sys/class/graphics/fb0/device");
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipewire", "audio.service", "/dev/snd/controlC1");
	faketree_module_refs("snd_hda_intel", 1);
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("note: console 'frame buffer device' is left bound: ");
	faketree_module_refs("snd_hda_intel", 2);
	command("plan win10");
	assert_has("vtcon frame buffer device");
	assert_hasnt("is left bound");
}
END_TEST

/* The card is without a driver until the module is there again. */
START_TEST(plan_module_takes_it_back)
{
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	steps("kmod.unload = nvidia\npci.detach = 0a:00.*");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("      driver " GPU
		   "    vfio-pci → none, then the load of nvidia takes it back\n");
	assert_has("      driver " SOUND "    vfio-pci → snd_hda_intel\n");
	assert_has("      module nvidia          none → loaded\n");
}
END_TEST

static void interrupt(unsigned number, const char *actions)
{
	faketree_file("0-3\n", "/proc/irq/%u/smp_affinity_list", number);
	faketree_file(actions, "/sys/kernel/irq/%u/actions", number);
}

START_TEST(plan_moves_interrupts_by_name)
{
	faketree_file("0-3\n", "/sys/devices/system/cpu/online");
	interrupt(24, "nvme0q0\n");
	interrupt(25, "i801_smbus,ehci_hcd:usb1\n");
	interrupt(26, "eth0\n");
	domain("");
	steps("irq.move = to=0 nvme* ehci_hcd:usb1 xhci*");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("irq 24 nvme0q0                   0-3 → 0\n");
	assert_has("irq 25 i801_smbus,ehci_hcd:usb1  0-3 → 0\n");
	assert_hasnt("eth0");
	assert_has(
		"warning: no interrupt of xhci* is there now: the names are at the end");
	assert_hasnt("interrupt of nvme*");
	steps("irq.move = to=0");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("irq 26 eth0                      0-3 → 0\n");
}
END_TEST

START_TEST(plan_puts_pages_back)
{
	faketree_hugepages(2048, 0, 100);
	faketree_file(
		"MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\nHugepagesize: 2048 kB\n",
		"/proc/meminfo");
	domain("<memoryBacking><hugepages/></memoryBacking>");
	steps("hugepages.allocate =");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("0 → 2\n   <  put back afterwards\n");
	assert_has("2 → 0\n");
	assert_hasnt("not put back");
	assert_hasnt("from nodes");

	/* Of two nodes, which one each page comes from is not known before. */
	faketree_file("0-1\n", "/sys/devices/system/node/online");
	for (unsigned node = 0; node < 2; node++) {
		char text[128];

		snprintf(text, sizeof(text),
			 "Node %u MemTotal: 8000000 kB\nNode %u MemFree: 4000000 kB\n",
			 node, node);
		faketree_file(text, "/sys/devices/system/node/node%u/meminfo", node);
	}
	faketree_file("0\n", "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/"
			     "nr_hugepages");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("hugepages-2048kB/all  0 → 2\n");
	assert_has(
		"note: from nodes 0-1 of the host, as they have room: the log tells how "
		"many of each");
	steps("hugepages.allocate = node=0");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("hugepages-2048kB/node0  0 → 2\n");
	assert_hasnt("from nodes");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, help_and_usage);
	tcase_add_test(tc, steps_one_way);
	tcase_add_test(tc, commands_can_be_copied);
	tcase_add_test(tc, devices);
	tcase_add_loop_test(tc, devices_that_are_named, 0, ARRAY_SIZE(names_of_nic));
	tcase_add_test(tc, devices_with_those_of_their_group);
	tcase_add_test(tc, devices_that_are_alike);
	tcase_add_test(tc, devices_that_are_named_without_iommu);
	tcase_add_test(tc, devices_by_their_names);
	tcase_add_test(tc, devices_without_iommu);
	tcase_add_test(tc, status_after_a_reboot);
	tcase_add_test(tc, status_of_what_is_changed);
	tcase_add_test(tc, init_for_the_only_gpu);
	tcase_add_test(tc, init_for_a_desktop);
	tcase_add_test(tc, init_for_a_second_gpu);
	tcase_add_test(tc, plan);
	tcase_add_test(tc, plan_tells_who_holds);
	tcase_add_test(tc, plan_knows_what_pins_a_module);
	tcase_add_test(tc, plan_module_takes_it_back);
	tcase_add_test(tc, plan_moves_interrupts_by_name);
	tcase_add_test(tc, plan_puts_pages_back);
}

int main(void)
{
	return machine_run("commands", add);
}
