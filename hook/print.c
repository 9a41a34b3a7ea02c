/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans for people, and the table of steps from the entries the parser uses.
 */
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

static void json_string(FILE *out, const char *s)
{
	putc('"', out);
	for (; s && *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			fprintf(out, "\\u%04x", (unsigned)*s);
		else
			putc(*s, out);
	}
	putc('"', out);
}

static void json_member(FILE *out, const char *name, const char *value)
{
	fprintf(out, ", \"%s\": ", name);
	if (value)
		json_string(out, value);
	else
		fputs("null", out);
}

void print_plan_json(const struct run *run, FILE *out)
{
	static const char *const kinds[] = { "change", "note", "warning", "problem" };

	fputs("{\"domain\": ", out);
	json_string(out, run->domain->name);
	json_member(out, "uuid", run->domain->uuid);
	json_member(out, "phase", phase_name(run->event.phase));
	fputs(", \"items\": [", out);
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];

		fprintf(out, "%s\n {\"kind\": \"%s\"", i ? "," : "", kinds[item->kind]);
		json_member(out, "step", item->step ? item->step->key : NULL);
		if (item->step)
			fprintf(out, ", \"line\": %u", item->step->line);
		json_member(out, item->kind == REPORT_CHANGE ? "target" : "text",
			    item->what);
		if (item->kind == REPORT_CHANGE) {
			json_member(out, "now", item->now);
			json_member(out, "then", item->then);
		}
		putc('}', out);
	}
	fputs("\n]}\n", out);
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
