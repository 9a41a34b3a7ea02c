/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook plan: what would happen, without anything happening.
 */
#include "command.h"
#include "phase.h"
#include "print.h"

static int print(const struct command_options *options, struct run *run)
{
	if (!options->json && !options->diff)
		return print_plan_whole(run, stdout);
	if (options->json)
		print_plan_json(run, stdout);
	else
		print_plan_diff(run, stdout);
	return 0;
}

/* A config that is there and not read is worse than none. */
static void tell_other_config(const struct call *call)
{
	char buf[GUESS_LEN];
	const char *meant = call->run.config ?
				    NULL :
				    guess_config(buf, &call->run.host, call->hooks_dir,
						 call->run.event.domain);

	if (meant)
		fprintf(stderr,
			"vfio-hook: %s/conf.d/%s is not read for the domain %s: rename it to "
			"%s.ini, if that is meant\n",
			call->hooks_dir, meant, call->run.event.domain,
			call->run.event.domain);
}

static int plan_run(const struct command_options *options, int argc, char **argv)
{
	enum phase phase = argc > 1 ? command_phase(&command_plan, argv[1]) :
				      PHASE_PREPARE;
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = CALL_NONE;
	int r;

	if (phase == PHASE_NONE)
		return STATUS_USAGE;
	if (options->json && options->diff)
		return usage_error(&command_plan, "--json and --diff: only one of them");
	r = command_open(options, argv[0], phase, &call);
	if (r != STATUS_OK)
		return r;
	tell_other_config(&call);
	r = phase_check(&call.run, &err);
	if (print(options, &call.run) < 0 && r == 0)
		r = error_oom(&err);
	if (r == 0)
		return STATUS_OK;
	fflush(stdout);
	fprintf(stderr, "vfio-hook: %s\n", error_text(&err));
	return STATUS_FAILED;
}

const struct command command_plan = {
	.name = "plan",
	.args = "DOMAIN [PHASE] [--diff]",
	.summary = "the dry run: every change, with its value now and then",
	.min_args = 1,
	.max_args = 2,
	.options = COMMAND_JSON | COMMAND_DIFF,
	.run = plan_run,
	.help = "Walks the steps of PHASE (default: prepare) the way a real run does, on a copy\n"
		"of what it finds, and prints each change, what is put back afterwards, and who\n"
		"holds the devices. --diff: only the changes, as \"- now\" and \"+ then\". Nothing is\n"
		"changed. Exit status 1 when the phase would fail.",
};
