/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any file below /sys that has no step of its own.
 */
#include "attributes.h"

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
		.options = attributes_options,
		.parse = attributes_parse,
		.check = attributes_check,
		.apply = attributes_write,
	},
	{}
};

const struct plugin plugin_sysfs = { .name = "sysfs", .types = types };
