/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of devices: names for addresses, above the sections of the phases.
 */
#include "ini_lines.h"
#include "pci.h"

#define ADDRESS_FORMS                                                                          \
	"0000:0a:00.0, 0a:00.0, 0a:00.* (every function, 0 to 7), pci_0000_0a_00_0 or the id " \
	"10de:1e84"

const struct device_set *config_find_set(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_sets; i++) {
		if (streq(config->sets[i].name, name))
			return &config->sets[i];
	}
	return NULL;
}

void device_set_done(struct device_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		free(set->refs[i].word);
		free(set->refs[i].id);
	}
	free(set->refs);
	free(set->name);
}

static bool is_address(const char *word)
{
	struct pci_addr addr;
	bool all;

	return pci_parse_addr(word, &addr, &all) == 0;
}

static bool is_id(const char *word)
{
	uint16_t vendor, device;

	return pci_parse_id(word, &vendor, &device) == 0;
}

static int add_id(struct config *config, struct device_set *set, unsigned line,
		  const char *id)
{
	struct device_ref *ref = set->n > 0 ? &set->refs[set->n - 1] : NULL;

	if (!is_id(id))
		return config_problem(config, line,
				      "id=%.*s: vendor and device are wanted, as "
				      "in id=10de:1e84",
				      words_shown(id), id);
	if (!ref || ref->id)
		return config_problem(config, line,
				      "id=%s follows no address: write \"ADDRESS "
				      "id=%s\"",
				      id, id);
	if (is_id(ref->word))
		return config_problem(config, line,
				      "id=%s behind %s, which is an id itself: "
				      "write an address in front of it",
				      id, ref->word);
	ref->id = strdup(id);
	return ref->id ? 0 : -ENOMEM;
}

static int add_ref(struct config *config, struct device_set *set, unsigned line,
		   const char *word)
{
	const char *id = str_after(word, "id=");
	struct device_ref *ref;

	if (id)
		return add_id(config, set, line, id);
	if (!is_address(word) && !is_id(word))
		return config_problem(config, line,
				      "\"%.*s\" is no device; possible are %s",
				      words_shown(word), word, ADDRESS_FORMS);
	if (array_grow(&set->refs, set->n, sizeof(*ref)) < 0)
		return -ENOMEM;
	ref = &set->refs[set->n];
	ref->line = line;
	ref->word = strdup(word);
	if (!ref->word)
		return -ENOMEM;
	set->n++;
	return 0;
}

/* Names that could not be told from an address, an option or a quoted word. */
static bool set_name_is_good(const char *name)
{
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_-") == strlen(name) &&
	       *name != '-' && !is_address(name) && !is_id(name);
}

int config_add_set(struct config *config, const struct ini_entry *entry,
		   const struct strv *words)
{
	const struct device_set *same = config_find_set(config, entry->key);
	_cleanup_(device_set_done) struct device_set set = { 0 };
	int r;

	if (!set_name_is_good(entry->key))
		return config_problem(
			config, entry->line,
			"\"%.*s\" cannot be the name of a "
			"set: letters, digits, _ and -, as in gpu = 0000:0a:00.*",
			words_shown(entry->key), entry->key);
	if (same)
		return config_problem(config, entry->line,
				      "the set %s is there already, in "
				      "line %u: put all addresses into one",
				      entry->key, same->refs[0].line);
	for (size_t i = 0; i < words->n; i++) {
		r = add_ref(config, &set, entry->line, words->v[i]);
		if (r < 0)
			return r;
	}
	if (words->n == 0)
		return config_problem(config, entry->line,
				      "the set %s has no device: %s = "
				      "ADDRESS [id=VVVV:DDDD] [ADDRESS …]",
				      entry->key, entry->key);
	if (set.n == 0) /* all words were mistakes, and told so */
		return 0;
	set.name = strdup(entry->key);
	if (!set.name || array_grow(&config->sets, config->n_sets, sizeof(set)) < 0)
		return -ENOMEM;
	config->sets[config->n_sets++] = set;
	set = (struct device_set){ 0 };
	return 0;
}
