/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines as people write them elsewhere (sysctl.conf, kill, a shell): the message has the
 * line as it is right here. Nothing is guessed for the run, only for the message.
 */
#include <ctype.h>

#include "config_draft.h"
#include "pci.h"

/* What VALUE most likely means among "A|B|C": BUF, or NULL. */
const char *slip_choice(const char *choices, const char *value, char buf[SLIP_LEN])
{
	static const char *const numbers[][2] = { { "1", "HUP" },
						  { "2", "INT" },
						  { "3", "QUIT" },
						  { "9", "KILL" },
						  { "15", "TERM" } };
	const char *name = value;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (streq(value, numbers[i][0]))
			name = numbers[i][1];
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (const char *c = choices; *c; c += strcspn(c, "|")) {
		c += *c == '|';
		if (strcspn(c, "|") != strlen(name) ||
		    strncasecmp(c, name, strlen(name)) != 0)
			continue;
		snprintf(buf, SLIP_LEN, "%.*s", (int)strlen(name), c);
		return buf;
	}
	return NULL;
}

/* "16G", also from "16 GiB" and "16GB": the size as it is written here. */
static bool as_size(const struct draft *draft, char buf[SLIP_LEN])
{
	const struct strv *words = &draft->step.words;
	uint64_t size;
	size_t n;

	snprintf(buf, SLIP_LEN, "%s%s", words->v[0], words->n > 1 ? words->v[1] : "");
	n = strspn(buf, "0123456789");
	if (words->n > 2 || !n || !strchr("kKmMgG", buf[n]) || !buf[n])
		return false;
	buf[n] = (char)toupper((unsigned char)buf[n]);
	if (streq(buf + n + 1, "iB") || streq(buf + n + 1, "B") || streq(buf + n + 1, "b"))
		buf[n + 1] = '\0';
	return parse_size(buf, &size) == 0;
}

static bool fits(const struct draft *draft, const struct option_spec *option,
		 char buf[SLIP_LEN])
{
	const char *word = draft->step.words.v[0];
	uint64_t n;
	int64_t ms;

	snprintf(buf, SLIP_LEN, "%s", word);
	if (option->kind == VALUE_SIZE)
		return as_size(draft, buf);
	if (draft->step.words.n > 1)
		return false;
	if (option->kind == VALUE_UINT)
		return parse_u64(word, &n) == 0;
	if (option->kind == VALUE_DURATION)
		return parse_duration(word, &ms) == 0 &&
		       isalpha((unsigned char)word[strlen(word) - 1]);
	if (option->kind == VALUE_CHOICE)
		return slip_choice(option->choices, word, buf) != NULL;
	return option->kind == VALUE_STRING && isalpha((unsigned char)*word);
}

/* "KEY = option=value …", to which the rest is added; the length. */
static size_t begin_line(const struct draft *draft, char buf[SLIP_LEN])
{
	size_t n = (size_t)snprintf(buf, SLIP_LEN, "%s =", draft->step.key);

	for (size_t i = 0; i < draft->step.n_options && n < SLIP_LEN / 2; i++)
		n += (size_t)snprintf(buf + n, SLIP_LEN - n, " %s=%.60s",
				      draft->step.options[i].spec->name,
				      draft->step.options[i].value);
	return n < SLIP_LEN ? n : SLIP_LEN - 1;
}

const char *slip_bare_value(const struct draft *draft, char buf[SLIP_LEN])
{
	/* What says most of what it is comes first. */
	static const enum value_kind order[] = { VALUE_CHOICE, VALUE_SIZE, VALUE_UINT,
						 VALUE_DURATION, VALUE_STRING };
	char value[SLIP_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (const struct option_spec *o = draft->step.type->options;
		     o && o->name; o++)
			if (o->kind == order[i] && fits(draft, o, value)) {
				size_t at = begin_line(draft, buf);

				snprintf(buf + at, SLIP_LEN - at, " %s=%.80s", o->name,
					 value);
				return buf;
			}
	return NULL;
}

const char *slip_address(const char *word, char buf[SLIP_LEN])
{
	struct pci_addr addr;
	bool all;
	char *comma;

	snprintf(buf, SLIP_LEN, "%.200s.*", word);
	if (pci_parse_addr(buf, &addr, &all) == 0)
		return buf;
	snprintf(buf, SLIP_LEN, "%.200s", word);
	while ((comma = strchr(buf, ',')))
		*comma = ' ';
	return strchr(word, ',') ? buf : NULL;
}

/* NAME=VALUE, or NAME = VALUE, for a step that takes NAME VALUE. */
const char *slip_assignment(const struct draft *draft, char buf[SLIP_LEN])
{
	const struct strv *words = &draft->step.words;
	const char *equals = words->n ? strchr(words->v[0], '=') : NULL;
	size_t at;

	if (draft->step.type->min_args != 2 || words->n != 1 || !equals ||
	    equals == words->v[0] || !equals[1])
		return NULL;
	at = begin_line(draft, buf);
	snprintf(buf + at, SLIP_LEN - at, " %.*s %.80s", (int)(equals - words->v[0]),
		 words->v[0], equals + 1);
	return buf;
}
