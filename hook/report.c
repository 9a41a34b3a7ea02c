/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run finds and changes: collected for plan and check, and logged when it is real.
 */
#include "effect.h"
#include "log.h"

static void report_add(struct run *run, enum report_kind kind, const char *what,
		       const char *now, const char *then)
{
	struct report *report = &run->report;
	struct report_item item = { .kind = kind, .step = run->step };

	if (array_grow(&report->items, report->n, sizeof(item)) < 0)
		return;
	item.what = strdup(what);
	item.now = now ? strdup(now) : NULL;
	item.then = then ? strdup(then) : NULL;
	if (kind == REPORT_WARNING || kind == REPORT_PROBLEM)
		item.cure = STEAL(report->cure);
	report->items[report->n++] = item;
}

static int rank(const struct report_item *item)
{
	if (item->kind != REPORT_PROBLEM)
		return 3;
	if (item->code == -EBUSY) /* in use: held, mounted, another guest's */
		return 0;
	return item->code == -ENOMEM || item->code == -ENOSPC ? 2 : 1;
}

void report_sort(struct report *report)
{
	for (size_t i = 1; i < report->n; i++) {
		struct report_item item = report->items[i];
		size_t j = i;

		for (; j > 0 && rank(&report->items[j - 1]) > rank(&item); j--)
			report->items[j] = report->items[j - 1];
		report->items[j] = item;
	}
}

void report_done(struct report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		free(report->items[i].what);
		free(report->items[i].now);
		free(report->items[i].then);
		free(report->items[i].target);
		free(report->items[i].data);
		free(report->items[i].cure);
	}
	free(report->cure);
	free(report->items);
	*report = (struct report){};
}

static const char *step_key(const struct run *run)
{
	if (run->step)
		return run->step->key;
	return run->event.phase == PHASE_NONE ? "undo" : phase_name(run->event.phase);
}

char *report_values(const char *now, const char *then)
{
	char *text;

	if (!now)
		return strdup(then);
	return asprintf(&text, "%s → %s", state_value_text(now), state_value_text(then)) <
			       0 ?
		       NULL :
		       text;
}

void run_change(struct run *run, const char *what, const char *now, const char *then)
{
	_cleanup_free_ char *values = NULL;

	report_add(run, REPORT_CHANGE, what, now, then);
	if (run->simulate)
		return;
	values = report_values(now, then);
	log_info("%s: %s: %s", step_key(run), what, values ? values : then);
}

_printf_(4, 0) static void finding(struct run *run, enum report_kind kind, int level,
				   const char *fmt, va_list ap)
{
	_cleanup_free_ char *text = str_format(fmt, ap);

	if (!text)
		return;
	report_add(run, kind, text, NULL, NULL);
	if (!run->simulate)
		log_at(level, "%s: %s", step_key(run), text);
}

/* Said in this phase: what is wrong in two of them is told of both. */
static bool is_said(const struct run *run, const struct report_item *item,
		    const char *text)
{
	return streq(item->what, text) &&
	       (!item->step || item->step->phase == run->event.phase);
}

bool run_said(const struct run *run, const char *text)
{
	for (size_t i = 0; i < run->report.n; i++)
		if (is_said(run, &run->report.items[i], text))
			return true;
	return false;
}

static void set_cure(struct run *run, char *cure)
{
	free(run->report.cure);
	run->report.cure = cure;
}

/* Problems of a step that is marked '-' do not end the run. */
static void add_problem(struct run *run, int code, const char *text)
{
	const bool optional = run->step && run->step->optional;
	const enum report_kind kind = optional ? REPORT_WARNING : REPORT_PROBLEM;
	const size_t n = run->report.n;

	for (size_t i = 0; i < n; i++)
		if (run->report.items[i].kind == kind &&
		    is_said(run, &run->report.items[i], text))
			return; /* told already */
	report_add(run, kind, text, NULL, NULL);
	if (run->report.n > n)
		run->report.items[n].code = code;
}

int run_problem(struct run *run, int code, struct error *err, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL, *whole = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = str_format(fmt, ap);
	va_end(ap);
	if (!text || asprintf(&whole, "%s%s", text,
			      run->report.clause ? run->report.clause : "") < 0) {
		whole = NULL;
		return error_oom(err);
	}
	run->report.clause = NULL;
	if (!run->simulate)
		return error_set(err, code, "%s", whole);
	add_problem(run, code, whole);
	run_forget_cure(run);
	return 0;
}

int run_problem_why(struct run *run, int code, struct error *err, const struct error *why)
{
	if (why->cure)
		run_cure(run, "%s", why->cure);
	return run_problem(run, code, err, "%s", error_text(why));
}

void run_cure(struct run *run, const char *fmt, ...)
{
	va_list ap;

	if (!run->simulate) /* an error's one line has it */
		return;
	va_start(ap, fmt);
	set_cure(run, str_format(fmt, ap));
	va_end(ap);
}

void run_forget_cure(struct run *run)
{
	set_cure(run, NULL);
	run->report.clause = NULL;
}

void run_cure_optional(struct run *run, const char *clause)
{
	if (run->step->optional)
		return;
	run_cure(run, "-%s", run->step->text);
	run->report.clause = clause;
}

/* "NAME=VALUE" among the options of a line, or its end. */
static const char *find_option(const char *words, const char *name)
{
	const size_t n = strlen(name);

	while (*words) {
		const char *word = words + strspn(words, " ");

		if (strncmp(word, name, n) == 0 && word[n] == '=')
			return words;
		words = word + strcspn(word, " ");
	}
	return words;
}

void run_cure_option(struct run *run, const struct step *step, const char *option,
		     const char *value)
{
	const char *words = strchr(step->text, '=') + 1;
	const char *old = find_option(words, option), *rest = old;

	if (*rest)
		rest += 1 + strcspn(rest + 1, " ");
	run_cure(run, "%.*s%s%s%s%s%.*s%s", (int)(words - step->text), step->text,
		 value ? " " : "", value ? option : "", value ? "=" : "", value ?: "",
		 (int)(old - words), words, rest);
}

void run_warn(struct run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	finding(run, REPORT_WARNING, LOG_WARNING, fmt, ap);
	va_end(ap);
}

void run_note(struct run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	finding(run, REPORT_NOTE, LOG_INFO, fmt, ap);
	va_end(ap);
}
