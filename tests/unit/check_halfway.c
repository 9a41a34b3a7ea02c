/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes that take several writes, cut off between them: what is found then is neither
 * the old value nor the new one, and is put back all the same. What somebody else set is
 * not.
 */
#include <sys/stat.h>

#include "faketree.h"
#include "ownership.h"
#include "run.h"
#include "state_epp.h"
#include "suite.h"

#define PARTITION "/sys/fs/cgroup/machine.slice/cpuset.cpus"

static struct host host;

static void setup(void)
{
	faketree_new(&host);
}

static void teardown(void)
{
	faketree_free();
}

static bool told(const struct run *run, enum report_kind kind, const char *text)
{
	for (size_t i = 0; i < run->report.n; i++)
		if (run->report.items[i].kind == kind &&
		    strstr(run->report.items[i].what, text))
			return true;
	return false;
}

/*
 * Undoes a change from OLD to NEW, at the value that the target has now; with WARNING, or
 * NULL for none.
 */
static void undo_of_data(const struct state_kind *kind, const char *target,
			 const char *data, const char *old, const char *new,
			 const char *warning)
{
	struct record record = { .kind = kind,
				 .target = (char *)(uintptr_t)target,
				 .old = (char *)(uintptr_t)old,
				 .new = (char *)(uintptr_t) new,
				 .data = (char *)(uintptr_t)data,
				 .phase = PHASE_PREPARE };
	struct run run = { .host = host, .cancel_fd = -1, .deadline = now_ms() + 10000 };
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *now = NULL;

	run.budget = run.deadline;
	ck_assert_int_eq(kind->read(&host, target, &now, &err), 0);
	ck_assert_msg(kind->undo(&run, &record, now, &err) == 0, "%s", error_text(&err));
	ck_assert_msg(told(&run, REPORT_WARNING, warning ? warning : "left as it is") ==
			      !!warning,
		      "%s: %s", target, warning ? warning : "a warning");
	report_done(&run.report);
}

static void undo_warns(const struct state_kind *kind, const char *target, const char *old,
		       const char *new, const char *warning)
{
	undo_of_data(kind, target, "", old, new, warning);
}

static void undo(const struct state_kind *kind, const char *target, const char *old,
		 const char *new)
{
	undo_warns(kind, target, old, new, NULL);
}

START_TEST(attribute_in_the_kernels_words)
{
	faketree_file("00000000,0000000f\n", "/sys/mask");
	undo(&state_attr, "/sys/mask", "ff", "f");
	ck_assert_str_eq(faketree_read("/sys/mask"), "ff");
	faketree_file("3\n", "/sys/mask");
	undo_warns(&state_attr, "/sys/mask", "ff", "f",
		   "/sys/mask is 3, which is not what was set (f): left as it is");
	ck_assert_str_eq(faketree_read("/sys/mask"), "3");
}
END_TEST

START_TEST(partition_without_its_state)
{
	faketree_file("member\n", PARTITION ".partition");
	faketree_file("2-3\n", PARTITION);
	undo(&state_partition, "machine.slice", "member", "root 2-3");
	ck_assert_str_eq(faketree_read(PARTITION), "");
	faketree_file("1\n", PARTITION);
	undo_warns(&state_partition, "machine.slice", "member", "root 2-3",
		   "partition machine.slice is 'member 1', which is not what was set (root "
		   "2-3): left as it is");
	ck_assert_str_eq(faketree_read(PARTITION), "1");
}
END_TEST

#define EXCLUSIVE "/sys/fs/cgroup/machine.slice/%scpuset.cpus.exclusive"

static const char *set_aside(const char *cpus, const char *to)
{
	char target[64];
	struct record record = { .kind = &state_exclusive, .target = target };
	struct run run = { .host = host, .cancel_fd = -1, .deadline = now_ms() + 10000 };
	_cleanup_error_ struct error err = {};

	run.budget = run.deadline;
	snprintf(target, sizeof(target), "machine.slice %s", cpus);
	ck_assert_msg(state_exclusive.change(&run, &record, "", to, &err) == 0, "%s",
		      error_text(&err));
	return faketree_read("/sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive");
}

