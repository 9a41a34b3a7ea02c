/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One command of the shell: a simple one with its redirections, or a compound one.
 */
#include "import_parse.h"

static void skip_ends(struct parser *parser)
{
	while (parser->token.kind == TOKEN_NEWLINE || parse_is(parser, ";"))
		parse_next(parser);
}

/* A regular expression ends at a blank that is not quoted. */
static size_t regex_length(const char *text)
{
	const char *p = text;

	while (*p && !strchr(" \t\n", *p))
		p = strchr("\"'\\$`", *p) ? lexer_skip(p, 0) ?: p + 1 : p + 1;
	return (size_t)(p - text);
}

/* Everything up to "]]" is words, operators too. */
static bool parse_double_bracket(struct parser *parser, struct node *node)
{
	while (parser->token.kind != TOKEN_END && !parse_is(parser, "]]")) {
		bool regex = parse_is(parser, "=~");

		if (parser->token.kind != TOKEN_NEWLINE)
			words_push(parser->lexer.arena, &node->words, parse_word(parser));
		if (regex) {
			const char *p = parser->lexer.p + strspn(parser->lexer.p, " \t");
			size_t n = regex_length(p);

			words_push(parser->lexer.arena, &node->words,
				   arena_strndup(parser->lexer.arena, p, n));
			parser->lexer.p = p + n;
		}
		parse_next(parser);
	}
	if (parser->token.kind == TOKEN_END)
		return parse_fail(parser, "[[ without ]]"), false;
	words_push(parser->lexer.arena, &node->words, "]]");
	parse_next(parser);
	return parse_redirs(parser, node);
}

static struct node *parse_function_body(struct parser *parser, struct node *node,
					const char *name)
{
	node->kind = NODE_FUNCTION;
	node->name = name;
	while (parser->token.kind == TOKEN_NEWLINE)
		parse_next(parser);
	node->b = parse_command(parser);
	node->end = parser->last_end;
	return node->b ? node : NULL;
}

static struct node *parse_simple(struct parser *parser)
{
	struct node *node = parse_new(parser, NODE_COMMAND);

	for (;;) {
		if (parse_at_redir(parser)) {
			if (!parse_redir(parser, node))
				return NULL;
			continue;
		}
		if (parser->token.kind != TOKEN_WORD)
			break;
		if (node->words.n == 0 && parse_is(parser, "[[")) {
			words_push(parser->lexer.arena, &node->words, "[[");
			parse_next(parser);
			return parse_double_bracket(parser, node) ? node : NULL;
		}
		words_push(parser->lexer.arena, &node->words, parse_word(parser));
		parse_next(parser);
		if (node->words.n == 1 && node->n_redirs == 0 && parse_skip(parser, "(")) {
			if (!parse_skip(parser, ")"))
				return parse_fail(parser, "this bracket is not expected");
			return parse_function_body(parser, node, node->words.v[0]);
		}
	}
	node->end = parser->last_end;
	if (node->words.n == 0 && node->n_redirs == 0)
		return parse_fail(parser, "a command is expected here");
	return node;
}

/* The then and else of an if, or of an elif as one. */
static struct node *parse_if(struct parser *parser)
{
	static const char *const then[] = { "then", NULL };
	static const char *const ends[] = { "elif", "else", "fi", NULL };
	static const char *const fi[] = { "fi", NULL };
	struct node *node = parse_new(parser, NODE_IF);

	if (++parser->depth > PARSE_DEPTH_MAX)
		return parse_fail(parser, "it is nested too deeply");
	parse_next(parser);
	node->a = parse_until(parser, then);
	if (!node->a || !parse_skip(parser, "then"))
		return parse_fail(parser, "if without then");
	node->b = parse_until(parser, ends);
	if (!node->b)
		return NULL;
	if (parse_is(parser, "elif")) {
		node->c = parse_if(parser);
		if (!node->c)
			return NULL;
	} else {
		if (parse_skip(parser, "else") && !(node->c = parse_until(parser, fi)))
			return NULL;
		if (!parse_skip(parser, "fi"))
			return parse_fail(parser, "if without fi");
	}
	parser->depth--;
	node->end = parser->last_end;
	return node;
}

static struct node *parse_body(struct parser *parser, struct node *node)
{
	static const char *const done[] = { "done", NULL };
	static const char *const brace[] = { "}", NULL };

	skip_ends(parser);
	if (parse_skip(parser, "{")) { /* old, but bash takes it */
		node->b = parse_until(parser, brace);
		if (!node->b || !parse_skip(parser, "}"))
			return parse_fail(parser, "{ without }");
	} else {
		if (!parse_skip(parser, "do"))
			return parse_fail(parser, "a loop without do");
		node->b = parse_until(parser, done);
		if (!node->b || !parse_skip(parser, "done"))
			return parse_fail(parser, "a loop without done");
	}
	return parse_redirs(parser, node) ? node : NULL;
}

static struct node *parse_while(struct parser *parser)
{
	static const char *const ends[] = { "do", NULL };
	struct node *node = parse_new(parser, NODE_WHILE);

