/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any file below /sys that has no step of its own.
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
		.summary = "write a value to files below /sys",
		.undo = "each file gets back its old value, or what undo= says",
		.args = "PATH VALUE",
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

const struct plugin plugin_sysfs = { .name = "sysfs", .types = types };

static struct attributes attributes_of(const struct step *step)
{
	return (struct attributes){ .pattern = step->words.v[0],
				    .below = "/sys",
				    .value = step->words.v[1],
				    .undo = step_option(step, "undo") };
}

static int write_parse(const struct step *step, struct error *err)
{
	const struct attributes attributes = attributes_of(step);

	if (str_after(attributes.pattern, "/proc/sys/"))
		return error_set(err, -EINVAL, "for %s write: sysctl.write = %s %s",
				 attributes.pattern, attributes.pattern,
				 attributes.value);
	return attributes_parse(&attributes, err);
}

static int write_check(struct run *run, const struct step *step, struct error *err)
{
	const struct attributes attributes = attributes_of(step);

	return attributes_check(run, &attributes, err);
}

static int write_apply(struct run *run, const struct step *step, struct error *err)
{
	const struct attributes attributes = attributes_of(step);

	return attributes_write(run, &attributes, err);
}
