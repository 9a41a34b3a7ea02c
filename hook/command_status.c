/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook status: what is changed now and on whose behalf, and how the last phases went.
 */
#include "command.h"
#include "status_print.h"

static void count(const struct domain_status *status, unsigned *ret_devices,
		  unsigned *ret_changes)
{
	for (size_t i = 0; i < status->journal.n; i++) {
		const struct record *record = &status->journal.records[i];

		if (record->struck)
			continue;
		(*ret_changes)++;
		*ret_devices += record->kind == &state_driver;
	}
}

static int overview_row(struct table *table, const struct domain_status *status)
{
	const struct phase_log *log = &status->log;
	const struct logged_phase *last = log->n ? &log->phases[log->n - 1] : NULL;
	_cleanup_free_ char *text = last ? status_phase_text(last) : NULL;
	unsigned devices = 0, changes = 0;
	char held[16], changed[16];
	char name[320];
	const char *cells[] = {
		name,	 domain_state_text(status->state), held,
		changed, last ? last->when : "-",	   text ? text : "-"
	};

	snprintf(name, sizeof(name), "%s%s", status->name, status->boot ? " (boot)" : "");
	count(status, &devices, &changes);
	snprintf(held, sizeof(held), "%u", devices);
	snprintf(changed, sizeof(changed), "%u", changes);
	return table_row(table, status_tone(status->state), cells);
}

static int fail(const struct error *err)
{
	fprintf(stderr, "vfio-hook: %s\n", error_text(err));
	return STATUS_FAILED;
}

/* Where and how much is shown. WHOLE: all there is of each domain, else a line. */
struct view {
	struct host host;
	struct json *json; /* NULL: for people */
	struct table *table;
	bool whole;
};

static int show_one(const struct view *view, const struct domain_status *status)
{
	int r = 0;

	if (view->json)
		status_print_json(view->json, &view->host, status);
	else
		r = view->whole ? status_print(&view->host, status, stdout) :
				  overview_row(view->table, status);
	return r < 0 || status_needs_attention(&view->host, status) ? STATUS_FAILED :
								      STATUS_OK;
}

/* The domain, and what it changed at boot. */
static int show_domain(const struct view *view, const char *hooks_dir, const char *name)
{
	_cleanup_(domain_status_done) struct domain_status status = { .journal.fd = -1 };
	_cleanup_(domain_status_done) struct domain_status boot = { .journal.fd = -1 };
	_cleanup_error_ struct error err = {}, boot_err = {};
	int worst, r;

	if (status_load(&view->host, hooks_dir, name, &status, &err) < 0)
		return fail(&err);
	worst = show_one(view, &status);
	r = status_load_boot(&view->host, hooks_dir, name, &boot, &boot_err);
	if (r == -ENOENT)
		return worst;
	if (r < 0)
		return fail(&boot_err);
	r = show_one(view, &boot);
	return r != STATUS_OK ? r : worst;
}

static int show(const struct command_options *options, const char *hooks_dir,
		const struct strv *names, bool whole)
{
	static const char *const titles[] = { "DOMAIN",	 "STATE", "DEVICES",
					      "CHANGES", "LAST",  "" };
	_cleanup_(table_done) struct table table = { .columns = 6 };
	struct json json = { .out = stdout };
	struct view view = { .host.root = options->root,
			     .json = options->json ? &json : NULL,
			     .table = &table,
			     .whole = whole };
	int worst = STATUS_OK;

	if (table_row(&table, TONE_HEAD, titles) < 0)
		return STATUS_FAILED;
	if (options->json) {
		json_object(&json, NULL);
		json_array(&json, "domains");
	}
	for (size_t i = 0; i < names->n; i++)
		if (show_domain(&view, hooks_dir, names->v[i]) != STATUS_OK)
			worst = STATUS_FAILED;
	if (options->json) {
		json_end(&json);
		json_end(&json);
	} else if (!whole && names->n) {
		table_print(&table, 0, stdout);
	}
	return worst;
}

static int status_run(const struct command_options *options, int argc, char **argv)
{
	const char *dir = options->hooks_dir ? options->hooks_dir : HOOKS_DIR;
	struct host host = { .root = options->root };
	_cleanup_strv_ struct strv names = {}, one = {};
	char guess[GUESS_LEN];
	int r = status_domains(&host, dir, &names);

	if (r < 0) {
		fprintf(stderr, "vfio-hook: cannot read /run/vfio-hook: %s%s\n",
			strerror(-r), r == -EACCES ? " (only root may)" : "");
		return STATUS_FAILED;
	}
	if (argc == 0) {
		if (!names.n && !options->json)
			printf("no domain has a config, a journal or a log; a config is made "
			       "by: vfio-hook init DOMAIN\n");
		return show(options, dir, &names, false);
	}
	if (!strv_contains(&names, argv[0])) {
		fprintf(stderr,
			"vfio-hook: nothing is known of %s: no config in %s/conf.d, no "
			"journal, no log%s\n",
			argv[0], dir, did_you_mean(guess, argv[0], &names));
		return STATUS_FAILED;
	}
	if (strv_add(&one, argv[0]) < 0)
		return STATUS_FAILED;
	return show(options, dir, &one, true);
}

const struct command command_status = {
	.name = "status",
	.args = "[DOMAIN]",
	.summary = "what is changed now, for whom, and how the last phases went",
	.max_args = 1,
	.options = COMMAND_JSON,
	.run = status_run,
	.help = "Without DOMAIN: a line for each domain. With one: every change that waits to be\n"
		"put back, its value before and now, who stands behind it, and the last phases\n"
		"with the steps that took longest.\n\n"
		"  idle         nothing is changed\n"
		"  prepared     prepare got through; the daemon or a guest stands behind it\n"
		"  partial      changed, but not by a whole prepare\n"
		"  busy         a phase runs now\n"
		"  orphaned     changed, and everybody who stood behind it is gone\n"
		"  interrupted  the last phase never ended: the machine or the hook was stopped\n\n"
		"Exit status 1 when a domain is orphaned or interrupted, or has left a process\n"
		"behind in the kernel, and when nothing is known of DOMAIN.",
};
