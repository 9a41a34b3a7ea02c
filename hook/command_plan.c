/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook plan and check: what would happen, without anything happening.
 */
#include "command.h"
#include "phase.h"
#include "print.h"

static int plan_run(const struct command_options *options, int argc, char **argv)
{
	enum phase phase = argc > 1 ? phase_from_name(argv[1]) : PHASE_PREPARE;
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = {};
	int r;

	if (phase == PHASE_NONE) {
		fprintf(stderr,
			"vfio-hook: %s is no phase: prepare, start, started, stopped, "
			"release, boot\n",
			argv[1]);
		return STATUS_USAGE;
	}
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

static void print_findings(const struct run *run, FILE *out)
{
	static const char *const words[] = {
		[REPORT_WARNING] = "warning", [REPORT_PROBLEM] = "problem"
	};

	for (int kind = REPORT_PROBLEM; kind >= REPORT_WARNING; kind--) {
		for (size_t i = 0; i < run->report.n; i++) {
			const struct report_item *item = &run->report.items[i];

			if ((int)item->kind != kind)
				continue;
			if (item->step)
				fprintf(out, "%s:%u: ", run->config->path,
					item->step->line);
			fprintf(out, "%s: %s%s%s\n", words[kind],
				item->step ? item->step->key : "", item->step ? ": " : "",
				item->what);
		}
	}
}

/* All phases that go up: their findings together are what would stop a start. */
static int check_phase(const struct command_options *options, const char *domain,
		       enum phase phase)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = {};
	int status = command_open(options, domain, phase, &call), r;

	if (status != STATUS_OK)
		return status;
	if (!call.run.config) {
		printf("%s: no config (%s/conf.d/%s.ini)\n", domain, call.hooks_dir,
		       domain);
		return STATUS_OK;
	}
	r = phase_check(&call.run, &err);
	if (options->json)
		print_plan_json(&call.run, stdout);
	else
		print_findings(&call.run, stdout);
	return r < 0 ? STATUS_FAILED : STATUS_OK;
}

static int check_domain(const struct command_options *options, const char *domain)
{
	int r = check_phase(options, domain, PHASE_PREPARE);

	if (!options->json && r == STATUS_OK)
		printf("%s: fine\n", domain);
	return r;
}

static int check_all(const struct command_options *options)
{
	struct host host = { .root = options->root };
	const char *dir = options->hooks_dir ? options->hooks_dir : HOOKS_DIR;
	_cleanup_strv_ struct strv names = {};
	int worst = STATUS_OK, r = host_list(&host, &names, "%s/conf.d", dir);

	if (r < 0 && r != -ENOENT) {
		fprintf(stderr, "vfio-hook: %s/conf.d: %s\n", dir, strerror(-r));
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < names.n; i++) {
		if (!str_ends(names.v[i], ".ini"))
			continue;
		names.v[i][strlen(names.v[i]) - strlen(".ini")] = '\0';
		r = check_domain(options, names.v[i]);
		worst = r > worst ? r : worst;
	}
	return worst;
}

static int check_run(const struct command_options *options, int argc, char **argv)
{
	return argc > 0 ? check_domain(options, argv[0]) : check_all(options);
}

const struct command command_check = {
	.name = "check",
	.args = "[DOMAIN]",
	.summary = "all that would stop the next start",
	.max_args = 1,
	.options = COMMAND_JSON,
	.run = check_run,
	.help = "Reads the config and judges the plan of prepare against this host: each problem\n"
		"(the start would be refused) and warning, with its cure. Without DOMAIN: of\n"
		"every domain that has a config. Exit status 1 when a start would fail.",
};
