/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `check` finds in the devices of a guest: their groups, cards, drivers and resets.
 */
#include <sys/utsname.h>

#include "machine.h"

START_TEST(check_driver_for_the_guest)
{
	static const char *const wrong[] = { "e1000e", "pci-stub", "nosuch" };
	static const char variant[] = "alias vfio_pci:v00008086d* nosuch\n";
	static char table[65536 + 1];
	struct utsname uts;
	char lines[128];

	ck_assert_int_eq(uname(&uts), 0);
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(lines, sizeof(lines), "pci.detach = driver=%s 0b:00.0", wrong[i]);
		steps(lines);
		ck_assert_int_eq(command("check win10"), STATUS_FAILED);
		snprintf(lines, sizeof(lines), "pci.detach: %s is no VFIO driver",
			 wrong[i]);
		assert_has(lines);
		assert_has("name vfio-pci or a variant of it");
	}
	steps("pci.detach = driver=vfio-pci 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	/* A variant by its aliases, whatever its name and wherever in a long table. */
	for (size_t at = 0; at + 1 < sizeof(table); at += 32)
		snprintf(table + at, 33, "%-31s\n", "alias pci:v00008086d* e1000e");
	memcpy(table + 32736, variant, sizeof(variant) - 1);
	faketree_file(table, "/lib/modules/%s/modules.alias", uts.release);
	steps("pci.detach = driver=e1000e 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("e1000e is no VFIO driver");
	steps("pci.detach = driver=nosuch 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("the driver nosuch cannot be loaded");
}
END_TEST

START_TEST(check_rest_of_a_card)
{
	faketree_pci("0000:0a:00.2", "10de:1ad8", "0c0330", NULL, "14");
	faketree_pci("0000:0a:00.3", "10de:1ad9", "0c8000", NULL, "14");
	steps("kmod.unload = nvidia\npci.detach = 0a:00.*");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0a", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("the card has no sound there");
	assert_has("function='0x2'/></source>\n");
	assert_has("function='0x3'/></source>\n");
	assert_has("nobody can use it meanwhile");

	/* Nobody takes the sound away, so that QEMU cannot have the card. */
	steps("kmod.unload = nvidia");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("shares IOMMU group 14 with a device of the XML and stays with "
		   "snd_hda_intel");
	assert_has("             pci.detach = group=whole\n");
}
END_TEST

/* Other functions that no step and no group takes along. */
START_TEST(check_functions_left_out)
{
	faketree_pci("0000:0c:00.0", "10de:1e84", "030000", NULL, "20");
	faketree_pci("0000:0c:00.1", "10de:10f8", "040300", "snd_hda_intel", "21");
	faketree_pci("0000:0c:00.2", "10de:1ad8", "0c0330", NULL, "20");
	faketree_pci("0000:0c:00.3", "1022:149c", "0c0330", NULL, "22");
	faketree_pci("0000:0b:00.1", "8086:10d3", "020000", "e1000e", "16");
	steps("pci.detach = 0c:00.0 0b:00.0");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0c", "0")
		       HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("  advice   0000:0c:00.1 (");
	assert_has(
		"is of the same card, but the domain does not get it, so the card has no "
		"sound there: add to <devices>\n");
	assert_has("bus='0x0c' slot='0x00' function='0x1'/></source>\n");
	assert_has(
		"is of the same card, but stays with the host: a driver in the guest may");
	assert_has("bus='0x0c' slot='0x00' function='0x2'/></source>\n");
	/* The processor's own, and another port. */
	assert_hasnt("0000:0c:00.3");
	assert_hasnt("0000:0b:00.1");
	steps("pci.detach = 0c:00.0 0c:00.1 0b:00.0");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0c", "0") HOSTDEV("0x0c", "1")
		       HOSTDEV("0x0c", "2") HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: fine\n");
}
END_TEST

/* Below a bridge, as sysfs has it, whose config has these bytes at 0x100 (NULL: none). */
static void behind_bridge(const char *name, const uint8_t *capability, size_t len)
{
	static const char bridge[] = "/sys/devices/pci0000:00/0000:00:01.0";
	uint8_t config[4096] = { 0x86, 0x80, 0x01, 0x19, [10] = 4, [11] = 6, [14] = 1 };
	char path[PATH_MAX], target[128];
	FILE *f;

	snprintf(target, sizeof(target), "../%s", name);
	faketree_link(target, "%s/%s", bridge, name);
	ck_assert_int_eq(unlink(host_path(&host, path, "/sys/bus/pci/devices/%s", name)),
			 0);
	snprintf(target, sizeof(target), "../../../devices/pci0000:00/0000:00:01.0/%s",
		 name);
	faketree_link(target, "/sys/bus/pci/devices/%s", name);
	if (capability)
		memcpy(config + 0x100, capability, len);
	f = fopen(host_path(&host, path, "%s/config", bridge), "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(config, 1, capability ? 4096 : 256, f),
			  capability ? 4096 : 256);
	fclose(f);
}

static void no_reset(const char *name)
{
	char path[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, path,
					  "/sys/bus/pci/devices/%s/reset_method", name)),
			 0);
}

