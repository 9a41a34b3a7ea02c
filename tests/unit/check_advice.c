/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `check` finds in the host, and between it, XML and config.
 */
#include <sys/stat.h>
#include <sys/utsname.h>

#include "kmod.h"
#include "machine.h"

#define PASSTHROUGH "<cpu mode='host-passthrough'/>"

START_TEST(check_of_what_init_wrote)
{
	install("\177ELF", 0755);
	domain("<cpu mode='host-passthrough'/><devices>" HOSTDEV("0x0a", "0")
		       HOSTDEV("0x0a", "1") "</devices>");
	ck_assert_int_eq(command("init win10 --write"), STATUS_OK);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("installation and host: fine\n");
	assert_has("win10: fine\n");
	ck_assert_int_eq(command("check --json"), STATUS_OK);
	assert_has("{\"domain\": null, \"ok\": true, \"findings\": []}");
	assert_has("{\"domain\": \"win10\", \"ok\": true, \"findings\": []}");
}
END_TEST

START_TEST(check_host)
{
	install("\177ELF", 0755);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt("modules_disabled");
	faketree_file("1\n", "/proc/sys/kernel/modules_disabled");
	faketree_file("none [integrity] confidentiality\n",
		      "/sys/kernel/security/lockdown");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("  warning  kernel.modules_disabled is 1");
	assert_has("             grep -rs modules_disabled /etc /usr/lib/systemd\n"
		   "             reboot\n");
	assert_has("             mokutil --import /var/lib/dkms/mok.pub\n");
	faketree_file("# kernel.modules_disabled = 0\n", "/etc/sysctl.conf");
	faketree_file("vm.swappiness=1\n kernel.modules_disabled = 1\n",
		      "/etc/sysctl.d/99-hard.conf");
	faketree_file("", "/var/lib/shim-signed/mok/MOK.der");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("there again\n"
		   "             sed -i '/modules_disabled/d' /etc/sysctl.d/99-hard.conf\n"
		   "             reboot\n");
	assert_has("             mokutil --import /var/lib/shim-signed/mok/MOK.der\n");

	faketree_free();
	faketree_new(&host);
	install("\177ELF", 0755);
	faketree_pci(GPU, "10de:1e84", "030000", NULL, NULL);
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("  problem  the IOMMU is off: no device can be given to a guest");
	assert_has("             intel_iommu=on\n");
	faketree_file("vendor_id\t: AuthenticAMD\n", "/proc/cpuinfo");
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_hasnt("intel_iommu");
}
END_TEST

/* Not loaded is fine, as long as it can be. */
START_TEST(check_vfio_modules)
{
	struct utsname uts;
	char path[PATH_MAX];

	install("\177ELF", 0755);
	ck_assert_int_eq(kmod_remove(&host, "vfio_pci"), 0);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("installation and host: fine\n");
	ck_assert_int_eq(unlink(host_path(&host, path, "/.fake/modules/vfio_pci")), 0);
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has(
		"  problem  module vfio_pci: there is none: install it; no device can be given to a "
		"guest without vfio-pci");
	assert_has("             reboot\n");
	ck_assert_int_eq(uname(&uts), 0);
	faketree_file("", "/lib/modules/%s/modules.dep", uts.release);
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("             depmod\n             modprobe vfio-pci\n");
}
END_TEST

