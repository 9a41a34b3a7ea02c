/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `check` finds in the CPUs of a guest: where they run, and what it is told of them.
 */
#include "machine.h"

/* Eight CPUs of four cores: 0 and 4, 1 and 5, … */
static void four_cores(void)
{
	install("\177ELF", 0755);
	faketree_file("[prepare/begin]\npci.detach =\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	faketree_file("0-7\n", "/sys/devices/system/cpu/online");
	for (unsigned i = 0; i < 8; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%u,%u\n", i % 4, i % 4 + 4);
		faketree_file(text,
			      "/sys/devices/system/cpu/cpu%u/topology/"
			      "thread_siblings_list",
			      i);
	}
}

#define PIN(vcpu, cpus) "<vcpupin vcpu='" vcpu "' cpuset='" cpus "'/>"

static void pinned(const char *vcpus, const char *pins)
{
	char parts[1024];

	snprintf(parts, sizeof(parts),
		 "<vcpu>%s</vcpu><cputune>%s</cputune>" PASSTHROUGH
		 "<devices>" HOSTDEV("0x0b", "0") "</devices>",
		 vcpus, pins);
	domain(parts);
}

START_TEST(check_pinning)
{
	four_cores();
	pinned("4",
	       PIN("0", "2") PIN("1", "3") PIN("2", "7") "<emulatorpin cpuset='1-2'/>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: a start would work\n");
	assert_has("3 of 4 vCPUs are pinned: the others run anywhere, on the pinned ones' "
		   "CPUs as well; in <cputune>\n"
		   "             <vcpupin vcpu='3' cpuset='6'/>\n");
	assert_has("the host works on CPU 6 beside it");
	assert_has("QEMU's own threads on CPU 2");
	assert_has("             <emulatorpin cpuset='0-1,4-5'/>\n");
	assert_has(
		"             <topology sockets='1' dies='1' cores='2' threads='2'/>\n");

	pinned("1", PIN("0", "9"));
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("vcpupin names CPU 9");
	assert_has("             <vcpupin vcpu='0' cpuset='1,5'/>\n");
}
END_TEST

/* What is to be put in makes it fine. */
START_TEST(check_pinning_cured)
{
	four_cores();
	pinned("3", PIN("0", "1") PIN("1", "2") PIN("2", "3") "<emulatorpin cpuset='0'/>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has(
		"the host works on CPU 5-7 beside it and slows it down; in <cputune>, for "
		"whole cores\n"
		"             <vcpupin vcpu='1' cpuset='5'/>\n"
		"             <vcpupin vcpu='2' cpuset='2,6'/>\n");
	pinned("3",
	       PIN("0", "1") PIN("1", "5") PIN("2", "2,6") "<emulatorpin cpuset='0'/>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: fine\n");

	/* A core of nobody, not the emulator's; then there is none left but the guest's. */
	pinned("4", PIN("0", "1") PIN("1", "5") "<emulatorpin cpuset='2'/>");
	command("check win10");
	assert_has("             <vcpupin vcpu='2' cpuset='3'/>\n"
		   "             <vcpupin vcpu='3' cpuset='7'/>\n");
	pinned("4", PIN("0", "1") PIN("1", "5") "<emulatorpin cpuset='0,2-3'/>");
	command("check win10");
	assert_has("             <vcpupin vcpu='2' cpuset='1,5'/>\n"
		   "             <vcpupin vcpu='3' cpuset='1,5'/>\n");
}
END_TEST

/* The commonest case: QEMU's own threads have no CPUs named. */
START_TEST(check_emulator_threads)
{
	static const char text[] =
		"  advice   the vCPUs are pinned, QEMU's own threads are not, and run on the "
		"guest's CPUs as well; in <cputune>\n"
		"             <emulatorpin cpuset='0,3-4,7'/>\n";

	four_cores();
	pinned("4", PIN("0", "1") PIN("1", "5") PIN("2", "2") PIN("3", "6"));
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has(text);
	/* Not with the line put in, nor where no other CPU is left. */
	pinned("4", PIN("0", "1") PIN("1", "5") PIN("2", "2")
			    PIN("3", "6") "<emulatorpin cpuset='0,3-4,7'/>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("QEMU's own threads");
	pinned("2", PIN("0", "0-3") PIN("1", "4-7"));
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("QEMU's own threads");
}
END_TEST

#define HIDDEN "<kvm><hidden state='on'/></kvm>"

START_TEST(check_guest_cpu)
{
	steps("pci.detach = 0b:00.0");
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("see this host's CPU as it is (no mode in <cpu>)");
	assert_has("             <cpu mode='host-passthrough'>\n");
	domain("<cpu mode='host-model'/><devices>" HOSTDEV("0x0b", "0") "</devices>");
	command("check win10");
	assert_has("(mode='host-model')");

	domain("<cpu mode='host-passthrough'><topology cores='2' threads='2'/></cpu>"
	       "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	faketree_file("vendor_id\t: GenuineIntel\nflags\t\t: fpu vme\n\n"
		      "flags\t\t: topoext\n",
		      "/proc/cpuinfo");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: fine\n");
	faketree_file("vendor_id\t: AuthenticAMD\nflags\t\t: fpu topoext svm\n",
		      "/proc/cpuinfo");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("  advice   the topology has 2 threads a core, but without topoext");
	assert_has("             <feature policy='require' name='topoext'/>\n");
	domain("<cpu mode='host-passthrough'><topology cores='2' threads='2'/>"
	       "<feature policy='require' name='topoext'/></cpu><devices>" HOSTDEV(
		       "0x0b", "0") "</devices>");
	command("check win10");
	assert_has("win10: fine\n");
}
END_TEST

START_TEST(check_guest_drivers)
{
	static const char ids[] = "10de  NVIDIA Corporation\n"
				  "\t1e84  TU104 [GeForce RTX 2070 SUPER]\n"
				  "\t0de1  GF108 [GeForce GT 430]\n";

	faketree_file(ids, "/usr/share/misc/pci.ids");
	steps("kmod.unload = nvidia\npci.detach = 0a:00.*");
	domain(PASSTHROUGH "<features>" HIDDEN "</features><devices>" HOSTDEV("0x0a", "0")
		       HOSTDEV("0x0a", "1") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("  advice   <hidden state='on'/> is no longer needed: nvidia's");
	domain(PASSTHROUGH
	       "<features>" HIDDEN
	       "<hyperv><vendor_id state='on'/></hyperv></features><devices>" HOSTDEV(
		       "0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	command("check win10");
	assert_has("<hidden state='on'/> and <vendor_id> are no longer needed");
	assert_has("             <kvm><hidden state='off'/></kvm>\n"
		   "             <hyperv><vendor_id state='off'/></hyperv>\n");
	domain(PASSTHROUGH "<features><hyperv><vendor_id state='on'/></hyperv></features>"
			   "<devices>" HOSTDEV("0x0a", "0")
				   HOSTDEV("0x0a", "1") "</devices>");
	command("check win10");
	assert_has("  advice   <vendor_id> is no longer needed: nvidia's");
	assert_has("             <vendor_id state='off'/>\n");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0a", "0")
		       HOSTDEV("0x0a", "1") "</devices>");
	command("check win10");
	assert_has("win10: fine\n");

	/* A chip whose newest driver still looks. */
	faketree_pci("0000:0c:00.0", "10de:0de1", "030000", NULL, "16");
	steps("pci.detach = 0c:00.0");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0c", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("the newest driver for NVIDIA Corporation GF108 [GeForce GT 430] is "
		   "older than 465");
	assert_has("             <kvm><hidden state='on'/></kvm>\n");
	assert_hasnt("<vendor_id");
	domain(PASSTHROUGH "<features>" HIDDEN "<hyperv><relaxed state='on'/></hyperv>"
			   "</features><devices>" HOSTDEV("0x0c", "0") "</devices>");
	command("check win10");
	assert_has(
		"             <kvm><hidden state='on'/></kvm>\n"
		"             <hyperv><vendor_id state='on' value='whatever'/></hyperv>\n");
	domain(PASSTHROUGH "<features>" HIDDEN
			   "</features><devices>" HOSTDEV("0x0c", "0") "</devices>");
	command("check win10");
	assert_hasnt("465");

	faketree_pci("0000:0d:00.0", "1002:73bf", "030000", NULL, "17");
	steps("pci.detach = 0d:00.0");
	domain(PASSTHROUGH "<features><hyperv><relaxed state='on'/></hyperv></features>"
			   "<devices>" HOSTDEV("0x0d", "0") "</devices>");
	command("check win10");
	assert_has("AMD's driver for Windows may leave the screen black");
	assert_has("             <vendor_id state='on' value='whatever'/>\n");

	/* It is for AMD's card, whatever nvidia's needs. */
	steps("kmod.unload = nvidia\npci.detach = 0a:00.* 0d:00.0");
	domain(PASSTHROUGH
	       "<features><hyperv><relaxed state='on'/><vendor_id state='on'/>"
	       "</hyperv></features><devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1")
		       HOSTDEV("0x0d", "0") "</devices>");
	command("check win10");
	assert_has("win10: fine\n");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, check_pinning);
	tcase_add_test(tc, check_pinning_cured);
	tcase_add_test(tc, check_emulator_threads);
	tcase_add_test(tc, check_guest_cpu);
	tcase_add_test(tc, check_guest_drivers);
}

int main(void)
{
	return machine_run("advice_cpus", add);
}
