/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands for people print, on a machine made of files, and their exit status.
 */
#include <sys/stat.h>

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

#define PLAIN "/etc/libvirt/hooks/qemu.d/win10/prepare/begin/plain"

/* As under the shell helper: without #! by bash, with the environment that the hook got. */
START_TEST(scripts_as_under_the_helper)
{
	char text[32], path[PATH_MAX];

	if (access("/bin/bash", X_OK) < 0)
		return;
	domain("");
	faketree_file("[[ $1 == w*10 ]] && echo \"bash $OF_LIBVIRT\" >\"$0.ran\"\n",
		      PLAIN);
	ck_assert_int_eq(chmod(host_path(&host, path, PLAIN), 0755), 0);
	ck_assert_int_eq(setenv("OF_LIBVIRT", "kept", 1), 0);
	ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
	ck_assert_int_gt(host_read(&host, text, sizeof(text), PLAIN ".ran"), 0);
	ck_assert_str_eq(text, "bash kept");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, help_and_usage);
	tcase_add_test(tc, steps_one_way);
	tcase_add_test(tc, commands_can_be_copied);
	tcase_add_test(tc, status_after_a_reboot);
	tcase_add_test(tc, status_of_what_is_changed);
	tcase_add_test(tc, init_for_the_only_gpu);
	tcase_add_test(tc, init_for_a_desktop);
	tcase_add_test(tc, init_for_a_second_gpu);
	tcase_add_test(tc, scripts_as_under_the_helper);
}

int main(void)
{
	return machine_run("commands", add);
}