START_TEST(check_reset)
{
	faketree_pci("0000:0c:00.0", "1002:73bf", "030000", NULL, "20");
	faketree_pci("0000:0c:00.1", "1002:ab28", "040300", NULL, "21");
	steps("pci.detach = 0c:00.0");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0c", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("reset");
	no_reset("0000:0c:00.0");
	no_reset("0000:0c:00.1");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("  warning  0000:0c:00.0 (");
	assert_has("cannot be reset by the kernel");
	assert_has("             [release/end]\n             suspend.cycle = seconds=5\n"
		   "             undo =\n");
	/* Behind a bridge the bus is, if the guest has all of it. */
	behind_bridge("0000:0c:00.0", NULL, 0);
	behind_bridge("0000:0c:00.1", NULL, 0);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("its bus only when all on it is the guest's");
	assert_has(
		"may not start; add to <devices>\n"
		"             <hostdev mode='subsystem' type='pci' managed='yes'>\n"
		"               <source><address domain='0x0000' bus='0x0c' slot='0x00' "
		"function='0x1'/></source>\n");
	steps("pci.detach = 0c:00.*");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0c", "0")
		       HOSTDEV("0x0c", "1") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: fine\n");
}
END_TEST

#define NO_ACS "0000:0b:00.0 shares IOMMU group 15 with 0000:0c:00.0 ("

START_TEST(check_acs)
{
	/* Device Serial Number, then ACS; or the end of the list. */
	static const uint8_t with[] = { 3, 0, 1, 0x14, [0x40] = 0xd, 0, 1, 0 };
	static const uint8_t without[] = { 3, 0, 1, 0 };
	/* A list that closes to a ring comes to an end. */
	static const uint8_t ring[] = { 3, 0, 1, 0x10 };

	faketree_pci("0000:0c:00.0", "8086:10d3", "020000", NULL, "15");
	steps("pci.detach = 0b:00.0 0c:00.0");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	behind_bridge(NIC, without, sizeof(without));
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("  advice   " NO_ACS);
	assert_has("as 0000:00:01.0 above it has no ACS");
	behind_bridge(NIC, ring, sizeof(ring));
	command("check win10");
	assert_has(NO_ACS);
	behind_bridge(NIC, NULL, 0);
	command("check win10");
	assert_has(NO_ACS);
	behind_bridge(NIC, with, sizeof(with));
	command("check win10");
	assert_hasnt("ACS");
	/* Alone in its group, nobody asks. */
	behind_bridge(NIC, without, sizeof(without));
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0")
		       HOSTDEV("0x0c", "0") "</devices>");
	command("check win10");
	assert_hasnt("ACS");
}
END_TEST

START_TEST(check_acs_override)
{
	install("\177ELF", 0755);
	faketree_file("quiet pcie_acs_override=downstream,multifunction splash\n",
		      "/proc/cmdline");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has(
		"  advice   pcie_acs_override=downstream,multifunction on the kernel's");
	faketree_file("quiet xpcie_acs_override=\n", "/proc/cmdline");
	command("check");
	assert_hasnt("acs_override");
}
END_TEST

