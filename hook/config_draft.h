/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A step in the making: config_step.c, and config_words.c for what is behind its "=". */

#include "ini_lines.h"

/* A word, and how it was written. */
struct source_word {
	char *word;
	const char *start;
	size_t len;
};

/* A line on its way to be a step. */
struct draft {
	struct config *config;
	unsigned line;
	struct source_word *words;
	size_t n_words;
	unsigned mistakes;
	struct step step;
};

#define mistake(draft, ...) \
	((draft)->mistakes++, config_problem((draft)->config, (draft)->line, __VA_ARGS__))

/* "a, b, c", or "none". */
char *draft_list(const struct strv *list);
/* The line with these N words, as they were written. */
char *draft_line(const struct step *step, const struct source_word *words, size_t n);
/* config_slips.c: what is meant, in BUF, or NULL. Of a choice "A|B": the one. */
const char *slip_choice(const char *choices, const char *value, char buf[SLIP_LEN]);
/* Of a step without arguments, which has one: the line with that as an option's value. */
const char *slip_bare_value(const struct draft *draft, char buf[SLIP_LEN]);
/* Of NAME=VALUE where NAME VALUE is wanted: the line. */
const char *slip_assignment(const struct draft *draft, char buf[SLIP_LEN]);
/* Makes options and arguments of the words; 0 or -ENOMEM. */
int draft_sort_words(struct draft *draft);
