/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel parameters below /proc/sys, named as sysctl(8) does.
 */
#include "attributes.h"
#include "step.h"

static int write_parse(const struct step *step, struct error *err);
static int write_check(struct run *run, const struct step *step, struct error *err);
static int write_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "undo", VALUE_STRING,
	  .text = "what to write on the way back instead of the old value, or none" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "write",
		.summary = "set kernel parameters as sysctl does",
		.undo = "each gets back its old value, or what undo= says",
		.args = "NAME VALUE",
		.min_args = 2,
		.max_args = 2,
		.phases = PHASES_ALL,
		.timeout_ms = 15000,
		.options = options,
		.parse = write_parse,
		.check = write_check,
		.apply = write_apply,
	},
	{}
};

const struct plugin plugin_sysctl = { .name = "sysctl", .types = types };

/*
 * The path of a name. The separator that comes first is the separator: "vm.swappiness",
 * "vm/swappiness", "net.ipv4.conf.eth0/100.forwarding" (the interface eth0.100).
 */
static void path_of(const char *name, char *buf, size_t size)
{
	const char *first = strpbrk(name, "./");
	size_t n;

	if (*name == '/') {
		snprintf(buf, size, "%s", name);
		return;
	}
	n = (size_t)snprintf(buf, size, "/proc/sys/%s", name);
	if (!first || *first == '/' || n >= size)
		return;
	for (char *p = buf + strlen("/proc/sys/"); *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
}

static struct attributes attributes_of(const struct step *step, char path[PATH_MAX])
{
	path_of(step->words.v[0], path, PATH_MAX);
	return (struct attributes){ .pattern = path,
				    .below = "/proc/sys",
				    .value = step->words.v[1],
				    .undo = step_option(step, "undo") };
}

static int write_parse(const struct step *step, struct error *err)
{
	char path[PATH_MAX];
	const struct attributes attributes = attributes_of(step, path);

	if (str_after(path, "/sys/"))
		return error_set(err, -EINVAL, "for %s write: sysfs.write = %s %s", path,
				 path, attributes.value);
	return attributes_parse(&attributes, err);
}

static int write_check(struct run *run, const struct step *step, struct error *err)
{
	char path[PATH_MAX];
	const struct attributes attributes = attributes_of(step, path);

	return attributes_check(run, &attributes, err);
}

static int write_apply(struct run *run, const struct step *step, struct error *err)
{
	char path[PATH_MAX];
	const struct attributes attributes = attributes_of(step, path);

	return attributes_write(run, &attributes, err);
}
