/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the steps and kinds for governor and energy preference know in common. Each CPU's
 * cpufreq folder is a link to its policy's, so a write a policy is enough.
 */
#include "cpufreq.h"
#include "cpus.h"

const struct option_spec cpufreq_options[] = {
	{ "cpus", VALUE_CPUS,
	  .text = "the policies of these CPUs; guest: those that the domain takes; default: all" },
	{}
};

/* 1: one of the policy's CPUs, also those offline, is in LIST. */
static bool policy_has(const struct host *host, const char *policy,
		       const struct cpu_list *list)
{
	char text[4096], *p = text, *end;

	if (host_read(host, text, sizeof(text), CPUFREQ_DIR "/%s/related_cpus", policy) <
	    0)
		return false;
	for (;;) {
		unsigned long cpu = strtoul(p, &end, 10);

		if (end == p)
			return false;
		if (cpu_list_contains(list, (unsigned)cpu))
			return true;
		p = end;
	}
}

static bool is_offline(const struct host *host, const char *policy)
{
	char text[64];

	return host_read(host, text, sizeof(text), CPUFREQ_DIR "/%s/scaling_governor",
			 policy) == -EBUSY;
}

static int select_policies(struct run *run, const struct strv *names,
			   const struct cpu_list *list, struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < names->n; i++) {
		const char *policy = names->v[i];

		if (!str_after(policy, "policy") ||
		    (list && !policy_has(&run->host, policy, list)))
			continue;
		if (is_offline(&run->host, policy))
			run_note(run, "%s is left out: its CPUs are offline", policy);
		else
			r = strv_add(ret, policy);
	}
	return r;
}

int cpufreq_policies(struct run *run, const char *cpus, struct strv *ret,
		     struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list list = {};
	_cleanup_strv_ struct strv names = {}, policies = {};
	int r = 0;

	if (cpus && streq(cpus, "guest"))
		r = cpus_taken(run, NULL, &list, err);
	else if (cpus && (r = parse_cpu_list(cpus, &list)) < 0)
		error_errno(err, r, "cpus=%s", cpus);
	if (r < 0 || (cpus && !list.n)) /* the problem is told */
		return r;
	(void)host_list(&run->host, &names, CPUFREQ_DIR);
	if (!names.n) {
		run_cure_optional(run, ": " PUT_DASH);
		return run_problem(
			run, -ENODEV, err,
			"this machine has no frequency scaling (no policy in " CPUFREQ_DIR
			")");
	}
	r = select_policies(run, &names, cpus ? &list : NULL, &policies);
	if (r < 0)
		return error_oom(err);
	if (!policies.n)
		return error_set(
			err, -ENODEV,
			"no CPU of %s has frequency scaling: name others in cpus=, or leave it out",
			cpus ? cpus : "this machine");
	*ret = policies;
	policies = (struct strv){};
	return 0;
}

const char *cpufreq_mode(const struct host *host, const char *policy, char buf[64])
{
	static const char *const drivers[] = { "intel_pstate", "amd_pstate" };
	char driver[32] = "", status[24] = "";

	(void)host_read(host, driver, sizeof(driver), CPUFREQ_DIR "/%s/scaling_driver",
			policy);
	for (size_t i = 0; i < ARRAY_SIZE(drivers) && !*status; i++)
		if (host_read(host, status, sizeof(status),
			      "/sys/devices/system/cpu/%s/status", drivers[i]) < 0)
			*status = '\0';
	snprintf(buf, 64, "%s%s%s", driver, *status ? " " : "", status);
	return buf;
}

bool cpufreq_is_setpolicy(const struct host *host, const char *policy)
{
	char driver[32];

	return host_read(host, driver, sizeof(driver), CPUFREQ_DIR "/%s/scaling_driver",
			 policy) >= 0 &&
	       STR_IN(driver, "intel_pstate", "amd-pstate-epp", "longrun");
}

bool cpufreq_offers(const struct host *host, const char *policy, const char *attr,
		    const char *name, char buf[512])
{
	size_t n;

	if (host_read(host, buf, 512, CPUFREQ_DIR "/%s/%s", policy, attr) < 0)
		buf[0] = '\0';
	for (n = strlen(buf); n > 0 && buf[n - 1] == ' '; n--)
		buf[n - 1] = '\0'; /* the kernel puts a blank behind the last one, too */
	n = strlen(name);
	for (const char *p = buf; (p = strstr(p, name)); p += n)
		if ((p == buf || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}
