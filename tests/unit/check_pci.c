/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no emulated machine can show: memory windows that change their size, and a host
 * that sleeps. Whole phases on a machine made of files.
 */
#include "faketree.h"
#include "phase_of.h"
#include "suite.h"

#define GPU "0000:0a:00.0"
#define SOUND "0000:0a:00.1"
#define DEVICE "/sys/devices/pci0000:00/"
#define RESOURCE                                                     \
	"0x00000000e0000000 0x00000000efffffff 0x0000000000140204\n" \
	"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"

static const char xml[] =
	"<domain type='kvm'><name>win10</name>"
	"<uuid>11111111-2222-3333-4444-555555555555</uuid><memory>1024</memory></domain>";

static struct host host;
static char *before;

static void setup(void)
{
	faketree_new(&host);
	faketree_module("amdgpu", "amdgpu");
	faketree_module_load("amdgpu");
	faketree_pci(GPU, "1002:73bf", "030000", "amdgpu", "14");
	faketree_pci(SOUND, "1002:ab28", "040300", NULL, "14");
	faketree_file(RESOURCE, DEVICE GPU "/resource");
	faketree_file("0000000000003f00\n",
		      DEVICE GPU "/resource0_resize"); /* 256M - 8G */
	faketree_file("freeze mem disk\n", "/sys/power/state");
	before = faketree_snapshot();
}

static void teardown(void)
{
	free(STEAL(before));
	faketree_free();
}

/* NULL when the phase went well, else its error; the caller frees. */
static char *run_phase(enum phase phase, const char *steps)
{
	struct event event;
	char text[512];

	snprintf(text, sizeof(text), "[prepare/begin]\n%s\n", steps);
	faketree_file(text, "/etc/libvirt/hooks/conf.d/win10.ini");
	event_of_phase(&event, "win10", phase);
	return phase_of(host.root, &event, xml);
}

static void assert_fine(enum phase phase, const char *steps)
{
	_cleanup_free_ char *error = run_phase(phase, steps);

	ck_assert_msg(error == NULL, "%s", error);
}

/* Prepare is refused with TEXT, and nothing is different. */
static void assert_refused(const char *steps, const char *text)
{
	_cleanup_free_ char *error = run_phase(PHASE_PREPARE, steps), *after = NULL;

	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, text) != NULL, "%s", error);
	after = faketree_snapshot();
	ck_assert_str_eq(after, before);
}

static void assert_same(void)
{
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_str_eq(after, before);
}

static void assert_window(const char *first_line)
{
	ck_assert_msg(str_after(faketree_read(DEVICE GPU "/resource"), first_line), "%s",
		      faketree_read(DEVICE GPU "/resource"));
}

#define RESIZE \
	"kmod.unload = amdgpu\npci.resize-bar = bar=0 size=8G 0a:00.*\npci.detach = 0a:00.*"

START_TEST(resizes_and_gives_back)
{
	assert_fine(PHASE_PREPARE, RESIZE);
	assert_window("0x00000000e0000000 0x00000002dfffffff");
	ck_assert_str_eq(faketree_driver_of(GPU), "vfio-pci");
	assert_fine(PHASE_RELEASE, RESIZE);
	ck_assert_str_eq(faketree_driver_of(GPU), "amdgpu");
	assert_same();
}
END_TEST

START_TEST(refuses_a_bound_function)
{
	assert_refused("pci.resize-bar = bar=0 size=8G 0a:00.0", "is bound to amdgpu");
}
END_TEST

START_TEST(tells_the_sizes_offered)
{
	assert_refused(
		"kmod.unload = amdgpu\npci.resize-bar = bar=0 size=16G 0a:00.0\npci.detach = 0a:00.*",
		"sizes offered: 256M, 512M, 1G, 2G, 4G, 8G");
	assert_refused("pci.resize-bar = bar=2 size=1G 0a:00.*", "cannot be resized");
	assert_refused("pci.resize-bar = bar=0 size=3G 0a:00.0", "a power of two");
	assert_refused("pci.resize-bar = size=1G 0a:00.0", "bar= is needed");
}
END_TEST

START_TEST(undoes_when_there_is_no_room)
{
	faketree_fail("/resource0_resize", FAKE_ERRNO, ENOSPC);
	assert_refused(RESIZE, "has no room");
}
END_TEST

