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

void print_steps(const char *plugin, FILE *out)
{
	char name[64];

	for (const struct plugin *const *p = step_plugins(); *p; p++) {
		if (plugin && !streq((*p)->name, plugin))
			continue;
		for (const struct step_type *t = (*p)->types; t->summary; t++)
			fprintf(out, "%-*s %s%s\n", NAME_WIDTH,
				step_type_name(*p, t, name), t->summary,
				t->flags & STEP_ONE_WAY ? " (one way)" : "");
	}
}

/* "NAME  TEXT", what does not fit into a line of 80 columns below that. */
static void print_wrapped(const char *name, const char *text, FILE *out)
{
	const size_t width = 80 - NAME_WIDTH - 1;

	fprintf(out, "%-*s", NAME_WIDTH, name);
	while (*text) {
		size_t n = strlen(text);

		if (n > width) {
			for (n = width; n > 1 && text[n] != ' '; n--)
				;
			n = n > 1 ? n : strcspn(text, " ");
		}
		fprintf(out, " %.*s\n", (int)n, text);
		text += n;
		text += strspn(text, " ");
		if (*text)
			fprintf(out, "%-*s", NAME_WIDTH, "");
	}
}

static const char *option_choices(const struct option_spec *option)
{
	return option->choices		  ? option->choices :
	       option->kind == VALUE_BOOL ? "yes|no" :
					    "";
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
	fprintf(out, "%s =%s%s%s\n", key,
		type->options && type->options->name ? " [OPTION…]" : "",
		type->args ? " " : "", type->args ? type->args : "");
	print_wrapped("", type->summary, out);
	for (const struct option_spec *o = type->options; o && o->name; o++) {
		fprintf(out, "  %s=%-*s %s", o->name,
			NAME_WIDTH - 3 - (int)strlen(o->name), option_choices(o),
			o->text);
		if (o->def)
			fprintf(out, " (default: %s)", o->def);
		putc('\n', out);
	}
	print_phases(type, out);
	if (type->flags & STEP_ONE_WAY)
		print_wrapped("one way", "what it does cannot be put back", out);
	if (type->undo)
		print_wrapped("undo", type->undo, out);
	return 0;
}
