/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings of `check`: collected first, so that the worst stands above the rest.
 */
#include "advice.h"
#include "table.h"

static const char *const level_names[] = {
	[FINDING_ADVICE] = "advice",
	[FINDING_WARNING] = "warning",
	[FINDING_PROBLEM] = "problem",
};

void finding_add(struct findings *findings, enum finding_level level, const char *cure,
		 const char *fmt, ...)
{
	struct finding finding = { .level = level };
	va_list ap;

	va_start(ap, fmt);
	finding.text = str_format(fmt, ap);
	va_end(ap);
	if (!finding.text) {
		findings->oom = true;
		return;
	}
	finding.cure = cure && *cure ? strdup(cure) : NULL;
	if ((cure && *cure && !finding.cure) ||
	    array_grow(&findings->items, findings->n, sizeof(finding)) < 0) {
		free(finding.text);
		free(finding.cure);
		findings->oom = true;
		return;
	}
	findings->items[findings->n++] = finding;
}

enum finding_level findings_worst(const struct findings *findings)
{
	enum finding_level worst = FINDING_ADVICE;

	for (size_t i = 0; i < findings->n; i++)
		if (findings->items[i].level > worst)
			worst = findings->items[i].level;
	return worst;
}

static void print_one(const struct finding *finding, FILE *out)
{
	static const enum tone tones[] = {
		[FINDING_ADVICE] = TONE_DIM,
		[FINDING_WARNING] = TONE_WARN,
		[FINDING_PROBLEM] = TONE_BAD,
	};
	const char *line = finding->cure;

	fprintf(out, "  %s%-7s%s  %s%s%s\n", tone(out, tones[finding->level]),
		level_names[finding->level], tone(out, TONE_PLAIN),
		finding->where ? finding->where : "", finding->where ? ": " : "",
		finding->text);
	while (line && *line) {
		size_t n = strcspn(line, "\n");

		fprintf(out, "             %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

void findings_print(const struct findings *findings, FILE *out)
{
	for (int level = FINDING_PROBLEM; level >= FINDING_ADVICE; level--)
		for (size_t i = 0; i < findings->n; i++)
			if ((int)findings->items[i].level == level)
				print_one(&findings->items[i], out);
	if (findings->oom)
		fprintf(out, "  warning  out of memory: not all is told\n");
}

void findings_print_json(const struct findings *findings, struct json *json)
{
	for (int level = FINDING_PROBLEM; level >= FINDING_ADVICE; level--) {
		for (size_t i = 0; i < findings->n; i++) {
			const struct finding *finding = &findings->items[i];

			if ((int)finding->level != level)
				continue;
			json_object(json, NULL);
			json_string(json, "level", level_names[level]);
			json_string(json, "where", finding->where);
			json_string(json, "text", finding->text);
			json_string(json, "cure", finding->cure);
			json_end(json);
		}
	}
}

void findings_done(struct findings *findings)
{
	for (size_t i = 0; i < findings->n; i++) {
		free(findings->items[i].where);
		free(findings->items[i].text);
		free(findings->items[i].cure);
	}
	free(findings->items);
	*findings = (struct findings){};
}
