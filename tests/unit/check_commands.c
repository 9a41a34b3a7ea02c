/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands for people print, on a machine made of files, and their exit status.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "command.h"
#include "faketree.h"
#include "journal.h"
#include "suite.h"

#define GPU "0000:0a:00.0"
#define SOUND "0000:0a:00.1"
#define NIC "0000:0b:00.0"
#define UUID "11111111-2222-3333-4444-555555555555"

static struct host host;
static char *out; /* of the last command, stdout and stderr */

static void setup(void)
{
	faketree_new(&host);
	faketree_module("nvidia", "nvidia");
	faketree_module("snd_hda_intel", "snd_hda_intel");
	faketree_module("e1000e", "e1000e");
	faketree_module_load("nvidia");
	faketree_module_load("snd_hda_intel");
	faketree_module_load("e1000e");
	faketree_pci("0000:00:01.0", "8086:1901", "060400", NULL, "1");
	faketree_pci(GPU, "10de:1e84", "030000", "nvidia", "14");
	faketree_pci(SOUND, "10de:10f8", "040300", "snd_hda_intel", "14");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
	unsetenv("NO_COLOR");
}

static void teardown(void)
{
	free(STEAL(out));
	faketree_free();
}

/* Runs the command with the words of LINE; returns its exit status. */
static int command(const char *line)
{
	_cleanup_free_ char *copy = strdup(line);
	int fd = memfd_create("out", MFD_CLOEXEC), saved[3], null, status, argc = 0;
	char *argv[32] = {}, *word;
	off_t size;

	argv[argc++] = (char *)(uintptr_t) "vfio-hook";
	argv[argc++] = (char *)(uintptr_t) "--root";
	argv[argc++] = (char *)(uintptr_t)faketree_root();
	for (char *rest = copy; argc < 31 && (word = strsep(&rest, " "));)
		argv[argc++] = word;
	fflush(NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++) {
		saved[i] = dup(i);
		ck_assert_int_ge(dup2(i ? fd : null, i), 0);
	}
	optind = 0;
	status = command_main(argc, argv);
	fflush(NULL);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_ge(dup2(saved[i], i), 0);
		close(saved[i]);
	}
	close(null);
	size = lseek(fd, 0, SEEK_END);
	free(out);
	out = calloc(1, (size_t)size + 1);
	ck_assert(out && pread(fd, out, (size_t)size, 0) == size);
	close(fd);
	return status;
}

static void assert_has(const char *text)
{
	ck_assert_msg(strstr(out, text) != NULL, "no \"%s\" in:\n%s", text, out);
}

static void assert_hasnt(const char *text)
{
	ck_assert_msg(strstr(out, text) == NULL, "\"%s\" in:\n%s", text, out);
}

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
	int r = journal_open(&host, UUID, "win10", true, &journal, &err);

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

static const char xml_begin[] = "<domain type='kvm'><name>win10</name><uuid>" UUID
				"</uuid>"
				"<memory unit='MiB'>4</memory>";
#define HOSTDEV(bus, function)                                                          \
	"<hostdev mode='subsystem' type='pci' managed='yes'><source><address bus='" bus \
	"' slot='0' function='" function "'/></source></hostdev>"

/* The stored XML of win10: the parts between its memory and its end. */
static void domain(const char *parts)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_gt(asprintf(&text, "%s%s</domain>", xml_begin, parts), 0);
	faketree_file(text, "/etc/libvirt/qemu/win10.xml");
}

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
	assert_hasnt("hugepages");
	assert_hasnt("governor");

	ck_assert_int_eq(command("init win10 --write"), STATUS_OK);
	assert_has("/etc/libvirt/hooks/conf.d/win10.ini: written");
	ck_assert_int_eq(command("init win10 --write"), STATUS_FAILED);
	assert_has("not written over");
	ck_assert_int_eq(command("plan win10"), STATUS_OK);
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
	assert_has("\npci.detach = timeout=15s while-loaded=yes gpu\n");
	assert_hasnt("kmod.unload");
	assert_hasnt("vtconsole");
	assert_hasnt("session.end");
	ck_assert_int_eq(command("init win10 --gpu"), STATUS_USAGE);
	ck_assert_int_eq(command("init nobody"), STATUS_USAGE);
}
END_TEST

