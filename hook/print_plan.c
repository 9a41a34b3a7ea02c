/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans for people, as diffs, and for programs.
 */
#include "print.h"
#include "state.h"
#include "table.h"

#define WIDEST_NAME 72

static const char *const finding_words[] = {
	[REPORT_NOTE] = "note",
	[REPORT_WARNING] = "warning",
	[REPORT_PROBLEM] = "PROBLEM",
};

static const enum tone finding_tones[] = {
	[REPORT_NOTE] = TONE_DIM,
	[REPORT_WARNING] = TONE_WARN,
	[REPORT_PROBLEM] = TONE_BAD,
};

int print_width(const struct report *report)
{
	size_t width = 0;

	for (size_t i = 0; i < report->n; i++) {
		const struct report_item *item = &report->items[i];

		if (item->kind == REPORT_CHANGE && item->now && strlen(item->what) > width)
			width = strlen(item->what);
	}
	return width > WIDEST_NAME ? WIDEST_NAME : (int)width;
}

static void print_item(const struct report_item *item, int width, FILE *out)
{
	_cleanup_free_ char *values = NULL;

	if (item->kind != REPORT_CHANGE) {
		fprintf(out, "      %s%s%s: %s\n", tone(out, finding_tones[item->kind]),
			finding_words[item->kind], tone(out, TONE_PLAIN), item->what);
		return;
	}
	values = report_values(item->now, item->then);
	if (item->now)
		fprintf(out, "      %-*s  %s\n", width, item->what, values ? values : "");
	else
		fprintf(out, "      %s (%s)\n", item->what, values ? values : "");
}

/* How many there are of the step (NULL: of the plan as a whole). */
static size_t print_items(const struct run *run, const struct step *step, int width,
			  FILE *out)
{
	size_t n = 0;

	for (size_t i = 0; i < run->report.n; i++) {
		if (run->report.items[i].step != step)
			continue;
		if (n++ == 0 && !step)
			fprintf(out, "   *  %s\n",
				phase_goes_up(run->event.phase) ?
					"then" :
					"put back, newest first");
		print_item(&run->report.items[i], width, out);
	}
	return n;
}

void print_plan(const struct run *run, FILE *out)
{
	char word[SHELL_WORD_MAX];
	int width = print_width(&run->report);
	unsigned number = 0;

	fprintf(out, "%s%s: %s%s\n", tone(out, TONE_HEAD), run->domain->name,
		phase_name(run->event.phase), tone(out, TONE_PLAIN));
	for (size_t i = 0; run->config && i < run->config->n_steps; i++) {
		const struct step *step = &run->config->steps[i];

		if (step->phase != run->event.phase)
			continue;
		fprintf(out, "%s%4u  %s%s\n", tone(out, TONE_HEAD), ++number, step->text,
			tone(out, TONE_PLAIN));
		if (print_items(run, step, width, out) == 0)
			fprintf(out, "      nothing to change\n");
	}
	if (print_items(run, NULL, width, out) == 0 && !run->config)
		fprintf(out,
			"      no config: nothing would be done for it; make one with: "
			"vfio-hook init --write %s\n",
			shell_word(run->domain->name, word, sizeof(word)));
}

/* Has a change of the same thing come before, or does one come later? */
static const struct report_item *other_change(const struct report *report, size_t i,
					      bool later)
{
	size_t begin = later ? i + 1 : 0, end = later ? report->n : i;
	const struct report_item *found = NULL;

	for (size_t k = begin; k < end && (later || !found); k++)
		if (report->items[k].kind == REPORT_CHANGE && report->items[k].now &&
		    streq(report->items[k].what, report->items[i].what))
			found = &report->items[k];
	return found;
}

static void print_lines(const char *sign, enum tone line_tone, const char *value,
			FILE *out)
{
	fprintf(out, "%s%s %s%s\n", tone(out, line_tone), sign, state_value_text(value),
		tone(out, TONE_PLAIN));
}

void print_plan_diff(const struct run *run, FILE *out)
{
	const char *phase = phase_name(run->event.phase);

	fprintf(out, "--- %s now\n+++ %s after %s\n", run->domain->name,
		run->domain->name, phase);
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i], *last;

		if (item->kind != REPORT_CHANGE)
			continue;
		if (!item->now) {
			fprintf(out, "@@ %s @@\n", item->what);
			print_lines("+", TONE_GOOD, item->then, out);
			continue;
		}
		last = other_change(&run->report, i, true);
		last = last ? last : item;
		if (other_change(&run->report, i, false) || streq(item->now, last->then))
			continue;
		fprintf(out, "@@ %s @@\n", item->what);
		print_lines("-", TONE_BAD, item->now, out);
		print_lines("+", TONE_GOOD, last->then, out);
	}
}

static void print_item_json(const struct report_item *item, struct json *json)
{
	static const char *const kinds[] = { "change", "note", "warning", "problem" };
	bool is_change = item->kind == REPORT_CHANGE;

	json_object(json, NULL);
	json_string(json, "kind", kinds[item->kind]);
	json_string(json, "step", item->step ? item->step->key : NULL);
	if (item->step)
		json_number(json, "line", item->step->line);
	else
		json_string(json, "line", NULL);
	json_string(json, is_change ? "target" : "text", item->what);
	if (is_change) {
		json_string(json, "now", item->now);
		json_string(json, "then", item->then);
	} else {
		json_string(json, "cure", item->cure);
	}
	json_end(json);
}

void print_plan_json(struct run *run, FILE *out)
{
	struct json json = { .out = out };

	json_object(&json, NULL);
	json_string(&json, "domain", run->domain->name);
	json_string(&json, "uuid",
		    run->event.phase == PHASE_BOOT ? NULL : run->domain->uuid);
	json_string(&json, "phase", phase_name(run->event.phase));
	json_array(&json, "items");
	for (size_t i = 0; i < run->report.n; i++)
		print_item_json(&run->report.items[i], &json);
	json_end(&json);
	print_way_back_json(run, &json);
	print_plan_devices_json(run, &json);
	json_end(&json);
}
