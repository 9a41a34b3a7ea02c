/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook check: installation, host, and each domain's config against its XML.
 */
#include "advice.h"
#include "command.h"
#include "desktop.h"
#include "phase.h"
#include "print.h"
#include "scripts.h"
#include "table.h"

/* One part of the answer: "installation and host", or a domain. */
struct section {
	const char *name;
	bool is_domain;
	struct findings findings;
	bool start_fails; /* else its problems are of the way back */
	bool unknown; /* libvirt has no such domain */
};

/* Files that may be there only once the steps before have run, or the guest does. */
static bool may_come(const struct report_item *item)
{

	if (!item->step || item->step->phase == PHASE_PREPARE || item->code != -ENOENT)
		return false;
	return STR_IN(item->step->key, "sysfs.write", "sysctl.write", "file.own");
}

/* At boot it was, or will be, another machine: no desktop yet, no guest. */
static bool is_problem(const struct run *run, const struct report_item *item)
{
	return item->kind == REPORT_PROBLEM && run->event.phase != PHASE_BOOT &&
	       !may_come(item);
}

static void take_report(const struct run *run, struct section *section)
{
	struct findings *findings = &section->findings;

	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];
		bool problem = is_problem(run, item);

		if (item->kind != REPORT_PROBLEM && item->kind != REPORT_WARNING)
			continue;
		section->start_fails |= problem &&
					(!item->step || phase_goes_up(item->step->phase));
		finding_add(findings, problem ? FINDING_PROBLEM : FINDING_WARNING,
			    item->cure, "%s%s%s%s",
			    run->event.phase == PHASE_BOOT ? "as things are now, " : "",
			    item->step ? item->step->key : "", item->step ? ": " : "",
			    item->what);
		if (item->step && !findings->oom &&
		    asprintf(&findings->items[findings->n - 1].where, "%s:%u",
			     run->config->path, item->step->line) < 0)
			findings->items[findings->n - 1].where = NULL;
	}
}

/* [boot/begin] has neither XML nor journal in common with the others. */
static void judge_boot(const struct command_options *options, struct section *section)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = CALL_NONE;

	if (command_open(options, section->name, PHASE_BOOT, &call) != STATUS_OK)
		return;
	phase_check(&call.run, &err);
	take_report(&call.run, section);
	advise_boot(&call.run.host, call.run.config->path, &section->findings);
}

static void advise_desktop(const struct run *run, struct findings *findings)
{
	const struct step *step = desktop_end(run);

	if (step)
		finding_add(findings, FINDING_ADVICE, NULL,
			    "%s (line %u) ends the desktop of this host: %s", step->key,
			    step->line, desktop_end_advice);
}

/* Is there a problem between XML, config and host? */
static bool advise(struct call *call, struct findings *findings)
{
	size_t first = findings->n;

	advise_domain(call, true, findings);
	advise_desktop(&call->run, findings);
	for (size_t i = first; i < findings->n; i++)
		if (findings->items[i].level == FINDING_PROBLEM)
			return true;
	return false;
}

/* All but the XML can be judged: nothing that is done for it is known without. */
static int fill_unknown(struct call *call, const struct error *why,
			struct section *section)
{
	int r = command_load_config(call);

	section->unknown = true;
	advise_no_domain(call, why, &section->findings);
	return r;
}

static int fill_domain(const struct command_options *options, struct section *section)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = CALL_NONE;
	int r = command_load(options, section->name, PHASE_PREPARE, &call, &err);

	if (r == -ENOENT && advice_has_files(&call))
		return fill_unknown(&call, &err, section);
	r = command_loaded(options, &call, r, &err);
	if (r == STATUS_OK)
		r = command_load_config(&call);
	if (r != STATUS_OK)
		return r;
	if (phase_check_all(&call.run, &err) < 0) {
		finding_add(&section->findings, FINDING_PROBLEM, err.cure, "%s",
			    error_text(&err));
		section->start_fails = true;
	}
	take_report(&call.run, section);
	event_of_phase(&call.run.event, section->name, PHASE_PREPARE);
	if (!call.run.config)
		advise_no_config(&call, &section->findings);
	section->start_fails |= advise(&call, &section->findings);
	if (!call.run.config)
		return STATUS_OK;
	if (config_has_phase(call.run.config, PHASE_BOOT))
		judge_boot(options, section);
	return STATUS_OK;
}

