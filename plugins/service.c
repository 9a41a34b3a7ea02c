/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services: the display manager above all, which holds the GPU that the guest wants.
 */

#include "claims.h"
#include "desktop.h"
#include "effect.h"
#include "step.h"
#include "systemd.h"

static int parse(const struct step *step, struct error *err);
static int stop_apply(struct run *run, const struct step *step, struct error *err);
static int start_apply(struct run *run, const struct step *step, struct error *err);
static int restart_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "user", VALUE_STRING, .text = "units of this user's service manager" },
	{ "seat", VALUE_STRING, .text = "those of whoever is logged in at it" },
	{ "timeout", VALUE_DURATION, .def = "30s",
	  .text = "how long to wait for all units" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "stop",
		.summary = "stop units of systemd, services of OpenRC or runit",
		.undo = "starts those that were active",
		.args = "UNIT…",
		.min_args = 1,
		.phases = PHASES_ALL,
		.timeout_ms = 30000,
		.options = options,
		.parse = parse,
		.apply = stop_apply,
	},
	{
		.action = "start",
		.summary = "start units of systemd, services of OpenRC or runit",
		.undo = "stops those that were not active",
		.args = "UNIT…",
		.min_args = 1,
		.phases = PHASES_ALL,
		.timeout_ms = 30000,
		.options = options,
		.parse = parse,
		.apply = start_apply,
	},
	{
		.action = "restart",
		.summary = "restart units of systemd, services of OpenRC or runit",
		.undo = "none: they run again",
		.args = "UNIT…",
		.min_args = 1,
		.phases = PHASES_ALL,
		.flags = STEP_ONE_WAY,
		.timeout_ms = 30000,
		.options = options,
		.parse = parse,
		.apply = restart_apply,
	},
	{}
};

const struct plugin plugin_service = { .name = "service", .types = types };

static int parse(const struct step *step, struct error *err)
{
	const char *seat = step_option(step, "seat");

	if (seat && step_option(step, "user"))
		return error_set(err, -EINVAL,
				 "user= names one user and seat=%s whoever is there: write "
				 "one of them",
				 seat);
	return seat ? seat_check(seat, err) : 0;
}

typedef int (*act_t)(struct run *run, const char *target, struct error *err);

/* What one of those at a seat does not have is no failure: they are not known beforehand. */
static int apply_one(struct run *run, const char *unit, const char *user, bool may_lack,
		     act_t act, struct error *err)
{
	_cleanup_error_ struct error why = {};
	_cleanup_free_ char *target = NULL;
	int r = unit_target(&run->host, unit, user, &target, &why);

	if (r == -ENOMEM)
		return error_oom(err);
	if (r == -ENOENT && may_lack) {
		run_note(run, "there is no unit %s of user %s: passed over", unit, user);
		return 0;
	}
	if (r == -ENOENT)
		run_cure_optional(run, " (" PUT_DASH ")");
	return r < 0 ? run_problem_why(run, r, err, &why) : act(run, target, err);
}

static int apply_all(struct run *run, const struct step *step, const char *user,
		     bool may_lack, act_t act, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < step->words.n && r >= 0; i++)
		r = apply_one(run, step->words.v[i], user, may_lack, act, err);
	return r;
}

static int apply(struct run *run, const struct step *step, act_t act, struct error *err)
{
	const char *seat = step_option(step, "seat");
	_cleanup_strv_ struct strv users = {};
	int r;

	if (!seat)
		return apply_all(run, step, step_option(step, "user"), false, act, err);
	r = seat_users(&run->host, seat, &users, err);
	if (r < 0)
		return r;
	if (!users.n)
		run_note(run, "nobody is logged in at %s", seat);
	for (size_t i = 0; i < users.n && r >= 0; i++)
		r = apply_all(run, step, users.v[i], true, act, err);
	return r;
}

