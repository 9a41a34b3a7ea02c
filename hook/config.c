/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's config file: which sections and keys there are. A file is read to its end,
 * so that all mistakes are told at once.
 */
#include "ini_lines.h"

enum {
	KEY_TIMEOUT,
	KEY_DRY_RUN,
	KEY_HEADLESS,
	N_DOMAIN_KEYS
};

static const struct option_spec domain_keys[N_DOMAIN_KEYS + 1] = {
	[KEY_TIMEOUT] = { "timeout", VALUE_DURATION, NULL, "120s",
			  "how long prepare may take in all" },
	[KEY_DRY_RUN] = { "dry-run", VALUE_BOOL, NULL, "no",
			  "prepare writes its plan to the log and changes nothing" },
	[KEY_HEADLESS] = { "headless", VALUE_BOOL, NULL, "no",
			   "the host may be left without a picture" },
};

const struct option_spec *config_domain_keys(void)
{
	return domain_keys;
}

/* The line in a problem, behind "FILE:". */
static unsigned long problem_line(const struct config *config, const char *problem)
{
	return strtoul(problem + strlen(config->path) + 1, NULL, 10);
}

int config_problem(struct config *config, unsigned line, const char *fmt, ...)
{
	struct strv *problems = &config->problems;
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = str_format(fmt, ap);
	va_end(ap);
	if (!text)
		return -ENOMEM;
	if (strv_addf(problems, "%s:%u: %s", config->path, line, text) < 0)
		return -ENOMEM;
	/* An entry is looked at when its last line was read: later lines may be first. */
	for (size_t i = problems->n - 1; i > 0; i--) {
		char *before = problems->v[i - 1];

		if (problem_line(config, before) <= line)
			break;
		problems->v[i - 1] = problems->v[i];
		problems->v[i] = before;
	}
	return 0;
}

/* The phase with this operation, whatever stands behind the slash. */
static enum phase phase_of_operation(const char *name)
{
	char operation[32];

	snprintf(operation, sizeof(operation), "%.*s", (int)strcspn(name, "/"), name);
	return phase_from_name(operation);
}

/* ---- sections */

struct reading {
	struct config *config;
	unsigned lines[N_DOMAIN_KEYS]; /* of each key of [domain]; 0: not seen */
};

static int on_section(void *data, const char *name, unsigned line, bool *ret_known)
{
	struct reading *reading = data;
	_cleanup_strv_ struct strv all = { 0 };
	_cleanup_free_ char *list = NULL;
	enum phase phase = phase_from_name(name);
	const char *nearest;

	if (streq(name, "domain") || streq(name, "devices"))
		return 0;
	if (phase != PHASE_NONE && streq(name, phase_name(phase))) {
		reading->config->phases |= PHASE_BIT(phase);
		return 0;
	}
	*ret_known = false;
	for (unsigned p = 0; p < PHASE_NONE; p++) {
		if (strv_add(&all, phase_name((enum phase)p)) < 0)
			return -ENOMEM;
	}
	if (strv_add(&all, "domain") < 0 || strv_add(&all, "devices") < 0)
		return -ENOMEM;
	if (phase == PHASE_NONE && strchr(name, '/')) /* prepare/end */
		phase = phase_of_operation(name);
	nearest = phase != PHASE_NONE ? phase_name(phase) : words_nearest(name, &all);
	list = strv_join(&all, "], [");
	if (!list)
		return -ENOMEM;
	return config_problem(reading->config, line,
			      "unknown section [%.*s]%s%s%s; the sections are [%s]",
			      words_shown(name), name, nearest ? ", did you mean [" : "",
			      nearest ?: "", nearest ? "]?" : "", list);
}

/* The one word that a [domain] key takes, or NULL when it is not one. */
static const char *one_word(const struct strv *words)
{
	return words->n == 1 ? words->v[0] : NULL;
}

static int unknown_domain_key(struct config *config, const struct ini_entry *entry)
{
	_cleanup_strv_ struct strv all = { 0 };
	_cleanup_free_ char *list = NULL;
	const char *nearest;

	for (unsigned i = 0; i < N_DOMAIN_KEYS; i++)
		if (strv_add(&all, domain_keys[i].name) < 0)
			return -ENOMEM;
	list = strv_join(&all, ", ");
	if (!list)
		return -ENOMEM;
	nearest = words_nearest(entry->key, &all);
	if (step_find(entry->key + (*entry->key == '-'), NULL))
		return config_problem(config, entry->line,
				      "\"%s\" is a step: it belongs into a phase such as "
				      "[prepare/begin], not into [domain]",
				      entry->key);
	return config_problem(config, entry->line,
			      "unknown key \"%.*s\"%s%s%s; the keys of [domain] are %s",
			      words_shown(entry->key), entry->key,
			      nearest ? ", did you mean \"" : "", nearest ?: "",
			      nearest ? "\"?" : "", list);
}

