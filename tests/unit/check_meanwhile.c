/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has changed while the guest ran: a device is gone, or the files of a module, or a
 * program; an interrupt is another device's; the config is another, or none; the hook is
 * another version. It is told, the rest is put back, and there is a way on.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "card.h"
#include "log.h"
#include "phase_of.h"
#include "suite.h"

static const char config[] = "[prepare/begin]\n"
			     "sysfs.write = /sys/kernel/mm/x 2\n"
			     "kmod.unload = amdgpu\n"
			     "pci.detach = 0a:00.*\n";

static void setup(void)
{
	card_setup();
	faketree_file("1\n", "/sys/kernel/mm/x");
	card_ready(config);
}

static const char *xml = card_xml, *name = "win10";

static char *phase(enum phase phase)
{
	struct event event;

	event_of_phase(&event, name, phase);
	return phase_of(host.root, &event, xml);
}

/* What the command for people warns of is added to SAID, if that is not NULL. */
static int undo(bool forget, struct strv *said, struct error *err)
{
	struct event event;
	struct call call;
	int r;

	event_of_phase(&event, name, PHASE_RELEASE);
	r = phase_open(&call, host.root, &event, xml, err);
	call.run.forget = forget;
	if (r == 0)
		r = phase_undo(&call.run, err);
	for (size_t i = 0; said && i < call.run.report.n; i++)
		if (call.run.report.items[i].kind == REPORT_WARNING)
			ck_assert_int_eq(strv_add(said, call.run.report.items[i].what), 0);
	call_done(&call);
	return r;
}

static void remove_file(const char *path)
{
	char rooted[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, rooted, "%s", path)), 0);
}

static void assert_undo_completes(void)
{
	_cleanup_error_ struct error err = {};

	ck_assert_msg(undo(false, NULL, &err) == 0, "%s", error_text(&err));
}

/* It has fallen off the bus, and a rescan finds it again. */
START_TEST(device_is_gone)
{
	assert_no_error(phase(PHASE_PREPARE));
	ck_assert_int_eq(host_write(&host, "1", "/sys/bus/pci/devices/" SOUND "/remove"),
			 0);
	ck_assert(!host_exists(&host, "/sys/bus/pci/devices/" SOUND));
	assert_error_has(phase(PHASE_RELEASE), SOUND);
	ck_assert_str_eq(faketree_driver_of(GPU), "amdgpu");
	ck_assert_str_eq(faketree_read("/sys/kernel/mm/x"), "1");
	ck_assert_int_eq(host_write(&host, "1", "/sys/bus/pci/rescan"), 0);
	assert_undo_completes();
	card_assert_as_before("afterwards");
}
END_TEST

/* A kernel update took the running kernel's modules away; a reboot is not needed. */
START_TEST(module_files_are_gone)
{
	assert_no_error(phase(PHASE_PREPARE));
	ck_assert_str_eq(faketree_driver_of(GPU), "vfio-pci");
	remove_file("/.fake/modules/amdgpu");
	assert_error_has(phase(PHASE_RELEASE), "amdgpu");
	ck_assert_str_eq(faketree_driver_of(SOUND), "snd_hda_intel");
	ck_assert_str_eq(faketree_read("/sys/kernel/mm/x"), "1");
	faketree_module("amdgpu", "amdgpu");
	assert_undo_completes();
	ck_assert_str_eq(faketree_driver_of(GPU), "amdgpu");
	card_assert_as_before("afterwards");
}
END_TEST

/*
 * The card that had the host's only picture has none now, and no driver whose module the
 * config could mean: but that is not what keeps the domain from starting.
 */
START_TEST(next_start_tells_of_the_last)
{
	faketree_file("1\n", "/sys/bus/pci/devices/" GPU "/boot_vga");
	assert_no_error(phase(PHASE_PREPARE));
	remove_file("/.fake/modules/amdgpu");
	assert_error_has(phase(PHASE_RELEASE), "amdgpu");
	assert_error_has(phase(PHASE_PREPARE), "cannot put back an earlier prepare");
	faketree_module("amdgpu", "amdgpu");
	assert_no_error(phase(PHASE_PREPARE));
	assert_no_error(phase(PHASE_RELEASE));
	ck_assert_str_eq(faketree_driver_of(GPU), "amdgpu");
	ck_assert(!host_exists(&host, JOURNAL));
}
END_TEST

/* No record of the function is left, as it had no driver when it was taken. */
START_TEST(function_is_given_up)
{
	_cleanup_error_ struct error err = {};
	_cleanup_strv_ struct strv said = {};

	assert_no_error(phase(PHASE_PREPARE));
	remove_file("/.fake/modules/amdgpu");
	assert_error_has(phase(PHASE_RELEASE), "amdgpu");
	ck_assert_msg(undo(true, &said, &err) == 0, "%s", error_text(&err));
	ck_assert(!host_exists(&host, JOURNAL));
	ck_assert(strv_contains(&said, "given up: module amdgpu, which was loaded"));
	ck_assert(strv_contains(&said, "given up: driver " GPU ", which was amdgpu"));
	ck_assert(!strv_contains(&said,
				 "given up: driver " SOUND ", which was snd_hda_intel"));
}
END_TEST

/* What is offered can be copied as it is, whatever the domain is called. */
START_TEST(command_can_be_copied)
{
	_cleanup_error_ struct error err = {};

	xml = "<domain type='kvm'><name>-my win's</name><uuid>" UUID
	      "</uuid><memory>1024</memory></domain>";
	name = "-my win's";
	faketree_file(config, "/etc/libvirt/hooks/conf.d/%s.ini", name);
	assert_no_error(phase(PHASE_PREPARE));
	remove_file("/.fake/modules/amdgpu");
	assert_error_has(phase(PHASE_RELEASE), "amdgpu");
	ck_assert_int_lt(undo(false, NULL, &err), 0);
	ck_assert_msg(strstr(error_text(&err),
			     "vfio-hook undo --forget -- '-my win'\\''s')") != NULL,
		      "%s", error_text(&err));
}
END_TEST

