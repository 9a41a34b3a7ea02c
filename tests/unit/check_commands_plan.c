/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `vfio-hook plan` prints, on a machine made of files, and its exit status.
 */
#include <sys/stat.h>

#include "machine.h"

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
	char path[PATH_MAX];

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
	interrupt(27, "virtio2-req.0\n");
	ck_assert_int_eq(chmod(host_path(&host, path, "/proc/irq/27/smp_affinity_list"),
			       0444),
			 0);
	steps("irq.move = to=0 virtio2-* nvme*");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("note: virtio2-*: the kernel manages interrupts of that name itself: "
		   "those stay where they are\n");
	assert_hasnt("no interrupt of");
	assert_hasnt("nvme*: the kernel");
	assert_hasnt("irq 27");
	steps("irq.move = to=0");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
	assert_has("irq 26 eth0                      0-3 → 0\n");
	assert_hasnt("virtio2");
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
	tcase_add_test(tc, plan);
	tcase_add_test(tc, plan_tells_who_holds);
	tcase_add_test(tc, plan_knows_what_pins_a_module);
	tcase_add_test(tc, plan_module_takes_it_back);
	tcase_add_test(tc, plan_moves_interrupts_by_name);
	tcase_add_test(tc, plan_puts_pages_back);
}

int main(void)
{
	return machine_run("commands_plan", add);
}