/* vfio-hook where libvirt looks for it. */
static void install(const char *text, mode_t mode)
{
	char path[PATH_MAX];

	faketree_file(text, "/etc/libvirt/hooks/qemu");
	ck_assert_int_eq(chmod(host_path(&host, path, "/etc/libvirt/hooks/qemu"), mode),
			 0);
	ck_assert_int_eq(chmod(host_path(&host, path, "/etc/libvirt/hooks"), 0755), 0);
}

START_TEST(check_of_what_init_wrote)
{
	install("\177ELF", 0755);
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	ck_assert_int_eq(command("init win10 --write"), STATUS_OK);
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("installation and host: fine\n");
	assert_has("win10: fine\n");
	ck_assert_int_eq(command("check --json"), STATUS_OK);
	assert_has("{\"domain\": null, \"ok\": true, \"findings\": []}");
	assert_has("{\"domain\": \"win10\", \"ok\": true, \"findings\": []}");
}
END_TEST

START_TEST(check_installation)
{
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("  problem  there is no /etc/libvirt/hooks/qemu");

	install("#!/bin/bash\n", 0644);
	faketree_file("", "/etc/libvirt/hooks/qemu.d/backup~");
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("is no executable file");
	assert_has("             chmod 755 /etc/libvirt/hooks/qemu\n");
	assert_has("is a script, not vfio-hook");

	install("\177ELF", 0700);
	faketree_process(700, "libvirtd", "libvirtd.service", NULL);
	faketree_file("cpu 1\nbtime 1000000\n", "/proc/stat");
	faketree_file("libvirtd (enforce)\nother (complain)\n",
		      "/sys/kernel/security/apparmor/profiles");
	faketree_file("none [integrity] confidentiality\n",
		      "/sys/kernel/security/lockdown");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("cannot be run by ordinary users");
	assert_has("libvirtd (pid 700) has run since before the hook was put there");
	assert_has("             systemctl reload libvirtd\n");
	assert_has("AppArmor confines libvirtd");
	assert_has("locked down");
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

START_TEST(check_pinning)
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
	domain("<vcpu>4</vcpu><cputune><vcpupin vcpu='0' cpuset='2'/>"
	       "<vcpupin vcpu='1' cpuset='3'/><vcpupin vcpu='2' cpuset='7'/>"
	       "<emulatorpin cpuset='1-2'/></cputune><devices>" HOSTDEV("0x0b",
									"0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("win10: a start would work\n");
	assert_has("3 of 4 vCPUs are pinned");
	assert_has("the host works on CPU 6 beside it");
	assert_has("QEMU's own threads on CPU 2");
	assert_has("             <emulatorpin cpuset='0-1,4-6'/>\n");
	assert_has("<topology sockets='1'");

	domain("<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='9'/></cputune><devices>" HOSTDEV(
		"0x0b", "0") "</devices>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("vcpupin names CPU 9");
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

int main(void)
{
	TCase *tc = tcase_create("commands");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, help_and_usage);
	tcase_add_test(tc, devices);
	tcase_add_test(tc, devices_without_iommu);
	tcase_add_test(tc, status_after_a_reboot);
	tcase_add_test(tc, status_of_what_is_changed);
	tcase_add_test(tc, init_for_the_only_gpu);
	tcase_add_test(tc, init_for_a_second_gpu);
	tcase_add_test(tc, check_of_what_init_wrote);
	tcase_add_test(tc, check_installation);
	tcase_add_test(tc, check_xml_against_config);
	tcase_add_test(tc, check_pinning);
	tcase_add_test(tc, plan);
	return suite_run("commands", tc);
}
