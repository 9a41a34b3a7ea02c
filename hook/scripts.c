/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script trees that guides have told people to make for years. They run as under the
 * shell helper that they were written for, but sorted, each with the XML, and with an end
 * to every wait. They are libvirt's children as far as they can tell: its environment is
 * passed on.
 */

#include <dirent.h>
#include <sys/stat.h>

#include "effect.h"
#include "log.h"
#include "scripts.h"
#include "scripts_judge.h"
#include "spawn.h"

/* As `find -L -type f -executable` sees it. */
static bool is_script(const struct host *host, const char *path)
{
	char rooted[PATH_MAX];
	struct stat st;

	host_path(host, rooted, "%s", path);
	return stat(rooted, &st) >= 0 && S_ISREG(st.st_mode) && access(rooted, X_OK) == 0;
}

static int scripts_of_folder(const struct host *host, const char *dir, struct strv *ret)
{
	_cleanup_strv_ struct strv found = {};
	char path[PATH_MAX];
	struct dirent *entry;
	int r = 0;
	DIR *d = opendir(host_path(host, path, "%s", dir));

	if (!d)
		return -errno;
	/* not host_list(): find takes hidden files, too */
	while (r >= 0 && (entry = readdir(d))) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >=
		    sizeof(path))
			continue;
		if (is_script(host, path))
			r = strv_add(&found, path);
	}
	closedir(d);
	if (r < 0)
		return r;
	strv_sort(&found);
	*ret = found;
	found = (struct strv){};
	return 0;
}

