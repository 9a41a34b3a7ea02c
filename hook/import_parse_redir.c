/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redirections and here documents of a command.
 */
#include "import_parse.h"

static void add_redir(struct parser *parser, struct node *node, const struct redir *redir)
{
	struct lexer *lexer = &parser->lexer;
	struct redir *more =
		arena_alloc(lexer->arena, (node->n_redirs + 1) * sizeof(*more));

	if (node->n_redirs > 0)
		memcpy(more, node->redirs, node->n_redirs * sizeof(*more));
	for (size_t i = 0; i < lexer->n_heredocs; i++) /* they move along */
		for (size_t k = 0; k < node->n_redirs; k++)
			if (lexer->heredocs[i] == &node->redirs[k])
				lexer->heredocs[i] = &more[k];
	more[node->n_redirs++] = *redir;
	node->redirs = more;
}

static enum redir_op redir_op(const struct parser *parser)
{
	static const struct {
		const char *text;
		enum redir_op op;
	} ops[] = { { ">>", REDIR_APPEND },	 { "&>>", REDIR_APPEND },
		    { "<", REDIR_IN },		 { "<>", REDIR_IN },
		    { ">&", REDIR_DUP },	 { "<&", REDIR_DUP },
		    { "<<", REDIR_HERE },	 { "<<-", REDIR_HERE },
		    { "<<<", REDIR_HERE_STRING } };

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (parse_is(parser, ops[i].text))
			return ops[i].op;
	return REDIR_OUT;
}

bool parse_at_redir(const struct parser *parser)
{
	const struct token *token = &parser->token;

	return token->kind == TOKEN_NUMBER ||
	       (token->kind == TOKEN_OPERATOR &&
		(strchr("<>", *token->begin) || str_after(token->begin, "&>")));
}

bool parse_redir(struct parser *parser, struct node *node)
{
	struct redir redir = { .fd = *parser->token.begin == '<' ? 0 : 1 };
	struct lexer *lexer = &parser->lexer;
	bool tabs;

	if (parser->token.kind == TOKEN_NUMBER) {
		redir.fd = atoi(parse_word(parser));
		parse_next(parser);
	} else if (*parser->token.begin == '&') {
		redir.fd = -1;
	}
	redir.op = redir_op(parser);
	tabs = parse_is(parser, "<<-");
	parse_next(parser);
	if (parser->token.kind != TOKEN_WORD && parser->token.kind != TOKEN_NUMBER)
		return parse_fail(parser, "a redirection without a file"), false;
	redir.word = parse_word(parser);
	if (redir.op == REDIR_DUP && !strchr("0123456789-$", *redir.word)) {
		redir.op = REDIR_OUT; /* >&FILE */
		redir.fd = -1;
	}
	add_redir(parser, node, &redir);
	if (redir.op != REDIR_HERE)
		return parse_next(parser), true;
	if (lexer->n_heredocs == HEREDOCS_MAX)
		return parse_fail(parser, "too many here documents"), false;
	lexer->heredocs[lexer->n_heredocs] = &node->redirs[node->n_redirs - 1];
	lexer->tabs[lexer->n_heredocs++] = tabs;
	return parse_next(parser), true;
}

bool parse_redirs(struct parser *parser, struct node *node)
{
	while (parse_at_redir(parser))
		if (!parse_redir(parser, node))
			return false;
	node->end = parser->last_end;
	return true;
}
