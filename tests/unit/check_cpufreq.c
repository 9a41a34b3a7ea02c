/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Governor and energy preference of a processor with a driver in active mode, which no
 * emulated machine has: whole phases on a machine made of files.
 */
#include "faketree.h"
#include "phase_of.h"
#include "suite.h"

#define POLICY "/sys/devices/system/cpu/cpufreq/policy%u/"

#define XML_BEGIN                                           \
	"<domain type='kvm'><name>win10</name>"             \
	"<uuid>11111111-2222-3333-4444-555555555555</uuid>" \
	"<memory>1024</memory>"

static const char *xml;

static struct host host;
static char *before;
static const char *offline; /* the policy whose CPUs all are */

int __real_host_read(const struct host *host, char *buf, size_t size, const char *fmt,
		     ...) _printf_(4, 5);
int __wrap_host_read(const struct host *host, char *buf, size_t size, const char *fmt,
		     ...) _printf_(4, 5);

/* As the kernel's show() in cpufreq.c: a file can only be there or not. */
int __wrap_host_read(const struct host *from, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (offline && strstr(path, offline))
		return -EBUSY;
	return __real_host_read(from, buf, size, "%s", path);
}

static void policy(unsigned n, const char *governor, const char *epp)
{
	char cpu[16];

	snprintf(cpu, sizeof(cpu), "%u\n", n);
	faketree_file(cpu, POLICY "related_cpus", n);
	faketree_file(cpu, POLICY "affected_cpus", n);
	faketree_file("intel_pstate\n", POLICY "scaling_driver", n);
	faketree_file("performance powersave\n", POLICY "scaling_available_governors", n);
	faketree_file(governor, POLICY "scaling_governor", n);
	faketree_file("default performance balance_performance balance_power power\n",
		      POLICY "energy_performance_available_preferences", n);
	faketree_file(epp, POLICY "energy_performance_preference", n);
}

static void setup(void)
{
	faketree_new(&host);
	faketree_file("active\n", "/sys/devices/system/cpu/intel_pstate/status");
	policy(0, "powersave\n", "balance_performance\n");
	policy(1, "performance\n", "performance\n");
	before = faketree_snapshot();
	xml = XML_BEGIN "</domain>";
}

static void teardown(void)
{
	offline = NULL;
	free(STEAL(before));
	faketree_free();
}

/* NULL when the phase went well, else its error; the caller frees. */
static char *run_phase(enum phase phase, const char *config)
{
	struct event event;

	faketree_file(config, "/etc/libvirt/hooks/conf.d/win10.ini");
	event_of_phase(&event, "win10", phase);
	return phase_of(host.root, &event, xml);
}

static void assert_fine(enum phase phase, const char *config)
{
	_cleanup_free_ char *error = run_phase(phase, config);

	ck_assert_msg(error == NULL, "%s", error);
}

static void assert_refused(const char *config, const char *text)
{
	_cleanup_free_ char *error = run_phase(PHASE_PREPARE, config);
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, text) != NULL, "%s", error);
	ck_assert_str_eq(after, before);
}

static void assert_same(void)
{
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_str_eq(after, before);
}

#define GUEST_CONFIG "[prepare/begin]\ngovernor.set = cpus=guest performance\n"

/* Those of <vcpupin>, or of what keeps the host off them. */
START_TEST(sets_that_of_the_guests_cpus)
{
	faketree_file("0-1\n", "/sys/devices/system/cpu/online");
	policy(1, "powersave\n", "performance\n");
	free(before);
	before = faketree_snapshot();
	assert_refused(GUEST_CONFIG, "which CPUs?");
	xml = XML_BEGIN "<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='1'/></cputune>"
			"</domain>";
	assert_fine(PHASE_PREPARE, GUEST_CONFIG);
	ck_assert_str_eq(faketree_read(POLICY "scaling_governor", 0), "powersave");
	ck_assert_str_eq(faketree_read(POLICY "scaling_governor", 1), "performance");
	assert_fine(PHASE_RELEASE, GUEST_CONFIG);
	assert_same();
}
END_TEST

#define EPP_CONFIG "[prepare/begin]\nepp.set = cpus=0 power\n"