/* The scripts at PATH, a file or a folder; none is fine. */
static int scripts_at(const struct host *host, const char *path, struct strv *ret)
{
	char rooted[PATH_MAX];
	struct stat st;

	if (stat(host_path(host, rooted, "%s", path), &st) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return scripts_of_folder(host, path, ret);
	if (st.st_size == 0 || !is_script(host, path))
		return 0;
	return strv_add(ret, path);
}

/* False: a name of the event cannot be part of a path. */
static bool tree_path(const char *hooks_dir, const struct event *event, char *buf,
		      size_t size)
{
	int n;

	if (!domain_name_is_safe(event->domain) ||
	    !domain_name_is_safe(event->operation) ||
	    !domain_name_is_safe(event->sub_operation))
		return false;
	n = snprintf(buf, size, "%s/qemu.d/%s/%s/%s", hooks_dir, event->domain,
		     event->operation, event->sub_operation);
	return n >= 0 && (size_t)n < size;
}

bool scripts_exist(const struct host *host, const char *hooks_dir,
		   const struct event *event)
{
	_cleanup_strv_ struct strv scripts = {};
	char path[PATH_MAX];

	return tree_path(hooks_dir, event, path, sizeof(path)) &&
	       scripts_at(host, path, &scripts) >= 0 && scripts.n > 0;
}

bool scripts_exist_in(const struct host *host, const char *hooks_dir, const char *domain,
		      unsigned phases)
{
	struct event event;

	for (int phase = 0; phase < PHASE_NONE; phase++) {
		event_of_phase(&event, domain, (enum phase)phase);
		if (phases & PHASE_BIT(phase) && scripts_exist(host, hooks_dir, &event))
			return true;
	}
	return false;
}

static void log_output(const char *path, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		log_debug("%s: %.*s", path_base(path), (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* Without #! bash ran it for the helper, whose eval fell back to itself. */
static int run_with_shell(struct run *run, const struct spawn *script,
			  struct spawn_result *ret, struct error *err)
{
	const char *const *args = script->argv;
	/* as the kernel does for #!, from the machine's own root */
	struct host machine = { .root = "" };
	const char *shell = host_exists(&machine, "/bin/bash") ? "/bin/bash" : "/bin/sh";
	struct spawn spawn = *script;
	char rooted[PATH_MAX];
	const char *const argv[] = {
		shell,	 host_path(&run->host, rooted, "%s", args[0]),
		args[1], args[2],
		args[3], args[4],
		NULL
	};

	spawn.argv = argv;
	return spawn_run(&machine, &spawn, ret, err);
}

static int run_script(struct run *run, const char *path, struct error *err)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	_cleanup_error_ struct error first = {};
	const struct event *e = &run->event;
	const char *const argv[] = { path,     e->domain, e->operation, e->sub_operation,
				     e->extra, NULL };
	struct spawn spawn = { .argv = argv, .keep_output = true, .run = run };
	int r;

	spawn.env = (const char *const *)environ;
	spawn.input = run->xml ? run->xml : "";
	spawn.input_len = run->xml_len;
	spawn.deadline = run_deadline(run);
	log_info("script %s ...", path);
	log_sync();
	r = spawn_run(&run->host, &spawn, &result, &first);
	if (r == -ENOEXEC)
		r = run_with_shell(run, &spawn, &result, err);
	else if (r < 0)
		return error_set(err, r, "%s", error_text(&first));
	if (r < 0)
		return r;
	log_output(path, result.output);
	if (result.cancelled)
		return run_cancelled(run, err);
	if (result.timed_out)
		return error_set(err, -ETIMEDOUT,
				 "script %s did not end in time and was killed%s", path,
				 phase_goes_up(run->event.phase) ?
					 ": see timeout = in [domain]" :
					 ", so that what is left is put back");
	if (result.status != 0)
		return error_set(err, -EIO, "script %s failed with status %d%s%s", path,
				 result.status, *result.errors ? ": " : "",
				 result.errors);
	log_output(path, result.errors);
	return 0;
}

static int one_script(struct run *run, const char *path, bool strict, struct error *err)
{
	char what[PATH_MAX + 16];
	int r;

	if (!is_script(&run->host, path))
		return 0; /* an earlier one removed it */
	r = scripts_judge(run, path, strict, err);
	if (r < 0 && !phase_goes_up(run->event.phase))
		r = 0; /* nothing prevents the way back; the run itself will tell */
	if (r != 0)
		return r < 0 ? r : 0;
	scripts_warn_of_virsh(run, path);
	if (!run->simulate)
		r = run_script(run, path, err);
	if (r < 0)
		return r;
	snprintf(what, sizeof(what), "script %s", path);
	run_change(run, what, NULL, "run");
	return 0;
}

/* Coming down: one text for all failures. */
static int collect(struct strv *failures, struct error *one)
{
	int r = strv_add(failures, error_text(one));

	error_done(one);
	return r;
}

static int tell_failures(const struct strv *failures, struct error *err)
{
	_cleanup_free_ char *text = NULL;

	if (!failures->n)
		return 0;
	text = strv_join(failures, "; ");
	return text ? error_set(err, -EIO, "%s", text) : error_oom(err);
}

int scripts_run(struct run *run, const char *dir, struct error *err)
{
	_cleanup_strv_ struct strv scripts = {}, failures = {};
	char path[PATH_MAX];
	int r = 0;

	if (dir)
		snprintf(path, sizeof(path), "%s", dir);
	else if (!tree_path(run->hooks_dir, &run->event, path, sizeof(path)))
		return 0;
	r = scripts_at(&run->host, path, &scripts);
	if (r < 0)
		return error_errno(err, r, "cannot read the scripts in %s", path);
	if (scripts.n && !streq(scripts.v[0], path)) /* who may add one, may run one */
		r = scripts_judge(run, path, dir != NULL, err);
	if (r != 0 && phase_goes_up(run->event.phase))
		return r < 0 ? r : 0;

	for (size_t i = 0; i < scripts.n; i++) {
		_cleanup_error_ struct error one = {};

		run->scripts_begun |= !run->simulate && !dir;
		r = one_script(run, scripts.v[i], dir != NULL, &one);
		if (r >= 0)
			continue;
		if (phase_goes_up(run->event.phase))
			return error_set(err, r, "%s", error_text(&one));
		if (collect(&failures, &one) < 0)
			return error_oom(err);
	}
	return tell_failures(&failures, err);
}
