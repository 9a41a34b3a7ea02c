/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What --json prints in all the states that a domain and a host may be in, as files below
 * JSON_OUT: tests/json.sh holds them against the schemas.
 */
#include <sys/stat.h>

#include "journal.h"
#include "machine.h"

/* The answer to LINE becomes JSON_OUT/NAME. */
static void save(const char *name, const char *line, int status)
{
	const char *dir = getenv("JSON_OUT");
	_cleanup_free_ char *path = NULL;
	struct stat st;

	ck_assert_int_gt(asprintf(&path, "%s/%s", dir ? dir : faketree_root(), name), 0);
	ck_assert_msg(command_to(path, line) == status, "%s: %s", line, out);
	ck_assert(stat(path, &st) == 0 && st.st_size > 0);
}

START_TEST(devices)
{
	faketree_file("0x00000000f0000000 0x00000000f0ffffff 0x0000000000040200\n"
		      "0x00000000d0000000 0x00000000dfffffff 0x000000000014220c\n",
		      "/sys/devices/pci0000:00/" GPU "/resource");
	faketree_file("0000000000003fc0\n",
		      "/sys/devices/pci0000:00/" GPU "/resource1_resize");
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipe\"wire", "user@1000.service", "/dev/snd/controlC1");
	save("devices.all", "devices --json", STATUS_OK);
	save("devices.gpu", "devices --gpu --json", STATUS_OK);
	faketree_free();
	faketree_new(&host);
	save("devices.none", "devices --json", STATUS_FAILED);
	faketree_pci(GPU, "10de:1e84", "030000", NULL, NULL);
	save("devices.no-iommu", "devices --json", STATUS_FAILED);
}
END_TEST

START_TEST(check)
{
	save("check.nothing", "check --json", STATUS_FAILED);
	steps("pci.detach = 0b:00.0");
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	save("check.advice", "check --json win10", STATUS_OK);
	domain("<devices>" HOSTDEV("0x77", "0") "</devices>");
	save("check.problem", "check --json", STATUS_FAILED);
	steps("nonsense");
	save("check.unreadable", "check --json", STATUS_USAGE);
}
END_TEST

START_TEST(plan)
{
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
	save("plan.no-config", "plan --json win10", STATUS_OK);
	steps("wait.sleep = 1\n-kmod.unload = nvidia\npci.detach = 0b:00.0\n"
	      "service.stop = no-such.service");
	save("plan.problem", "plan --json win10", STATUS_FAILED);
	steps("wait.sleep = 1\npci.detach = 0b:00.0");
	save("plan.prepare", "plan --json win10", STATUS_OK);
	save("plan.release", "plan --json win10 release", STATUS_OK);
	save("plan.boot", "plan --json win10 boot", STATUS_OK);
	domain("<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>");
	steps("session.end =\nkmod.unload = nvidia\npci.detach = 0a:00.*");
	faketree_file("", "/run/systemd/seats/seat0");
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipewire", "user@1000.service", "/dev/snd/controlC1");
	save("plan.held", "plan --json win10", STATUS_OK);
}
END_TEST

static const char log_text[] =
	"2026-01-31T12:00:00.000+0000 INFO == win10 prepare/begin\n"
	"2026-01-31T12:00:00.003+0000 INFO pci.detach = timeout=15s gpu ...\n"
	"2026-01-31T12:00:00.004+0000 INFO pci.detach: done in 1230 ms\n"
	"2026-01-31T12:00:00.005+0000 INFO -- win10 prepare/begin: done in 1250 ms\n"
	"2026-01-31T12:00:01.000+0000 INFO == win10 release/end\n"
	"2026-01-31T12:00:02.000+0000 ERROR -- win10 release/end: failed after 70 ms: oh\n"
	"2026-01-31T12:00:03.000+0000 INFO == win10 undo\n"
	"2026-01-31T12:00:03.000+0000 INFO -- win10 undo: done in 70 ms\n"
	"2026-01-31T12:00:03.000+0000 INFO == win10 prepare/begin\n"
	"2026-01-31T12:00:03.000+0000 INFO kmod.unload = nvidia ...\n";

static void write_journal(int owner)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	_cleanup_error_ struct error err = {};
	int r = journal_open(&host, UUID, "win10", true, NULL, &journal, &err);

	ck_assert_msg(r == 0, "%s", error_text(&err));
	journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL);
	journal_record(&journal, &state_driver, GPU, "nvidia", "vfio-pci", "",
		       PHASE_PREPARE, NULL);
	journal_record(&journal, &state_driver, "0000:99:00.0", "nvidia", "vfio-pci", "",
		       PHASE_PREPARE, NULL);
	journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_COMPLETE, NULL);
	journal_owner(&journal, owner, (uint64_t)owner, NULL);
}

START_TEST(steps_table)
{
	save("steps.all", "steps --json", STATUS_OK);
	save("steps.plugin", "steps --json pci", STATUS_OK);
	save("steps.one", "steps --json pci.detach", STATUS_OK);
	ck_assert_int_eq(command("steps --json pci"), STATUS_OK);
	assert_has("\"step\": \"pci.detach\", \"summary\": \"bind PCI devices to VFIO\"");
	assert_has("\"option\": \"group\", \"kind\": \"choice\", \"choices\": "
		   "[\"check\", \"whole\"], \"default\": \"check\"");
	assert_hasnt("kmod.");
	ck_assert_int_eq(command("steps --json undo"), STATUS_OK);
	assert_has("{\"step\": \"undo\", ");
	ck_assert_int_eq(command("steps --json pci.detahc"), STATUS_USAGE);
}
END_TEST

START_TEST(status)
{
	save("status.nothing", "status --json", STATUS_OK);
	steps("pci.detach = 0b:00.0");
	save("status.idle", "status --json", STATUS_OK);
	faketree_file(log_text, "/var/log/vfio-hook/win10.log");
	save("status.interrupted", "status --json win10", STATUS_FAILED);
	faketree_process(500, "libvirtd", "libvirtd.service", NULL);
	write_journal(500);
	save("status.prepared", "status --json", STATUS_OK);
	faketree_process_gone(500);
	save("status.orphaned", "status --json win10", STATUS_FAILED);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, devices);
	tcase_add_test(tc, check);
	tcase_add_test(tc, plan);
	tcase_add_test(tc, status);
	tcase_add_test(tc, steps_table);
}

int main(void)
{
	return machine_run("json", add);
}
