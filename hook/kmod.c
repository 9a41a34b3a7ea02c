/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel modules: libkmod for what modprobe.d and modules.dep say and for loading and
 * unloading; /sys/module, which libkmod cannot be redirected for, is kmod_sysfs.c's.
 */
#include <libkmod.h>

#include "config.h"
#include "kmod.h"
#include "pci.h"
#include "spawn.h"

#define NAME_LEN 128

/* One look at the configuration and the list of modules. */
struct lookup {
	struct kmod_ctx *ctx;
	struct kmod_list *list; /* what the name stands for: usually one module */
};

static void lookup_done(struct lookup *lookup)
{
	kmod_module_unref_list(lookup->list);
	kmod_unref(lookup->ctx);
}

static void log_nothing(_unused_ void *data, _unused_ int priority,
			_unused_ const char *file, _unused_ int line,
			_unused_ const char *fn, _unused_ const char *format,
			_unused_ va_list args)
{
}

static struct kmod_ctx *context_new(const struct host *host)
{
	static const char *const dirs[] = { "/etc/modprobe.d", "/run/modprobe.d",
					    "/usr/local/lib/modprobe.d",
					    "/usr/lib/modprobe.d", "/lib/modprobe.d" };
	char paths[ARRAY_SIZE(dirs)][PATH_MAX], dir[PATH_MAX], root[PATH_MAX];
	const char *config[ARRAY_SIZE(dirs) + 1] = { NULL };
	struct kmod_ctx *ctx;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		config[i] = host_path(host, paths[i], "%s", dirs[i]);
	kmod_modules_dir(host, dir);
	ctx = kmod_new(host_path(host, root, "%s", dir), config);
	if (ctx)
		kmod_set_log_fn(ctx, log_nothing, NULL);
	return ctx;
}

static int lookup_init(const struct host *host, const char *name, struct lookup *ret)
{
	ret->list = NULL;
	ret->ctx = context_new(host);
	if (!ret->ctx)
		return -ENOMEM;
	return kmod_module_new_from_lookup(ret->ctx, name, &ret->list);
}

static int file_missing(const char *name, const char *path, struct error *err)
{
	return error_set(
		err, -ENOENT,
		"module %s: %s is missing, most likely by a kernel or driver update:"
		" reboot first",
		name, path);
}

/*
 * The files that PATH's line in modules.dep names. Not by libkmod, which has no
 * dependencies to show as soon as one of their files is missing.
 */
static int dependencies_there(const struct host *host, const char *name, const char *path,
			      struct error *err)
{
	char dir[PATH_MAX], rooted[PATH_MAX], *save = NULL, *word_save = NULL;
	_cleanup_free_ char *text = NULL;
	const char *relative;

	kmod_modules_dir(host, dir);
	relative = str_after(path, host_path(host, rooted, "%s/", dir));
	if (!relative || host_read_all(host, &text, "%s/modules.dep", dir) < 0)
		return 0;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *word = strtok_r(line, ": ", &word_save);

		if (!word || !streq(word, relative))
			continue;
		while ((word = strtok_r(NULL, " ", &word_save))) {
			if (host_exists(host, "%s/%s", dir, word))
				continue;
			return file_missing(name, word, err);
		}
	}
	return 0;
}

/* One module and what it depends on must have their files. */
static int files_there(const struct host *host, struct kmod_module *mod, struct error *err)
{
	const char *path = kmod_module_get_path(mod), *name = kmod_module_get_name(mod);

	if (kmod_module_get_install_commands(mod) ||
	    kmod_state_of(host, name) == KMOD_BUILTIN)
		return 0;
	if (!path)
		return error_set(
			err, -ENOENT,
			"module %s: the running kernel has none: install its package or DKMS build for"
			" that kernel, or reboot if an update waits for it",
			name);
	if (access(path, F_OK) < 0)
		return file_missing(name, path, err);
	return dependencies_there(host, name, path, err);
}

