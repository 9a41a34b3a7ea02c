/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test, [ and [[. What is asked of the machine is answered as if all that the script is
 * about were there.
 */
#include <fnmatch.h>
#include <regex.h>

#include "import.h"

struct test {
	struct import *im;
	const struct words *words;
	size_t i;
	bool pattern; /* [[ */
	unsigned depth;
};

static enum truth any(struct test *t);

static const char *peek(const struct test *t)
{
	return t->i < t->words->n ? t->words->v[t->i] : NULL;
}

static bool take(struct test *t, const char *word)
{
	const char *next = peek(t);

	if (!next || !streq(next, word))
		return false;
	t->i++;
	return true;
}

/* Does it come from a look at the machine, like $(grep -c …)? */
static bool asks_machine(const char *s)
{
	const char *unknown = strchr(s, UNKNOWN_BEGIN);

	return unknown && unknown[1] == '$' && unknown[2] == '(';
}

static enum truth known(bool value)
{
	return value ? TRUE : FALSE;
}

static enum truth compare_numbers(struct test *t, const char *a, const char *op,
				  const char *b)
{
	long long x, y;

	if (!import_arith(t->im, a, &x) || !import_arith(t->im, b, &y))
		return UNKNOWN;
	if (streq(op, "-eq"))
		return known(x == y);
	if (streq(op, "-ne"))
		return known(x != y);
	if (streq(op, "-lt"))
		return known(x < y);
	if (streq(op, "-le"))
		return known(x <= y);
	return known(streq(op, "-gt") ? x > y : x >= y);
}

static enum truth match(const char *text, const char *expression)
{
	regex_t regex;
	int r;

	if (strlen(text) > 1024 || strlen(expression) > 256 ||
	    regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB) != 0)
		return UNKNOWN;
	r = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return known(r == 0);
}

static enum truth compare(struct test *t, const char *a, const char *op, const char *b)
{
	bool differ = streq(op, "!=") || streq(op, "-ne") || streq(op, "-lt");
	enum truth truth = import_ask_domain(t->im, a, op, b);

	if (truth != UNKNOWN)
		return differ ? truth_not(truth) : truth;
	if (!is_known(a) || !is_known(b)) {
		if (!asks_machine(a) && !asks_machine(b))
			return UNKNOWN;
		if ((streq(op, "=") || streq(op, "==") || streq(op, "-eq")) &&
		    (streq(b, "") || streq(b, "0")))
			return ABSENT; /* nothing was found */
		return differ && !streq(b, "") && !streq(b, "0") ? ABSENT : PRESENT;
	}
	if (*op == '-')
		return compare_numbers(t, a, op, b);
	if (streq(op, "=~"))
		return match(a, b);
	if (streq(op, "<") || streq(op, ">"))
		return known((strcmp(a, b) < 0) == (*op == '<'));
	return known((t->pattern ? fnmatch(b, a, 0) == 0 : streq(a, b)) != differ);
}

static bool is_operator(const char *word)
{
	return word && STR_IN(word, "=", "==", "!=", "=~", "<", ">", "-eq", "-ne", "-lt",
			      "-le", "-gt", "-ge");
}

static enum truth unary(const char *op, const char *word)
{
	if (op[1] == 'n' || op[1] == 'z') {
		bool filled = op[1] == 'n';

		if (is_known(word) || import_has_any_domain(word))
			return known(!*word != filled);
		if (strlen(word) > 2 && word[0] == UNKNOWN_BEGIN && !asks_machine(word))
			return UNKNOWN;
		return filled ? PRESENT : ABSENT;
	}
	if (op[1] == 'v' || op[1] == 't')
		return UNKNOWN;
	return PRESENT; /* a file */
}

static enum truth primary(struct test *t)
{
	const char *word = peek(t), *op, *right;

	if (++t->depth > 60 || !word)
		return UNKNOWN;
	if (take(t, "!"))
		return truth_not(primary(t));
	if (take(t, "(")) {
		enum truth truth = any(t);

		take(t, ")");
		return truth;
	}
	t->i++;
	op = peek(t);
	if (is_operator(op) && t->i + 1 < t->words->n) {
		right = t->words->v[t->i + 1];
		t->i += 2;
		return compare(t, word, op, right);
	}
	if (word[0] == '-' && word[1] && !word[2] && op && !streq(op, "]]")) {
		t->i++;
		return unary(word, op);
	}
	return unary("-n", word);
}

static enum truth all(struct test *t)
{
	enum truth truth = primary(t);

	while (take(t, "-a") || take(t, "&&"))
		truth = import_combine(truth, primary(t), true);
	return truth;
}

static enum truth any(struct test *t)
{
	enum truth truth = all(t);

	while (take(t, "-o") || take(t, "||"))
		truth = import_combine(truth, all(t), false);
	return truth;
}

enum truth import_test(struct import *im, const struct words *words)
{
	struct words inner = *words;
	struct test t = { .im = im, .words = &inner, .i = 1 };

	t.pattern = streq(words->v[0], "[[");
	if (inner.n > 1 && (t.pattern || streq(words->v[0], "[")))
		inner.n--; /* the bracket at the end */
	return inner.n == 1 ? FALSE : any(&t);
}
