/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words as the shell would expand them, with what cannot be known marked in them. File
 * name patterns stay patterns: the machine that the scripts are read on need not be the
 * one that they are for.
 */
#include "import.h"
#include "import_lex.h"

struct expansion {
	struct import *im;
	struct words *words;
	struct buf buf; /* the word at work */
	bool any; /* it exists, even if empty */
	bool split; /* at blanks that come from unquoted values */
	bool quoted;
};

bool is_known(const char *s)
{
	return !strchr(s, UNKNOWN_BEGIN);
}

char *import_unknown(struct import *im, const char *text)
{
	struct buf buf = { 0 };

	/* what is unknown inside of it is so as a whole, then */
	buf_add(&im->arena, &buf, (char[]){ UNKNOWN_BEGIN }, 1);
	for (; *text; text++)
		if (*text != UNKNOWN_BEGIN && *text != UNKNOWN_END)
			buf_add(&im->arena, &buf, text, 1);
	buf_add(&im->arena, &buf, (char[]){ UNKNOWN_END }, 1);
	return buf.s;
}

const char *import_shown(struct import *im, const char *s)
{
	struct buf buf = { 0 };

	for (; *s; s++)
		if (*s != UNKNOWN_BEGIN && *s != UNKNOWN_END)
			buf_add(&im->arena, &buf, s, 1);
	return buf_text(&buf);
}

static void finish_word(struct expansion *e)
{
	if (e->any)
		words_push(&e->im->arena, e->words, buf_text(&e->buf));
	e->buf = (struct buf){ 0 };
	e->any = false;
}

static void add_literal(struct expansion *e, const char *s, size_t n)
{
	buf_add(&e->im->arena, &e->buf, s, n);
	e->any = true;
}

/* A value: cut at blanks, but not inside of what is unknown. */
static void add_value(struct expansion *e, const char *value)
{
	bool unknown = false;

	if (e->quoted || !e->split) {
		add_literal(e, value, strlen(value));
		return;
	}
	for (; *value; value++) {
		unknown = *value == UNKNOWN_BEGIN || (unknown && *value != UNKNOWN_END);
		if (!unknown && strchr(" \t\n", *value))
			finish_word(e);
		else
			add_literal(e, value, 1);
	}
}

static void add_values(struct expansion *e, const struct words *values)
{
	for (size_t i = 0; i < values->n; i++) {
		if (i > 0 && e->split)
			finish_word(e);
		else if (i > 0)
			add_literal(e, " ", 1);
		add_value(e, values->v[i]);
	}
}

static const char *inside(struct expansion *e, const char *p, const char *end,
			  size_t front, size_t back)
{
	size_t n = (size_t)(end - p);

	return n < front + back ?
		       "" :
		       arena_strndup(&e->im->arena, p + front, n - front - back);
}

static void add_arithmetic(struct expansion *e, const char *text)
{
	struct import *im = e->im;
	long long n;

	if (import_arith(im, text, &n))
		add_value(e, arena_printf(&im->arena, "%lld", n));
	else
		add_value(e,
			  import_unknown(im, arena_printf(&im->arena, "$((%s))",
							  import_expand_text(im, text))));
}

/* What begins with $ or a backquote at P; returns what is behind it. */
static const char *expand_dollar(struct expansion *e, const char *p)
{
	const char *end = lexer_skip(p, 0);
	struct words values = { 0 };
	size_t n;

	if (!end)
		end = p + strlen(p);
	if (*p == '`') {
		add_value(e, import_substitute(e->im, inside(e, p, end, 1, 1)));
	} else if (str_after(p, "$((") && end - p > 5 && end[-2] == ')') {
		add_arithmetic(e, inside(e, p, end, 3, 2));
	} else if (p[1] == '(') {
		add_value(e, import_substitute(e->im, inside(e, p, end, 2, 1)));
	} else if (p[1] == '{') {
		import_parameter(e->im, inside(e, p, end, 2, 1), &values);
		add_values(e, &values);
	} else if (p[1] && p[1] != '"' && p[1] != '\'') {
		n = import_name_length(p + 1);
		if (n == 0 && !strchr("0123456789@*#?$!-_", p[1])) {
			add_literal(e, "$", 1);
			return p + 1;
		}
		import_parameter(e->im, arena_strndup(&e->im->arena, p + 1, n ? n : 1),
				 &values);
		add_values(e, &values);
		end = p + 1 + (n ? n : 1);
	} else if (p[1]) { /* $"…" */
		return p + 1;
	} else {
		add_literal(e, "$", 1);
	}
	return end;
}

