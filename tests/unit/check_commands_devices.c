/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `vfio-hook devices` prints, on a machine made of files, and its exit status.
 */
#include "machine.h"

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

static void add(TCase *tc)
{
	tcase_add_test(tc, devices);
	tcase_add_loop_test(tc, devices_that_are_named, 0, ARRAY_SIZE(names_of_nic));
	tcase_add_test(tc, devices_with_those_of_their_group);
	tcase_add_test(tc, devices_that_are_alike);
	tcase_add_test(tc, devices_that_are_named_without_iommu);
	tcase_add_test(tc, devices_by_their_names);
	tcase_add_test(tc, devices_without_iommu);
}

int main(void)
{
	return machine_run("commands_devices", add);
}
