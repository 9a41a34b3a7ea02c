/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Script trees in the middle of a config: here, instead of after the steps (going up) or
 * before them (coming down).
 */

#include "effect.h"
#include "scripts.h"
#include "step.h"

static int run_parse(const struct step *step, struct error *err);
static int run_check(struct run *run, const struct step *step, struct error *err);
static int run_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "run",
		.summary = "run the domain's script tree, or a folder of scripts, here",
		.undo = "none of its own: the tree's scripts for release run then",
		.args = "[FOLDER]",
		.max_args = 1,
		.phases = PHASES_ALL,
		.flags = STEP_ONE_WAY,
		.parse = run_parse,
		.check = run_check,
		.apply = run_apply,
	},
	{}
};

const struct plugin plugin_scripts = { .name = "scripts", .types = types };

static const char *folder_of(const struct step *step)
{
	return step->words.n ? step->words.v[0] : NULL;
}

static int run_parse(const struct step *step, struct error *err)
{
	const char *folder = folder_of(step);

	if (!folder || *folder == '/')
		return 0;
	return error_set(err, -EINVAL, "%s: write the folder's whole path, from / on",
			 folder);
}

static int run_check(struct run *run, const struct step *step, struct error *err)
{
	const char *folder = folder_of(step);

	if (!folder) {
		if (!scripts_exist(&run->host, run->hooks_dir, &run->event))
			run_note(run, "%s has no scripts for %s below %s/qemu.d",
				 run->event.domain, phase_name(run->event.phase),
				 run->hooks_dir);
		return 0;
	}
	if (!host_exists(&run->host, "%s", folder)) {
		run_cure_optional(run, ", or " PUT_DASH);
		return run_problem(run, -ENOENT, err, "there is no folder %s: mkdir it",
				   folder);
	}
	return 0;
}

static int run_apply(struct run *run, const struct step *step, struct error *err)
{
	return scripts_run(run, folder_of(step), err);
}