/* A group that no step of the plan looks at, beside one that has its step. */
START_TEST(check_groups_of_libvirt)
{
	faketree_pci("0000:0c:00.0", "8086:10d3", "020000", "e1000e", "15");
	steps("kmod.unload = nvidia\npci.detach = 0a:00.*");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1")
		       HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("0000:0c:00.0 (");
	assert_has("shares IOMMU group 15 with a device of the XML and stays with e1000e");
	assert_hasnt("IOMMU group 14");
	/* Where the step takes it, the step tells it, once. */
	steps("kmod.unload = nvidia\npci.detach = 0a:00.* 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("pci.detach: IOMMU group 15 of 0000:0b:00.0 has more");
	assert_hasnt("shares IOMMU group 15 with a device of the XML");
}
END_TEST

#define LEFT "  advice   no step detaches 0000:0b:00.0 ("
#define UNMANAGED                                                                        \
	"<hostdev mode='subsystem' type='pci' managed='no'><source><address bus='0x0b' " \
	"slot='0' function='0'/></source></hostdev>"

/* Some have steps: of the others libvirt thinks by itself, without ours. */
START_TEST(check_what_is_left_to_libvirt)
{
	faketree_pci("0000:0c:00.0", "8086:10d3", "020000", "e1000e", "20");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0")
		       HOSTDEV("0x0c", "0") "</devices>");
	steps("pci.detach = 0c:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has(LEFT);
	assert_has(") of the XML: libvirt takes it from e1000e by itself, which waits for "
		   "nobody who has it open and has no deadline; add to [prepare/begin]\n"
		   "             pci.detach = 0000:0b:00.0\n");
	hook_prepares();
	assert_has("INFO no step has detached 0000:0b:00.0: libvirt takes it from e1000e "
		   "by itself\n");
	assert_hasnt("has detached 0000:0c:00.0");
	ck_assert_int_eq(command("run win10 release"), STATUS_OK);
	/* All have, or none: that is meant. */
	steps("pci.detach = 0c:00.0 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: fine\n");
	steps("governor.set = timeout=1s performance");
	command("check win10");
	assert_hasnt("no step detaches");
	/* So is one that has VFIO's driver already, or none at all. */
	faketree_pci("0000:0d:00.0", "8086:10d3", "020000", "vfio-pci", "21");
	faketree_pci("0000:0e:00.0", "8086:10d3", "020000", NULL, "22");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0c", "0") HOSTDEV("0x0d", "0")
		       HOSTDEV("0x0e", "0") "</devices>");
	steps("pci.detach = 0c:00.0");
	command("check win10");
	assert_hasnt("no step detaches");
}
END_TEST

START_TEST(check_what_nobody_detaches)
{
	domain(PASSTHROUGH "<devices>" UNMANAGED "</devices>");
	steps("wait.for = path=/etc");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("  problem  0000:0b:00.0 is managed='no' in the XML, and no step "
		   "detaches it from e1000e: libvirt would refuse to start; add to "
		   "[prepare/begin]\n             pci.detach = 0000:0b:00.0\n");
	hook_prepares();
	assert_has("WARNING check: 0000:0b:00.0 is managed='no' in the XML, and no step "
		   "detaches it from e1000e: libvirt would refuse to start");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, check_driver_for_the_guest);
	tcase_add_test(tc, check_rest_of_a_card);
	tcase_add_test(tc, check_functions_left_out);
	tcase_add_test(tc, check_reset);
	tcase_add_test(tc, check_acs);
	tcase_add_test(tc, check_acs_override);
	tcase_add_test(tc, check_groups_of_libvirt);
	tcase_add_test(tc, check_what_is_left_to_libvirt);
	tcase_add_test(tc, check_what_nobody_detaches);
}

int main(void)
{
	return machine_run("advice_devices", add);
}
