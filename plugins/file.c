/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that a guest is to have: its QEMU runs as a user of its own, which may not open a
 * disk, an input device or a socket of somebody else.
 */
#include <sys/stat.h>

#include "arrival.h"
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

/* Is every folder on the way to PATH, links followed, root's and nobody else's to write? */
static bool only_root_made(const struct host *host, const char *path)
{
	char folder[PATH_MAX], rooted[PATH_MAX];
	struct stat st;

	for (const char *slash = path; (slash = strchr(slash, '/')); slash++) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		if (stat(host_path(host, rooted, "%s/", folder), &st) < 0 || st.st_uid ||
		    (st.st_mode & 022))
			return false;
	}
	return true;
}

/* Whoever may put a symlink on the way would choose the file that is changed. */
static int add_resolved(struct run *run, const char *name, struct strv *ret,
			struct error *err)
{
	char path[PATH_MAX];
	int r = host_resolve(&run->host, name, path, err);

	if (r < 0)
		return r;
	if (!streq(path, name) && !only_root_made(&run->host, name))
		return run_problem(
			run, -ELOOP, err,
			"%s leads over a symlink to %s, and others than root may write to "
			"a folder on the way: name the file itself",
			name, path);
	return strv_contains(ret, path) || strv_add(ret, path) >= 0 ? 0 : error_oom(err);
}

static int resolve(struct run *run, const struct step *step, const char *word,
		   struct strv *ret, struct error *err)
{
	_cleanup_strv_ struct strv names = {};
	int r = arrival_of(run, step, word, err);

	if (r == -ENOENT) {
		run_cure_optional(run, ": " PUT_DASH);
		return run_problem(run, r, err, "%s is not there", word);
	}
	if (r <= 0)
		return r;
	r = host_glob_names(&run->host, word, &names);
	if (r < 0)
		return error_oom(err);
	for (size_t i = 0; i < names.n && r == 0; i++)
		r = add_resolved(run, names.v[i], ret, err);
	return r;
}

static int own_check(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_error_ struct error why = {};
	struct ownership ownership = {};
	int r = ownership_of_step(run, step, &ownership, &why);

	if (r < 0)
		return run_problem_why(run, r, err, &why);
	for (size_t i = 0; r >= 0 && i < step->words.n; i++) {
		_cleanup_strv_ struct strv paths = {};

		r = resolve(run, step, step->words.v[i], &paths, err);
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

		/* While simulating the check has told what is wrong. */
		r = resolve(run, step, step->words.v[i], &paths, err);
		for (size_t k = 0; r >= 0 && k < paths.n; k++)
			r = own_one(run, step, paths.v[k], err);
	}
	return r;
}
