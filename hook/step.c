/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry of steps, and a step's values. It alone includes the list that
 * plugins/meson.build generates, so that adding a plugin touches no other file here.
 */
#include "plugins.h"
#include "step.h"

const struct plugin *const *step_plugins(void)
{
	return plugins;
}

const char *step_type_name(const struct plugin *plugin, const struct step_type *type,
			   char *buf)
{
	snprintf(buf, 64, "%s%s%s", plugin->name, *type->action ? "." : "", type->action);
	return buf;
}

const struct step_type *step_find(const char *key, const struct plugin **ret_plugin)
{
	char name[64];

	for (const struct plugin *const *p = plugins; *p; p++) {
		for (const struct step_type *type = (*p)->types; type->summary; type++) {
			if (!streq(step_type_name(*p, type, name), key))
				continue;
			if (ret_plugin)
				*ret_plugin = *p;
			return type;
		}
	}
	return NULL;
}

const char *step_option(const struct step *step, const char *name)
{
	for (size_t i = 0; i < step->n_options; i++) {
		if (streq(step->options[i].spec->name, name))
			return step->options[i].value;
	}
	return NULL;
}

/* The values below were checked while the config was read. */
int64_t step_duration(const struct step *step, const char *name, int64_t def_ms)
{
	const char *value = step_option(step, name);
	int64_t ms;

	return value && parse_duration(value, &ms) == 0 ? ms : def_ms;
}

uint64_t step_size(const struct step *step, const char *name, uint64_t def)
{
	const char *value = step_option(step, name);
	uint64_t size;

	return value && parse_size(value, &size) == 0 ? size : def;
}

uint64_t step_uint(const struct step *step, const char *name, uint64_t def)
{
	const char *value = step_option(step, name);
	uint64_t n;

	return value && parse_u64(value, &n) == 0 ? n : def;
}

bool step_bool(const struct step *step, const char *name, bool def)
{
	const char *value = step_option(step, name);

	return value ? streq(value, "yes") : def;
}

void step_done(struct step *step)
{
	for (size_t i = 0; i < step->n_options; i++)
		free(step->options[i].value);
	free(step->options);
	strv_done(&step->words);
	free(step->key);
	free(step->text);
	*step = (struct step){ 0 };
}
