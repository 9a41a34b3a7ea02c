/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting: for something that can be seen, or, where nothing can, for a while.
 */
#include <time.h>

#include "effect.h"
#include "step.h"
#include "systemd.h"

#define SLICE_MS 100
#define SPARE_S 10 /* for the steps beside it */

static int for_parse(const struct step *step, struct error *err);
static int for_apply(struct run *run, const struct step *step, struct error *err);
static int sleep_parse(const struct step *step, struct error *err);
static int sleep_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec for_options[] = {
	{ "path", VALUE_STRING, .text = "until this file is there" },
	{ "unit", VALUE_STRING, .text = "until this unit is active" },
	{ "timeout", VALUE_DURATION, .def = "30s", .text = "how long to wait for it" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "for",
		.summary = "wait until a file is there or a unit is active",
		.undo = "none: nothing is changed",
		.phases = PHASES_ALL,
		.timeout_ms = 30000,
		.options = for_options,
		.parse = for_parse,
		.apply = for_apply,
	},
	{
		.action = "sleep",
		.summary = "wait for a while, within the phase's timeout",
		.undo = "none: nothing is changed",
		.args = "SECONDS",
		.min_args = 1,
		.max_args = 1,
		.phases = PHASES_ALL,
		.parse = sleep_parse,
		.apply = sleep_apply,
	},
	{}
};

extern const struct plugin plugin_wait;
const struct plugin plugin_wait = { .name = "wait", .types = types };

static int for_parse(const struct step *step, struct error *err)
{
	const char *path = step_option(step, "path"), *unit = step_option(step, "unit");

	if (!path == !unit)
		return error_set(err, -EINVAL,
				 "say what to wait for: path=FILE or unit=UNIT%s",
				 path ? ", one a line" : "");
	if (path && path[0] != '/')
		return error_set(err, -EINVAL, "path=%s must begin with /", path);
	return 0;
}

static int is_there(struct run *run, void *arg, struct error *err)
{
	const struct step *step = arg;
	const char *unit = step_option(step, "unit");
	_cleanup_free_ char *now = NULL;
	int r;

	if (!unit)
		return host_exists(&run->host, "%s", step_option(step, "path"));
	r = state_get(&run->host, &state_unit, unit, &now, err);
	if (r < 0 || !streq(now, "active"))
		return r < 0 ? r : 0;
	return run->simulate || !unit_is_starting(&run->host, unit);
}

/* In the initramfs nobody but us loads a driver or starts a unit. */
static int put_off(struct run *run, const struct step *step, struct error *err)
{
	const char *path = step_option(step, "path");
	int r = path ? is_there(run, (void *)(uintptr_t)step, err) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	run->put_off = true;
	return error_set(err, -EAGAIN,
			 "%s may come when the root file system is there: "
			 "vfio-hook-boot.service waits for it, if it is enabled",
			 path ? path : step_option(step, "unit"));
}

static int for_apply(struct run *run, const struct step *step, struct error *err)
{
	const char *path = step_option(step, "path"), *unit = step_option(step, "unit");
	const long long ms = step_duration(step, "timeout", step->type->timeout_ms);
	int r;

	if (run->early && (!path || !run->simulate))
		return put_off(run, step, err);
	if (run->simulate)
		run_note(run, "waits for %s, up to %lld s", path ? path : unit,
			 (ms + 999) / 1000);
	run_awaits(run, "%s", path ? path : unit);
	r = run_wait(run, is_there, (void *)(uintptr_t)step, err);
	if (r != -ETIMEDOUT)
		return r;
	return error_set(err, r, "%s %s after %lld s: raise timeout=, or see why",
			 path ? path : unit,
			 path ? "is still not there" : "is still not active",
			 (ms + 999) / 1000);
}

/* parse_duration(), and sleep(1)'s "0.5". */
static int parse_seconds(const char *s, int64_t *ret_ms)
{
	size_t whole = strspn(s, "0123456789");
	int64_t ms = 0, unit = 100;
	uint64_t seconds;
	char copy[12];

	if (s[whole] != '.' || whole == 0 || whole >= sizeof(copy))
		return parse_duration(s, ret_ms);
	snprintf(copy, sizeof(copy), "%.*s", (int)whole, s);
	if (parse_u64(copy, &seconds) < 0)
		return -EINVAL;
	s += whole + 1;
	if (!*s)
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++, unit /= 10)
		ms += (*s - '0') * unit; /* what is below a millisecond adds nothing */
	if (*s && !streq(s, "s"))
		return -EINVAL;
	*ret_ms = (int64_t)seconds * 1000 + ms;
	return 0;
}

static int sleep_parse(const struct step *step, struct error *err)
{
	int64_t ms;

	if (parse_seconds(step->words.v[0], &ms) == 0)
		return 0;
	return error_set(err, -EINVAL,
			 "'%s' is no time: write seconds, as 5, 0.5 or 500ms",
			 step->words.v[0]);
}

static int sleep_until(struct run *run, int64_t end, struct error *err)
{
	int r = 0;

	while (r == 0) {
		int64_t left = end - now_ms();
		struct timespec ts = {};

		if (left <= 0)
			return 0;
		if (left > SLICE_MS)
			left = SLICE_MS;
		ts.tv_nsec = left * 1000000;
		nanosleep(&ts, NULL);
		r = run_cancelled(run, err);
	}
	return r;
}

static int sleep_apply(struct run *run, const struct step *step, struct error *err)
{
	const int64_t start = now_ms(), left = run_time_left(run);
	int64_t ms = 0;
	int r = parse_seconds(step->words.v[0], &ms);

	if (r < 0)
		return error_errno(err, r, "%s", step->words.v[0]);
	if (ms > left) {
		run_cure(run, "[domain]\ntimeout = %llds",
			 (long long)(run->config->timeout_ms + ms - left) / 1000 +
				 SPARE_S);
		return run_problem(
			run, -ETIMEDOUT, err,
			"%s is longer than the phase has left (%lld s): raise timeout= "
			"in [domain]",
			step->words.v[0], (long long)left / 1000);
	}
	if (run->simulate) {
		run_note(run, "sleeps %lld.%03lld s", (long long)ms / 1000,
			 (long long)ms % 1000);
		return 0;
	}
	return sleep_until(run, start + ms, err);
}
