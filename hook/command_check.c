/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook check: installation, host, and each domain's config against its XML.
 */
#include "advice.h"
#include "command.h"
#include "phase.h"
#include "print.h"
#include "table.h"

/* One part of the answer: "installation and host", or a domain. */
struct section {
	const char *name;
	bool is_domain;
	struct findings findings;
};

static void take_report(const struct run *run, struct findings *findings)
{
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];

		if (item->kind != REPORT_PROBLEM && item->kind != REPORT_WARNING)
			continue;
		finding_add(findings,
			    item->kind == REPORT_PROBLEM ? FINDING_PROBLEM :
							   FINDING_WARNING,
			    NULL, "%s%s%s", item->step ? item->step->key : "",
			    item->step ? ": " : "", item->what);
		if (item->step && !findings->oom &&
		    asprintf(&findings->items[findings->n - 1].where, "%s:%u",
			     run->config->path, item->step->line) < 0)
			findings->items[findings->n - 1].where = NULL;
	}
}

static int fill_domain(const struct command_options *options, struct section *section)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = {};
	int r = command_open(options, section->name, PHASE_PREPARE, &call);

	if (r != STATUS_OK)
		return r;
	if (!call.run.config) {
		char cure[512];

		snprintf(cure, sizeof(cure), "vfio-hook init --write %s", section->name);
		finding_add(&section->findings, FINDING_ADVICE, cure,
			    "no config (%s/conf.d/%s.ini): nothing is done for it",
			    call.hooks_dir, section->name);
		return STATUS_OK;
	}
	phase_check(&call.run, &err);
	take_report(&call.run, &section->findings);
	advise_domain(&call, &section->findings);
	return STATUS_OK;
}

static void print_section(const struct section *section, FILE *out)
{
	if (!section->findings.n) {
		fprintf(out, "%s%s%s: %sfine%s\n", tone(out, TONE_HEAD), section->name,
			tone(out, TONE_PLAIN), tone(out, TONE_GOOD),
			tone(out, TONE_PLAIN));
		return;
	}
	fprintf(out, "%s%s%s%s\n", tone(out, TONE_HEAD), section->name,
		tone(out, TONE_PLAIN),
		findings_worst(&section->findings) == FINDING_PROBLEM ?
			": a start would fail" :
			": a start would work");
	findings_print(&section->findings, out);
}

static void print_section_json(const struct section *section, struct json *json)
{
	json_object(json, NULL);
	json_string(json, "domain", section->is_domain ? section->name : NULL);
	json_bool(json, "ok", findings_worst(&section->findings) < FINDING_PROBLEM);
	json_array(json, "findings");
	findings_print_json(&section->findings, json);
	json_end(json);
	json_end(json);
}

static int finish(const struct command_options *options, struct section *section,
		  struct json *json, int status)
{
	if (status == STATUS_OK) {
		if (options->json)
			print_section_json(section, json);
		else
			print_section(section, stdout);
		fflush(stdout);
		if (findings_worst(&section->findings) == FINDING_PROBLEM)
			status = STATUS_FAILED;
	}
	findings_done(&section->findings);
	return status;
}

static int check_domains(const struct command_options *options, const struct strv *names)
{
	const char *dir = options->hooks_dir ? options->hooks_dir : HOOKS_DIR;
	struct section section = { .name = "installation and host" };
	struct host host = { .root = options->root };
	struct json json = { .out = stdout };
	int worst, r;

	if (options->json) {
		json_object(&json, NULL);
		json_array(&json, "sections");
	}
	advise_install(&host, dir, &section.findings);
	advise_host(&host, &section.findings);
	worst = finish(options, &section, &json, STATUS_OK);
	for (size_t i = 0; i < names->n; i++) {
		section = (struct section){ .name = names->v[i], .is_domain = true };
		r = fill_domain(options, &section);
		r = finish(options, &section, &json, r);
		worst = r > worst ? r : worst;
	}
	if (options->json) {
		json_end(&json);
		json_end(&json);
	}
	return worst;
}

/* Every domain that has a config. */
static int list_domains(const struct command_options *options, struct strv *ret)
{
	const struct host host = { .root = options->root };
	char dir[PATH_MAX];
	int r;

	snprintf(dir, sizeof(dir), "%s/conf.d",
		 options->hooks_dir ? options->hooks_dir : HOOKS_DIR);
	r = command_names(&host, dir, ".ini", ret);
	if (r == 0 || r == -ENOENT)
		return 0;
	fprintf(stderr, "vfio-hook: %s: %s\n", dir, strerror(-r));
	return r;
}

static int check_run(const struct command_options *options, int argc, char **argv)
{
	_cleanup_strv_ struct strv names = {};
	int r = argc > 0 ? strv_add(&names, argv[0]) : list_domains(options, &names);

	return r < 0 ? STATUS_USAGE : check_domains(options, &names);
}

const struct command command_check = {
	.name = "check",
	.args = "[DOMAIN]",
	.summary = "all that would stop the next start, and advice",
	.max_args = 1,
	.options = COMMAND_JSON,
	.run = check_run,
	.help = "Judges the installation (will libvirt run the hook?), the host (IOMMU, vfio), the\n"
		"plan of prepare, and the domain's XML against its config. Each finding says why\n"
		"it matters and what to put where:\n\n"
		"  problem   a start would be refused, fail, or not be handled at all\n"
		"  warning   it may fail, or something is not as it should be\n"
		"  advice    the guest would run better\n\n"
		"Without DOMAIN: of every domain that has a config. Exit status 1 when there is a\n"
		"problem, 2 when a config cannot be read.",
};
