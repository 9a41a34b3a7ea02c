/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * $((…)) and ((…)): integers, with the operators that scripts use.
 */
#include <ctype.h>

#include "import.h"

struct arith {
	struct import *im;
	const char *p;
	bool known;
	unsigned depth;
};

static long long ternary(struct arith *a);
static long long primary(struct arith *a);

static void skip(struct arith *a)
{
	while (isspace((unsigned char)*a->p))
		a->p++;
}

static bool take(struct arith *a, const char *op)
{
	skip(a);
	if (!str_after(a->p, op))
		return false;
	a->p += strlen(op);
	return true;
}

static long long unknown(struct arith *a)
{
	a->known = false;
	return 0;
}

/* All arithmetic wraps, as the shell's does. */
static long long wrap(unsigned long long n)
{
	return (long long)n;
}

static long long value_of(struct arith *a, const char *name)
{
	const struct words *values = import_get(a->im, name);
	long long n;
	char *end;

	if (!values || values->n == 0 || !is_known(values->v[0]))
		return unknown(a);
	n = strtoll(values->v[0], &end, 0);
	return *end ? unknown(a) : n;
}

static void assign(struct arith *a, const char *name, long long value)
{
	import_set_text(a->im, name,
			a->known ? arena_printf(&a->im->arena, "%lld", value) :
				   import_unknown(a->im, name));
}

/* NAME, NAME++, NAME = VALUE, NAME += VALUE */
static long long variable(struct arith *a)
{
	size_t n = import_name_length(a->p);
	char *name = arena_strndup(&a->im->arena, a->p, n);
	long long old, value;

	a->p += n;
	skip(a);
	if (a->p[0] == '=' && a->p[1] != '=') {
		a->p++;
		value = ternary(a);
		assign(a, name, value);
		return value;
	}
	old = value_of(a, name);
	if (take(a, "++") || take(a, "--")) {
		assign(a, name,
		       wrap((unsigned long long)old + (a->p[-1] == '+' ? 1ULL : -1ULL)));
		return old;
	}
	if (take(a, "+=") || take(a, "-=")) {
		bool plus = a->p[-2] == '+';
		unsigned long long by = (unsigned long long)ternary(a);

		value = wrap(plus ? (unsigned long long)old + by :
				    (unsigned long long)old - by);
		assign(a, name, value);
		return value;
	}
	return old;
}

static long long prefix(struct arith *a)
{
	bool plus = *a->p == '+';
	size_t n;
	char *name;
	long long value;

	a->p += 2;
	skip(a);
	n = import_name_length(a->p);
	if (n == 0)
		return unknown(a);
	name = arena_strndup(&a->im->arena, a->p, n);
	a->p += n;
	value = wrap((unsigned long long)value_of(a, name) + (plus ? 1ULL : -1ULL));
	assign(a, name, value);
	return value;
}

static long long operand(struct arith *a)
{
	long long n;
	char *end;

	skip(a);
	if (take(a, "(")) {
		n = ternary(a);
		return take(a, ")") ? n : unknown(a);
	}
	if (str_after(a->p, "++") || str_after(a->p, "--"))
		return prefix(a);
	if (take(a, "!"))
		return !primary(a);
	if (take(a, "~"))
		return ~primary(a);
	if (take(a, "-"))
		return wrap(0ULL - (unsigned long long)primary(a));
	if (take(a, "+"))
		return primary(a);
	if (import_name_length(a->p) > 0)
		return variable(a);
	n = strtoll(a->p, &end, 0);
	if (end == a->p)
		return unknown(a);
	a->p = end;
	return n;
}

static long long primary(struct arith *a)
{
	long long value = 0;

	if (++a->depth > 200)
		return unknown(a);
	value = operand(a);
	a->depth--;
	return value;
}

static long long shift(struct arith *a, long long x, long long y)
{
	return y < 0 || y > 63 ? unknown(a) : wrap((unsigned long long)x << y);
}

static long long shift_right(struct arith *a, long long x, long long y)
{
	unsigned long long bits = (unsigned long long)x;

	if (y < 0 || y > 63)
		return unknown(a);
	return wrap(x < 0 && y > 0 ? bits >> y | ~0ULL << (64 - y) : bits >> y);
}

static long long apply(struct arith *a, const char *op, long long x, long long y)
{
	switch (*op) {
	case '*':
		return wrap((unsigned long long)x * (unsigned long long)y);
	case '/':
	case '%':
		if (y == 0 || y == -1)
			return y == 0	  ? unknown(a) :
			       *op == '/' ? wrap(0ULL - (unsigned long long)x) :
					    0;
		return *op == '/' ? x / y : x % y;
	case '+':
		return wrap((unsigned long long)x + (unsigned long long)y);
	case '-':
		return wrap((unsigned long long)x - (unsigned long long)y);
	case '<':
		if (op[1] == '<')
			return shift(a, x, y);
		return op[1] == '=' ? x <= y : x < y;
	case '>':
		if (op[1] == '>')
			return shift_right(a, x, y);
		return op[1] == '=' ? x >= y : x > y;
	case '=':
		return x == y;
	case '!':
		return x != y;
	case '&':
		return op[1] ? x && y : x & y;
	case '^':
		return x ^ y;
	default:
		return op[1] ? x || y : x | y;
	}
}

static const char *const levels[][5] = {
	{ "||" },
	{ "&&" },
	{ "|" },
	{ "^" },
	{ "&" },
	{ "==", "!=" },
	{ "<=", ">=", "<", ">" },
	{ "<<", ">>" },
	{ "+", "-" },
	{ "*", "/", "%" },
};

static const char *take_operator(struct arith *a, size_t level)
{
	for (size_t i = 0; i < ARRAY_SIZE(levels[0]) && levels[level][i]; i++) {
		const char *op = levels[level][i];

		skip(a);
		if (strchr("|&", *op) && !op[1] && a->p[1] == *op)
			continue; /* the first half of || */
		if (take(a, op))
			return op;
	}
	return NULL;
}

static long long binary(struct arith *a, size_t level)
{
	long long value;
	const char *op;

	if (level == ARRAY_SIZE(levels))
		return primary(a);
	value = binary(a, level + 1);
	while (a->known && (op = take_operator(a, level)))
		value = apply(a, op, value, binary(a, level + 1));
	return value;
}

static long long ternary(struct arith *a)
{
	long long value, yes, no;

	if (++a->depth > 200)
		return unknown(a);
	value = binary(a, 0);
	if (take(a, "?")) {
		yes = ternary(a);
		no = take(a, ":") ? ternary(a) : unknown(a);
		value = value ? yes : no;
	}
	a->depth--;
	return value;
}

bool import_arith(struct import *im, const char *text, long long *ret)
{
	const char *expanded = import_expand_text(im, text);
	struct arith a = { .im = im, .p = expanded, .known = is_known(expanded) };
	long long value;

	if (!a.known)
		return false;
	skip(&a);
	if (!*a.p)
		return false;
	do
		value = ternary(&a);
	while (a.known && take(&a, ","));
	skip(&a);
	if (!a.known || *a.p)
		return false;
	*ret = value;
	return true;
}
