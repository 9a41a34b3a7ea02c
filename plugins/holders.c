/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits until nobody uses the devices: for processes that end with a unit or session, but
 * a little later than it.
 */

#include "effect.h"
#include "holders.h"
#include "step.h"

static int wait_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = { { "timeout", VALUE_DURATION, .def = "30s",
						.text = "how long to wait" },
					      {} };

static const struct step_type types[] = {
	{
		.action = "wait",
		.summary = "wait until no process has a node of the devices open",
		.undo = "none: it changes nothing",
		.args = "[DEVICE…]",
		.phases = PHASES_ALL,
		.timeout_ms = 30000,
		.options = options,
		.apply = wait_apply,
	},
	{}
};

const struct plugin plugin_holders = { .name = "holders", .types = types };

struct wait {
	const struct pci_list *functions;
	struct holder_list last;
};

static void wait_done(struct wait *wait)
{
	holder_list_done(&wait->last);
}

static int unheld(struct run *run, void *arg, struct error *err)
{
	struct wait *wait = arg;
	int r;

	holder_list_done(&wait->last);
	r = holders_scan(&run->host, wait->functions, &wait->last, err);
	return r < 0 ? r : wait->last.n == 0;
}

/* In a plan: those that no earlier step ends are named, as they may still go. */
static int note_those_that_stay(struct run *run, const struct pci_list *functions,
				struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list all = {}, stay = {};
	_cleanup_free_ char *names = NULL, *cure = NULL;
	int r = holders_scan(&run->host, functions, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < all.n; i++) {
		if (holder_ends(&run->host, &all.holder[i]))
			continue;
		if (array_grow(&stay.holder, stay.n, sizeof(*stay.holder)) < 0)
			return error_oom(err);
		stay.holder[stay.n++] = all.holder[i];
	}
	if (!stay.n)
		return 0;
	names = holders_describe(&stay);
	cure = holders_cure(&stay);
	if (!names || !cure)
		return error_oom(err);
	run_note(run, "%s is held by %s and may stay so: %s", stay.holder[0].function,
		 names, cure);
	return 0;
}

static int blame(const struct step *step, const struct holder_list *list,
		 struct error *err)
{
	_cleanup_free_ char *names = holders_describe(list), *cure = holders_cure(list);

	if (!names || !cure || !list->n)
		return error_oom(err);
	return error_set(err, -EBUSY, "%s is still held by %s after %lld s: %s",
			 list->holder[0].function, names,
			 (long long)(step_duration(step, "timeout", 30000) + 500) / 1000,
			 cure);
}

static int wait_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	_cleanup_(wait_done) struct wait wait = { .functions = &functions };
	int r = run_devices(run, &step->words, &functions, err);

	if (r < 0 || !functions.n)
		return r;
	if (run->simulate)
		return note_those_that_stay(run, &functions, err);
	r = run_wait(run, unheld, &wait, err);
	return r == -ETIMEDOUT ? blame(step, &wait.last, err) : r;
}
