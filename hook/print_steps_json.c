/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of steps for programs, from the entries the parser uses.
 */
#include "print.h"

static const char *const kinds[] = {
	[VALUE_STRING] = "string", [VALUE_DURATION] = "duration", [VALUE_SIZE] = "size",
	[VALUE_UINT] = "number",   [VALUE_BOOL] = "boolean",	  [VALUE_CPUS] = "cpus",
	[VALUE_CHOICE] = "choice",
};

static void print_choices(const struct option_spec *option, struct json *json)
{
	_cleanup_free_ char *text = strdup(option->choices ? option->choices : "");
	char *rest = text, *choice;

	json_array(json, "choices");
	while (text && *text && (choice = strsep(&rest, "|")))
		json_string(json, NULL, choice);
	json_end(json);
}

static void print_options(const struct step_type *type, struct json *json)
{
	json_array(json, "options");
	for (const struct option_spec *o = type->options; o && o->name; o++) {
		json_object(json, NULL);
		json_string(json, "option", o->name);
		json_string(json, "kind", kinds[o->kind]);
		print_choices(o, json);
		json_string(json, "default", o->def);
		json_string(json, "text", o->text);
		json_end(json);
	}
	json_end(json);
}

static void print_type(const char *name, const struct step_type *type, struct json *json)
{
	json_object(json, NULL);
	json_string(json, "step", name);
	json_string(json, "summary", type->summary);
	json_string(json, "args", type->args);
	print_options(type, json);
	json_array(json, "phases");
	for (int phase = 0; phase < PHASE_NONE; phase++)
		if (type->phases & PHASE_BIT(phase))
			json_string(json, NULL, phase_name((enum phase)phase));
	json_end(json);
	json_bool(json, "one_way", type->flags & STEP_ONE_WAY);
	json_string(json, "undo", type->undo);
	json_end(json);
}

void print_steps_json(const char *word, FILE *out)
{
	const struct step_type *one = word ? step_find(word, NULL) : NULL;
	struct json json = { .out = out };
	char name[64];

	json_object(&json, NULL);
	json_array(&json, "steps");
	for (const struct plugin *const *p = step_plugins(); *p; p++)
		for (const struct step_type *t = (*p)->types; t->summary; t++)
			if (one ? t == one : !word || streq((*p)->name, word))
				print_type(step_type_name(*p, t, name), t, &json);
	json_end(&json);
	json_end(&json);
}
