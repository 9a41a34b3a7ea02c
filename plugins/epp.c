/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The energy performance preference: what CPUs that choose their frequency themselves
 * (intel_pstate with HWP, amd_pstate in active mode) are to favour.
 */
#include "cpufreq.h"
#include "effect.h"
#include "state_epp.h"

#define AVAILABLE "energy_performance_available_preferences"

static int epp_parse(const struct step *step, struct error *err);
static int epp_check(struct run *run, const struct step *step, struct error *err);
static int epp_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "set",
		.summary = "set the CPU's energy performance preference",
		.undo = "each policy gets back its own, after its governor",
		.args = "NAME",
		.min_args = 1,
		.max_args = 1,
		.phases = PHASES_ALL,
		.timeout_ms = 20000,
		.options = cpufreq_options,
		.parse = epp_parse,
		.check = epp_check,
		.apply = epp_apply,
	},
	{}
};

extern const struct plugin plugin_epp;
const struct plugin plugin_epp = { .name = "epp", .types = types };

static int epp_parse(const struct step *step, struct error *err)
{
	const char *name = step->words.v[0];

	if (streq(name, "default")) /* the hardware's; it reads back as another name */
		return error_set(err, -EINVAL,
				 "'default' reads back as another name: write that one, as "
				 "balance_performance");
	if (*name && strspn(name, "abcdefghijklmnopqrstuvwxyz_") == strlen(name))
		return 0;
	return error_set(err, -EINVAL,
			 "'%s' is no preference: write one of those in " CPUFREQ_DIR
			 "/policy0/" AVAILABLE,
			 name);
}

static int check_policy(struct run *run, const char *policy, const char *name,
			struct error *err)
{
	char offered[512], mode[64];

	if (!host_exists(&run->host, CPUFREQ_DIR "/%s/" AVAILABLE, policy)) {
		run_cure_optional(run, ": " PUT_DASH);
		return run_problem(run, -ENODEV, err,
				   "%s has no energy preference (its driver is '%s')",
				   policy, cpufreq_mode(&run->host, policy, mode));
	}
	if (!cpufreq_offers(&run->host, policy, AVAILABLE, name, offered))
		return run_problem(
			run, -EINVAL, err,
			"%s has no energy preference %s: use one of those that it offers: %s",
			policy, name, offered);
	/* intel_pstate_set_energy_pref_index(), amd_pstate's likewise: EBUSY */
	if (!streq(name, "performance") && cpufreq_is_setpolicy(&run->host, policy) &&
	    state_is(&run->host, &state_governor, policy, "performance"))
		return run_problem(
			run, -EBUSY, err,
			"the governor performance of %s allows no preference but "
			"performance: set another governor, or leave this line out",
			policy);
	return 1;
}

static int epp_check(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_strv_ struct strv policies = {};
	int r = cpufreq_policies(run, step_option(step, "cpus"), &policies, err);

	if (r < 0)
		return r;
	/* what one of them lacks the others most often lack, too: said once */
	for (size_t i = 0; i < policies.n; i++) {
		r = check_policy(run, policies.v[i], step->words.v[0], err);
		if (r <= 0)
			return r;
	}
	return 0;
}

static int epp_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_strv_ struct strv policies = {};
	int r = cpufreq_policies(run, step_option(step, "cpus"), &policies, err);

	for (size_t i = 0; r >= 0 && i < policies.n; i++) {
		char mode[64];

		r = effect_set(run, &state_epp, policies.v[i], step->words.v[0],
			       cpufreq_mode(&run->host, policies.v[i], mode), err);
	}
	return r;
}
