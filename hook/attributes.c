/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the kernel that the config names itself. Most have a value that is put back;
 * triggers (a write does something, and nothing can be read) need to be told how.
 */
#include <fnmatch.h>
#include <sys/stat.h>

#include "arrival.h"
#include "attributes.h"
#include "effect.h"
#include "glob.h"
#include "guard.h"
#include "sriov.h"

struct attributes {
	char pattern[PATH_MAX];
	const char *below; /* "/sys" */
	const char *value;
	const char *undo; /* of undo=, or NULL */
};

const struct option_spec attributes_options[] = {
	{ "undo", VALUE_STRING,
	  .text = "what to write on the way back instead of the old value, or none" },
	{}
};

/*
 * The path of sysctl's name. The separator that comes first is the separator:
 * "vm.swappiness", "vm/swappiness", "net.ipv4.conf.eth0/100.forwarding" (the interface
 * eth0.100).
 */
static void sysctl_path(const char *name, char *buf, size_t size)
{
	const char *first = strpbrk(name, "./");
	size_t n = (size_t)snprintf(buf, size, "/proc/sys/%s", name);

	if (!first || *first == '/' || n >= size)
		return;
	for (char *p = buf + strlen("/proc/sys/"); *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
}

static bool is_sysctl(const struct step *step)
{
	return streq(step->plugin->name, "sysctl");
}

static struct attributes attributes_of(const struct step *step)
{
	const char *name = step->words.v[0];
	struct attributes ret = { .below = is_sysctl(step) ? "/proc/sys" : "/sys",
				  .value = step->words.v[1],
				  .undo = step_option(step, "undo") };

	if (is_sysctl(step) && *name != '/')
		sysctl_path(name, ret.pattern, sizeof(ret.pattern));
	else
		snprintf(ret.pattern, sizeof(ret.pattern), "%s", name);
	return ret;
}

/* Can nothing be read there that could be put back? By its name alone. */
static bool is_trigger(const char *path)
{
	return STR_IN(path_base(path), "remove", "rescan", "reset", "bind", "unbind",
		      "new_id", "remove_id", "drivers_probe", "uevent", "drop_caches",
		      "compact_memory", "compact");
}

/* What a step of its own does better: with claim, holders and a deadline. */
static int refuse_binding(const char *path, struct error *err)
{
	static const char *const patterns[] = {
		"/sys/*/driver_override",
		"/sys/bus/pci/drivers/*/bind",
		"/sys/bus/pci/drivers/*/unbind",
		"/sys/bus/pci/devices/*/driver/bind",
		"/sys/bus/pci/devices/*/driver/unbind",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (fnmatch(patterns[i], path, 0) == 0)
			return error_set(err, -EINVAL,
					 "%s: a driver is taken from its device, and given "
					 "back, by pci.detach = DEVICE",
					 path);
	return 0;
}

int attributes_parse(const struct step *step, struct error *err)
{
	const struct attributes attributes = attributes_of(step);
	const char *pattern = attributes.pattern;
	const char *rest = str_after(pattern, attributes.below);

	if (str_after(pattern, is_sysctl(step) ? "/sys/" : "/proc/sys/"))
		return error_set(err, -EINVAL, "for %s write: %s.write = %s %s", pattern,
				 is_sysctl(step) ? "sysfs" : "sysctl", pattern,
				 attributes.value);
	if (!rest || *rest != '/' || !rest[strspn(rest, "/")])
		return error_set(err, -EINVAL, "%s is not below %s", pattern,
				 attributes.below);
	if (strstr(pattern, "/../") || str_ends(pattern, "/.."))
		return error_set(err, -EINVAL, "%s: write the path without \"..\"",
				 pattern);
	if (is_trigger(pattern) && !attributes.undo)
		return error_set(err, -EINVAL,
				 "%s is a trigger, without a value that could be put back: "
				 "say undo=VALUE, to be written on the way back, or "
				 "undo=none",
				 pattern);
	return refuse_binding(pattern, err);
}

static int not_there(struct run *run, const char *path, struct error *err)
{
	run_cure_optional(run, ": " PUT_DASH);
	return run_problem(run, -ENOENT, err, "%s does not exist on this machine now",
			   path);
}

static int find(struct run *run, const struct step *step,
		const struct attributes *attributes, struct strv *ret, struct error *err)
{
	_cleanup_error_ struct error why = {};
	int r = arrival_of(run, step, attributes->pattern, err);

	if (r == -ENOENT)
		return not_there(run, attributes->pattern, err);
	if (r <= 0)
		return r;
	r = host_glob(&run->host, attributes->pattern, attributes->below, ret, &why);
	if (r == -ENOENT)
		run_cure_optional(run, ": " PUT_DASH);
	return r < 0 ? run_problem_why(run, r, err, &why) : 0;
}

static int check_one(struct run *run, const struct attributes *attributes,
		     const char *path, struct error *err)
{
	_cleanup_error_ struct error why = {};
	char rooted[PATH_MAX];
	struct stat st;
	int r = refuse_binding(path, &why);

	if (r < 0)
		return run_problem_why(run, r, err, &why);
	if (stat(host_path(&run->host, rooted, "%s", path), &st) < 0)
		return not_there(run, path, err);
	if (!S_ISREG(st.st_mode))
		return run_problem(run, -EISDIR, err,
				   "%s is a folder: name the file in it that is to be "
				   "written",
				   path);
	if (!(st.st_mode & 0222))
		return run_problem(
			run, -EACCES, err,
			"%s is read-only, the kernel takes no value there: leave this line out",
			path);
	if (!attributes->undo && (!(st.st_mode & 0444) || is_trigger(path))) {
		run_cure_option(run, run->step, "undo", "none");
		return run_problem(
			run, -EINVAL, err,
			"%s can be written only: what it does cannot be read and "
			"put back: say undo=VALUE, to be written on the way back, "
			"or undo=none",
			path);
	}
	return sriov_may_write(run, path, attributes->value, err);
}

int attributes_check(struct run *run, const struct step *step, struct error *err)
{
	const struct attributes attributes = attributes_of(step);
	_cleanup_strv_ struct strv paths = {};
	int r = find(run, step, &attributes, &paths, err);

	for (size_t i = 0; r >= 0 && i < paths.n; i++)
		r = check_one(run, &attributes, paths.v[i], err);
	return r;
}

struct blind_write {
	const char *path, *value;
};

static int write_blindly(struct run *run, void *arg, struct error *err)
{
	const struct blind_write *w = arg;

	return guard_write(run, w->path, w->value, err);
}

static int write_one(struct run *run, const struct attributes *attributes,
		     const char *path, struct error *err)
{
	struct blind_write w = { path, attributes->value };
	char what[PATH_MAX];

	if (!attributes->undo)
		return effect_set(run, &state_attr, path, attributes->value, NULL, err);
	if (!streq(attributes->undo, "none"))
		return effect_set(run, &state_write, path, attributes->value,
				  attributes->undo, err);
	snprintf(what, sizeof(what), "'%.100s' to %.300s", attributes->value, path);
	return effect_one_way(run, what, write_blindly, &w, err);
}

int attributes_write(struct run *run, const struct step *step, struct error *err)
{
	const struct attributes attributes = attributes_of(step);
	_cleanup_strv_ struct strv paths = {};
	int r = 0;

	/* while simulating the check has told already that there are none */
	if (host_glob(&run->host, attributes.pattern, attributes.below, &paths, NULL) <
		    0 &&
	    !run->simulate)
		r = find(run, step, &attributes, &paths, err);
	for (size_t i = 0; r >= 0 && i < paths.n; i++) {
		if (!run->simulate)
			r = check_one(run, &attributes, paths.v[i], err);
		if (r >= 0)
			r = write_one(run, &attributes, paths.v[i], err);
	}
	return r;
}