	node->negated = parse_is(parser, "until");
	parse_next(parser);
	node->a = parse_until(parser, ends);
	return node->a ? parse_body(parser, node) : NULL;
}

/* The text of ((…)), whose brackets begin at the token. */
static const char *parse_arithmetic(struct parser *parser)
{
	const char *begin = parser->token.begin,
		   *end = lexer_skip_brackets(begin, '(', ')', 0);

	if (!end || end - begin < 4 || end[-2] != ')')
		return parse_fail(parser, "(( without ))");
	for (const char *p = parser->lexer.p; p < end; p++)
		parser->lexer.line += *p == '\n';
	parser->lexer.p = end;
	parser->token.end = end;
	parse_next(parser);
	return arena_strndup(parser->lexer.arena, begin + 2, (size_t)(end - begin) - 4);
}

static bool at_arithmetic(const struct parser *parser)
{
	return parse_is(parser, "(") && parser->token.begin[1] == '(';
}

static struct node *parse_for(struct parser *parser)
{
	struct node *node = parse_new(parser, NODE_FOR);

	parse_next(parser);
	if (at_arithmetic(parser)) {
		node->kind = NODE_COUNT;
		node->name = parse_arithmetic(parser);
		return node->name ? parse_body(parser, node) : NULL;
	}
	node->name = parse_word(parser);
	parse_next(parser);
	skip_ends(parser);
	if (!parse_skip(parser, "in")) {
		words_push(parser->lexer.arena, &node->words, "\"$@\"");
		return parse_body(parser, node);
	}
	while (parser->token.kind == TOKEN_WORD) {
		words_push(parser->lexer.arena, &node->words, parse_word(parser));
		parse_next(parser);
	}
	return parse_body(parser, node);
}

static struct node *parse_case_item(struct parser *parser)
{
	static const char *const ends[] = { ";;", ";&", ";;&", "esac", NULL };
	struct node *item = parse_new(parser, NODE_LIST);

	parse_skip(parser, "(");
	while (parser->token.kind == TOKEN_WORD) {
		words_push(parser->lexer.arena, &item->words, parse_word(parser));
		parse_next(parser);
		if (!parse_skip(parser, "|"))
			break;
	}
	if (!parse_skip(parser, ")"))
		return parse_fail(parser, "a case without )");
	item->b = parse_until(parser, ends);
	if (!item->b)
		return NULL;
	if (!parse_is(parser, "esac"))
		parse_next(parser);
	item->end = parser->last_end;
	return item;
}

static struct node *parse_case(struct parser *parser)
{
	struct node *node = parse_new(parser, NODE_CASE), **next = &node->first;

	parse_next(parser);
	words_push(parser->lexer.arena, &node->words, parse_word(parser));
	parse_next(parser);
	skip_ends(parser);
	if (!parse_skip(parser, "in"))
		return parse_fail(parser, "case without in");
	for (skip_ends(parser); !parse_is(parser, "esac"); skip_ends(parser)) {
		struct node *item = parse_case_item(parser);

		if (!item)
			return NULL;
		*next = item;
		next = &item->next;
	}
	parse_next(parser);
	return parse_redirs(parser, node) ? node : NULL;
}

static struct node *parse_group(struct parser *parser)
{
	struct node *node = parse_new(parser, NODE_GROUP);
	const char *close = parse_is(parser, "{") ? "}" : ")";
	const char *const ends[] = { close, NULL };

	parse_next(parser);
	node->b = parse_until(parser, ends);
	if (!node->b || !parse_skip(parser, close))
		return parse_fail(parser, "a group without an end");
	return parse_redirs(parser, node) ? node : NULL;
}

static struct node *parse_compound(struct parser *parser)
{
	struct node *node;

	if (parse_is(parser, "if")) {
		node = parse_if(parser);
		return node && parse_redirs(parser, node) ? node : NULL;
	}
	if (parse_is(parser, "while") || parse_is(parser, "until"))
		return parse_while(parser);
	if (parse_is(parser, "for") || parse_is(parser, "select"))
		return parse_for(parser);
	if (parse_is(parser, "case"))
		return parse_case(parser);
	if (at_arithmetic(parser)) {
		node = parse_new(parser, NODE_ARITH);
		node->name = parse_arithmetic(parser);
		return node->name && parse_redirs(parser, node) ? node : NULL;
	}
	if (parse_is(parser, "{") || parse_is(parser, "("))
		return parse_group(parser);
	if (parse_is(parser, "function")) {
		const char *name;

		node = parse_new(parser, NODE_FUNCTION);
		parse_next(parser);
		name = parse_word(parser);
		parse_next(parser);
		if (parse_skip(parser, "("))
			parse_skip(parser, ")");
		return parse_function_body(parser, node, name);
	}
	return parse_simple(parser);
}

struct node *parse_command(struct parser *parser)
{
	struct node *node;

	if (++parser->depth > PARSE_DEPTH_MAX)
		return parse_fail(parser, "it is nested too deeply");
	node = parse_compound(parser);
	parser->depth--;
	return node;
}