/* A slice has the CPUs of several guests, of which each adds and takes back its own. */
START_TEST(cpus_set_aside)
{
	_cleanup_free_ char *value = NULL;

	faketree_file("\n", EXCLUSIVE, "");
	ck_assert_str_eq(set_aside("2-3", "exclusive"), "2-3");
	ck_assert_str_eq(set_aside("5", "exclusive"), "2-3,5");
	ck_assert_str_eq(set_aside("2-3", "exclusive"), "5,2-3");
	ck_assert_int_eq(state_exclusive.read(&host, "machine.slice 2,5", &value, NULL),
			 0);
	ck_assert_str_eq(value, "exclusive");
	ck_assert_str_eq(set_aside("5", ""), "2-3");
	free(value);
	ck_assert_int_eq(state_exclusive.read(&host, "machine.slice 2,5", &value, NULL),
			 0);
	ck_assert_str_eq(value, "");
	/* A dead guest's, which another has in use by now, are not taken from under it. */
	faketree_file("3\n", EXCLUSIVE, "a.scope/");
	faketree_file("root\n",
		      "/sys/fs/cgroup/machine.slice/a.scope/cpuset.cpus.partition");
	ck_assert_str_eq(set_aside("2-3", ""), "3");
	faketree_file("member\n",
		      "/sys/fs/cgroup/machine.slice/a.scope/cpuset.cpus.partition");
	ck_assert_str_eq(set_aside("2-3", ""), "");
}
END_TEST

