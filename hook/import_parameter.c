/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forms of ${…}.
 */
#include <ctype.h>
#include <fnmatch.h>

#include "import.h"

static bool get(struct import *im, const char *name, struct words *ret)
{
	const struct words *values;
	char *end;
	long n = strtol(name, &end, 10);

	if (streq(name, "@") || streq(name, "*")) {
		for (size_t i = 1; i < im->args.n; i++)
			words_push(&im->arena, ret, im->args.v[i]);
		return true;
	}
	if (streq(name, "#")) {
		words_push(&im->arena, ret,
			   arena_printf(&im->arena, "%zu",
					im->args.n ? im->args.n - 1 : 0));
		return true;
	}
	if (!*end && end != name) {
		if (n >= 0 && (size_t)n < im->args.n)
			words_push(&im->arena, ret, im->args.v[n]);
		return n >= 0 && (size_t)n < im->args.n;
	}
	values = import_get(im, name);
	for (size_t i = 0; values && i < values->n; i++)
		words_push(&im->arena, ret, values->v[i]);
	return values != NULL;
}

static char *cut_pattern(struct import *im, const char *value, const char *op,
			 const char *pattern)
{
	size_t n = strlen(value);
	bool longest = op[0] == op[1], front = *op == '#';

	for (size_t k = 0; k <= n; k++) {
		/* what is taken away: the shortest first, unless the longest is wanted */
		size_t cut = longest ? n - k : k;
		const char *part = front ? arena_strndup(&im->arena, value, cut) :
					   value + n - cut;

		if (fnmatch(pattern, part, 0) == 0)
			return front ? arena_strndup(&im->arena, value + cut, n - cut) :
				       arena_strndup(&im->arena, value, n - cut);
	}
	return arena_strndup(&im->arena, value, n);
}

/* ${VAR/OLD/NEW} for an OLD without wildcards. */
static char *replace(struct import *im, const char *value, const char *text)
{
	bool all = *text == '/';
	const char *old = text + all, *slash = strchr(old, '/'), *at;
	const char *with = slash ? import_expand_text(im, slash + 1) : "";
	struct buf out = { 0 };
	const char *what;

	what = import_expand_text(im, slash ? arena_strndup(&im->arena, old,
							    (size_t)(slash - old)) :
					      old);
	if (!*what || strpbrk(what, "*?["))
		return import_unknown(im, arena_printf(&im->arena, "${%s}", text));
	while ((at = strstr(value, what))) {
		buf_add(&im->arena, &out, value, (size_t)(at - value));
		buf_puts(&im->arena, &out, with);
		value = at + strlen(what);
		if (!all)
			break;
	}
	buf_puts(&im->arena, &out, value);
	return out.s;
}

