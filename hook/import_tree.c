/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files are scripts, and of which phase: libvirt's tree DIR/prepare/begin/…, or a
 * folder with scripts whose names tell, or one script.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "import.h"
#include "import_run.h"

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void set_args(struct import *im, const char *path, enum phase phase)
{
	const char *name = phase_name(phase);
	size_t n = strcspn(name, "/");

	im->args = (struct words){ 0 };
	im->phase = phase;
	words_push(&im->arena, &im->args, path);
	words_push(&im->arena, &im->args, im->domain);
	words_push(&im->arena, &im->args, arena_strndup(&im->arena, name, n));
	words_push(&im->arena, &im->args, name[n] ? name + n + 1 : "");
	words_push(&im->arena, &im->args, "-");
}

static bool has_any(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

/* By its name, and by what it holds. */
static enum phase guess(const struct source *file)
{
	static const char *const down[] = { "release", "stop",	      "end",
					    "revert",  "teardown",    "unbind",
					    "dealloc", "detach_vfio", "restore",
					    "ondemand" };
	const char *name = path_base(file->path);

	if (strstr(file->text, "PREREQ") || strstr(file->path, "initramfs"))
		return PHASE_BOOT;
	if (strcasestr(name, "unload") || strstr(file->text, "nodedev-reattach"))
		return PHASE_RELEASE;
	if (strstr(file->text, "nodedev-detach"))
		return PHASE_PREPARE;
	if (has_any(name, down, ARRAY_SIZE(down)) && !strcasestr(name, "append"))
		return PHASE_RELEASE;
	return PHASE_PREPARE;
}

/* One that asks what it is called for. */
static bool is_dispatcher(const struct source *file)
{
	static const char *const operations[] = { "prepare", "release", "started",
						  "stopped" };

	return (strstr(file->text, "$2") || strstr(file->text, "${2}")) &&
	       has_any(file->text, operations, ARRAY_SIZE(operations));
}

/* "#!/usr/bin/python3": none that we could read. */
static bool is_foreign(const struct source *file)
{
	size_t n = strcspn(file->text, "\n");

	return str_after(file->text, "#!") && !memmem(file->text, n, "sh", 2);
}

static int take_file(struct import *im, const char *path, const char *name,
		     enum phase phase)
{
	struct source *file;

	if (!import_read(im, path, &file))
		return -ENOENT;
	file->name = arena_strndup(&im->arena, name, strlen(name));
	if (str_after(file->text, "\x7f"
				  "ELF"))
		return 0;
	if (is_foreign(file)) {
		set_args(im, path, phase == PHASE_NONE ? PHASE_PREPARE : phase);
		import_left_at(im, file, 1,
			       "this is no shell script: leave it in the tree, or run it "
			       "by exec.run");
		return 0;
	}
	if (phase == PHASE_NONE && is_dispatcher(file)) {
		for (phase = 0; phase < PHASE_BOOT; phase++) {
			set_args(im, path, phase);
			import_script(im, file);
		}
		return 0;
	}
	set_args(im, path, phase == PHASE_NONE ? guess(file) : phase);
	if (phase == PHASE_NONE)
		act_note(im, NULL, "%s seems to be for %s; if not, say --phase", name,
			 phase_name(im->phase));
	import_script(im, file);
	return 0;
}

/* The helper ran only those that can be executed. */
static bool is_switched_off(struct import *im, const char *path, const char *shown,
			    enum phase phase)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0111))
		return false;
	im->phase = phase;
	im->switched_off = path;
	act_note(im, NULL, "%s cannot be executed, so it was never run: left out", shown);
	return true;
}

static void take_folder(struct import *im, const char *dir, const char *shown,
			enum phase phase, size_t *count)
{
	const struct host plain = { .root = "" };
	_cleanup_strv_ struct strv names = {};

	if (host_list(&plain, &names, "%s", dir) < 0)
		return;
	for (size_t i = 0; i < names.n && i < 256; i++) {
		const char *path = arena_printf(&im->arena, "%s/%s", dir, names.v[i]);
		const char *name = arena_printf(&im->arena, "%s%s%s", shown,
						*shown ? "/" : "", names.v[i]);

		if (is_folder(path) || str_ends(names.v[i], "~") ||
		    str_ends(names.v[i], ".conf") || str_ends(names.v[i], ".md") ||
		    str_ends(names.v[i], ".txt"))
			continue;
		if ((*shown && is_switched_off(im, path, name, phase)) ||
		    take_file(im, path, name, phase) == 0)
			++*count;
	}
}

/* DIR/prepare/begin is a script or a folder of them. */
static void take_phase(struct import *im, const char *path, enum phase phase,
		       size_t *count)
{
	const char *shown = phase_name(phase);

	if (is_folder(path))
		take_folder(im, path, shown, phase, count);
	else if (is_switched_off(im, path, shown, phase) ||
		 take_file(im, path, shown, phase) == 0)
		++*count;
}

