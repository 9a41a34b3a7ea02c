/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A round through suspend to RAM: for cards whose firmware only a loss of power resets.
 */
#include "effect.h"
#include "guard.h"
#include "step.h"

#define ALARM "/sys/class/rtc/rtc0/wakealarm"
#define STATE "/sys/power/state"
#define MEM_SLEEP "/sys/power/mem_sleep" /* "s2idle [deep]": what "mem" is */
#define SECONDS 5
#define SECONDS_MAX 600
#define ON_TOP_MS 60000 /* devices to suspend and resume */

static int cycle_parse(const struct step *step, struct error *err);
static int cycle_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = { { "seconds", VALUE_UINT, .def = "5",
						.text = "how long to sleep, 2 to 600" },
					      {} };

static const struct step_type types[] = {
	{
		.action = "cycle",
		.summary = "suspend the host to RAM and wake it by its clock",
		.undo = "none, one way: the host has slept",
		.phases = PHASES_ALL,
		.flags = STEP_ONE_WAY,
		.timeout_ms = ON_TOP_MS,
		.options = options,
		.parse = cycle_parse,
		.apply = cycle_apply,
	},
	{}
};

const struct plugin plugin_suspend = { .name = "suspend", .types = types };

static int cycle_parse(const struct step *step, struct error *err)
{
	uint64_t seconds = step_uint(step, "seconds", SECONDS);

	if (seconds >= 2 && seconds <= SECONDS_MAX)
		return 0;
	/* An alarm of the next second may be over before the host sleeps. */
	return error_set(err, -EINVAL, "seconds= is 2 to %d", SECONDS_MAX);
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += n)
		if ((at == text || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

/* In a sleep that is none of the firmware's no card loses its power, so none is reset. */
static void warn_of_light_sleep(struct run *run)
{
	_cleanup_free_ char *chosen = NULL;
	char offered[128];

	if (host_read(&run->host, offered, sizeof(offered), MEM_SLEEP) < 0 ||
	    state_get(&run->host, &state_attr, MEM_SLEEP, &chosen, NULL) < 0 ||
	    streq(chosen, "deep"))
		return;
	if (strstr(offered, "deep")) {
		bool up = phase_goes_up(run->event.phase);

		run_cure(run, "%ssysfs.write = " MEM_SLEEP " deep",
			 up ? "" : "[prepare/begin]\n");
		run_warn(run,
			 "suspend to RAM is %s on this host (" MEM_SLEEP "), in "
			 "which a card keeps its power and is not reset: put "
			 "sysfs.write = " MEM_SLEEP " deep %s",
			 chosen, up ? "in front" : "into [prepare/begin]");
		return;
	}
	run_warn(run,
		 "this host has no S3: " MEM_SLEEP " offers no deep sleep, only "
		 "%s, in which a card may keep its power and is not reset then: "
		 "look for S3 in the setup of the firmware, or leave "
		 "suspend.cycle out",
		 chosen);
}

static int check(struct run *run, unsigned seconds, struct error *err)
{
	char states[128] = "";

	if (host_read(&run->host, states, sizeof(states), STATE) < 0 ||
	    !has_word(states, "mem"))
		return run_problem(run, -EOPNOTSUPP, err,
				   "this host cannot suspend to RAM: " STATE
				   " offers %s; leave suspend.cycle out",
				   *states ? states : "nothing");
	if (!host_exists(&run->host, ALARM))
		return run_problem(run, -EOPNOTSUPP, err,
				   "nothing could wake this host: its clock has no alarm "
				   "(no " ALARM "); leave suspend.cycle out");
	if (run->budget - now_ms() < (seconds + 10) * 1000LL)
		return run_problem(run, -ETIME, err,
				   "%u s of sleep do not fit into the time that is left: "
				   "raise timeout= of [domain]",
				   seconds);
	warn_of_light_sleep(run);
	return 0;
}

/* "": none. An alarm that is set already is refused with EBUSY, so it is cleared first. */
static int set_alarm(struct run *run, const char *value, struct error *err)
{
	int r = guard_write(run, ALARM, "0", err);

	return r == 0 && *value ? guard_write(run, ALARM, value, err) : r;
}

/* The alarm of somebody else, such as a recording to be made tonight. */
static void set_others_alarm(struct run *run, const char *old)
{
	_cleanup_error_ struct error err = {};
	char now[32] = "";

	host_read(&run->host, now, sizeof(now), "/sys/class/rtc/rtc0/since_epoch");
	if (*old && strtoull(old, NULL, 10) <= strtoull(now, NULL, 10))
		old = "";
	if (set_alarm(run, old, &err) < 0)
		run_warn(run, "%s", error_text(&err));
}

static int sleep_now(struct run *run, struct error *err)
{
	int r = guard_write(run, STATE, "mem", err);

	if (r == -EBUSY || r == -EAGAIN) {
		error_done(err);
		error_set(err, r,
			  "the host would not sleep (%s): a device or program refuses; "
			  "the kernel's log has its name",
			  strerror(-r));
	}
	return r;
}

static int cycle(struct run *run, void *arg, struct error *err)
{
	const unsigned *seconds = arg;
	char old[32] = "", alarm[32];
	int r;

	/* It counts through the sleep (now_ms()). */
	run->deadline = now_ms() + *seconds * 1000LL + ON_TOP_MS;
	host_read(&run->host, old, sizeof(old), ALARM);
	snprintf(alarm, sizeof(alarm), "+%u", *seconds);
	r = set_alarm(run, alarm, err);
	if (r == 0)
		r = sleep_now(run, err);
	set_others_alarm(run, old);
	return r;
}

static int cycle_apply(struct run *run, const struct step *step, struct error *err)
{
	unsigned seconds = (unsigned)step_uint(step, "seconds", SECONDS);
	char what[64];
	int r = check(run, seconds, err);

	snprintf(what, sizeof(what), "suspend to RAM for %u s", seconds);
	return r == 0 ? effect_one_way(run, what, cycle, &seconds, err) : r;
}
