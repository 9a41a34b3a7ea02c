/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that a guest is to have: its QEMU runs as a user of its own, which may not open a
 * disk, an input device or a socket of somebody else.
 */
#include <sys/stat.h>

#include "effect.h"
#include "glob.h"
#include "ownership.h"
#include "step.h"

static int own_parse(const struct step *step, struct error *err);
static int own_check(struct run *run, const struct step *step, struct error *err);
static int own_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "owner", VALUE_STRING, .text = "the user it is to belong to" },
	{ "group", VALUE_STRING, .text = "the group it is to belong to" },
	{ "mode", VALUE_STRING, .text = "who may do what, in octal: 0660" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "own",
		.summary = "set owner, group and mode of files",
		.undo = "each file gets back its own",
		.args = "PATH…",
		.min_args = 1,
		.phases = PHASES_ALL,
		.timeout_ms = 15000,
		.options = options,
		.parse = own_parse,
		.check = own_check,
		.apply = own_apply,
	},
	{}
};

const struct plugin plugin_file = { .name = "file", .types = types };

static int own_parse(const struct step *step, struct error *err)
{
	if (!step_option(step, "owner") && !step_option(step, "group") &&
	    !step_option(step, "mode"))
		return error_set(err, -EINVAL,
				 "say what is to be set: owner=, group= or mode=");
	for (size_t i = 0; i < step->words.n; i++) {
		const char *path = step->words.v[i];

		if (*path != '/')
			return error_set(err, -EINVAL,
					 "%s: write the whole path, from / on", path);
		if (strstr(path, "/../") || str_ends(path, "/.."))
			return error_set(err, -EINVAL,
					 "%s: write the path without \"..\"", path);
	}
	return ownership_parse(step, err);
}

/* Whoever may put a symlink there would choose the file that is changed. */
static int refuse_foreign_link(struct run *run, const char *path, struct error *err)
{
	char rooted[PATH_MAX], *slash;
	struct stat st;

	if (lstat(host_path(&run->host, rooted, "%s", path), &st) < 0 ||
	    !S_ISLNK(st.st_mode))
		return 0;
	slash = strrchr(rooted, '/');
	*slash = '\0';
	if (stat(*rooted ? rooted : "/", &st) < 0 ||
	    (st.st_uid == 0 && !(st.st_mode & 022)))
		return 0;
	return run_problem(run, -ELOOP, err,
			   "%s is a symlink in a folder that others than root may write to: "
			   "name the file that it leads to",
			   path);
}

static int resolve(struct run *run, const char *word, struct strv *ret, struct error *err)
{
	_cleanup_error_ struct error why = {};
	int r = host_glob(&run->host, word, "", ret, &why);

	if (r == -ENOENT)
		return run_problem(run, r, err,
				   "%s is not there: put '-' in front of the line if it is "
				   "not always there, or an earlier step makes it",
				   word);
	return r < 0 ? run_problem(run, r, err, "%s", error_text(&why)) :
		       refuse_foreign_link(run, word, err);
}

static int own_check(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_error_ struct error why = {};
	struct ownership ownership = {};
	int r = ownership_of_step(run, step, &ownership, &why);

	if (r < 0)
		return run_problem(run, r, err, "%s", error_text(&why));
	for (size_t i = 0; r >= 0 && i < step->words.n; i++) {
		_cleanup_strv_ struct strv paths = {};

		r = resolve(run, step->words.v[i], &paths, err);
	}
	return r;
}

static int own_one(struct run *run, const struct step *step, const char *path,
		   struct error *err)
{
	struct ownership ownership;
	char text[OWNERSHIP_LEN];
	int r = ownership_read(&run->host, path, &ownership, err);

	if (r == 0)
		r = ownership_of_step(run, step, &ownership, err);
	if (r < 0)
		return r;
	return effect_set(run, &state_owner, path, ownership_text(&ownership, text), NULL,
			  err);
}

static int own_apply(struct run *run, const struct step *step, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < step->words.n; i++) {
		_cleanup_strv_ struct strv paths = {};

		if (host_glob(&run->host, step->words.v[i], "", &paths, NULL) < 0 &&
		    run->simulate)
			continue; /* the check has told */
		if (!run->simulate) {
			strv_done(&paths);
			r = resolve(run, step->words.v[i], &paths, err);
		}
		for (size_t k = 0; r >= 0 && k < paths.n; k++)
			r = own_one(run, step, paths.v[k], err);
	}
	return r;
}
