/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook plan: what would happen, without anything happening.
 */
#include "command.h"
#include "phase.h"
#include "print.h"

static int plan_run(const struct command_options *options, int argc, char **argv)
{
	enum phase phase = argc > 1 ? command_phase(argv[1]) : PHASE_PREPARE;
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = {};
	int r;

	if (phase == PHASE_NONE)
		return STATUS_USAGE;
	r = command_open(options, argv[0], phase, &call);
	if (r != STATUS_OK)
		return r;
	r = phase_check(&call.run, &err);
	if (options->json)
		print_plan_json(&call.run, stdout);
	else
		print_plan(&call.run, stdout);
	if (r == 0)
		return STATUS_OK;
	fflush(stdout);
	fprintf(stderr, "vfio-hook: %s\n", error_text(&err));
	return STATUS_FAILED;
}

const struct command command_plan = {
	.name = "plan",
	.args = "DOMAIN [PHASE]",
	.summary = "the dry run: every change, with its value now and then",
	.min_args = 1,
	.max_args = 2,
	.options = COMMAND_JSON,
	.run = plan_run,
	.help = "Walks the steps of PHASE (default: prepare) the way a real run does, on a copy\n"
		"of what it finds, and prints each change. Nothing is changed. Exit status 1 when\n"
		"the phase would fail.",
};