/* One that does not run is of no interest, unless another domain stopped it. */
static int goes_along(struct run *run, const char *target, struct error *err)
{
	_cleanup_(claim_done) struct claim claim = {};
	_cleanup_free_ char *state = NULL;
	int r = state_get(&run->host, &state_unit, target, &state, err);

	if (r < 0 || streq(state, "active"))
		return r < 0 ? r : 1;
	r = claim_youngest(run, &state_unit, target, &claim, err);
	return r == 0 ? 1 : r == -ENOENT ? 0 : r;
}

/* What was made by somebody else cannot be started by anybody but him. */
static bool can_start(const char *target)
{
	return !str_ends(target, ".scope") && !str_ends(target, ".device");
}

static int stop_along(struct run *run, const char *needed, const char *target,
		      struct error *err)
{
	int r = goes_along(run, target, err);

	if (r <= 0)
		return r;
	run_note(run, "%s is stopped with %s, which it needs%s", target, needed,
		 can_start(target) ? "" : ", and cannot be started again");
	if (!can_start(target))
		return 0;
	return effect_set(run, &state_unit, target, "inactive",
			  desktop_is_manager_here(&run->host, needed) ?
				  unit_with_desktop :
				  NULL,
			  err);
}

/*
 * The manager stops what needs a unit before the unit, and starts none of them with it
 * again. So each is stopped by name, which journals it: undo goes the other way round.
 */
static int stop(struct run *run, const char *target, struct error *err)
{
	_cleanup_strv_ struct strv dependants = {};
	int r = unit_dependants(&run->host, target, &dependants, err);

	for (size_t i = 0; r >= 0 && i < dependants.n; i++)
		r = stop_along(run, target, dependants.v[i], err);
	return r < 0 ? r : effect_set(run, &state_unit, target, "inactive", NULL, err);
}

static int stop_apply(struct run *run, const struct step *step, struct error *err)
{
	return apply(run, step, stop, err);
}

/* The manager would stop what conflicts with it, and start none of that again. */
static int make_way(struct run *run, const char *target, struct error *err)
{
	_cleanup_strv_ struct strv conflicts = {};
	int r = unit_conflicts(&run->host, target, &conflicts, err);

	for (size_t i = 0; r >= 0 && i < conflicts.n; i++) {
		const char *other = conflicts.v[i];

		r = goes_along(run, other, err);
		if (r <= 0)
			continue;
		run_note(run, "%s is stopped for %s, which conflicts with it", other,
			 target);
		r = stop(run, other, err);
	}
	return r;
}

static int start(struct run *run, const char *target, struct error *err)
{
	int r = 0;

	if (!run->simulate && system_is_stopping(&run->host)) {
		run_note(run, "%s is not started: the system is shutting down", target);
		return 0;
	}
	if (phase_goes_up(run->event.phase) &&
	    !state_is(&run->host, &state_unit, target, "active"))
		r = make_way(run, target, err);
	if (r < 0)
		return r;
	return effect_set(run, &state_unit, target, "active", NULL, err);
}

static int start_apply(struct run *run, const struct step *step, struct error *err)
{
	return apply(run, step, start, err);
}

static int restart_one(struct run *run, void *arg, struct error *err)
{
	_cleanup_error_ struct error ignored = {};
	const char *target = arg;

	/* a unit that failed too often would refuse */
	unit_call(run, target, "reset-failed", &ignored);
	return unit_call(run, target, "restart", err);
}

static int restart(struct run *run, const char *target, struct error *err)
{
	_cleanup_free_ char *copy = strdup(target);
	char what[320];

	if (!copy)
		return error_oom(err);
	if (!run->simulate && system_is_stopping(&run->host)) {
		run_note(run, "%s is not restarted: the system is shutting down", target);
		return 0;
	}
	if (unit_is_out_of_reach(&run->host, target)) {
		run_note(run, "%s is not restarted: its user is not logged in", target);
		return 0;
	}
	snprintf(what, sizeof(what), "restart of %s", target);
	return effect_one_way(run, what, restart_one, copy, err);
}

static int restart_apply(struct run *run, const struct step *step, struct error *err)
{
	return apply(run, step, restart, err);
}