/* reconnect, migrate and others have no section: nothing of theirs may get lost. */
static void take_other(struct import *im, const char *path, const char *shown,
		       unsigned depth)
{
	const struct host plain = { .root = "" };
	_cleanup_strv_ struct strv names = {};
	struct source *file;

	if (!is_folder(path)) {
		if (access(path, X_OK) == 0 && import_read(im, path, &file)) {
			file->name = shown;
			import_left_at(im, file, 1,
				       "the config has no section for this operation: leave "
				       "the script where it is");
		}
		return;
	}
	if (depth > 2 || host_list(&plain, &names, "%s", path) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		take_other(im, arena_printf(&im->arena, "%s/%s", path, names.v[i]),
			   arena_printf(&im->arena, "%s/%s", shown, names.v[i]),
			   depth + 1);
}

static void take_tree(struct import *im, const char *dir, size_t *count)
{
	static const char *const others[] = { "reconnect", "migrate", "restore",
					      "attach" };

	for (enum phase phase = 0; phase < PHASE_BOOT; phase++)
		take_phase(im, arena_printf(&im->arena, "%s/%s", dir, phase_name(phase)),
			   phase, count);
	im->phase = PHASE_PREPARE;
	for (size_t i = 0; *count > 0 && i < ARRAY_SIZE(others); i++)
		take_other(im, arena_printf(&im->arena, "%s/%s", dir, others[i]),
			   others[i], 0);
}

static const char *rooted(struct import *im, const char *path)
{
	char buf[PATH_MAX];

	if (str_after(path, "/etc/") || str_after(path, "/var/"))
		return arena_printf(&im->arena, "%s",
				    host_path(&im->host, buf, "%s", path));
	return path;
}

static void find_conf(struct import *im, const char *dir)
{
	static const char *const near[] = { "", "/..", "/../.." };
	struct stat st;

	for (size_t i = 0; !im->conf && i < ARRAY_SIZE(near); i++) {
		const char *path =
			arena_printf(&im->arena, "%s%s/kvm.conf", dir, near[i]);

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			im->conf = path;
	}
}

/* Returns -ENOENT when there is no script. */
static int import_all(struct import *im, const struct import_request *request)
{
	char *typed = arena_printf(&im->arena, "%s", request->dir);
	const char *dir;
	size_t count = 0, n = strlen(typed);

	while (n > 1 && typed[n - 1] == '/')
		typed[--n] = '\0';
	dir = rooted(im, typed);
	im->dir = typed;
	im->domain = request->domain ?: path_base(typed);
	im->conf = request->conf ? rooted(im, request->conf) : NULL;
	if (!is_folder(dir)) {
		const char *slash = strrchr(dir, '/');

		import_any_domain(im, request->domain);
		find_conf(im,
			  slash ? arena_strndup(&im->arena, dir, (size_t)(slash - dir)) :
				  ".");
		return take_file(im, dir, path_base(dir), request->phase);
	}
	find_conf(im, dir);
	take_tree(im, dir, &count);
	if (count == 0) {
		import_any_domain(im, request->domain);
		take_folder(im, dir, "", request->phase, &count);
	}
	return count > 0 ? 0 : -ENOENT;
}

/* Anything but remarks of our own, which are about no command? */
static bool has_substance(const struct acts *acts)
{
	for (size_t i = 0; i < acts->n; i++)
		if (acts->v[i].kind != ACT_NOTE || (acts->v[i].node && !acts->v[i].quiet))
			return true;
	return false;
}

static int refuse_empty(const struct import *im, const char *dir, struct error *err)
{
	char word[PATH_MAX + 64];

	if (im->switched_off)
		return error_set(err, -ENODATA,
				 "%s: nothing in there became a step: what cannot be "
				 "executed was never run; to have it read all the same: "
				 "chmod 755 %s",
				 dir, shell_word(im->switched_off, word, sizeof(word)));
	return error_set(err, -ENODATA,
			 "%s: nothing in there became a step: if it depends on the "
			 "domain, name that behind it; if on the phase, say --phase",
			 dir);
}

/* Again for the domain that is asked for, if there is one: it stands in earlier lines, too. */
static int import_twice(struct import *im, const struct import_request *request)
{
	struct import_request again = *request;
	int r = import_all(im, request);

	if (r == 0 && im->meant && im->meant_is_name) {
		again.domain = im->meant;
		*im = (struct import){ .host = im->host,
				       .arena = im->arena,
				       .meant = im->meant,
				       .meant_phase = im->meant_phase };
		r = import_all(im, &again);
	}
	import_tell_domain(im);
	return r;
}

int import_run(const struct import_request *request, FILE *out, size_t *ret_left,
	       struct error *err)
{
	struct import im = { .host = { .root = request->root ?: "" } };
	jmp_buf end;
	int r;

	im.arena.out = &end;
	if (setjmp(end) != 0) {
		arena_done(&im.arena);
		return error_set(err, -ENOMEM,
				 "%s: these scripts are too large to be read",
				 request->dir);
	}
	r = import_twice(&im, request);
	if (r == 0) {
		import_merge(&im);
		import_reverse(&im);
		*ret_left = import_write(&im, out);
		r = has_substance(&im.acts) ? 0 : refuse_empty(&im, request->dir, err);
	}
	arena_done(&im.arena);
	return r == 0 || r == -ENODATA ?
		       r :
		       error_set(err, r,
				 "%s: there are no scripts: name a folder like "
				 "/etc/libvirt/hooks/qemu.d/DOMAIN, or a script",
				 request->dir);
}
