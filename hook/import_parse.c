/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar of the shell, as far as hook scripts use it: lists, pipes, compound
 * commands, functions. What it cannot read it refuses with the line.
 */
#include "import_lex.h"
#include "import_parse.h"

static struct node *parse_list(struct parser *parser, const char *const *ends);

void *parse_fail(struct parser *parser, const char *why)
{
	if (!parser->why) {
		parser->why = parser->lexer.why ? parser->lexer.why : why;
		parser->line = parser->token.line;
	}
	parser->token.kind = TOKEN_END;
	return NULL;
}

void parse_next(struct parser *parser)
{
	parser->last_end = parser->token.end;
	if (parser->why)
		return;
	lexer_next(&parser->lexer, &parser->token);
	if (parser->lexer.why)
		parse_fail(parser, NULL);
}

struct node *parse_new(struct parser *parser, enum node_kind kind)
{
	struct node *node = arena_alloc(parser->lexer.arena, sizeof(*node));

	node->kind = kind;
	node->source = parser->source;
	node->line = parser->token.line;
	node->begin = node->end = parser->token.begin;
	return node;
}

const char *parse_word(struct parser *parser)
{
	const struct token *token = &parser->token;

	return arena_strndup(parser->lexer.arena, token->begin,
			     (size_t)(token->end - token->begin));
}

bool parse_is(const struct parser *parser, const char *text)
{
	return token_is(&parser->token, text);
}

bool parse_skip(struct parser *parser, const char *text)
{
	if (!parse_is(parser, text))
		return false;
	parse_next(parser);
	return true;
}

static void skip_newlines(struct parser *parser)
{
	while (parser->token.kind == TOKEN_NEWLINE)
		parse_next(parser);
}

static bool at_end(const struct parser *parser, const char *const *ends)
{
	if (parser->token.kind == TOKEN_END)
		return true;
	for (; ends && *ends; ends++)
		if (parse_is(parser, *ends))
			return true;
	return false;
}

struct node *parse_until(struct parser *parser, const char *const *ends)
{
	struct node *list = parse_list(parser, ends);

	if (list && parser->token.kind == TOKEN_END && ends)
		return parse_fail(parser, "what begins before here has no end");
	return list;
}

static struct node *parse_pipe(struct parser *parser)
{
	struct node *pipe = parse_new(parser, NODE_PIPE), **next = &pipe->first;
	bool negated = false;

	while (parse_skip(parser, "!"))
		negated = !negated;
	for (;;) {
		struct node *node = parse_command(parser);

		if (!node)
			return NULL;
		*next = node;
		next = &node->next;
		if (!parse_is(parser, "|") && !parse_is(parser, "|&"))
			break;
		parse_next(parser);
		skip_newlines(parser);
	}
	pipe->end = parser->last_end;
	if (!pipe->first->next && !negated)
		return pipe->first;
	pipe->negated = negated;
	return pipe;
}

static struct node *parse_and_or(struct parser *parser)
{
	struct node *left = parse_pipe(parser);

	if (!left)
		return NULL;
	while (parse_is(parser, "&&") || parse_is(parser, "||")) {
		struct node *node =
			parse_new(parser, parse_is(parser, "&&") ? NODE_AND : NODE_OR);

		node->begin = left->begin;
		node->line = left->line;
		parse_next(parser);
		skip_newlines(parser);
		node->a = left;
		node->b = parse_pipe(parser);
		if (!node->b)
			return NULL;
		node->end = parser->last_end;
		left = node;
	}
	return left;
}

static struct node *parse_list(struct parser *parser, const char *const *ends)
{
	struct node *list = parse_new(parser, NODE_LIST), **next = &list->first;

	if (++parser->depth > PARSE_DEPTH_MAX)
		return parse_fail(parser, "it is nested too deeply");
	for (skip_newlines(parser); !at_end(parser, ends); skip_newlines(parser)) {
		struct node *node = parse_and_or(parser);

		if (!node)
			return NULL;
		*next = node;
		next = &node->next;
		if (parse_is(parser, "&"))
			node->background = true;
		if (!parse_skip(parser, "&") && !parse_skip(parser, ";") &&
		    parser->token.kind != TOKEN_NEWLINE && !at_end(parser, ends))
			return parse_fail(parser, "this is not expected here");
	}
	parser->depth--;
	list->end = parser->last_end;
	return parser->why ? NULL : list;
}

struct node *import_parse(struct arena *arena, const struct source *source,
			  unsigned *ret_line, const char **ret_why)
{
	struct parser parser = {
		.lexer = { .arena = arena, .p = source->text, .line = source->line },
		.source = source,
	};
	struct node *list;

	parser.last_end = source->text;
	parse_next(&parser);
	list = parse_list(&parser, NULL);
	if (parser.why) {
		*ret_line = parser.line;
		*ret_why = parser.why;
		return NULL;
	}
	return list;
}