/* A key that was not there before; *SEEN is then its line. */
static int seen_once(struct config *config, const struct ini_entry *entry, unsigned *seen)
{
	if (*seen > 0)
		return config_problem(config, entry->line,
				      "%s is set again; it stands in "
				      "line %u already",
				      entry->key, *seen);
	*seen = entry->line;
	return 0;
}

static int set_timeout(struct config *config, const struct ini_entry *entry,
		       const char *word)
{
	int64_t ms;

	if (!word || parse_duration(word, &ms) < 0 || ms == 0)
		return config_problem(config, entry->line,
				      "timeout = %.*s: a duration such as 120s or 2min "
				      "is wanted",
				      words_shown(entry->value), entry->value);
	config->timeout_ms = ms;
	return 0;
}

static int set_flag(struct config *config, const struct ini_entry *entry,
		    const char *word, bool *flag)
{
	if (!word || (!streq(word, "yes") && !streq(word, "no")))
		return config_problem(config, entry->line,
				      "%s = %.*s: yes or no is wanted", entry->key,
				      words_shown(entry->value), entry->value);
	*flag = streq(word, "yes");
	return 0;
}

static int on_domain_key(struct reading *reading, const struct ini_entry *entry,
			 const struct strv *words)
{
	struct config *config = reading->config;
	const char *word = one_word(words);
	unsigned key = 0, before;
	int r;

	while (key < N_DOMAIN_KEYS && !streq(entry->key, domain_keys[key].name))
		key++;
	if (key == N_DOMAIN_KEYS)
		return unknown_domain_key(config, entry);
	before = reading->lines[key];
	r = seen_once(config, entry, &reading->lines[key]);
	if (r < 0 || before)
		return r;
	return key == KEY_TIMEOUT ? set_timeout(config, entry, word) :
				    set_flag(config, entry, word,
					     key == KEY_HEADLESS ? &config->headless :
								   &config->dry_run);
}

static int on_entry(void *data, const struct ini_entry *entry)
{
	struct reading *reading = data;
	enum phase phase = phase_from_name(entry->section);
	_cleanup_error_ struct error err = { 0 };
	_cleanup_strv_ struct strv words = { 0 };
	int r;

	if (phase != PHASE_NONE)
		return config_add_step(reading->config, phase, entry);
	r = words_split(entry->value, &words, &err);
	if (r == -EINVAL)
		return config_problem(reading->config, entry->line, "%s in \"%.*s\"",
				      error_text(&err), words_shown(entry->value),
				      entry->value);
	if (r < 0)
		return r;
	return streq(entry->section, "domain") ?
		       on_domain_key(reading, entry, &words) :
		       config_add_set(reading->config, entry, &words);
}

/* ---- the file as a whole */

int config_load(const struct host *host, const char *path, struct config *ret,
		struct error *err)
{
	static const struct ini_calls calls = { on_section, on_entry };
	struct reading reading = { .config = ret };
	_cleanup_free_ char *text = NULL;
	size_t len, more;
	int r;

	*ret = (struct config){ .path = strdup(path) };
	if (!ret->path)
		return error_oom(err);
	r = parse_duration(domain_keys[KEY_TIMEOUT].def, &ret->timeout_ms);
	if (r < 0)
		return error_errno(err, r, "timeout of [domain]");
	r = config_read_file(host, path, &text, &len, err);
	if (r < 0)
		return r;
	r = ini_read(ret, text, len, &calls, &reading);
	if (r < 0)
		return error_errno(err, r, "cannot read %s", path);
	if (ret->problems.n == 0)
		return 0;
	more = ret->problems.n - 1;
	if (more == 0)
		return error_set(err, -EINVAL, "%s", ret->problems.v[0]);
	return error_set(err, -EINVAL, "%s (and %zu more mistake%s)", ret->problems.v[0],
			 more, more > 1 ? "s" : "");
}

bool config_has_phase(const struct config *config, enum phase phase)
{
	return phase < PHASE_NONE && (config->phases & PHASE_BIT(phase));
}

void config_done(struct config *config)
{
	for (size_t i = 0; i < config->n_sets; i++)
		device_set_done(&config->sets[i]);
	free(config->sets);
	for (size_t i = 0; i < config->n_steps; i++)
		step_done(&config->steps[i]);
	free(config->steps);
	strv_done(&config->problems);
	free(config->path);
	*config = (struct config){ 0 };
}
