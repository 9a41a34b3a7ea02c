/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves interrupts of the host away from the CPUs of a guest.
 */
#include <fnmatch.h>
#include <sys/stat.h>

#include "cpus.h"
#include "effect.h"
#include "irq.h"
#include "step.h"
#include "systemd.h"

#define MAX_ACTIONS 32

static int move_apply(struct run *run, const struct step *step, struct error *err);

static int move_parse(const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "to", VALUE_CPUS,
	  .def = "all but those taken by cpuset.isolate or the XML's vcpupin",
	  .text = "the CPUs that serve interrupts from now on" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "move",
		.summary = "move the host's interrupts away from the guest's CPUs",
		.undo = "each gets back its CPUs, if its number still has the same action",
		.args = "[ACTION…]",
		.parse = move_parse,
		.max_args = MAX_ACTIONS,
		.phases = PHASES_UP,
		.timeout_ms = 30000,
		.options = options,
		.apply = move_apply,
	},
	{}
};

const struct plugin plugin_irq = { .name = "irq", .types = types };

/* No action is called as CPUs are written. */
static int move_parse(const struct step *step, struct error *err)
{
	for (size_t i = 0; i < step->words.n; i++) {
		_cleanup_(cpu_list_done) struct cpu_list cpus = {};

		if (parse_cpu_list(step->words.v[i], &cpus) == 0)
			return error_set(err, -EINVAL,
					 "%s are CPUs: write \"irq.move = to=%s\"",
					 step->words.v[i], step->words.v[i]);
	}
	return 0;
}

/* *RET is empty when there was a problem. */
static int destination(struct run *run, const struct step *step, struct cpu_list *ret,
		       struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list online = {}, other = {};
	const char *to = step_option(step, "to");
	_cleanup_free_ char *known = NULL;
	int r = cpus_online(&run->host, &online, err);

	if (r < 0)
		return r;
	r = to ? cpus_add(&other, to) : cpus_taken(run, NULL, &other, err);
	if (r < 0)
		return r;
	if (!to && !other.n)
		return 0; /* told by cpus_taken() */
	known = cpus_text(&online);
	if (!known || cpus_pick(&online, &other, to != NULL, ret) < 0)
		return error_oom(err);
	return ret->n ?
		       0 :
		       run_problem(
			       run, -EINVAL, err,
			       "none of the CPUs in to=%s is online: use those that are: %s",
			       to, known);
}

static bool process_runs(const struct host *host, const char *name)
{
	_cleanup_strv_ struct strv pids = {};
	char comm[64];

	if (host_list(host, &pids, "/proc") < 0)
		return false;
	for (size_t i = 0; i < pids.n; i++)
		if (pids.v[i][0] >= '1' && pids.v[i][0] <= '9' &&
		    host_read(host, comm, sizeof(comm), "/proc/%s/comm", pids.v[i]) > 0 &&
		    streq(comm, name))
			return true;
	return false;
}

/* A plan may have stopped it before. */
static void warn_of_irqbalance(struct run *run)
{
	const char *stopped =
		overlay_get(run->host.overlay, &state_unit, "irqbalance.service");

	if ((stopped && streq(stopped, "inactive")) ||
	    !process_runs(&run->host, "irqbalance"))
		return;
	run_cure(run, "service.stop = irqbalance");
	run_warn(run, "irqbalance runs and will move interrupts as it likes: put "
		      "service.stop = irqbalance in front");
}

/* Managed ones (queues of NVMe disks, a CPU each) are the kernel's own business. */
static bool is_managed(const struct host *host, unsigned irq)
{
	char path[PATH_MAX];
	struct stat st;

	/* As of Linux 6.11 the file says so. */
	return stat(host_path(host, path, IRQ_DIR "/%u/smp_affinity_list", irq), &st) <
		       0 ||
	       !(st.st_mode & 0222);
}

