/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Adding a step
 *
 * 1. Write plugins/NAME.c with `const struct plugin plugin_NAME` near its top. Each of
 *    its step types becomes a key NAME.ACTION in the config file.
 * 2. Put NAME into the list in plugins/meson.build. That list is the registry.
 * 3. Add a scenario to tests/lab/scenarios, an example line to conf.d and a paragraph
 *    to man/vfio-hook.conf.5.
 *
 * Parsing, `vfio-hook steps`, check, plan and dry run follow from the entry. apply()
 * runs twice: first on the overlay, where effects only note what they would do and
 * later reads see it, then for real. So apply() reads the machine only through state.h
 * and host.h and changes it only through effect.h, which journals the old value first.
 */

#include "error.h"
#include "event.h"

struct run;
struct step;

enum value_kind {
	VALUE_STRING,
	VALUE_DURATION, /* parse_duration() */
	VALUE_SIZE, /* parse_size() */
	VALUE_UINT,
	VALUE_BOOL, /* yes, no */
	VALUE_CPUS, /* parse_cpu_list(), or "guest" */
	VALUE_CHOICE, /* one of CHOICES, separated by '|' */
};

struct option_spec {
	const char *name;
	enum value_kind kind;
	const char *choices;
	const char *def; /* as shown to people, NULL: none */
	const char *text; /* "how long to wait for …" */
};

enum step_flags {
	STEP_FREE_WORDS =
		1 << 0, /* after the first word, name=value words are arguments */
	STEP_ONE_WAY = 1 << 1, /* what it does cannot be put back */
};

struct step_type {
	const char *action; /* "detach", the part behind the dot; "" for a plain name */
	const char *summary; /* one line, small letter, no full stop */
	const char *undo; /* what its undo does, or why there is none */
	const char *args; /* "[DEVICE…]", for people; NULL: takes none */
	unsigned min_args, max_args;
	unsigned phases; /* PHASE_BIT of each phase where it is legal */
	unsigned flags;
	int64_t timeout_ms; /* when timeout= is not given */
	const struct option_spec *options; /* ends with an empty one; may be NULL */
	/* While the config is read: are the words possible? ERR says what is allowed. */
	int (*parse)(const struct step *step, struct error *err);
	/* Before the first change, after the steps before it were simulated. */
	int (*check)(struct run *run, const struct step *step, struct error *err);
	int (*apply)(struct run *run, const struct step *step, struct error *err);
};

struct plugin {
	const char *name;
	const struct step_type *types; /* ends with one whose summary is NULL */
};

struct step_value {
	const struct option_spec *spec;
	char *value;
};

/* One line of a config file. */
struct step {
	const struct plugin *plugin;
	const struct step_type *type;
	enum phase phase;
	unsigned line;
	bool optional; /* written with a leading '-' */
	char *key; /* "pci.detach" */
	char *text; /* "pci.detach = timeout=15s gpu", for plans and logs */
	struct step_value *options;
	size_t n_options;
	struct strv words; /* what is not an option */
};

/* The value of option NAME, or NULL when it was not given. */
const char *step_option(const struct step *step, const char *name);
int64_t step_duration(const struct step *step, const char *name, int64_t def_ms);
uint64_t step_size(const struct step *step, const char *name, uint64_t def);
uint64_t step_uint(const struct step *step, const char *name, uint64_t def);
bool step_bool(const struct step *step, const char *name, bool def);
void step_done(struct step *step);

/* All plugins, in the order of plugins/meson.build; ends with NULL. */
const struct plugin *const *step_plugins(void);
/* KEY is "pci.detach"; NULL: no such step. */
const struct step_type *step_find(const char *key, const struct plugin **ret_plugin);
/* "pci.detach" from an entry; BUF of 64 bytes. */
const char *step_type_name(const struct plugin *plugin, const struct step_type *type,
			   char *buf);
