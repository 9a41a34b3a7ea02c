/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of a seat. Stopping a display manager only begins their end: what draws
 * in them holds the GPU until logind has seen the last process go.
 */

#include "effect.h"
#include "step.h"
#include "systemd.h"

#define FORCE_MS 5000

static int end_parse(const struct step *step, struct error *err);
static int end_check(struct run *run, const struct step *step, struct error *err);
static int end_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "seat", VALUE_STRING, .def = "seat0", .text = "whose sessions" },
	{ "timeout", VALUE_DURATION, .def = "15s",
	  .text = "how long they may take to close" },
	{ "force", VALUE_BOOL, .def = "no", .text = "then terminate those that are left" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "end",
		.summary = "wait until the sessions of a seat are closed",
		.undo = "none: a session cannot be brought back",
		.phases = PHASES_ALL,
		.flags = STEP_ONE_WAY,
		.timeout_ms = 15000,
		.options = options,
		.parse = end_parse,
		.check = end_check,
		.apply = end_apply,
	},
	{}
};

const struct plugin plugin_session = { .name = "session", .types = types };

static const char *seat_of(const struct step *step)
{
	const char *seat = step_option(step, "seat");

	return seat ? seat : "seat0";
}

static int end_parse(const struct step *step, struct error *err)
{
	return seat_check(seat_of(step), err);
}

static int end_check(struct run *run, const struct step *step, struct error *err)
{
	if (host_exists(&run->host, "/run/systemd/seats"))
		return 0;
	return run_problem(
		run, -EOPNOTSUPP, err,
		"there is no systemd-logind on this host (no /run/systemd/seats), so "
		"nobody knows the sessions of %s: leave this line out, and stop what runs there "
		"with service.stop or process.stop",
		seat_of(step));
}

/* In a plan: what no earlier step ends may stay, and the step would then fail. */
static int note_those_that_stay(struct run *run, const struct step *step,
				const struct session_list *all, struct error *err)
{
	_cleanup_(session_list_done) struct session_list stay = {};
	_cleanup_free_ char *names = NULL;

	for (size_t i = 0; i < all->n; i++) {
		if (session_ends(&run->host, &all->session[i]))
			continue;
		if (array_grow(&stay.session, stay.n, sizeof(*stay.session)) < 0)
			return error_oom(err);
		stay.session[stay.n++] = all->session[i];
	}
	if (!stay.n)
		return 0;
	names = session_list_describe(&stay);
	if (!names)
		return error_oom(err);
	run_note(run, "%s may stay, as no unit stopped before owns it%s", names,
		 step_bool(step, "force", false) ? ": it will be terminated" :
						   ": log out before, or add force=yes");
	return 0;
}

static int seat_is_empty(struct run *run, void *arg, struct error *err)
{
	_cleanup_free_ char *now = NULL;
	int r = state_get(&run->host, &state_session, arg, &now, err);

	return r < 0 ? r : streq(now, "ended");
}

static int force(struct run *run, const char *seat, struct error *err)
{
	run->deadline = now_ms() + FORCE_MS;
	return effect_set(run, &state_session, seat, "ended", NULL, err);
}

static int fail(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(session_list_done) struct session_list left = {};
	_cleanup_free_ char *names = NULL;
	int r = session_list_seat(&run->host, seat_of(step), &left, NULL);

	if (r >= 0)
		names = session_list_describe(&left);
	return error_set(
		err, -ETIMEDOUT,
		"%s on %s did not end within %lld s: add force=yes, which terminates what "
		"is left, or log out before the start",
		names && *names ? names : "a session", seat_of(step),
		(long long)(step_duration(step, "timeout", 15000) + 500) / 1000);
}

static int end_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(session_list_done) struct session_list sessions = {};
	_cleanup_free_ char *seat = strdup(seat_of(step));
	int r;

	if (!seat)
		return error_oom(err);
	r = session_list_seat(&run->host, seat, &sessions, err);
	if (r < 0)
		return r;
	if (run->simulate) {
		r = note_those_that_stay(run, step, &sessions, err);
		return r < 0 ? r :
			       effect_set(run, &state_session, seat, "ended", NULL, err);
	}
	run_awaits(run, "the sessions of %s to end", seat);
	r = run_wait(run, seat_is_empty, seat, err);
	if (r == -ETIMEDOUT)
		return step_bool(step, "force", false) ? force(run, seat, err) :
							 fail(run, step, err);
	if (r == 0 && sessions.n)
		run_change(run, "sessions of the seat", "open", "ended");
	return r;
}
