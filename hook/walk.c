/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One phase, step by step: on the overlay first, then for real.
 */
#include "log.h"
#include "scripts.h"
#include "table.h"
#include "walk.h"

bool walk_has(const struct run *run, const char *key)
{
	for (size_t i = 0; run->config && i < run->config->n_steps; i++) {
		const struct step *step = &run->config->steps[i];

		if (step->phase == run->event.phase && streq(step->key, key))
			return true;
	}
	return false;
}

static size_t count_problems(const struct run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];

		n += item->kind == REPORT_PROBLEM ||
		     (item->kind == REPORT_WARNING && item->step == run->step);
	}
	return n;
}

/* Problems that check() reported are not told again by apply(). */
static void simulate_step(struct run *run, const struct step *step)
{
	_cleanup_error_ struct error err = {};
	size_t before = count_problems(run);
	int r = 0;

	if (step->type->check)
		r = step->type->check(run, step, &err);
	if (r >= 0)
		r = step->type->apply(run, step, &err);
	if (r < 0 && (count_problems(run) == before || r == -ENOMEM))
		run_problem_why(run, r, NULL, &err);
}

static int real_step(struct run *run, const struct step *step, struct error *err)
{
	int64_t start = now_ms();
	char took[32];
	int r;

	log_info("%s ...", step->text);
	log_sync();
	run_tell(run, RUN_BEGINS, "%s", step->text);
	r = step->type->apply(run, step, err);
	if (r < 0) {
		error_prefix(err, "%s (%s:%u)", step->key, path_base(run->config->path),
			     step->line);
		log_error("%s", error_text(err));
	} else {
		log_info("%s: done in %lld ms", step->key, (long long)(now_ms() - start));
	}
	run_tell(run, r < 0 ? RUN_FAILED : RUN_DONE, "%s  %s", step->text,
		 format_ms(now_ms() - start, took));
	return r;
}

static int one_step(struct run *run, const struct step *step, struct error *err)
{
	int r;

	run->step = step;
	run_forget_cure(run);
	run->deadline = now_ms() + step_duration(step, "timeout",
						 step->type->timeout_ms ?
							 step->type->timeout_ms :
							 INT32_MAX);
	run_promise_time(run);
	if (run->simulate) {
		simulate_step(run, step);
		return 0;
	}
	r = run_cancelled(run, err);
	if (r == 0)
		r = real_step(run, step, err);
	if (r < 0 && r != -ECANCELED && step->optional) {
		log_warn("%s is marked '-': going on", step->key);
		error_done(err);
		r = 0;
	}
	return r;
}

static int walk_scripts(struct run *run, struct error *err)
{
	int64_t left = run->budget - now_ms();

	run->step = NULL;
	run->deadline = run->budget;
	if (walk_has(run, "scripts.run"))
		return 0; /* they run where that step stands */
	/* Coming down they are the first, and the steps must get their turn. */
	if (!phase_goes_up(run->event.phase))
		run->deadline -= left / 2;
	return scripts_run(run, NULL, err);
}

/* Coming down: keeps the first failure and goes on. */
static int keep_first(int first, int r, struct error *first_err, struct error *err)
{
	if (r >= 0 || first < 0) {
		error_done(err);
		return first;
	}
	*first_err = *err;
	*err = (struct error){};
	return r;
}

/* What is asked for the plan has deadlines, too, but there may be much of it. */
static int one_step_in_time(struct run *run, const struct step *step, struct error *err)
{
	if (!run->simulate || now_ms() < run->budget)
		return one_step(run, step, err);
	return error_set(
		err, -ETIMEDOUT,
		"%s (%s:%u): the time of the whole phase (timeout = in [domain]) "
		"was over before this could be looked at: what was asked before, "
		"such as systemctl, answers too slowly; raise it if that is how it is",
		step->key, path_base(run->config->path), step->line);
}

static int walk_config(struct run *run, struct error *err)
{
	bool up = phase_goes_up(run->event.phase);
	int first = 0;

	for (size_t i = 0; run->config && i < run->config->n_steps; i++) {
		const struct step *step = &run->config->steps[i];
		struct error e = {};
		int r;

		if (step->phase != run->event.phase)
			continue;
		r = one_step_in_time(run, step, &e);
		first = keep_first(first, r, err, &e);
		if (first < 0 && up)
			break;
	}
	run->step = NULL;
	return first;
}

int walk_steps(struct run *run, struct error *err)
{
	struct error e = {};
	int r;

	if (phase_goes_up(run->event.phase)) {
		r = walk_config(run, err);
		return r < 0 ? r : walk_scripts(run, err);
	}
	r = walk_scripts(run, err);
	return keep_first(r, walk_config(run, &e), err, &e);
}