static char *change_case(struct import *im, const char *value, bool up)
{
	char *copy = arena_strndup(&im->arena, value, strlen(value));

	for (char *p = copy; *p; p++)
		*p = (char)(up ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
	return copy;
}

/* VALUE, which is known, through the operator at OP. */
static const char *modify(struct import *im, const char *text, const char *value,
			  const char *op)
{
	long from;
	char *end;

	switch (*op) {
	case '#':
	case '%':
		return cut_pattern(im, value, op,
				   import_expand_text(im, op + 1 + (op[0] == op[1])));
	case '/':
		return replace(im, value, op + 1);
	case '^':
	case ',':
		if (op[1] != op[0])
			break;
		return change_case(im, value, *op == '^');
	case ':':
		from = strtol(op + 1, &end, 10);
		if (*end == '\0' && from >= 0)
			return value + ((size_t)from < strlen(value) ? (size_t)from :
								       strlen(value));
		if (*end == ':' && from >= 0 && (size_t)from <= strlen(value)) {
			long n = strtol(end + 1, NULL, 10);

			if (n >= 0)
				return arena_strndup(&im->arena, value + from,
						     strnlen(value + from, (size_t)n));
		}
		break;
	default:
		break;
	}
	return import_unknown(im, arena_printf(&im->arena, "${%s}", text));
}

/* ${NAME:-WORD} and its like: true when it was one. */
static bool use_default(struct import *im, const char *name, const char *op, bool set,
			const struct words *values, struct words *ret)
{
	const char *word = op + 1 + (*op == ':');
	bool empty = !set || (*op == ':' && (values->n == 0 || !*values->v[0]));
	char kind = word[-1];

	if (!strchr("-=+?", kind) || (*op == ':' && !strchr("-=+?", op[1])))
		return false;
	if (kind == '+') {
		words_push(&im->arena, ret, empty ? "" : import_expand_text(im, word));
		return true;
	}
	if (!empty || kind == '?')
		return false;
	words_push(&im->arena, ret, import_expand_text(im, word));
	if (kind == '=')
		import_set_text(im, name, ret->v[ret->n - 1]);
	return true;
}

/* ${!NAME[@]}: false when that is no associative array. */
static bool push_keys(struct import *im, const char *text, struct words *ret)
{
	size_t n = import_name_length(text);
	const struct words *keys = import_keys(im, arena_strndup(&im->arena, text, n));

	if (!keys || (!streq(text + n, "[@]") && !streq(text + n, "[*]")))
		return false;
	for (size_t i = 0; i < keys->n; i++)
		words_push(&im->arena, ret, keys->v[i]);
	return true;
}

/* [KEY] at *OP of an associative array: its value, *OP moves on; NULL: there is none. */
static const char *element_at(struct import *im, const char *name, const char **op)
{
	const char *end = strchr(*op, ']'), *value;

	if (!end || !import_keys(im, name))
		return NULL;
	value = import_element(im, name,
			       import_expand_text(im,
						  arena_strndup(&im->arena, *op + 1,
								(size_t)(end - *op - 1))));
	if (value)
		*op = end + 1;
	return value;
}

void import_parameter(struct import *im, const char *text, struct words *ret)
{
	bool length = *text == '#' && text[1];
	const char *start = text + length, *op, *element;
	size_t n = import_name_length(start);
	struct words values = { 0 };
	char *name;
	bool set;

	if (*text == '!' && push_keys(im, text + 1, ret))
		return;
	if (n == 0)
		n = isdigit((unsigned char)*start) ? strspn(start, "0123456789") : 1;
	name = arena_strndup(&im->arena, start, n > strlen(start) ? strlen(start) : n);
	op = start + strlen(name);
	set = get(im, name, &values);
	if (str_after(op, "[@]") || str_after(op, "[*]")) {
		op += 3;
	} else if (*op == '[' && (element = element_at(im, name, &op))) {
		values = (struct words){ 0 };
		words_push(&im->arena, &values, element);
	} else if (*op == '[' && import_keys(im, name)) {
		set = false;
	} else if (*op == '[') {
		size_t i = (size_t)strtoul(op + 1, NULL, 10);

		set = set && i < values.n && isdigit((unsigned char)op[1]);
		if (set)
			values = (struct words){ .v = &values.v[i], .n = 1 };
		op += strcspn(op, "]");
		op += *op == ']';
	} else if (values.n > 1 && !strchr("@*", *name)) {
		values.n = 1; /* an array's name alone is its first element */
	}
	if (*op && use_default(im, name, op, set, &values, ret))
		return;
	if (!set) {
		if (!streq(name, "@") && !streq(name, "*"))
			words_push(&im->arena, ret,
				   import_unknown(im,
						  arena_printf(&im->arena,
							       *op || length ? "${%s}" :
									       "$%s",
							       text)));
		return;
	}
	if (length) {
		size_t len = *op || values.n != 1 ? values.n : strlen(values.v[0]);

		words_push(&im->arena, ret, arena_printf(&im->arena, "%zu", len));
		return;
	}
	for (size_t i = 0; i < values.n; i++) {
		const char *value = values.v[i];

		if (*op && is_known(value) && !strchr("-=+?", op[*op == ':']))
			value = modify(im, text, value, op);
		words_push(&im->arena, ret, value);
	}
}