START_TEST(check_xml_against_config)
{
	install("\177ELF", 0755);
	faketree_hugepages(2048, 0, 100);
	domain("<memoryBacking><hugepages/></memoryBacking><devices>"
	       "<hostdev mode='subsystem' type='pci' managed='no'><source><address "
	       "bus='0x0a' slot='0' function='0'/></source></hostdev>" HOSTDEV(
		       "0x77", "0") "<memballoon model='virtio'/></devices>");
	faketree_file(
		"MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\nHugepagesize: 2048 kB\n",
		"/proc/meminfo");
	faketree_file("[prepare/begin]\n-service.stop = x.service\npci.detach = 0b:00.0\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("win10: a start would fail\n");
	assert_has("0000:77:00.0 is in the XML, but this host has no such device now");
	assert_has("0000:0a:00.0 is managed='no' in the XML, and no step detaches it from "
		   "nvidia");
	assert_has("             pci.detach = 0000:0a:00.0\n");
	assert_has("0000:0b:00.0 (Intel");
	assert_has("<source><address domain='0x0000' bus='0x0b' slot='0x00' "
		   "function='0x0'/></source>\n");
	assert_has("the XML asks for 2 huge pages of 2 MiB, 0 are free");
	assert_has("             <memballoon model='none'/>\n");

	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	faketree_file("[prepare/begin]\nhugepages.allocate = pages=1\npci.detach =\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_msg(command("check win10") == STATUS_OK, "%s", out);
	assert_has("its XML has no <memoryBacking><hugepages/>");

	faketree_file("[prepare/begin]\nnonsense\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("check win10"), STATUS_USAGE);
}
END_TEST

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

static void script(const char *phase, mode_t mode)
{
	char path[PATH_MAX];

	faketree_file("#!/bin/sh\nvirsh nodedev-detach x\n",
		      "/etc/libvirt/hooks/qemu.d/win10/%s/a.sh", phase);
	ck_assert_int_eq(chmod(host_path(&host, path,
					 "/etc/libvirt/hooks/qemu.d/win10/%s/a.sh", phase),
			       mode),
			 0);
}

START_TEST(check_of_scripts_alone)
{
	install("\177ELF", 0755);
	domain("<devices><memballoon model='virtio'/>" HOSTDEV("0x0b", "0") "</devices>");
	script("started/begin", 0755);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("win10: a start would work\n");
	assert_has("started/begin/a.sh calls virsh");
	assert_has("only scripts, no config");
	assert_has("<memballoon model='none'/>");
	assert_has("             vfio-hook import /etc/libvirt/hooks/qemu.d/win10\n");
	script("prepare/begin", 0757);
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("win10: a start would fail\n");
	assert_has("prepare/begin/a.sh runs as root, but ");
}
END_TEST

START_TEST(check_driver_for_the_guest)
{
	static const char *const wrong[] = { "e1000e", "pci-stub", "nosuch" };
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
	/* A variant by its aliases, whatever its name. */
	faketree_file("alias pci:v00008086d* e1000e\n"
		      "alias vfio_pci:v00008086d* nosuch\n",
		      "/lib/modules/%s/modules.alias", uts.release);
	steps("pci.detach = driver=e1000e 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("e1000e is no VFIO driver");
	steps("pci.detach = driver=nosuch 0b:00.0");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("the driver nosuch cannot be loaded");
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
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0c", "0") HOSTDEV("0x0c", "1")
		       HOSTDEV("0x0c", "2") HOSTDEV("0x0b", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: fine\n");
}
END_TEST

/* What of its XML is none of a config's business. */
START_TEST(check_without_config)
{
	install("\177ELF", 0755);
	faketree_hugepages(2048, 0, 100);
	faketree_file("Hugepagesize: 2048 kB\n", "/proc/meminfo");
	domain(PASSTHROUGH "<memoryBacking><hugepages/></memoryBacking><devices>"
			   "<memory model='dimm'><target><size unit='KiB'>1024</size>"
			   "<node>0</node></target></memory>" HOSTDEV("0x77", "0")
				   HOSTDEV("0x0a", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("no config (/etc/libvirt/hooks/conf.d/win10.ini): nothing is done");
	assert_has("0000:77:00.0 is in the XML, but this host has no such device");
	assert_has("1 MiB are no multiple of the 2 MiB of a huge page");
	assert_has("the XML asks for ");
	assert_has("shares IOMMU group 14 with a device of the XML and stays with "
		   "snd_hda_intel");

	/* Scripts may see to pages and groups, and not to what is not there. */
	faketree_file("#!/bin/sh\n", "/etc/libvirt/hooks/qemu.d/win10/prepare/begin/a.sh");
	{
		char path[PATH_MAX];

		ck_assert_int_eq(
			chmod(host_path(&host, path,
					"/etc/libvirt/hooks/qemu.d/win10/prepare/begin/"
					"a.sh"),
			      0755),
			0);
	}
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("0000:77:00.0 is in the XML, but this host has no such device");
	assert_has("1 MiB are no multiple of the 2 MiB of a huge page");
	assert_has("so the card has no sound there");
	assert_hasnt("the XML asks for ");
	assert_hasnt("IOMMU group 14");
}
END_TEST

static void other_domain(const char *name, const char *devices)
{
	_cleanup_free_ char *xml = NULL;

	ck_assert_int_gt(asprintf(&xml,
				  "<domain type='kvm'><name>%s</name><uuid>" UUID
				  "</uuid><memory unit='MiB'>4</memory>" PASSTHROUGH
				  "<devices>%s</devices></domain>",
				  name, devices),
			 0);
	faketree_file(xml, "/etc/libvirt/qemu/%s.xml", name);
}

/* Whom it concerns: those with a config, and those with devices that have none. */
START_TEST(check_all_domains)
{
	steps("pci.detach = 0b:00.0");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	other_domain("linux", HOSTDEV("0x0b", "0"));
	other_domain("plain", "<memballoon model='virtio'/>");
	faketree_file("<domain", "/etc/libvirt/qemu/torn.xml");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has(
		"win10: fine\n"
		"linux: a start would work\n"
		"  advice   no config (/etc/libvirt/hooks/conf.d/linux.ini): nothing is "
		"done for it\n"
		"             vfio-hook init --write linux\n");
	assert_hasnt("plain");
	assert_hasnt("torn");

	/* Each has its own findings, and one that fails is enough. */
	other_domain("linux", HOSTDEV("0x77", "0"));
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("win10: fine\n"
		   "linux: a start would fail\n"
		   "  problem  0000:77:00.0 is in the XML, but");
	ck_assert_int_eq(command("check --json"), STATUS_FAILED);
	assert_has("{\"domain\": \"win10\", \"ok\": true, \"findings\": []}");
	assert_has("{\"domain\": \"linux\", \"ok\": false, \"findings\": [{");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("linux");
}
END_TEST

static void memory(const char *text, const char *parts)
{
	_cleanup_free_ char *xml = NULL;

	ck_assert_int_gt(asprintf(&xml,
				  "<domain type='kvm'><name>win10</name><uuid>" UUID
				  "</uuid>"
				  "<memory unit='MiB'>%s</memory>" PASSTHROUGH
				  "<memoryBacking><hugepages/></memoryBacking>%s</domain>",
				  text, parts),
			 0);
	faketree_file(xml, "/etc/libvirt/qemu/win10.xml");
}

START_TEST(check_whole_pages)
{
	install("\177ELF", 0755);
	faketree_hugepages(2048, 100, 100);
	faketree_file("Hugepagesize: 2048 kB\n", "/proc/meminfo");
	memory("5", "");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has(
		"  warning  the guest: 5 MiB are no multiple of the 2 MiB of a huge page");
	assert_has("in <domain>\n             <memory unit='KiB'>6144</memory>\n");
	memory("6", "<cpu><numa><cell id='0' memory='3' unit='MiB'/>"
		    "<cell id='1' memory='4096' unit='KiB'/></numa></cpu>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("cell 0: 3 MiB are no multiple");
	assert_has("             <cell id='0' memory='4096' unit='KiB'/>\n");
	assert_hasnt("cell 1: ");
	/* The step has its own warning; here is the line. */
	steps("hugepages.allocate =");
	memory("6", "<maxMemory slots='4' unit='MiB'>10</maxMemory>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("for all of them in place of it\n"
		   "             hugepages.allocate = memory=10M\n");
	memory("5", "");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("no multiple");
	assert_has(
		"  advice   the guest would be a whole number of pages of 2 MiB with, in "
		"<domain>\n             <memory unit='KiB'>6144</memory>\n");
	memory("6", "");
	command("check win10");
	assert_hasnt("whole number");
}
END_TEST

#define GIB "<page size='1' unit='G'/>"

START_TEST(check_page_sizes)
{
	install("\177ELF", 0755);
	domain(PASSTHROUGH "<memoryBacking><hugepages>" GIB
			   "</hugepages></memoryBacking>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("in place of its <memoryBacking>\n             <memoryBacking/>\n");
	faketree_hugepages(64, 0, 100);
	faketree_hugepages(2048, 0, 100);
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has(
		"  problem  the XML asks for huge pages of 1 GiB, which this kernel does "
		"not have");
	assert_has("in place of its <page>\n"
		   "             <page size='2048' unit='KiB'/>\n");
	memory("1028", "<devices><memory model='dimm'><source><pagesize "
		       "unit='GiB'>1</pagesize></source><target><size "
		       "unit='GiB'>1</size><node>0</node></target></memory></devices>"
		       "<cpu><numa><cell id='0' memory='4' unit='MiB'/></numa></cpu>");
	faketree_file("Hugepagesize: 2048 kB\n", "/proc/meminfo");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("in place of its <pagesize>\n"
		   "             <pagesize unit='KiB'>2048</pagesize>\n");
}
END_TEST

#define CELLS                                                                     \
	"<cpu mode='host-passthrough'><numa><cell id='0' memory='4' unit='MiB'/>" \
	"<cell id='1' memory='4' unit='MiB'/></numa></cpu>"                       \
	"<memoryBacking><hugepages/></memoryBacking>"
#define MEMNODE(cell, node) \
	"<memnode cellid='" cell "' mode='strict' nodeset='" node "'/>"

/* The parts of the guest's memory on nodes: of two, there are 0 and 1. */
START_TEST(check_nodes)
{
	install("\177ELF", 0755);
	faketree_hugepages(2048, 100, 100);
	faketree_file("Hugepagesize: 2048 kB\n", "/proc/meminfo");
	faketree_file("0-1\n", "/sys/devices/system/node/online");
	for (unsigned i = 0; i < 2; i++) {
		char text[96];

		snprintf(text, sizeof(text),
			 "Node %u MemTotal: 800000 kB\nNode %u MemFree: 400000 kB\n", i,
			 i);
		faketree_file(text, "/sys/devices/system/node/node%u/meminfo", i);
	}
	domain(CELLS "<numatune>" MEMNODE("0", "0") MEMNODE("1", "1,7") "</numatune>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has(
		"  problem  the XML puts the memory of cell 1 on NUMA node 7, which this "
		"host does not have: libvirt would refuse to start; in <numatune>\n"
		"             " MEMNODE("1", "1") "\n");
	domain("<numatune><memory mode='interleave' nodeset='7'/></numatune>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("             <memory mode='interleave' nodeset='0-1'/>\n");
	domain(CELLS "<numatune>" MEMNODE("1", "1") "</numatune>");
	command("check win10");
	assert_has("  warning  cell 0 is filled before cell 1 and may take the huge pages "
		   "that lie on that one's NUMA node: bind it, too, in <numatune>\n"
		   "             " MEMNODE("0", "0") "\n");
	domain(CELLS "<numatune>" MEMNODE("0", "0") MEMNODE("1", "1") "</numatune>");
	command("check win10");
	assert_hasnt("is filled before");
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

static void add(TCase *tc)
{
	tcase_add_test(tc, check_of_what_init_wrote);
	tcase_add_test(tc, check_host);
	tcase_add_test(tc, check_vfio_modules);
	tcase_add_test(tc, check_functions_left_out);
	tcase_add_test(tc, check_without_config);
	tcase_add_test(tc, check_all_domains);
	tcase_add_test(tc, check_whole_pages);
	tcase_add_test(tc, check_page_sizes);
	tcase_add_test(tc, check_nodes);
	tcase_add_test(tc, check_reset);
	tcase_add_test(tc, check_xml_against_config);
	tcase_add_test(tc, check_pinning);
	tcase_add_test(tc, check_pinning_cured);
	tcase_add_test(tc, check_emulator_threads);
	tcase_add_test(tc, check_every_phase);
	tcase_add_test(tc, check_phases_in_their_order);
	tcase_add_test(tc, check_boot_phase);
	tcase_add_test(tc, check_of_scripts_alone);
	tcase_add_test(tc, check_driver_for_the_guest);
	tcase_add_test(tc, check_acs);
	tcase_add_test(tc, check_acs_override);
	tcase_add_test(tc, check_groups_of_libvirt);
	tcase_add_test(tc, notes_beside_problems);
	tcase_add_test(tc, check_guest_cpu);
	tcase_add_test(tc, check_guest_drivers);
	tcase_add_test(tc, check_rest_of_a_card);
}

int main(void)
{
	return machine_run("advice", add);
}
