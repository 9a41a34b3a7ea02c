/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ${NAME#…}, ${NAME/…} and others that change a value.
 */
#include <ctype.h>
#include <fnmatch.h>

#include "import.h"

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

/* How many bytes at the beginning of VALUE are like PATTERN, at most; 0: it is not. */
static size_t match_longest(const char *pattern, char *value)
{
	size_t n = strlen(value), most = strlen(pattern);

	if (!strchr(pattern, '*') && n > most)
		n = most;
	for (; n > 0; n--) {
		char byte = value[n];
		bool match;

		value[n] = '\0';
		match = fnmatch(pattern, value, 0) == 0;
		value[n] = byte;
		if (match)
			break;
	}
	return n;
}

/* ${VAR/OLD/NEW}, ${VAR//OLD/NEW}, ${VAR/#OLD/NEW}, ${VAR/%OLD/NEW} */
static char *replace(struct import *im, const char *text, const char *value,
		     const char *op)
{
	bool all = *op == '/', front = *op == '#', back = *op == '%', done = false;
	const char *raw = op + (all || front || back), *slash = strchrnul(raw, '/');
	const char *old = arena_strndup(&im->arena, raw, (size_t)(slash - raw));
	const char *what = import_expand_text(im, old);
	const char *with = *slash ? import_expand_text(im, slash + 1) : "";
	char *p = arena_strndup(&im->arena, value, strlen(value));
	struct buf out = { 0 };

	/* a quoted star is none, which cannot be seen any more */
	if (!*what || !is_known(what) || strlen(p) > 1024 ||
	    (strpbrk(what, "*?[") && strpbrk(old, "\\\"'$")))
		return import_unknown(im, arena_printf(&im->arena, "${%s}", text));
	for (bool first = true; *p; first = false) {
		size_t n = done || (front && !first) ? 0 : match_longest(what, p);

		if (n > 0 && !(back && p[n])) {
			buf_puts(&im->arena, &out, with);
			p += n;
			done = !all;
		} else {
			buf_add(&im->arena, &out, p++, 1);
		}
	}
	return out.s ? out.s : arena_strndup(&im->arena, "", 0);
}

static char *change_case(struct import *im, const char *value, bool up)
{
	char *copy = arena_strndup(&im->arena, value, strlen(value));

	for (char *p = copy; *p; p++)
		*p = (char)(up ? toupper((unsigned char)*p) : tolower((unsigned char)*p));
	return copy;
}

const char *import_modify(struct import *im, const char *text, const char *value,
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
		return replace(im, text, value, op + 1);
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