START_TEST(sets_a_preference)
{
	assert_fine(PHASE_PREPARE, EPP_CONFIG);
	ck_assert_str_eq(faketree_read(POLICY "energy_performance_preference", 0),
			 "power");
	ck_assert_str_eq(faketree_read(POLICY "energy_performance_preference", 1),
			 "performance");
	assert_fine(PHASE_RELEASE, EPP_CONFIG);
	assert_same();
}
END_TEST

#define BOTH_CONFIG \
	"[prepare/begin]\nepp.set = cpus=0 power\ngovernor.set = performance\n"

/* While performance ruled the driver forgot the preference, as amd_pstate does. */
START_TEST(governor_goes_back_first)
{
	_cleanup_free_ char *writes = NULL;
	const char *governor, *epp;

	assert_fine(PHASE_PREPARE, BOTH_CONFIG);
	ck_assert_str_eq(faketree_read(POLICY "scaling_governor", 0), "performance");
	faketree_file("performance\n", POLICY "energy_performance_preference", 0);
	faketree_file("", "/.fake/writes");
	assert_fine(PHASE_RELEASE, BOTH_CONFIG);
	ck_assert_int_eq(host_read_all(&host, &writes, "/.fake/writes"), 0);
	governor = strstr(writes, "policy0/scaling_governor");
	epp = strstr(writes, "policy0/energy_performance_preference");
	ck_assert_msg(governor != NULL && epp != NULL && governor < epp, "%s", writes);
	assert_same();
}
END_TEST

START_TEST(refuses_what_is_not_offered)
{
	assert_refused("[prepare/begin]\nepp.set = cpus=0 turbo\n",
		       "policy0 has no energy preference turbo: use one of those that it "
		       "offers: default performance balance_performance balance_power");
	assert_refused("[prepare/begin]\ngovernor.set = ondemand\n", "powersave");
}
END_TEST

START_TEST(refuses_a_preference_under_performance)
{
	assert_refused(
		"[prepare/begin]\nepp.set = cpus=1 power\n",
		"the governor performance of policy1 allows no preference but performance: "
		"set another governor, or leave this line out");
}
END_TEST

START_TEST(leaves_it_when_the_mode_changed)
{
	assert_fine(PHASE_PREPARE, "[prepare/begin]\ngovernor.set = cpus=0 performance\n");
	faketree_file("passive\n", "/sys/devices/system/cpu/intel_pstate/status");
	faketree_file("intel_cpufreq\n", POLICY "scaling_driver", 0);
	assert_fine(PHASE_RELEASE, "");
	ck_assert_str_eq(faketree_read(POLICY "scaling_governor", 0), "performance");
}
END_TEST

START_TEST(leaves_what_somebody_else_set)
{
	assert_fine(PHASE_PREPARE, EPP_CONFIG);
	faketree_file("balance_power\n", POLICY "energy_performance_preference", 0);
	assert_fine(PHASE_RELEASE, EPP_CONFIG);
	ck_assert_str_eq(faketree_read(POLICY "energy_performance_preference", 0),
			 "balance_power");
}
END_TEST

/* What was set on them is put back once one of them is online again. */
START_TEST(tells_of_cpus_that_went_offline)
{
	_cleanup_free_ char *error = NULL;

	assert_fine(PHASE_PREPARE, EPP_CONFIG);
	offline = "/policy0/";
	error = run_phase(PHASE_RELEASE, EPP_CONFIG);
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, "policy0: all CPUs of it are offline") != NULL, "%s",
		      error);
	offline = NULL;
	assert_fine(PHASE_RELEASE, EPP_CONFIG);
	assert_same();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("phases");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, sets_a_preference);
	tcase_add_test(tc, sets_that_of_the_guests_cpus);
	tcase_add_test(tc, governor_goes_back_first);
	tcase_add_test(tc, refuses_what_is_not_offered);
	tcase_add_test(tc, refuses_a_preference_under_performance);
	tcase_add_test(tc, leaves_it_when_the_mode_changed);
	tcase_add_test(tc, leaves_what_somebody_else_set);
	tcase_add_test(tc, tells_of_cpus_that_went_offline);
	return suite_run("cpufreq", tc);
}