static const char torn[] = "[release/end\n";

static const char *const configs[] = {
	"[prepare/begin]\nsysfs.write = /sys/kernel/mm/x 3\n",
	torn,
	"",
	NULL,
};

/* Another one, a broken, an empty, none: the journal is enough. */
START_TEST(config_is_replaced)
{
	_cleanup_free_ char *log = NULL;
	bool broken = configs[_i] == torn;

	log_open(&host, "win10");
	assert_no_error(phase(PHASE_PREPARE));
	remove_file(CONFIG);
	if (configs[_i])
		faketree_file(configs[_i], CONFIG);
	assert_no_error(phase(PHASE_RELEASE));
	log_close();
	card_assert_as_before("afterwards");
	ck_assert_int_eq(host_read_all(&host, &log, "/var/log/vfio-hook/win10.log"), 0);
	ck_assert((strstr(log, "win10.ini:1") != NULL) == broken);
}
END_TEST

static void assert_forgotten(const char *said)
{
	_cleanup_error_ struct error err = {}, none = {};

	assert_error_has(phase(PHASE_PREPARE),
			 "never can be: vfio-hook undo --forget win10)");
	ck_assert_int_lt(undo(false, NULL, &err), 0);
	ck_assert_ptr_nonnull(strstr(error_text(&err), said));
	ck_assert_ptr_nonnull(strstr(error_text(&err), "undo --forget win10)"));
	ck_assert_msg(undo(true, NULL, &none) == 0, "%s", error_text(&none));
	card_assert_as_before("afterwards");
	assert_no_error(phase(PHASE_PREPARE));
	ck_assert_str_eq(faketree_driver_of(GPU), "vfio-pci");
}

/* Whoever has removed it must not need it to start the domain again. */
START_TEST(program_is_gone)
{
	char rooted[PATH_MAX];

	faketree_file("#!/bin/sh\n", "/do");
	faketree_file("#!/bin/sh\n", "/undo");
	ck_assert_int_eq(chmod(host_path(&host, rooted, "/do"), 0755), 0);
	ck_assert_int_eq(chmod(host_path(&host, rooted, "/undo"), 0755), 0);
	faketree_file("[prepare/begin]\n"
		      "sysfs.write = /sys/kernel/mm/x 2\n"
		      "exec.run = /do\n"
		      "exec.undo = /undo\n"
		      "kmod.unload = amdgpu\n"
		      "pci.detach = 0a:00.*\n",
		      CONFIG);
	assert_no_error(phase(PHASE_PREPARE));
	remove_file("/undo");
	assert_error_has(phase(PHASE_RELEASE), "/undo");
	faketree_file(config, CONFIG);
	assert_forgotten("/undo");
}
END_TEST

/* A record of a step that this version does not have. */
START_TEST(plugin_is_gone)
{
	static const char line[] = "set\tteleport\tx\t1\t2\t\tprepare/begin\t5\t.\n";
	char rooted[PATH_MAX];
	int fd;

	assert_no_error(phase(PHASE_PREPARE));
	fd = open(host_path(&host, rooted, JOURNAL), O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, line, sizeof(line) - 1), (int)sizeof(line) - 1);
	close(fd);
	assert_error_has(phase(PHASE_RELEASE), "how to put back teleport x");
	ck_assert_str_eq(faketree_driver_of(GPU), "amdgpu");
	ck_assert_str_eq(faketree_driver_of(SOUND), "snd_hda_intel");
	ck_assert_str_eq(faketree_read("/sys/kernel/mm/x"), "1");
	assert_forgotten("teleport x");
}
END_TEST

/* What another device got with the number stays where that wants it. */
START_TEST(interrupt_is_anothers)
{
	faketree_file("0-3\n", "/sys/devices/system/cpu/online");
	for (unsigned n = 24; n < 26; n++) {
		faketree_file("0-3\n", "/proc/irq/%u/smp_affinity_list", n);
		faketree_file("nvme0q1\n", "/sys/kernel/irq/%u/actions", n);
	}
	faketree_file("[prepare/begin]\nirq.move = to=0\n", CONFIG);
	assert_no_error(phase(PHASE_PREPARE));
	ck_assert_str_eq(faketree_read("/proc/irq/24/smp_affinity_list"), "0");
	faketree_file("eth0\n", "/sys/kernel/irq/24/actions");
	assert_no_error(phase(PHASE_RELEASE));
	ck_assert_str_eq(faketree_read("/proc/irq/24/smp_affinity_list"), "0");
	ck_assert_str_eq(faketree_read("/proc/irq/25/smp_affinity_list"), "0-3");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("meanwhile");

	tcase_add_checked_fixture(tc, setup, card_teardown);
	tcase_add_test(tc, device_is_gone);
	tcase_add_test(tc, module_files_are_gone);
	tcase_add_test(tc, next_start_tells_of_the_last);
	tcase_add_test(tc, function_is_given_up);
	tcase_add_test(tc, command_can_be_copied);
	tcase_add_loop_test(tc, config_is_replaced, 0, ARRAY_SIZE(configs));
	tcase_add_test(tc, program_is_gone);
	tcase_add_test(tc, plugin_is_gone);
	tcase_add_test(tc, interrupt_is_anothers);
	tcase_set_timeout(tc, 60);
	return suite_run_as_root("meanwhile", tc);
}