/* The driver came back by itself: nothing is done under its feet, and it is told. */
START_TEST(never_resizes_below_a_driver)
{
	_cleanup_free_ char *error = NULL;

	assert_fine(PHASE_PREPARE, RESIZE);
	faketree_module_load("amdgpu");
	error = run_phase(PHASE_RELEASE, RESIZE);
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, "stays at 8G, it was 256M") != NULL, "%s", error);
	assert_window("0x00000000e0000000 0x00000002dfffffff");
}
END_TEST

START_TEST(sleeps_and_keeps_an_alarm)
{
	faketree_file("1000\n", "/sys/class/rtc/rtc0/since_epoch");
	faketree_file("5000\n", "/sys/class/rtc/rtc0/wakealarm");
	assert_fine(PHASE_PREPARE, "suspend.cycle = seconds=2");
	ck_assert_str_eq(faketree_read("/sys/power/state"), "mem");
	ck_assert_str_eq(faketree_read("/sys/class/rtc/rtc0/wakealarm"), "5000");
	faketree_file("900\n", "/sys/class/rtc/rtc0/wakealarm");
	faketree_file("freeze mem disk\n", "/sys/power/state");
	assert_fine(PHASE_PREPARE, "suspend.cycle = seconds=2");
	ck_assert_str_eq(faketree_read("/sys/class/rtc/rtc0/wakealarm"), "0");
}
END_TEST

START_TEST(keeps_an_alarm_without_one_of_its_own)
{
	faketree_file("1000\n", "/sys/class/rtc/rtc0/since_epoch");
	faketree_file("5000\n", "/sys/class/rtc/rtc0/wakealarm");
	free(before);
	before = faketree_snapshot();
	faketree_fail("/wakealarm +2", FAKE_ERRNO, EINVAL);
	assert_refused("suspend.cycle = seconds=2", "rtc0/wakealarm");
}
END_TEST

START_TEST(refuses_to_sleep_for_ever)
{
	assert_refused("suspend.cycle =", "nothing could wake this host");
	faketree_file("freeze\n", "/sys/power/state");
	free(before);
	before = faketree_snapshot();
	assert_refused("suspend.cycle =", "offers freeze");
	assert_refused("suspend.cycle = seconds=1", "2 to 600");
}
END_TEST

START_TEST(refuses_sleep_longer_than_the_phase)
{
	faketree_file("\n", "/sys/class/rtc/rtc0/wakealarm");
	free(before);
	before = faketree_snapshot();
	assert_refused("suspend.cycle = seconds=500",
		       "500 s of sleep do not fit into the time that is left: raise "
		       "timeout= of [domain]");
}
END_TEST

/* The short way of the scan and libpci's own give the same. */
START_TEST(scans_with_and_without_modalias)
{
	_cleanup_(pci_list_done) struct pci_list with = {}, without = {};

	ck_assert_int_eq(pci_scan(&host, &with, NULL), 0);
	faketree_file("of another bus\n", DEVICE GPU "/modalias");
	faketree_file("\n", DEVICE SOUND "/modalias");
	ck_assert_int_eq(pci_scan(&host, &without, NULL), 0);
	ck_assert_uint_eq(with.n, 2);
	ck_assert_uint_eq(without.n, 2);
	ck_assert_uint_eq(with.fn[0].vendor, 0x1002);
	ck_assert_uint_eq(with.fn[0].id, 0x73bf);
	ck_assert_uint_eq(with.fn[1].class, 0x040300);
	for (size_t i = 0; i < with.n; i++) {
		ck_assert_str_eq(with.fn[i].name, without.fn[i].name);
		ck_assert_uint_eq(with.fn[i].vendor, without.fn[i].vendor);
		ck_assert_uint_eq(with.fn[i].id, without.fn[i].id);
		ck_assert_uint_eq(with.fn[i].subvendor, without.fn[i].subvendor);
		ck_assert_uint_eq(with.fn[i].subid, without.fn[i].subid);
		ck_assert_uint_eq(with.fn[i].class, without.fn[i].class);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("phases");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, resizes_and_gives_back);
	tcase_add_test(tc, refuses_a_bound_function);
	tcase_add_test(tc, tells_the_sizes_offered);
	tcase_add_test(tc, undoes_when_there_is_no_room);
	tcase_add_test(tc, never_resizes_below_a_driver);
	tcase_add_test(tc, sleeps_and_keeps_an_alarm);
	tcase_add_test(tc, keeps_an_alarm_without_one_of_its_own);
	tcase_add_test(tc, refuses_to_sleep_for_ever);
	tcase_add_test(tc, refuses_sleep_longer_than_the_phase);
	tcase_add_test(tc, scans_with_and_without_modalias);
	return suite_run("pci", tc);
}
