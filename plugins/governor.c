/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cpufreq governor, a record a policy: a machine may have another one on each, and
 * what it had is what it gets back, not what most machines have.
 */
#include "cpufreq.h"
#include "effect.h"
#include "kmod.h"
#include "state_epp.h"

#define AVAILABLE "scaling_available_governors"

static int governor_parse(const struct step *step, struct error *err);
static int governor_check(struct run *run, const struct step *step, struct error *err);
static int governor_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "set",
		.summary = "set the CPU frequency governor",
		.undo = "each policy gets back the governor that it had",
		.args = "NAME",
		.min_args = 1,
		.max_args = 1,
		.phases = PHASES_ALL,
		.timeout_ms = 20000,
		.options = cpufreq_options,
		.parse = governor_parse,
		.check = governor_check,
		.apply = governor_apply,
	},
	{}
};

extern const struct plugin plugin_governor;
const struct plugin plugin_governor = { .name = "governor", .types = types };

static int governor_parse(const struct step *step, struct error *err)
{
	const char *name = step->words.v[0];

	if (*name && strlen(name) < 16 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name))
		return 0;
	return error_set(err, -EINVAL,
			 "'%s' is no governor: write one of those in " CPUFREQ_DIR
			 "/policy0/" AVAILABLE,
			 name);
}

/* The kernel lists registered governors only; the module of another can be loaded. */
static bool is_module(const struct host *host, const char *policy, const char *name,
		      char module[32])
{
	snprintf(module, 32, "cpufreq_%.20s", name);
	return !cpufreq_is_setpolicy(host, policy) &&
	       kmod_available(host, module, NULL) == 0;
}

static int governor_check(struct run *run, const struct step *step, struct error *err)
{
	const char *name = step->words.v[0];
	_cleanup_strv_ struct strv policies = {};
	int r = cpufreq_policies(run, step_option(step, "cpus"), &policies, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < policies.n; i++) {
		const char *policy = policies.v[i];
		char offered[512], module[32], mode[64];

		if (!cpufreq_offers(&run->host, policy, AVAILABLE, name, offered) &&
		    !is_module(&run->host, policy, name, module))
			return run_problem(
				run, -EINVAL, err,
				"%s has no governor %s: use one that its driver (%s) offers: %s",
				policy, name, cpufreq_mode(&run->host, policy, mode),
				*offered ? offered : "none");
	}
	return 0;
}

/*
 * The way back runs from new to old, and the module can go only when no policy uses its
 * governor any more: so a governor that an earlier step set goes back before.
 */
static int restore_earlier(struct run *run, const struct strv *policies, struct error *err)
{
	const int64_t deadline = run->deadline; /* undo has its own */
	int r = 0;

	for (size_t i = 0; r >= 0 && i < policies->n; i++) {
		r = effect_restore(run, &state_governor, policies->v[i], err);
		if (r == -ENOENT)
			r = 0;
	}
	run->deadline = deadline;
	return r;
}

/* Loaded by us, so that undo unloads it; the kernel would load it unseen. */
static int load_module(struct run *run, const struct strv *policies, const char *name,
		       struct error *err)
{
	enum kmod_state state;
	char module[32];
	int r = 0;

	if (!phase_goes_up(run->event.phase) ||
	    !is_module(&run->host, policies->v[0], name, module))
		return 0;
	state = kmod_state_of(&run->host, module);
	if (state == KMOD_BUILTIN || (state == KMOD_LIVE && run->simulate))
		return 0;
	if (state == KMOD_ABSENT && !run->simulate)
		r = restore_earlier(run, policies, err);
	return r < 0 ? r : effect_set(run, &state_module, module, "loaded", NULL, err);
}

/*
 * The governor performance changes the energy preference, too (state_epp.c): its claim
 * comes first, so that it is put back behind the governor.
 */
static int claim_epp(struct run *run, const char *policy, const char *mode,
		     struct error *err)
{
	_cleanup_free_ char *now = NULL;
	int r;

	if (run->simulate || !phase_goes_up(run->event.phase) ||
	    journal_find(run->journal, &state_epp, policy) ||
	    !host_exists(&run->host, CPUFREQ_DIR "/%s/energy_performance_preference",
			 policy))
		return 0;
	r = state_get(&run->host, &state_epp, policy, &now, err);
	return r < 0 ? r : effect_set(run, &state_epp, policy, now, mode, err);
}

static int governor_apply(struct run *run, const struct step *step, struct error *err)
{
	const char *name = step->words.v[0];
	_cleanup_strv_ struct strv policies = {};
	int r = cpufreq_policies(run, step_option(step, "cpus"), &policies, err);

	if (r >= 0 && policies.n)
		r = load_module(run, &policies, name, err);
	for (size_t i = 0; r >= 0 && i < policies.n; i++) {
		char mode[64];

		cpufreq_mode(&run->host, policies.v[i], mode);
		r = claim_epp(run, policies.v[i], mode, err);
		if (r >= 0)
			r = effect_set(run, &state_governor, policies.v[i], name, mode,
				       err);
	}
	return r;
}
