/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "import_lex.h"

#define PARSE_DEPTH_MAX 48

struct parser {
	struct lexer lexer;
	struct token token;
	const char *last_end; /* of the token before */
	const struct source *source;
	unsigned depth;
	unsigned line; /* where it cannot go on, and */
	const char *why;
};

void parse_next(struct parser *parser);
void *parse_fail(struct parser *parser, const char *why);
struct node *parse_new(struct parser *parser, enum node_kind kind);
const char *parse_word(struct parser *parser);
bool parse_is(const struct parser *parser, const char *text);
bool parse_skip(struct parser *parser, const char *text);
/* A list up to one of the words ENDS, which is left to the caller. */
struct node *parse_until(struct parser *parser, const char *const *ends);
/* import_parse_command.c */
struct node *parse_command(struct parser *parser);
/* import_parse_redir.c: they go to the node; false: a mistake. */
bool parse_at_redir(const struct parser *parser);
bool parse_redir(struct parser *parser, struct node *node);
bool parse_redirs(struct parser *parser, struct node *node);
