/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words behind a step's "=": options first, then arguments. An option in the wrong
 * place would silently be one more unit or module, so what looks like one is refused.
 */
#include "config_draft.h"

char *draft_list(const struct strv *list)
{
	return list->n > 0 ? strv_join(list, ", ") : strdup("none");
}

char *draft_line(const struct step *step, const struct source_word *words, size_t n)
{
	_cleanup_strv_ struct strv parts = { 0 };

	if (strv_addf(&parts, "%s%s =", step->optional ? "-" : "", step->key) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strv_addf(&parts, "%.*s", (int)words[i].len, words[i].start) < 0)
			return NULL;
	}
	return strv_join(&parts, " ");
}

/* The length of NAME in "NAME=value", or 0. A name with a dot is never an option's. */
static size_t option_name_len(const char *word)
{
	size_t len = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_-");

	return word[len] == '=' && word[0] != '-' ? len : 0;
}

static const struct option_spec *find_option(const struct step_type *type,
					     const char *word)
{
	size_t len = option_name_len(word);

	for (const struct option_spec *o = type->options; len > 0 && o && o->name; o++) {
		if (strlen(o->name) == len && strncmp(o->name, word, len) == 0)
			return o;
	}
	return NULL;
}

static int list_options(const struct step_type *type, struct strv *ret, const char *suffix)
{
	for (const struct option_spec *o = type->options; o && o->name; o++) {
		if (strv_addf(ret, "%s%s", o->name, suffix) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int complain_option(struct draft *draft, const char *word)
{
	const struct step_type *type = draft->step.type;
	size_t len = option_name_len(word);
	_cleanup_strv_ struct strv names = { 0 }, shown = { 0 };
	_cleanup_free_ char *name = strndup(word, len), *list = NULL;
	const char *nearest;

	if (!name || list_options(type, &names, "") < 0 ||
	    list_options(type, &shown, "=") < 0)
		return -ENOMEM;
	nearest = words_nearest(name, &names);
	list = draft_list(&shown);
	if (!list)
		return -ENOMEM;
	return mistake(draft, "%s has no option \"%.*s=\"%s%s%s; its options: %s%s",
		       draft->step.key, words_shown(name), name,
		       nearest ? ", did you mean \"" : "", nearest ?: "",
		       nearest ? "=\"?" : "", list,
		       type->args ?
			       " (for an argument that looks so, put \"--\" in front)" :
			       "");
}

static bool value_is_valid(const struct option_spec *spec, const char *value,
			   const char **ret_wanted)
{
	_cleanup_(cpu_list_done) struct cpu_list cpus = { 0 };
	const char *choices = spec->choices ?: "";
	size_t len = strlen(value);
	int64_t ms;
	uint64_t n;

	switch (spec->kind) {
	case VALUE_STRING:
		*ret_wanted = "something behind the \"=\"";
		return len > 0;
	case VALUE_DURATION:
		*ret_wanted = "a duration such as 30, 30s, 500ms, 2min or 1h";
		return parse_duration(value, &ms) == 0;
	case VALUE_SIZE:
		*ret_wanted = "a size such as 4096, 2M or 1G";
		return parse_size(value, &n) == 0;
	case VALUE_UINT:
		*ret_wanted = "a whole number";
		return parse_u64(value, &n) == 0;
	case VALUE_BOOL:
		*ret_wanted = "yes or no";
		return streq(value, "yes") || streq(value, "no");
	case VALUE_CPUS:
		*ret_wanted = "a list of CPUs such as 0-3,8, or guest";
		return streq(value, "guest") ||
		       (parse_cpu_list(value, &cpus) == 0 && cpus.n > 0);
	case VALUE_CHOICE:
		*ret_wanted = choices;
		for (const char *c = choices; len > 0 && *c; c += strcspn(c, "|")) {
			c += *c == '|';
			if (strcspn(c, "|") == len && strncmp(c, value, len) == 0)
				return true;
		}
		return false;
	}
	return false;
}

static int add_option(struct draft *draft, const char *word)
{
	struct step *step = &draft->step;
	const struct option_spec *spec = find_option(step->type, word);
	const char *value = word + option_name_len(word) + 1, *wanted = "";
	struct step_value *option;

	if (!spec)
		return complain_option(draft, word);
	if (step_option(step, spec->name))
		return mistake(draft, "%s= is given twice", spec->name);
	if (!value_is_valid(spec, value, &wanted)) {
		char meant[SLIP_LEN];
		bool known = spec->kind == VALUE_CHOICE &&
			     slip_choice(spec->choices, value, meant);

		return mistake(draft, "%s=%.*s: %s is wanted%s%s%s%s", spec->name,
			       words_shown(value), value, wanted, known ? ": write " : "",
			       known ? spec->name : "", known ? "=" : "",
			       known ? meant : "");
	}
	if (array_grow(&step->options, step->n_options, sizeof(*option)) < 0)
		return -ENOMEM;
	option = &step->options[step->n_options];
	option->spec = spec;
	option->value = strdup(value);
	if (!option->value)
		return -ENOMEM;
	step->n_options++;
	return 0;
}

/* Word I is an option, but behind an argument: shows the line with it in front. */
static int complain_late_option(struct draft *draft, size_t i,
				const struct option_spec *spec)
{
	struct source_word moved = draft->words[i];
	_cleanup_free_ struct source_word *words = NULL;
	_cleanup_free_ char *line = NULL;

	words = calloc(draft->n_words, sizeof(*words));
	if (!words)
		return -ENOMEM;
	words[0] = moved;
	memcpy(words + 1, draft->words, i * sizeof(*words));
	memcpy(words + 1 + i, draft->words + i + 1,
	       (draft->n_words - i - 1) * sizeof(*words));
	line = draft_line(&draft->step, words, draft->n_words);
	if (!line)
		return -ENOMEM;
	return mistake(draft,
		       "options come first: write \"%s\" (or \"--\" in front of the "
		       "arguments, if %s= is none)",
		       line, spec->name);
}

/* Behind the first argument "name=value" is one, too; but not if it looks like a slip. */
static bool is_near_option(const struct step_type *type, const char *word)
{
	_cleanup_strv_ struct strv names = { 0 };
	_cleanup_free_ char *name = strndup(word, option_name_len(word));

	return name && *name && list_options(type, &names, "") == 0 &&
	       words_nearest(name, &names);
}

/* NAME = VALUE where NAME VALUE is wanted: word I is the "=". */
static int complain_assignment(struct draft *draft, size_t i)
{
	_cleanup_free_ struct source_word *words = NULL;
	_cleanup_free_ char *line = NULL;

	words = calloc(draft->n_words, sizeof(*words));
	if (!words)
		return -ENOMEM;
	memcpy(words, draft->words, i * sizeof(*words));
	memcpy(words + i, draft->words + i + 1, (draft->n_words - i - 1) * sizeof(*words));
	line = draft_line(&draft->step, words, draft->n_words - 1);
	return line ? mistake(draft,
			      "a \"=\" between blanks, where only a blank belongs: write "
			      "\"%s\"",
			      line) :
		      -ENOMEM;
}

static int add_argument(struct draft *draft, size_t i, bool options_ended)
{
	const struct step_type *type = draft->step.type;
	const char *word = draft->words[i].word;
	const struct option_spec *spec = find_option(type, word);

	if (!options_ended && !(type->flags & STEP_FREE_WORDS)) {
		if (spec)
			return complain_late_option(draft, i, spec);
		if (is_near_option(type, word))
			return complain_option(draft, word);
		if (streq(word, "=") && i > 0 && type->min_args == 2)
			return complain_assignment(draft, i);
		if (str_ends(word, ",") && word[1])
			return mistake(draft,
				       "\"%.*s\": between words stand blanks, no commas",
				       words_shown(word), word);
		if (streq(word, "=") && i > 0)
			return mistake(draft,
				       "a \"=\" between blanks: an option is written "
				       "without, as in \"%.*s=%.*s\"",
				       words_shown(draft->words[i - 1].word),
				       draft->words[i - 1].word,
				       i + 1 < draft->n_words ?
					       words_shown(draft->words[i + 1].word) :
					       0,
				       i + 1 < draft->n_words ? draft->words[i + 1].word :
								"");
	}
	return strv_add(&draft->step.words, word);
}

int draft_sort_words(struct draft *draft)
{
	bool options_ended = false; /* by "--" */
	int r;

	for (size_t i = 0; i < draft->n_words; i++) {
		const char *word = draft->words[i].word;
		bool first = draft->step.words.n == 0 && !options_ended;

		if (first && streq(word, "--")) {
			options_ended = true;
			continue;
		}
		r = first && option_name_len(word) > 0 ?
			    add_option(draft, word) :
			    add_argument(draft, i, options_ended);
		if (r < 0)
			return r;
	}
	return 0;
}
