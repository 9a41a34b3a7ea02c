/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "import.h"

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_WORD,
	TOKEN_NUMBER, /* the 2 of 2> */
	TOKEN_OPERATOR,
};

struct token {
	enum token_kind kind;
	const char *begin, *end;
	unsigned line;
};

#define HEREDOCS_MAX 8

struct lexer {
	struct arena *arena;
	const char *p;
	unsigned line;
	struct redir *heredocs[HEREDOCS_MAX]; /* whose text begins in the next line */
	bool tabs[HEREDOCS_MAX];
	size_t n_heredocs;
	const char *why; /* it cannot go on, since … */
};

void lexer_next(struct lexer *lexer, struct token *ret);
/* Behind what begins at P with a quote, a backslash, $ or `; NULL: not closed. */
const char *lexer_skip(const char *p, unsigned depth);
/* Behind the bracket that closes the one at P. */
const char *lexer_skip_brackets(const char *p, char open, char close, unsigned depth);
/* Behind the word at P; NULL: a quote is not closed. */
const char *lexer_skip_word(const char *p);
bool token_is(const struct token *token, const char *text);
