/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waits until nobody uses the devices: for processes that end with a unit or session, but
 * a little later than it. Or ends those that do.
 */
#include <signal.h>

#include "effect.h"
#include "ending.h"
#include "holders.h"
#include "progress.h"
#include "step.h"

static int wait_apply(struct run *run, const struct step *step, struct error *err);
static int kill_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = { { "timeout", VALUE_DURATION, .def = "30s",
						.text = "how long to wait" },
					      {} };

static const struct option_spec kill_options[] = {
	{ "timeout", VALUE_DURATION, .def = "10s",
	  .text = "how long to wait; the second half behind SIGKILL if signal=TERM" },
	{ "signal", VALUE_CHOICE, .choices = "TERM|KILL|INT|HUP|QUIT", .def = "TERM",
	  .text = "what each process gets" },
	{}
};

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
	{
		.action = "kill",
		.summary = "end the processes that have a node of the devices open",
		.undo = "none: they are not started again",
		.args = "[DEVICE…]",
		.phases = PHASES_ALL,
		.flags = STEP_ONE_WAY,
		.timeout_ms = 10000,
		.options = kill_options,
		.apply = kill_apply,
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
	run_awaits_holders(run, &wait->last);
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
			 (long long)(step_duration(step, "timeout",
						   step->type->timeout_ms) +
				     500) /
				 1000,
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

static int find_holders(struct run *run, void *arg, struct holder_list *ret,
			struct error *err)
{
	const struct pci_list *functions = arg;

	return holders_scan(&run->host, functions, ret, err);
}

static void foretell(struct run *run, const struct holder *h, const char *signal)
{
	char what[320];

	if (process_is_spared(run, h)) {
		run_note(run, "%s (pid %d, %s) has %s open and is never killed", h->comm,
			 h->pid, h->user, h->node);
		return;
	}
	snprintf(what, sizeof(what), "%s (pid %d, %s, %s) gets SIG%s", h->comm, h->pid,
		 h->user, h->node, signal);
	run_change(run, what, NULL, "one way");
}

static int simulate_kill(struct run *run, const struct pci_list *functions,
			 const char *signal, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list all = {};
	int r = holders_scan(&run->host, functions, &all, err), last = 0;

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		if (all.holder[i].pid != last && !holder_ends(&run->host, &all.holder[i]))
			foretell(run, &all.holder[i], signal);
		last = all.holder[i].pid;
	}
	return r;
}

static int kill_apply(struct run *run, const struct step *step, struct error *err)
{
	const char *signal = step_option(step, "signal") ?: "TERM";
	_cleanup_(pci_list_done) struct pci_list functions = {};
	_cleanup_(holder_list_done) struct holder_list left = {};
	struct ending ending = { .find = find_holders,
				 .arg = &functions,
				 .signal = signal_number(signal) };
	int r = run_devices(run, &step->words, &functions, err);

	if (r < 0 || !functions.n)
		return r;
	if (run->simulate)
		return simulate_kill(run, &functions, signal, err);
	ending.kill_ms = run_time_left(run) / 2;
	r = processes_end(run, &ending, &left, err);
	return r == -ETIMEDOUT && left.n ? blame(step, &left, err) : r;
}