/* "UID GID MODE", as the kind writes them. */
static char *owner(uid_t uid, mode_t mode)
{
	char path[PATH_MAX];
	_cleanup_error_ struct error err = {};
	char *text = NULL;

	faketree_file("", "/dev/node");
	host_path(&host, path, "/dev/node");
	ck_assert_int_eq(chown(path, uid, 0), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	ck_assert_int_eq(state_owner.read(&host, "/dev/node", &text, &err), 0);
	return text;
}

START_TEST(owner_without_its_mode)
{
	_cleanup_free_ char *old = owner(0, 04640), *new = owner(1000, 0600), *now = NULL;

	free(owner(1000, 0640)); /* on the way there */
	undo(&state_owner, "/dev/node", old, new);
	ck_assert_int_eq(state_owner.read(&host, "/dev/node", &now, NULL), 0);
	ck_assert_str_eq(now, old);
	free(now);
	free(owner(0, 0600)); /* on the way back */
	undo(&state_owner, "/dev/node", old, new);
	ck_assert_int_eq(state_owner.read(&host, "/dev/node", &now, NULL), 0);
	ck_assert_str_eq(now, old);
	free(now);
	free(owner(1001, 0600)); /* somebody else's */
	undo_warns(&state_owner, "/dev/node", old, new, ": left as it is");
	ck_assert_int_eq(state_owner.read(&host, "/dev/node", &now, NULL), 0);
	ck_assert_str_ne(now, old);
}
END_TEST

#define POLICY "/sys/devices/system/cpu/cpufreq/policy0/"
#define BAR "/sys/bus/pci/devices/0000:0a:00.0/"

/* What others have set in the meantime is theirs, and told by its name. */
START_TEST(what_others_set)
{
	faketree_file("schedutil\n", POLICY "scaling_governor");
	undo_warns(&state_governor, "policy0", "ondemand", "performance",
		   "the governor of policy0 is schedutil, not performance as was set: left "
		   "as it is");
	ck_assert_str_eq(faketree_read(POLICY "scaling_governor"), "schedutil");
	faketree_file("power\n", POLICY "energy_performance_preference");
	undo_warns(&state_epp, "policy0", "balance_power", "balance_performance",
		   "the energy preference of policy0 is power, not balance_performance as was "
		   "set: left as it is");
	ck_assert_str_eq(faketree_read(POLICY "energy_performance_preference"), "power");
	faketree_file("0-1\n", "/sys/fs/cgroup/system.slice/cpuset.cpus");
	undo_warns(&state_allowed_cpus, "system.slice", "", "0-2",
		   "AllowedCPUs of system.slice is '0-1', not what was set (0-2): left as it "
		   "is");
	ck_assert_str_eq(faketree_read("/sys/fs/cgroup/system.slice/cpuset.cpus"), "0-1");
	faketree_pci("0000:0a:00.0", "10de:1e84", "030000", NULL, "14");
	faketree_file("0x00000000d0000000 0x00000000d07fffff 0x000000000014220c\n",
		      BAR "resource");
	undo_warns(&state_bar, "0000:0a:00.0 0", "268435456", "4194304",
		   ": left as it is");
}
END_TEST

/* The names are another driver's by then. */
START_TEST(governor_of_another_driver)
{
	faketree_file("performance\n", POLICY "scaling_governor");
	faketree_file("performance\n", POLICY "energy_performance_preference");
	faketree_file("acpi-cpufreq\n", POLICY "scaling_driver");
	undo_of_data(
		&state_governor, "policy0", "intel_pstate active", "powersave",
		"performance",
		"the governor of policy0 is left as it is: the driver was 'intel_pstate "
		"active' and is 'acpi-cpufreq' now");
	ck_assert_str_eq(faketree_read(POLICY "scaling_governor"), "performance");
	undo_of_data(&state_epp, "policy0", "intel_pstate active", "power", "performance",
		     "the energy preference of policy0 is left as it is: the driver was "
		     "'intel_pstate active' and is 'acpi-cpufreq' now");
	undo_of_data(&state_governor, "policy0", "acpi-cpufreq", "schedutil",
		     "performance", NULL);
	ck_assert_str_eq(faketree_read(POLICY "scaling_governor"), "schedutil");
}
END_TEST

static int undo_bar(const char *now, struct error *err)
{
	struct record record = { .kind = &state_bar,
				 .target = (char *)(uintptr_t) "0000:0a:00.0 0",
				 .old = (char *)(uintptr_t) "8M",
				 .new = (char *)(uintptr_t) "256M" };
	struct run run = { .host = host, .cancel_fd = -1, .deadline = now_ms() + 10000 };

	run.budget = run.deadline;
	return state_bar.undo(&run, &record, now, err);
}

/* A driver that has the function by now would lose its memory under its feet. */
START_TEST(bar_of_a_function_in_use)
{
	_cleanup_error_ struct error err = {};

	faketree_module("nouveau", "nouveau");
	faketree_module_load("nouveau");
	faketree_pci("0000:0a:00.0", "10de:1e84", "030000", "nouveau", "14");
	faketree_file("8\n", BAR "resource0_resize");
	ck_assert_int_eq(undo_bar("256M", &err), -EBUSY);
	ck_assert_str_eq(
		error_text(&err),
		"BAR 0 of 0000:0a:00.0 stays at 256M, it was 8M: nouveau is bound to "
		"it; unbind that, then run vfio-hook undo");
	ck_assert_str_eq(faketree_read(BAR "resource0_resize"), "8");
}
END_TEST

START_TEST(bar_that_stays)
{
	_cleanup_error_ struct error err = {};

	faketree_pci("0000:0a:00.0", "10de:1e84", "030000", NULL, "14");
	faketree_file("0x00000000e0000000 0x00000000efffffff 0x000000000014220c\n",
		      BAR "resource");
	faketree_file("8\n", BAR "resource0_resize");
	faketree_fail("/resource0_resize", FAKE_SILENT, 0);
	ck_assert_int_eq(undo_bar("256M", &err), -EIO);
	ck_assert_str_eq(error_text(&err), "is 256M, it was 8M");
}
END_TEST

#define FB "efi-framebuffer.0"
#define MEMORY "c0000000-c0ffffff : 0000:00:02.0"

/* The way back to the firmware's picture, which is left alone with NOTE (NULL: it is not). */
static void undo_platform(const char *note)
{
	struct record record = { .kind = &state_platform,
				 .target = (char *)(uintptr_t)FB,
				 .old = (char *)(uintptr_t) "efi-framebuffer",
				 .new = (char *)(uintptr_t) "",
				 .data = (char *)(uintptr_t)MEMORY };
	struct run run = { .host = host, .cancel_fd = -1, .deadline = now_ms() + 10000 };
	_cleanup_error_ struct error err = {};

	run.budget = run.deadline;
	ck_assert_msg(state_platform.undo(&run, &record, "", &err) == 0, "%s",
		      error_text(&err));
	ck_assert_uint_eq(run.report.n, note ? 1 : 0);
	ck_assert_msg(!note || told(&run, REPORT_NOTE, note), "%s, not %s",
		      note ? run.report.items[0].what : "", note);
	report_done(&run.report);
	ck_assert(host_exists(&host, "/sys/bus/platform/devices/" FB "/driver") == !note);
}

/* Its driver would draw to where the picture was at boot, whatever is there now. */
START_TEST(picture_of_the_firmware)
{
	undo_platform(FB
		      " is gone until the next boot: a graphics driver or vfio took its "
		      "place; the console needs a driver with a framebuffer of its own");
	faketree_platform(FB, "efi-framebuffer");
	ck_assert_int_eq(host_write(&host, FB,
				    "/sys/bus/platform/drivers/efi-framebuffer/unbind"),
			 0);
	faketree_file("  c0000000-cfffffff : 0000:00:02.0\n", "/proc/iomem");
	undo_platform(FB " is left unbound: its memory (" MEMORY ") has moved");
	faketree_file("  " MEMORY "\n", "/proc/iomem");
	faketree_link("../../../0000:00:02.0", "/sys/class/graphics/fb0/device");
	undo_platform(FB " is left unbound: fb0 draws on the card now");
	faketree_link("../../../0000:0a:00.0", "/sys/class/graphics/fb0/device");
	undo_platform(NULL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("kinds");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, attribute_in_the_kernels_words);
	tcase_add_test(tc, partition_without_its_state);
	tcase_add_test(tc, cpus_set_aside);
	tcase_add_test(tc, owner_without_its_mode);
	tcase_add_test(tc, what_others_set);
	tcase_add_test(tc, governor_of_another_driver);
	tcase_add_test(tc, bar_of_a_function_in_use);
	tcase_add_test(tc, bar_that_stays);
	tcase_add_test(tc, picture_of_the_firmware);
	return suite_run_as_root("halfway", tc);
}