static const char *verdict(const struct section *section)
{
	if (section->unknown)
		return "a start is not judged";
	if (findings_worst(&section->findings) != FINDING_PROBLEM)
		return "a start would work";
	return section->start_fails || !section->is_domain ?
		       "a start would fail" :
		       "a start would work, but not all of the way back";
}

static void print_section(const struct section *section, FILE *out)
{
	if (!section->findings.n) {
		fprintf(out, "%s%s%s: %sfine%s\n", tone(out, TONE_HEAD), section->name,
			tone(out, TONE_PLAIN), tone(out, TONE_GOOD),
			tone(out, TONE_PLAIN));
		return;
	}
	fprintf(out, "%s%s%s: %s\n", tone(out, TONE_HEAD), section->name,
		tone(out, TONE_PLAIN), verdict(section));
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

static int list_folder(const struct command_options *options, const char *folder,
		       const char *suffix, struct strv *ret)
{
	const struct host host = { .root = options->root };
	char dir[PATH_MAX];
	int r;

	snprintf(dir, sizeof(dir), "%s/%s",
		 options->hooks_dir ? options->hooks_dir : HOOKS_DIR, folder);
	r = command_names(&host, dir, suffix, ret);
	if (r == 0 || r == -ENOENT)
		return 0;
	fprintf(stderr, "vfio-hook: %s: %s\n", dir, strerror(-r));
	return r;
}

/* By the XML that libvirt keeps, if it can be read. */
static bool has_devices(const struct host *host, const char *dir, const char *name)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = CALL_NONE;

	call_init(&call, host->root, dir);
	event_of_phase(&call.run.event, name, PHASE_PREPARE);
	return call_read_stored_xml(&call, &err) == 0 &&
	       call_parse_domain(&call, &err) == 0 && call.domain.n_hostdevs;
}

/* Those of NAMES that are not in RET yet and are as CONCERNS says. */
static int add_others(const struct host *host, const char *dir, const struct strv *names,
		      bool (*concerns)(const struct host *host, const char *dir,
				       const char *name),
		      struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; i < names->n && r >= 0; i++)
		if (!strv_contains(ret, names->v[i]) && concerns(host, dir, names->v[i]))
			r = strv_add(ret, names->v[i]);
	return r < 0 ? r : 0;
}

/* Each domain that has a config, then those with scripts only, then with devices only. */
static int list_domains(const struct command_options *options, struct strv *ret)
{
	const char *dir = options->hooks_dir ? options->hooks_dir : HOOKS_DIR;
	const struct host host = { .root = options->root };
	_cleanup_strv_ struct strv trees = {}, known = {};
	int r = list_folder(options, "conf.d", ".ini", ret);

	if (r == 0)
		r = list_folder(options, "qemu.d", "", &trees);
	if (r == 0)
		r = add_others(&host, dir, &trees, advice_has_scripts, ret);
	/* Root's alone to read; without libvirt it is not there. */
	if (r == 0 && command_names(&host, "/etc/libvirt/qemu", ".xml", &known) == 0)
		r = add_others(&host, dir, &known, has_devices, ret);
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
		"steps of every phase, each in the state that those before it leave, and the\n"
		"domain's XML against its config. Each finding says why it matters and what to\n"
		"put where:\n\n"
		"  problem   a start would be refused, fail, or not be handled at all, or a step\n"
		"            of the way back would fail\n"
		"  warning   it may fail, or something is not as it should be\n"
		"  advice    the guest would run better\n\n"
		"Without DOMAIN: of every domain that has a config, scripts, or PCI devices in the\n"
		"XML that libvirt keeps. Exit status 1 when there is a problem, 2 when a config\n"
		"cannot be read.",
};
