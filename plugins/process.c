/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that are in the way by their nature rather than by a file they have open: a
 * compositor, a sound server, a monitor that polls the card.
 */
#include <signal.h>

#include "effect.h"
#include "ending.h"
#include "spawn.h"
#include "step.h"

static int stop_parse(const struct step *step, struct error *err);
static int stop_check(struct run *run, const struct step *step, struct error *err);
static int stop_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "user", VALUE_STRING, .text = "only processes of this user" },
	{ "timeout", VALUE_DURATION, .def = "10s",
	  .text = "how long to wait; the last quarter of it behind SIGKILL" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "stop",
		.summary = "end processes by their name",
		.undo = "none: they are not started again",
		.args = "NAME…",
		.min_args = 1,
		.phases = PHASES_ALL,
		.flags = STEP_ONE_WAY,
		.timeout_ms = 10000,
		.options = options,
		.parse = stop_parse,
		.check = stop_check,
		.apply = stop_apply,
	},
	{}
};

const struct plugin plugin_process = { .name = "process", .types = types };

static int stop_parse(const struct step *step, struct error *err)
{
	for (size_t i = 0; i < step->words.n; i++) {
		const char *name = step->words.v[i];

		if (!*name || strchr(name, '/'))
			return error_set(
				err, -EINVAL,
				"'%s': write the program's name without its folder: "
				"%s",
				name, path_base(name));
		if (process_name_is_spared(name))
			return error_set(err, -EINVAL,
					 "%s is never stopped: without it the machine, its "
					 "guests or this program could not go on",
					 name);
	}
	return 0;
}

static int user_of(struct run *run, const struct step *step, int64_t *ret,
		   struct error *err)
{
	const char *name = step_option(step, "user");
	_cleanup_(user_done) struct user user = {};
	int r;

	*ret = -1;
	if (!name)
		return 0;
	r = user_find(&run->host, name, &user, err);
	if (r == 0)
		*ret = user.uid;
	return r;
}

static int stop_check(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_error_ struct error why = {};
	int64_t uid;
	int r = user_of(run, step, &uid, &why);

	return r < 0 ? run_problem_why(run, r, err, &why) : 0;
}

struct search {
	const struct step *step;
	int64_t uid;
};

static int find(struct run *run, void *arg, struct holder_list *ret, struct error *err)
{
	const struct search *search = arg;

	return processes_named(run, &search->step->words, search->uid, ret, err);
}

static int foretell(struct run *run, struct search *search, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list list = {};
	int r = find(run, search, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct holder *h = &list.holder[i];
		char what[256];

		if (holder_ends(&run->host, h))
			continue;
		snprintf(what, sizeof(what), "%s (pid %d, %s) gets SIGTERM", h->comm,
			 h->pid, h->user);
		run_change(run, what, NULL, "one way");
	}
	return r;
}

static int blame(const struct step *step, const struct holder_list *list,
		 struct error *err)
{
	const struct holder *h = &list->holder[0];
	bool unit = str_ends(h->unit, ".service") && !str_after(h->unit, "user@");

	return error_set(
		err, -EBUSY, "%s (pid %d, %s) is there even after SIGKILL%s%s%s", h->comm,
		h->pid, h->user,
		unit ? ": it is started again by " :
		       ": it is started again, or waits in the kernel for a device",
		unit ? h->unit : "", unit ? ", write service.stop for that" : "");
}

static int stop_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list left = {};
	struct search search = { .step = step };
	struct ending ending = { .find = find, .arg = &search, .signal = SIGTERM };
	int r = user_of(run, step, &search.uid, err);

	if (r < 0)
		return run->simulate ? 0 : r;
	if (run->simulate)
		return foretell(run, &search, err);
	ending.kill_ms = run_time_left(run) / 4;
	r = processes_end(run, &ending, &left, err);
	return r == -ETIMEDOUT && left.n ? blame(step, &left, err) : r;
}
