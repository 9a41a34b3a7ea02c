/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans for people, and the table of steps from the entries the parser uses.
 */
#include "json.h"
#include "print.h"
#include "state.h"

#define NAME_WIDTH 22

static const char *const finding_words[] = {
	[REPORT_NOTE] = "note",
	[REPORT_WARNING] = "warning",
	[REPORT_PROBLEM] = "PROBLEM",
};

/* The widest name of a change, so that the values stand below each other. */
static int change_width(const struct report *report)
{
	size_t width = 0;

	for (size_t i = 0; i < report->n; i++) {
		const struct report_item *item = &report->items[i];

		if (item->kind == REPORT_CHANGE && item->now && strlen(item->what) > width)
			width = strlen(item->what);
	}
	return width > 72 ? 72 : (int)width;
}

static void print_item(const struct report_item *item, int width, FILE *out)
{
	if (item->kind != REPORT_CHANGE)
		fprintf(out, "      %s: %s\n", finding_words[item->kind], item->what);
	else if (item->now)
		fprintf(out, "      %-*s  %s → %s\n", width, item->what,
			state_value_text(item->now), state_value_text(item->then));
	else
		fprintf(out, "      %s (%s)\n", item->what, item->then);
}

static void print_items(const struct run *run, const struct step *step, int width,
			FILE *out)
{
	for (size_t i = 0; i < run->report.n; i++)
		if (run->report.items[i].step == step)
			print_item(&run->report.items[i], width, out);
}

static bool has_items(const struct run *run, const struct step *step)
{
	for (size_t i = 0; i < run->report.n; i++)
		if (run->report.items[i].step == step)
			return true;
	return false;
}

void print_plan(const struct run *run, FILE *out)
{
	int width = change_width(&run->report);
	unsigned number = 0;

	fprintf(out, "%s: %s\n", run->domain->name, phase_name(run->event.phase));
	for (size_t i = 0; run->config && i < run->config->n_steps; i++) {
		const struct step *step = &run->config->steps[i];

		if (step->phase != run->event.phase)
			continue;
		fprintf(out, "%4u  %s\n", ++number, step->text);
		print_items(run, step, width, out);
		if (!has_items(run, step))
			fprintf(out, "      nothing to change\n");
	}
	if (has_items(run, NULL)) {
		fprintf(out, "   *  %s\n",
			phase_goes_up(run->event.phase) ? "then" :
							  "put back, newest first");
		print_items(run, NULL, width, out);
	}
}

void print_plan_json(const struct run *run, FILE *out)
{
	static const char *const kinds[] = { "change", "note", "warning", "problem" };
	struct json json = { .out = out };

	json_object(&json, NULL);
	json_string(&json, "domain", run->domain->name);
	json_string(&json, "uuid", run->domain->uuid);
	json_string(&json, "phase", phase_name(run->event.phase));
	json_array(&json, "items");
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];
		bool is_change = item->kind == REPORT_CHANGE;

		json_object(&json, NULL);
		json_string(&json, "kind", kinds[item->kind]);
		json_string(&json, "step", item->step ? item->step->key : NULL);
		if (item->step)
			json_number(&json, "line", item->step->line);
		json_string(&json, is_change ? "target" : "text", item->what);
		if (is_change) {
			json_string(&json, "now", item->now);
			json_string(&json, "then", item->then);
		}
		json_end(&json);
	}
	json_end(&json);
	json_end(&json);
}

void print_problems(const struct config *config, const struct error *err)
{
	for (size_t i = 0; i < config->problems.n; i++)
		fprintf(stderr, "%s\n", config->problems.v[i]);
	if (!config->problems.n)
		fprintf(stderr, "vfio-hook: %s\n", error_text(err));
}

void print_steps(FILE *out)
{
	char name[64];

	for (const struct plugin *const *p = step_plugins(); *p; p++)
		for (const struct step_type *t = (*p)->types; t->summary; t++)
			fprintf(out, "%-*s %s\n", NAME_WIDTH, step_type_name(*p, t, name),
				t->summary);
}

static void print_phases(const struct step_type *type, FILE *out)
{
	fprintf(out, "%-*s", NAME_WIDTH, "phases");
	for (int phase = 0; phase < PHASE_NONE; phase++)
		if (type->phases & PHASE_BIT(phase))
			fprintf(out, " %s", phase_name((enum phase)phase));
	putc('\n', out);
}

int print_step(const char *key, FILE *out)
{
	const struct plugin *plugin;
	const struct step_type *type = step_find(key, &plugin);

	if (!type)
		return -ENOENT;
	fprintf(out, "%s = %s%s\n", key,
		type->options && type->options->name ? "[OPTION…] " : "",
		type->args ? type->args : "");
	fprintf(out, "%-*s %s\n", NAME_WIDTH, "", type->summary);
	for (const struct option_spec *o = type->options; o && o->name; o++) {
		fprintf(out, "  %s=%-*s %s", o->name,
			NAME_WIDTH - 3 - (int)strlen(o->name),
			o->choices ? o->choices : "", o->text);
		if (o->def)
			fprintf(out, " (default: %s)", o->def);
		putc('\n', out);
	}
	print_phases(type, out);
	if (type->undo)
		fprintf(out, "%-*s %s\n", NAME_WIDTH, "undo", type->undo);
	return 0;
}
