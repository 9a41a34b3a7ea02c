/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel parameters below /proc/sys, named as sysctl(8) does.
 */
#include "attributes.h"

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
		.options = attributes_options,
		.parse = attributes_parse,
		.check = attributes_check,
		.apply = attributes_write,
	},
	{}
};

const struct plugin plugin_sysctl = { .name = "sysctl", .types = types };
