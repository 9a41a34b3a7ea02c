/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared memory between guest and host (Looking Glass, Scream): a file in /dev/shm that
 * the guest's QEMU and a program of the desktop's user both open.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "effect.h"
#include "glob.h"
#include "ownership.h"
#include "step.h"

#define SHM "/dev/shm/"

static int create_parse(const struct step *step, struct error *err);
static int create_check(struct run *run, const struct step *step, struct error *err);
static int create_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "owner", VALUE_STRING, .def = "root", .text = "the user it is to belong to" },
	{ "group", VALUE_STRING, .def = "root", .text = "the group it is to belong to" },
	{ "mode", VALUE_STRING, .def = "0660", .text = "who may do what, in octal" },
	{ "size", VALUE_SIZE, .def = "0", .text = "its size; QEMU makes it larger" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "create",
		.summary = "create a file of shared memory in /dev/shm",
		.undo = "removes what it created; of a file that was there, owner and mode",
		.args = "NAME…",
		.min_args = 1,
		.phases = PHASES_ALL,
		.timeout_ms = 15000,
		.options = options,
		.parse = create_parse,
		.check = create_check,
		.apply = create_apply,
	},
	{}
};

const struct plugin plugin_shm = { .name = "shm", .types = types };

static const char *name_of(const char *word)
{
	const char *name = str_after(word, SHM);

	return name ? name : word;
}

/*
 * Of the file that WORD names; as /dev/shm is, or was, a link to /run/shm in places, the
 * way to it is resolved. Nobody but root can have made that link.
 */
static int path_of(struct run *run, const char *word, char path[PATH_MAX],
		   struct error *err)
{
	size_t n;
	int r = host_resolve(&run->host, "/dev/shm", path, err);

	if (r < 0)
		return r;
	n = strlen(path);
	return snprintf(path + n, PATH_MAX - n, "/%s", name_of(word)) <
			       (int)(PATH_MAX - n) ?
		       0 :
		       error_set(err, -ENAMETOOLONG, "/dev/shm leads to a path too long");
}

static int create_parse(const struct step *step, struct error *err)
{
	for (size_t i = 0; i < step->words.n; i++) {
		const char *name = name_of(step->words.v[i]);

		if (!*name || strchr(name, '/') || streq(name, ".") ||
		    streq(name, "..") || strlen(name) > NAME_MAX)
			return error_set(err, -EINVAL,
					 "%s is no file in /dev/shm itself: write its name, "
					 "as looking-glass",
					 step->words.v[i]);
	}
	return ownership_parse(step, err);
}

static int check_existing(struct run *run, const struct step *step, const char *path,
			  struct error *err)
{
	uint64_t size = step_size(step, "size", 0);
	char rooted[PATH_MAX];
	struct stat st;

	if (lstat(host_path(&run->host, rooted, "%s", path), &st) < 0)
		return 0;
	if (!S_ISREG(st.st_mode))
		return run_problem(run, -EEXIST, err,
				   "%s is there and no file: remove it, or choose another "
				   "name",
				   path);
	/* an empty one grows to what QEMU needs */
	if (!size || !st.st_size || size == (uint64_t)st.st_size)
		return 0;
	run_cure_option(run, step, "size", NULL);
	return run_problem(run, -EEXIST, err,
			   "%s is there with %lld bytes instead of %llu: remove it if "
			   "nobody uses it, or leave size= out",
			   path, (long long)st.st_size, (unsigned long long)size);
}

static int create_check(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_error_ struct error why = {};
	struct ownership ownership = {};
	char path[PATH_MAX];
	struct statvfs fs;
	uint64_t size = step_size(step, "size", 0);
	int r = ownership_of_step(run, step, &ownership, &why);

	if (r < 0)
		return run_problem_why(run, r, err, &why);
	if (statvfs(host_path(&run->host, path, "/dev/shm"), &fs) < 0) {
		r = -errno;
		run_cure(run, "mount -t tmpfs tmpfs /dev/shm");
		return run_problem(
			run, r, err,
			"there is no /dev/shm (%s): mount -t tmpfs tmpfs /dev/shm",
			strerror(-r));
	}
	if (size > (uint64_t)fs.f_blocks * fs.f_frsize)
		return run_problem(run, -ENOSPC, err,
				   "size=%s does not fit into /dev/shm, which has room for "
				   "%llu MiB in all: mount -o remount,size=… /dev/shm",
				   step_option(step, "size"),
				   (unsigned long long)fs.f_blocks * fs.f_frsize >> 20);
	for (size_t i = 0; r >= 0 && i < step->words.n; i++) {
		r = path_of(run, step->words.v[i], path, err);
		if (r == 0)
			r = check_existing(run, step, path, err);
	}
	return r;
}

/* It was there before: only owner and mode are ours to change. */
static int adjust(struct run *run, const struct step *step, const char *path,
		  struct error *err)
{
	struct ownership ownership;
	char text[OWNERSHIP_LEN];
	int r = ownership_read(&run->host, path, &ownership, err);

	if (r == 0)
		r = ownership_of_step(run, step, &ownership, err);
	return r < 0 ? r :
		       effect_set(run, &state_owner, path,
				  ownership_text(&ownership, text), NULL, err);
}

static int create_one(struct run *run, const struct step *step, const char *path,
		      struct error *err)
{
	struct ownership ownership = { .mode = 0660 };
	char text[OWNERSHIP_LEN], data[OWNERSHIP_LEN + 24];
	_cleanup_free_ char *now = NULL;
	int r = state_get(&run->host, &state_file, path, &now, err);

	if (r == 0)
		r = ownership_of_step(run, step, &ownership, err);
	if (r < 0)
		return r;
	snprintf(data, sizeof(data), "%s %llu", ownership_text(&ownership, text),
		 (unsigned long long)step_size(step, "size", 0));
	r = effect_set(run, &state_file, path, "created", data, err);
	if (r < 0 || !*now)
		return r;
	if (!run->simulate)
		r = check_existing(run, step, path, err);
	return r < 0 || overlay_get(run->host.overlay, &state_file, path) ?
		       r :
		       adjust(run, step, path, err);
}

static int create_apply(struct run *run, const struct step *step, struct error *err)
{
	char path[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < step->words.n; i++) {
		r = path_of(run, step->words.v[i], path, err);
		if (r == 0)
			r = create_one(run, step, path, err);
	}
	return r;
}
