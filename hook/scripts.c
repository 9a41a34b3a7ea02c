/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The script trees that guides have told people to make for years. They run as under the
 * shell helper that they were written for, but sorted, each with the XML, and with an end
 * to every wait. They are libvirt's children as far as they can tell: its environment is
 * passed on.
 */

#include <ctype.h>
#include <dirent.h>
#include <sys/stat.h>

#include "effect.h"
#include "log.h"
#include "scripts.h"
#include "spawn.h"
#include "trust.h"

#define VIRSH_SEARCH_MAX (64 * 1024)

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

/* Going up it was told while the plan was made; coming down nobody makes one. */
static void warn(struct run *run, const char *text)
{
	if (run->simulate)
		run_warn(run, "%s", text);
	else if (!phase_goes_up(run->event.phase))
		log_warn("%s", text);
}

/*
 * 0: may run. What everybody may write is refused going up; coming down it runs all the
 * same, as the host is to be put back with what there is. This is asked right before a
 * script is run, and it is run by its path: by a descriptor $0 would be /dev/fd/5, and
 * scripts find what lies beside them by dirname "$0". Nobody but those who are named here
 * could put another file there in between.
 */
static int judge(struct run *run, const char *path, bool strict, struct error *err)
{
	_cleanup_free_ char *why = NULL, *text = NULL;
	int trust = trust_of(&run->host, path, &why, err);

	if (trust < 0)
		return trust;
	if (trust == TRUST_FULL)
		return 0;
	if (asprintf(&text, "%s runs as root, but %s", path, why) < 0) {
		text = NULL;
		return error_oom(err);
	}
	run_cure(run, "%s", trust_cure(why));
	if (phase_goes_up(run->event.phase) && (strict || trust == TRUST_NONE)) {
		int r = run_problem(run, -EPERM, err, "%s", text);

		return r < 0 ? r : 1;
	}
	warn(run, text);
	return 0;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* Does a line that is no comment call virsh? */
static bool has_virsh(const char *text)
{
	for (const char *p = text; (p = strstr(p, "virsh")); p += strlen("virsh")) {
		const char *line = p;

		if ((p > text && is_word_char(p[-1])) || is_word_char(p[strlen("virsh")]))
			continue;
		while (line > text && line[-1] != '\n')
			line--;
		line += strspn(line, " \t");
		if (*line != '#' || line > p)
			return true;
	}
	return false;
}

/* A script of the domain's tree becomes steps; another one's folder has no phases. */
static void cure_by_import(struct run *run, const char *path)
{
	char tree[PATH_MAX], word[PATH_MAX + 64];

	snprintf(tree, sizeof(tree), "%s/qemu.d/%s", run->hooks_dir, run->event.domain);
	if (str_after(path, tree) && path[strlen(tree)] == '/')
		run_cure(run, "vfio-hook import %s", shell_word(tree, word, sizeof(word)));
}

static void warn_of_virsh(struct run *run, const char *path)
{
	_cleanup_free_ char *buf = calloc(1, VIRSH_SEARCH_MAX + 1);
	_cleanup_free_ char *message = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	char rooted[PATH_MAX];
	size_t n;

	f = fopen(host_path(&run->host, rooted, "%s", path), "re");
	if (!f || !buf)
		return;
	n = fread(buf, 1, VIRSH_SEARCH_MAX, f);
	if (memchr(buf, '\0', n) || !has_virsh(buf))
		return; /* a compiled program may name what it likes */
	if (asprintf(&message,
		     "%s calls virsh: libvirt waits for its hook, so a hook that waits for "
		     "libvirt can hang both (instead of nodedev-detach: pci.detach)",
		     path) < 0) {
		message = NULL;
		return;
	}
	cure_by_import(run, path);
	warn(run, message);
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
	r = judge(run, path, strict, err);
	if (r < 0 && !phase_goes_up(run->event.phase))
		r = 0; /* nothing prevents the way back; the run itself will tell */
	if (r != 0)
		return r < 0 ? r : 0;
	warn_of_virsh(run, path);
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
		r = judge(run, path, dir != NULL, err);
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
