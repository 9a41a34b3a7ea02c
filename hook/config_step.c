/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of a phase's section as a step. All that can be known without looking at the
 * host is checked here, against the entry that the step's plugin gives of itself; each
 * mistake is told with what would be right, since the reader of the message is about to
 * edit that very line.
 */
#include <limits.h>

#include "config_draft.h"

static void draft_done(struct draft *draft)
{
	for (size_t i = 0; i < draft->n_words; i++)
		free(draft->words[i].word);
	free(draft->words);
	step_done(&draft->step);
}

/*
 * All steps that are possible in PHASE; of those called as PLUGIN only (several files may
 * be), or in every phase, if given so.
 */
static int list_steps(struct strv *ret, enum phase phase, const struct plugin *plugin)
{
	char name[64];

	for (const struct plugin *const *p = step_plugins(); *p; p++) {
		for (const struct step_type *type = (*p)->types; type->summary; type++) {
			if (plugin && !streq((*p)->name, plugin->name))
				continue;
			if (phase != PHASE_NONE && !(type->phases & PHASE_BIT(phase)))
				continue;
			if (strv_add(ret, step_type_name(*p, type, name)) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static const struct plugin *plugin_of_key(const char *key)
{
	size_t len = strcspn(key, ".");

	for (const struct plugin *const *p = step_plugins(); *p; p++) {
		if (strlen((*p)->name) == len && strncmp((*p)->name, key, len) == 0)
			return *p;
	}
	return NULL;
}

/* "service.stop a = b": the "=" is in the wrong place. */
static int complain_blank_in_key(struct draft *draft, const char *key, const char *value)
{
	size_t len = strcspn(key, " \t");
	_cleanup_free_ char *name = strndup(key, len);
	const char *words = key + len;

	while (is_blank(*words))
		words++;
	if (name && step_find(name, NULL))
		return mistake(draft,
			       "the \"=\" belongs behind \"%s\": write \"%s = %.*s=%.*s\"",
			       name, name, words_shown(words), words, words_shown(value),
			       value);
	return mistake(draft, "\"%.*s\" is no step: a line is PLUGIN.ACTION = WORDS",
		       words_shown(key), key);
}

/* "detach" for pci.detach. */
static const char *with_action(const char *key, const struct strv *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const char *dot = strchr(all->v[i], '.');

		if (dot && streq(dot + 1, key))
			return all->v[i];
	}
	return NULL;
}

static int complain_unknown(struct draft *draft, const char *key)
{
	const struct plugin *plugin = plugin_of_key(key);
	_cleanup_strv_ struct strv all = { 0 }, allowed = { 0 };
	_cleanup_free_ char *list = NULL;
	const char *nearest;

	if (list_steps(&all, PHASE_NONE, NULL) < 0 ||
	    list_steps(&allowed, plugin ? PHASE_NONE : draft->step.phase, plugin) < 0)
		return -ENOMEM;
	list = draft_list(&allowed);
	if (!list)
		return -ENOMEM;
	nearest = words_nearest(key, &all) ?: with_action(key, &all);
	return mistake(draft, "unknown step \"%.*s\"%s%s%s; %s %s: %s", words_shown(key),
		       key, nearest ? ", did you mean \"" : "", nearest ?: "",
		       nearest ? "\"?" : "", plugin ? "the steps of" : "possible in",
		       plugin ? plugin->name : phase_name(draft->step.phase), list);
}

static int check_phase(struct draft *draft)
{
	unsigned phases = draft->step.type->phases;
	_cleanup_strv_ struct strv names = { 0 };
	_cleanup_free_ char *list = NULL;

	if (phases & PHASE_BIT(draft->step.phase))
		return 0;
	for (unsigned phase = 0; phase < PHASE_NONE; phase++) {
		if ((phases & PHASE_BIT(phase)) &&
		    strv_addf(&names, "[%s]", phase_name((enum phase)phase)) < 0)
			return -ENOMEM;
	}
	list = draft_list(&names);
	if (!list)
		return -ENOMEM;
	return mistake(draft, "%s is not possible in [%s], only in %s", draft->step.key,
		       phase_name(draft->step.phase), list);
}

static int find_type(struct draft *draft, const struct ini_entry *entry)
{
	struct step *step = &draft->step;
	const char *key = entry->key;

	if (*key == '-') {
		step->optional = true;
		for (key++; is_blank(*key); key++)
			;
	}
	step->type = step_find(key, &step->plugin);
	if (!step->type && strpbrk(key, " \t"))
		return complain_blank_in_key(draft, key, entry->value);
	if (!step->type)
		return complain_unknown(draft, key);
	step->key = strdup(key);
	return step->key ? check_phase(draft) : -ENOMEM;
}

static int complain_split(struct draft *draft, const struct ini_entry *entry,
			  const struct error *err)
{
	if (entry->comment_cut && strstr(error_text(err), "unclosed"))
		return mistake(
			draft,
			"%s: the line holds \" ;\", which begins a comment even between "
			"quotes; to keep it, close and open them in between, as in "
			"\"a \"\"; b\"",
			error_text(err));
	return mistake(draft, "%s in \"%.*s\"", error_text(err),
		       words_shown(entry->value), entry->value);
}

/* "|", "&&", "> FILE", "2>&1", written without quotes. */
static bool is_shell_syntax(const struct source_word *word)
{
	static const char *const signs[] = { "|", "||", "&", "&&", "<", "<<" };
	const char *p = word->start + strspn(word->start, "12&");

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strlen(signs[i]) == word->len &&
		    strncmp(word->start, signs[i], word->len) == 0)
			return true;
	return p < word->start + word->len && *p == '>';
}

/* The words with their places in the line, so that a message can show it mended. */
static int split(struct draft *draft, const struct ini_entry *entry)
{
	const char *text = entry->value;

	for (;;) {
		_cleanup_error_ struct error err = { 0 };
		struct source_word word = { 0 };
		int r = words_next(&text, &word.start, &word.word, &err);

		if (r == -EINVAL)
			return complain_split(draft, entry, &err);
		if (r <= 0)
			return r;
		word.len = (size_t)(text - word.start);
		if (array_grow(&draft->words, draft->n_words, sizeof(word)) < 0) {
			free(word.word);
			return -ENOMEM;
		}
		draft->words[draft->n_words++] = word;
		if (str_after(draft->step.key, "exec.") && is_shell_syntax(&word) &&
		    mistake(draft,
			    "no shell runs exec's line, and \"%.*s\" would be an argument: "
			    "put it into a script, and run that; if it is one, quote it",
			    words_shown(word.word), word.word) < 0)
			return -ENOMEM;
		if (strchr("#;", *word.start) &&
		    mistake(draft,
			    "the word \"%.*s\" begins with '%c': a comment begins with a "
			    "blank and \";\", a word that is meant so needs quotes",
			    words_shown(word.word), word.word, *word.start) < 0)
			return -ENOMEM;
	}
}

static int check_count(struct draft *draft)
{
	const struct step_type *type = draft->step.type;
	size_t n = draft->step.words.n;
	unsigned max = type->max_args;
	char buf[SLIP_LEN];
	const char *line;

	if (type->args && max == 0) /* not bounded */
		max = UINT_MAX;
	line = slip_assignment(draft, buf);
	if (line)
		return mistake(draft,
			       "between the two stands a blank, no \"=\": write \"%s\"",
			       line);
	if (n < type->min_args)
		return mistake(draft, "%s needs %s%s: %s = %s", draft->step.key,
			       type->min_args > 1 ? "more arguments" : "an argument",
			       n > 0 ? " behind those given" : "", draft->step.key,
			       type->args ?: "");
	if (n > max && max == 0) {
		line = slip_bare_value(draft, buf);
		return mistake(draft, "%s takes no arguments, \"%.*s\" is too much%s%s%s",
			       draft->step.key, words_shown(draft->step.words.v[0]),
			       draft->step.words.v[0], line ? ": write \"" : "",
			       line ? line : "", line ? "\"" : "");
	}
	if (n > max)
		return mistake(draft,
			       "%s takes at most %u argument%s, \"%.*s\" is too much: "
			       "%s = %s",
			       draft->step.key, max, max > 1 ? "s" : "",
			       words_shown(draft->step.words.v[max]),
			       draft->step.words.v[max], draft->step.key,
			       type->args ?: "");
	return 0;
}

/* What only the plugin can know of its words. */
static int ask_plugin(struct draft *draft)
{
	const struct step_type *type = draft->step.type;
	_cleanup_error_ struct error err = { 0 };
	int r;

	if (draft->mistakes > 0 || !type->parse)
		return 0;
	r = type->parse(&draft->step, &err);
	if (r == -ENOMEM)
		return r;
	return r < 0 ? mistake(draft, "%s", error_text(&err)) : 0;
}

static int fill(struct draft *draft, const struct ini_entry *entry)
{
	unsigned mistakes;
	int r = find_type(draft, entry);

	if (r < 0 || !draft->step.type)
		return r;
	mistakes = draft->mistakes;
	r = split(draft, entry);
	if (r < 0)
		return r;
	draft->step.text = draft_line(&draft->step, draft->words, draft->n_words);
	if (!draft->step.text)
		return -ENOMEM;
	if (draft->mistakes == mistakes) {
		r = draft_sort_words(draft);
		if (r == 0 && draft->mistakes == mistakes)
			r = check_count(draft);
	}
	return r < 0 ? r : ask_plugin(draft);
}

int config_add_step(struct config *config, enum phase phase, const struct ini_entry *entry)
{
	_cleanup_(draft_done) struct draft draft = {
		.config = config,
		.line = entry->line,
		.step = { .phase = phase, .line = entry->line },
	};
	int r = fill(&draft, entry);

	if (r < 0 || draft.mistakes > 0)
		return r;
	if (array_grow(&config->steps, config->n_steps, sizeof(*config->steps)) < 0)
		return -ENOMEM;
	config->steps[config->n_steps++] = draft.step;
	draft.step = (struct step){ 0 };
	return 0;
}
