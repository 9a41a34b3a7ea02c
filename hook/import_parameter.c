/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forms of ${…}.
 */
#include <ctype.h>

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

/* ${@:2}, ${NAME[@]:1:3}: some of the values; false: which is not known, and none is left. */
static bool slice(struct import *im, const char *name, const char *op,
		  struct words *values)
{
	const char *text = import_expand_text(im, op + 1);
	const char *colon = strchrnul(text, ':');
	bool args = strchr("@*", *name);
	struct words all = { 0 };
	long long from, n = 65536;

	if (args) /* they count from $0 on */
		words_push(&im->arena, &all, im->args.n ? im->args.v[0] : "");
	for (size_t i = 0; i < values->n; i++)
		words_push(&im->arena, &all, values->v[i]);
	*values = (struct words){ 0 };
	if (!import_arith(im, arena_strndup(&im->arena, text, (size_t)(colon - text)),
			  &from) ||
	    (*colon && !import_arith(im, colon + 1, &n)) || n < 0)
		return false;
	if (from < 0)
		from += (long long)all.n;
	for (; from >= 0 && n > 0 && from < (long long)all.n; from++, n--)
		words_push(&im->arena, values, all.v[from]);
	return true;
}

void import_parameter(struct import *im, const char *text, struct words *ret)
{
	bool length = *text == '#' && text[1];
	const char *start = text + length, *op, *element;
	size_t n = import_name_length(start);
	struct words values = { 0 };
	char *name;
	bool set, all;

	if (*text == '!' && push_keys(im, text + 1, ret))
		return;
	if (n == 0)
		n = isdigit((unsigned char)*start) ? strspn(start, "0123456789") : 1;
	name = arena_strndup(&im->arena, start, n > strlen(start) ? strlen(start) : n);
	op = start + strlen(name);
	set = get(im, name, &values);
	all = streq(name, "@") || streq(name, "*");
	if (str_after(op, "[@]") || str_after(op, "[*]")) {
		op += 3;
		all = true;
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
	if (*op == ':' && all && !slice(im, name, op, &values))
		words_push(&im->arena, ret,
			   import_unknown(im, arena_printf(&im->arena, "${%s}", text)));
	for (size_t i = 0; i < values.n; i++) {
		const char *value = values.v[i];

		if (*op && !(*op == ':' && all) && is_known(value) &&
		    !strchr("-=+?", op[*op == ':']))
			value = import_modify(im, text, value, op);
		words_push(&im->arena, ret, value);
	}
}
