/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way out for what no step does: one program. An exec.undo in the line below it is its
 * way back, and goes into the journal before the program starts.
 */

#include <sys/stat.h>

#include "effect.h"
#include "program.h"
#include "spawn.h"
#include "step.h"
#include "trust.h"

static int exec_check(struct run *run, const struct step *step, struct error *err);
static int run_apply(struct run *run, const struct step *step, struct error *err);
static int undo_check(struct run *run, const struct step *step, struct error *err);
static int undo_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "user", VALUE_STRING, .def = "root", .text = "run it as this user" },
	{ "env", VALUE_STRING, .text = "NAME=VALUE; several as \"env=A=1 B=2\"" },
	{ "timeout", VALUE_DURATION, .def = "30s",
	  .text = "then it is killed, and has failed" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "run",
		.summary = "run a program",
		.undo = "the exec.undo in the line below, if there is one",
		.args = "PROGRAM [ARGUMENT…]",
		.min_args = 1,
		.phases = PHASES_ALL,
		.flags = STEP_FREE_WORDS,
		.timeout_ms = 30000,
		.options = options,
		.check = exec_check,
		.apply = run_apply,
	},
	{
		.action = "undo",
		.summary = "the program that undoes the exec.run in the line above",
		.undo = "none: it is an undo",
		.args = "PROGRAM [ARGUMENT…]",
		.min_args = 1,
		.phases = PHASES_UP,
		.flags = STEP_FREE_WORDS,
		.timeout_ms = 30000,
		.options = options,
		.check = undo_check,
		.apply = undo_apply,
	},
	{}
};

const struct plugin plugin_exec = { .name = "exec", .types = types };

/* The step DISTANCE lines from STEP in the same phase, or NULL. */
static const struct step *neighbour(const struct run *run, const struct step *step,
				    ptrdiff_t distance)
{
	const struct config *config = run->config;
	ptrdiff_t i = config ? step - config->steps + distance : -1;

	if (i < 0 || (size_t)i >= config->n_steps || config->steps[i].phase != step->phase)
		return NULL;
	return &config->steps[i];
}

/* As root, only what root alone can change. */
static int check_trust(struct run *run, const struct program *program, struct error *err)
{
	_cleanup_free_ char *why = NULL;
	int trust;

	if (program->user && !streq(program->user, "root"))
		return 0;
	trust = trust_of(&run->host, program->argv.v[0], &why, err);
	if (trust <= 0)
		return trust;
	run_cure(run, "%s", trust_cure(why));
	return run_problem(run, -EPERM, err, "%s runs as root, but %s",
			   program->argv.v[0], why);
}

static int exec_check(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(program_done) struct program program = {};
	_cleanup_(user_done) struct user user = {};
	char rooted[PATH_MAX];
	const char *path;
	struct stat st;
	int r = program_of_step(&run->host, step, &program, err);

	if (r >= 0 && program.user)
		r = user_find(&run->host, program.user, &user, err);
	if (r < 0)
		return r;
	path = program.argv.v[0];
	if (stat(host_path(&run->host, rooted, "%s", path), &st) < 0) {
		r = -errno;
		run_cure_optional(run, ", or " PUT_DASH);
		return run_problem(run, r, err, "%s: %s: install it", path, strerror(-r));
	}
	if (!S_ISREG(st.st_mode))
		return run_problem(
			run, -EACCES, err,
			"%s is not a file: name the program itself, by its whole path",
			path);
	if (!(st.st_mode & 0111)) {
		path = shell_word(path, rooted, sizeof(rooted));
		run_cure(run, "chmod 0755 %s", path);
		return run_problem(run, -EACCES, err,
				   "%s is not executable: chmod 0755 %s",
				   program.argv.v[0], path);
	}
	return check_trust(run, &program, err);
}

/* Equal lines are different targets: the second is "#2", so that both are undone. */
static char *target_of(const struct run *run, const struct step *step)
{
	_cleanup_free_ char *text = strv_join(&step->words, " ");
	const struct config *config = run->config;
	unsigned number = 1;
	char *target;

	for (size_t i = 0; text && config && &config->steps[i] < step; i++) {
		_cleanup_free_ char *other = NULL;

		if (config->steps[i].type != step->type)
			continue;
		other = strv_join(&config->steps[i].words, " ");
		number += other && streq(other, text);
	}
	if (!text || number == 1)
		return STEAL(text);
	return asprintf(&target, "%s #%u", text, number) < 0 ? NULL : target;
}

static int run_program(struct run *run, void *arg, struct error *err)
{
	return program_run(run, arg, err);
}

static int run_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(program_done) struct program program = {}, undo = {};
	_cleanup_free_ char *target = target_of(run, step), *data = NULL, *what = NULL;
	const struct step *below = neighbour(run, step, 1);
	int r = program_of_step(&run->host, step, &program, err);

	if (r < 0)
		return r;
	if (!target)
		return error_oom(err);
	if (!below || !streq(below->key, "exec.undo")) {
		if (asprintf(&what, "run %s", target) < 0) {
			what = NULL;
			return error_oom(err);
		}
		return effect_one_way(run, what, run_program, &program, err);
	}
	r = program_of_step(&run->host, below, &undo, err);
	if (r < 0)
		return r;
	data = program_encode(&program, &undo);
	if (!data)
		return error_oom(err);
	return effect_set(run, &state_exec, target, "run", data, err);
}

static int undo_check(struct run *run, const struct step *step, struct error *err)
{
	const struct step *above = neighbour(run, step, -1);

	if (!above || !streq(above->key, "exec.run"))
		return run_problem(
			run, -EINVAL, err,
			"exec.undo undoes the exec.run in the line directly above it, "
			"and there is none: put it right behind one");
	return exec_check(run, step, err);
}

/* Nothing now: exec.run has put it into the journal. */
static int undo_apply(struct run *run, const struct step *step, struct error *err)
{
	return 0;
}
