/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mistakes of configs, and the table of steps from the entries the parser uses.
 */
#include "print.h"

#define NAME_WIDTH 22

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
