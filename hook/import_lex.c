/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shell text into tokens. A word stays as it was written, quotes and all; what is inside
 * is for import_expand.c.
 */
#include <ctype.h>

#include "import_lex.h"

#define NESTING_MAX 24

bool token_is(const struct token *token, const char *text)
{
	size_t n = (size_t)(token->end - token->begin);

	return (token->kind == TOKEN_WORD || token->kind == TOKEN_OPERATOR) &&
	       strlen(text) == n && strncmp(token->begin, text, n) == 0;
}

static const char *skip_single(const char *p)
{
	const char *end = strchr(p + 1, '\'');

	return end ? end + 1 : NULL;
}

/* $'…', where a backslash counts. */
static const char *skip_ansi(const char *p)
{
	for (p += 2; *p && *p != '\''; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

static const char *skip_double(const char *p, unsigned depth)
{
	for (p++; p && *p && *p != '"';) {
		if (*p == '\\' && p[1])
			p += 2;
		else if (*p == '$' && p[1] == '\'')
			p += 2;
		else if (strchr("$`", *p))
			p = lexer_skip(p, depth + 1);
		else
			p++;
	}
	return p && *p ? p + 1 : NULL;
}

static const char *skip_backquote(const char *p)
{
	for (p++; *p && *p != '`'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

const char *lexer_skip_brackets(const char *p, char open, char close, unsigned depth)
{
	unsigned level = 0;

	while (p && *p) {
		if (*p == open) {
			level++, p++;
		} else if (*p == close) {
			p++;
			if (--level == 0)
				return p;
		} else if (*p == '#' && open == '(' && isspace((unsigned char)p[-1])) {
			p += strcspn(p, "\n");
		} else if (strchr("\\'\"`$", *p)) {
			p = lexer_skip(p, depth + 1);
		} else {
			p++;
		}
	}
	return NULL;
}

const char *lexer_skip(const char *p, unsigned depth)
{
	if (depth > NESTING_MAX)
		return NULL;
	switch (*p) {
	case '\\':
		return p[1] ? p + 2 : p + 1;
	case '\'':
		return skip_single(p);
	case '"':
		return skip_double(p, depth);
	case '`':
		return skip_backquote(p);
	case '$':
		if (p[1] == '(')
			return lexer_skip_brackets(p + 1, '(', ')', depth);
		if (p[1] == '{')
			return lexer_skip_brackets(p + 1, '{', '}', depth);
		if (p[1] == '\'')
			return skip_ansi(p);
		return p + 1;
	default:
		return p + 1;
	}
}

/* "NAME=" before a "(" makes an array. */
static bool begins_array(const char *word, const char *p)
{
	size_t n = import_name_length(word);

	return n > 0 && (word + n + 1 == p || (word[n] == '+' && word + n + 2 == p)) &&
	       p[-1] == '=';
}

const char *lexer_skip_word(const char *word)
{
	const char *p = word;

	while (p && *p && !strchr(" \t\r\n;&|", *p)) {
		if ((*p == '<' || *p == '>') && p[1] == '(')
			p = lexer_skip_brackets(p + 1, '(', ')', 1);
		else if (*p == '(' && begins_array(word, p))
			p = lexer_skip_brackets(p, '(', ')', 1);
		else if (strchr("()<>", *p))
			break;
		else
			p = lexer_skip(p, 0);
	}
	return p;
}

static const char *operator_end(const char *p)
{
	static const char *const operators[] = { "&>>", "<<<", "<<-", ";;&", "&&", "||",
						 ";;",	";&",  "|&",  "&>",  ">>", ">|",
						 "<<",	"<>",  ">&",  "<&" };

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (str_after(p, operators[i]))
			return p + strlen(operators[i]);
	return p + 1;
}

static void skip_blanks(struct lexer *lexer)
{
	for (;;) {
		if (*lexer->p == ' ' || *lexer->p == '\t' || *lexer->p == '\r') {
			lexer->p++;
		} else if (str_after(lexer->p, "\\\n")) {
			lexer->p += 2;
			lexer->line++;
		} else if (*lexer->p == '#') {
			lexer->p += strcspn(lexer->p, "\n");
		} else {
			return;
		}
	}
}

/* The lines up to the one that is the word of REDIR, which becomes their text. */
static void read_heredoc(struct lexer *lexer, struct redir *redir, bool tabs)
{
	struct buf text = { 0 };
	char *end = arena_strndup(lexer->arena, redir->word, strlen(redir->word)),
	     *to = end;

	for (const char *from = end; *from; from++)
		if (!strchr("'\"\\", *from))
			*to++ = *from;
	*to = '\0';
	while (*lexer->p) {
		size_t n = strcspn(lexer->p, "\n");
		const char *line = lexer->p;

		lexer->p += n + (line[n] == '\n');
		lexer->line++;
		while (tabs && *line == '\t')
			line++, n--;
		if (n == strlen(end) && strncmp(line, end, n) == 0)
			break;
		buf_add(lexer->arena, &text, line, n);
		buf_puts(lexer->arena, &text, "\n");
	}
	redir->word = buf_text(&text);
}

static void end_line(struct lexer *lexer)
{
	lexer->p++;
	lexer->line++;
	for (size_t i = 0; i < lexer->n_heredocs; i++)
		read_heredoc(lexer, lexer->heredocs[i], lexer->tabs[i]);
	lexer->n_heredocs = 0;
}

static bool is_process_substitution(const char *p)
{
	return (*p == '<' || *p == '>') && p[1] == '(';
}

void lexer_next(struct lexer *lexer, struct token *ret)
{
	const char *p;

	skip_blanks(lexer);
	p = lexer->p;
	*ret = (struct token){ .begin = p, .end = p, .line = lexer->line };
	if (!*p)
		return;
	if (*p == '\n') {
		ret->kind = TOKEN_NEWLINE;
		end_line(lexer);
		return;
	}
	if (strchr(";&|()<>", *p) && !is_process_substitution(p)) {
		ret->kind = TOKEN_OPERATOR;
		ret->end = operator_end(p);
	} else {
		ret->kind = TOKEN_WORD;
		ret->end = lexer_skip_word(p);
		if (!ret->end) {
			lexer->why = "a quote or bracket that begins here is not closed";
			*ret = (struct token){ .begin = p, .end = p, .line = lexer->line };
			return;
		}
		if (strspn(p, "0123456789") == (size_t)(ret->end - p) &&
		    strchr("<>", *ret->end) && *ret->end)
			ret->kind = TOKEN_NUMBER;
	}
	for (; p < ret->end; p++)
		lexer->line += *p == '\n';
	lexer->p = ret->end;
}