int kmod_available(const struct host *host, const char *name, struct error *err)
{
	_cleanup_(lookup_done) struct lookup lookup = { NULL };
	char dir[PATH_MAX];
	struct kmod_list *l;
	int r;

	if (kmod_state_of(host, name) == KMOD_BUILTIN)
		return 0;
	kmod_modules_dir(host, dir);
	if (!host_exists(host, "%s", dir))
		return error_set(err, -ENOENT,
				 "module %s: %s is missing, most likely by a kernel update:"
				 " reboot first",
				 name, dir);
	r = lookup_init(host, name, &lookup);
	if (r < 0 || !lookup.list)
		return error_set(
			err, -ENOENT,
			"module %s: unknown to the running kernel (%s): install what brings it, write its"
			" name as modinfo has it, or reboot if a kernel update waits for that",
			name, dir);
	for (l = lookup.list; l && r == 0; l = kmod_list_next(lookup.list, l)) {
		struct kmod_module *m = kmod_module_get_module(l);

		r = files_there(host, m, err);
		kmod_module_unref(m);
	}
	return r;
}

bool kmod_has_install_command(const struct host *host, const char *name)
{
	_cleanup_(lookup_done) struct lookup lookup = { NULL };
	struct kmod_list *l;
	bool found = false;

	if (lookup_init(host, name, &lookup) < 0)
		return false;
	for (l = lookup.list; l && !found; l = kmod_list_next(lookup.list, l)) {
		struct kmod_module *m = kmod_module_get_module(l);

		found = kmod_module_get_install_commands(m) != NULL;
		kmod_module_unref(m);
	}
	return found;
}

int kmod_remove(const struct host *host, const char *name)
{
	struct kmod_ctx *ctx = context_new(host);
	struct kmod_module *mod = NULL;
	char buf[NAME_LEN];
	int r;

	if (!ctx)
		return -ENOMEM;
	r = kmod_module_new_from_name(ctx, kmod_normalise(name, buf, sizeof(buf)), &mod);
	if (r >= 0)
		r = kmod_module_remove_module(mod, KMOD_REMOVE_NOLOG);
	kmod_module_unref(mod);
	kmod_unref(ctx);
	return r > 0 ? 0 : r;
}

static int visit(const struct host *host, struct kmod_module *mod, struct strv *done,
		 struct strv *ret);

static int visit_list(const struct host *host, struct kmod_list *list, struct strv *done,
		      struct strv *ret)
{
	int r = 0;

	for (struct kmod_list *l = list; l && r == 0; l = kmod_list_next(list, l)) {
		struct kmod_module *m = kmod_module_get_module(l);

		r = visit(host, m, done, ret);
		kmod_module_unref(m);
	}
	kmod_module_unref_list(list);
	return r;
}

/* Appends to RET what inserting MOD takes; DONE keeps softdep cycles from going round. */
static int visit(const struct host *host, struct kmod_module *mod, struct strv *done,
		 struct strv *ret)
{
	const char *name = kmod_module_get_name(mod);
	struct kmod_list *pre = NULL, *post = NULL;
	int r;

	if (strv_contains(done, name))
		return 0;
	r = strv_add(done, name);
	if (r < 0 || kmod_state_of(host, name) != KMOD_ABSENT)
		return r;
	kmod_module_get_softdeps(mod, &pre, &post);
	r = visit_list(host, pre, done, ret);
	if (r == 0)
		r = visit_list(host, kmod_module_get_dependencies(mod), done, ret);
	if (r == 0)
		r = strv_add(ret, name);
	if (r == 0)
		return visit_list(host, post, done, ret);
	kmod_module_unref_list(post);
	return r;
}

int kmod_load_order(const struct host *host, const char *name, struct strv *ret)
{
	_cleanup_(lookup_done) struct lookup lookup = { NULL };
	_cleanup_strv_ struct strv done = { 0 };
	int r = lookup_init(host, name, &lookup);

	/* visit_list() gives back the list that it is given. */
	return r < 0 ? r : visit_list(host, STEAL(lookup.list), &done, ret);
}