static const char *expand_double(struct expansion *e, const char *p)
{
	e->quoted = true;
	e->any = true;
	for (p++; *p && *p != '"';) {
		if (*p == '\\' && p[1] && strchr("$`\"\\\n", p[1])) {
			if (p[1] != '\n')
				add_literal(e, p + 1, 1);
			p += 2;
		} else if (*p == '$' || *p == '`') {
			p = expand_dollar(e, p);
		} else {
			add_literal(e, p++, 1);
		}
	}
	e->quoted = false;
	return *p ? p + 1 : p;
}

static const char *expand_ansi(struct expansion *e, const char *p)
{
	e->any = true;
	for (p += 2; *p && *p != '\''; p++) {
		const char *escape = *p == '\\' ? strchr("n\nt\t\\\\''", p[1]) : NULL;

		if (escape && p[1]) {
			add_literal(e, escape + 1, 1);
			p++;
		} else {
			add_literal(e, p, 1);
		}
	}
	return *p ? p + 1 : p;
}

static void expand_into(struct expansion *e, const char *p)
{
	while (*p) {
		const char *end;

		if (*p == '\'') {
			end = strchrnul(++p, '\'');
			add_literal(e, p, (size_t)(end - p));
			p = end + (*end == '\'');
		} else if (*p == '"') {
			p = expand_double(e, p);
		} else if (p[0] == '$' && p[1] == '\'') {
			p = expand_ansi(e, p);
		} else if (*p == '$' || *p == '`') {
			p = expand_dollar(e, p);
		} else if (*p == '\\') {
			if (p[1] && p[1] != '\n')
				add_literal(e, p + 1, 1);
			p += p[1] ? 2 : 1;
		} else if (e->split && strchr(" \t\n\r", *p)) {
			finish_word(e); /* between the elements of an array */
			p++;
		} else {
			add_literal(e, p++, 1);
		}
	}
}

/* {1..8}: the numbers, with what is around the braces. */
static bool expand_range(struct import *im, const char *raw, struct words *ret)
{
	const char *open = strchr(raw, '{');
	int from, to, used = 0;

	if (!open || (open > raw && open[-1] == '$') ||
	    sscanf(open, "{%d..%d}%n", &from, &to, &used) < 2 || used == 0 ||
	    abs(to - from) > 512)
		return false;
	for (int i = from;; i += from <= to ? 1 : -1) {
		import_expand(im,
			      arena_printf(&im->arena, "%.*s%d%s", (int)(open - raw), raw,
					   i, open + used),
			      ret);
		if (i == to)
			return true;
	}
}

/* {a,b}: without quotes or braces inside. */
static bool expand_list(struct import *im, const char *raw, struct words *ret)
{
	const char *open = strchr(raw, '{'), *p;
	size_t n = open ? strcspn(open + 1, "{}\"'$`") : 0;

	if (!open || (open > raw && open[-1] == '$') || open[1 + n] != '}' ||
	    !memchr(open + 1, ',', n))
		return false;
	for (p = open + 1;; p += 1) {
		size_t len = strcspn(p, ",}");

		import_expand(im,
			      arena_printf(&im->arena, "%.*s%.*s%s", (int)(open - raw),
					   raw, (int)len, p, open + n + 2),
			      ret);
		p += len;
		if (*p == '}')
			return true;
	}
}

void import_expand(struct import *im, const char *raw, struct words *ret)
{
	struct expansion e = { .im = im, .words = ret, .split = true };

	if (++im->depth < 40 && strcspn(raw, "'\"") > strcspn(raw, "{") &&
	    (expand_range(im, raw, ret) || expand_list(im, raw, ret))) {
		im->depth--;
		return;
	}
	if (im->depth < 40)
		expand_into(&e, raw);
	else
		add_literal(&e, import_unknown(im, raw), strlen(raw) + 2);
	im->depth--;
	finish_word(&e);
}

char *import_expand_text(struct import *im, const char *raw)
{
	struct words words = { 0 };
	struct expansion e = { .im = im, .words = &words };

	if (++im->depth < 40)
		expand_into(&e, raw);
	im->depth--;
	return e.buf.s ? e.buf.s : arena_strndup(&im->arena, "", 0);
}