/* Where the interrupt may stay, in part: what it has of TO. Else all of TO. */
static char *new_value(const char *now, const struct cpu_list *to)
{
	_cleanup_(cpu_list_done) struct cpu_list has = {}, both = {};

	if (parse_cpu_list(now, &has) < 0 || cpus_pick(&has, to, true, &both) < 0)
		return NULL;
	return cpus_text(both.n ? &both : to);
}

static int move_one(struct run *run, unsigned irq, const char *actions,
		    const struct cpu_list *to, struct error *err)
{
	const int64_t deadline = run->deadline; /* undo has its own */
	_cleanup_free_ char *now = NULL, *value = NULL;
	char target[IRQ_ACTIONS_LEN + 16];
	int r;

	snprintf(target, sizeof(target), "%u %s", irq, actions);
	r = state_get(&run->host, &state_irq, target, &now, err);
	if (r < 0 || !*now)
		return r;
	value = new_value(now, to);
	if (!value)
		return error_oom(err);
	if (run->simulate && streq(now, value))
		return 0; /* most are: they are claimed, but not worth a line each */
	r = effect_set(run, &state_irq, target, value, NULL, err);
	if (r != -EIO && r != -EPERM)
		return r;
	error_done(err);
	r = effect_restore(run, &state_irq, target, err);
	run->deadline = deadline;
	return r == -ENOENT ? 0 : r;
}

/* Of "a,b", the names of those who handle it, is one meant? WORDS gets which word it was. */
static bool is_meant(const struct step *step, const char *actions, bool *words)
{
	char copy[IRQ_ACTIONS_LEN], *rest = copy, *name;
	bool meant = step->words.n == 0;

	snprintf(copy, sizeof(copy), "%s", actions);
	while ((name = strsep(&rest, ",")))
		for (size_t i = 0; i < step->words.n; i++)
			if (fnmatch(step->words.v[i], name, 0) == 0)
				meant = words[i] = true;
	return meant;
}

static void tell_of_unmoved(struct run *run, const struct step *step, const bool *used,
			    const bool *managed)
{
	for (size_t i = 0; i < step->words.n; i++)
		if (managed[i])
			run_note(run,
				 "%s: the kernel manages interrupts of that name itself: those "
				 "stay where they are",
				 step->words.v[i]);
		else if (!used[i])
			run_warn(run,
				 "no interrupt of %s is there now: the names are at the end of "
				 "the lines of /proc/interrupts, and * stands for any part",
				 step->words.v[i]);
}

static int move_all(struct run *run, const struct step *step, const struct cpu_list *to,
		    struct error *err)
{
	bool used[MAX_ACTIONS] = {}, managed[MAX_ACTIONS] = {};
	_cleanup_strv_ struct strv names = {};
	int r = host_list(&run->host, &names, IRQ_DIR);

	if (r < 0)
		return error_set(err, r, IRQ_DIR ": cannot read: %s: leave this line out",
				 strerror(-r));
	for (size_t i = 0; i < names.n && r == 0; i++) {
		char actions[IRQ_ACTIONS_LEN];
		uint64_t irq;
		bool fixed;

		if (parse_u64(names.v[i], &irq) < 0 ||
		    irq_actions(&run->host, (unsigned)irq, actions, sizeof(actions)) <= 0)
			continue;
		fixed = is_managed(&run->host, (unsigned)irq);
		if (!is_meant(step, actions, fixed ? managed : used) || fixed)
			continue;
		r = move_one(run, (unsigned)irq, actions, to, err);
		if (r == -ENOENT) { /* it went away meanwhile */
			error_done(err);
			r = 0;
		}
	}
	if (r == 0)
		tell_of_unmoved(run, step, used, managed);
	return r;
}

static int move_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list to = {};
	int r = destination(run, step, &to, err);

	if (r < 0 || !to.n)
		return r;
	warn_of_irqbalance(run);
	return move_all(run, step, &to, err);
}
