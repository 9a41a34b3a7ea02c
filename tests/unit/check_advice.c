/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `check` finds in the host, and between it, XML and config.
 */
#include <sys/stat.h>
#include <sys/utsname.h>

#include "kmod.h"
#include "machine.h"

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
	assert_has("(instead of nodedev-detach: pci.detach)\n"
		   "             vfio-hook import /etc/libvirt/hooks/qemu.d/win10\n");
	assert_has("only scripts, no config");
	assert_has("<memballoon model='none'/>");
	assert_has("             vfio-hook import /etc/libvirt/hooks/qemu.d/win10\n");
	script("prepare/begin", 0757);
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("win10: a start would fail\n");
	assert_has("prepare/begin/a.sh runs as root, but ");
	assert_has("\n             chmod go-w ");
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

static void add(TCase *tc)
{
	tcase_add_test(tc, check_of_what_init_wrote);
	tcase_add_test(tc, check_host);
	tcase_add_test(tc, check_vfio_modules);
	tcase_add_test(tc, check_xml_against_config);
	tcase_add_test(tc, check_of_scripts_alone);
	tcase_add_test(tc, check_without_config);
	tcase_add_test(tc, check_all_domains);
}

int main(void)
{
	return machine_run("advice", add);
}