struct install {
	const struct host *host;
	const char *name, *params;
	int64_t deadline;
	struct error *err;
};

/* Instead of system(3): modprobe runs the `install` command as it would for anyone. */
static int run_install(struct kmod_module *mod, _unused_ const char *command, void *data)
{
	const char *name = kmod_module_get_name(mod);
	const struct install *install = data;
	_cleanup_(spawn_result_done) struct spawn_result result = { 0 };
	struct spawn spawn = { .deadline = install->deadline };
	_cleanup_strv_ struct strv argv = { 0 }, params = { 0 };
	const int64_t begin = now_ms();
	int r = strv_add(&argv, "/sbin/modprobe");

	if (r == 0)
		r = strv_add(&argv, name);
	if (r == 0 && install->params && streq(name, install->name))
		r = words_split(install->params, &params, install->err);
	for (size_t i = 0; i < params.n && r == 0; i++)
		r = strv_add(&argv, params.v[i]);
	if (r < 0)
		return r;
	spawn.argv = (const char *const *)argv.v;
	r = spawn_run(install->host, &spawn, &result, install->err);
	if (r < 0)
		return r;
	if (result.timed_out)
		return error_set(
			install->err, -ETIMEDOUT,
			"modprobe %s was not done after %lld ms and was ended (its "
			"install command in modprobe.d hangs?): raise timeout=, or "
			"see why",
			name, (long long)(now_ms() - begin));
	if (result.status == 0)
		return 0;
	return error_set(install->err, -EIO, "modprobe %s failed (status %d): %s", name,
			 result.status, result.errors ? result.errors : "");
}

static const char *load_reason(int r)
{
	switch (-r) {
	case EKEYREJECTED:
	case ENOKEY:
		return "its signature is not accepted (secure boot, module.sig_enforce): sign"
		       " it with an enrolled key";
	case EPERM:
		return "the kernel takes no modules (lockdown, or kernel.modules_disabled=1)";
	case ENOEXEC:
		return "it is damaged or built for another kernel: rebuild it (dkms"
		       " autoinstall), or reboot after a kernel update";
	case ENOENT:
		return "its file is missing or uses unknown symbols (see dmesg), most likely"
		       " by an update: reboot first";
	case ENODEV:
		return "it finds no device that it can drive: look whether the device is"
		       " bound to another driver";
	case EINVAL:
		return "it refuses a parameter (see dmesg)";
	default:
		return strerror(-r);
	}
}

static int insert(struct kmod_module *mod, struct install *install)
{
	int r = kmod_module_probe_insert_module(mod,
						KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY,
						install->params, run_install, install,
						NULL);

	if (r == 0 || r == -EEXIST)
		return 0;
	if (r > 0)
		return error_set(
			install->err, -EPERM,
			"module %s: blacklisted in modprobe.d: remove it from there",
			kmod_module_get_name(mod));
	return error_set(install->err, r, "module %s cannot be loaded: %s",
			 kmod_module_get_name(mod), load_reason(r));
}

int kmod_load(const struct host *host, const char *name, const char *params,
	      int64_t deadline, struct error *err)
{
	_cleanup_(lookup_done) struct lookup lookup = { NULL };
	struct install install = { host, NULL, params, deadline, err };
	char normal[NAME_LEN];
	int r = lookup_init(host, name, &lookup);

	install.name = kmod_normalise(name, normal, sizeof(normal));
	if (r == 0 && !lookup.list)
		r = kmod_available(host, name, err); /* says why */
	for (struct kmod_list *l = lookup.list; l && r == 0;
	     l = kmod_list_next(lookup.list, l)) {
		struct kmod_module *m = kmod_module_get_module(l);

		r = insert(m, &install);
		kmod_module_unref(m);
	}
	return r < 0 ? error_errno(err, r, "module %s cannot be loaded", name) : 0;
}
