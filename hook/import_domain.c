/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts outside of a tree ask which domain they are called for, and we do not know
 * which one is meant: the first that they ask for. Then they are read again, for that.
 */
#include <fnmatch.h>

#include "import.h"

/* $1 of such scripts until then: unknown, so that no step can have it. */
#define ANY_DOMAIN \
	"\x01"     \
	"DOMAIN"   \
	"\x02"

void import_any_domain(struct import *im, const char *named)
{
	im->any_domain = !named;
	im->domain = named ? named : ANY_DOMAIN;
}

bool import_has_any_domain(const char *s)
{
	return strstr(s, ANY_DOMAIN) != NULL;
}

/* `$1` is also what a script for one domain is told to do. */
static bool is_verb(const char *word)
{
	return STR_IN(word, "start", "stop", "restart", "reload", "status", "prepare",
		      "release", "begin", "end", "on", "off", "up", "down", "enable",
		      "disable", "bind", "unbind", "attach", "detach", "load", "unload",
		      "help", "prereqs", "check", "test", "reset", "host", "guest", "vm",
		      "started", "stopped") ||
	       *word == '-';
}

static bool is_name(const char *word)
{
	return domain_name_is_safe(word) && is_known(word) &&
	       !strpbrk(word, "*?[]|(){}^$+\\ \t\n\"'");
}

/* The first that is asked for is meant, be it a name or a pattern. */
static enum truth is_meant(struct import *im, const char *word)
{
	if (!im->meant) {
		im->meant = arena_strndup(&im->arena, word, strlen(word));
		im->meant_phase = im->phase;
		im->meant_is_name = is_name(word);
	}
	if (streq(im->meant, word) ||
	    (im->meant_is_name && fnmatch(word, im->meant, 0) == 0))
		return TRUE;
	if (!im->meant_is_name && is_name(word) && fnmatch(im->meant, word, 0) == 0) {
		im->meant = NULL; /* one of those */
		return is_meant(im, word);
	}
	return FALSE;
}

static enum truth ask(struct import *im, const char *word, bool choose)
{
	if (!*word || is_verb(word) || strchr(word, '/'))
		return FALSE;
	if (strspn(word, "*") == strlen(word))
		return TRUE;
	if (!choose && !im->meant)
		return ABSENT; /* "!=": likely another one */
	return is_meant(im, word);
}

/* Is the part of TEXT from I to K what stands in the domain's place in PATTERN? */
static bool stands_for(struct import *im, const char *pattern, const char *text, size_t i,
		       size_t k)
{
	const char *at = strstr(pattern, ANY_DOMAIN);
	const char *head = arena_strndup(&im->arena, pattern, (size_t)(at - pattern));

	return fnmatch(arena_strndup(&im->arena, text, i), head, 0) == 0 &&
	       fnmatch(text + k, at + strlen(ANY_DOMAIN), 0) == 0;
}

/* "win10:prepare/begin" where "$1:$2/$3" is asked for: win10; NULL: it is not like that. */
static const char *name_in(struct import *im, const char *pattern, const char *text)
{
	size_t n = strlen(text), head = (size_t)(strstr(pattern, ANY_DOMAIN) - pattern);

	if (n > 128 || strlen(pattern) > 256)
		return NULL;
	if (streq(text, "*") || streq(pattern, ANY_DOMAIN))
		return text;
	for (size_t k = head + 1; k <= n; k++)
		if (stands_for(im, pattern, text, head, k))
			return arena_strndup(&im->arena, text + head, k - head);
	return NULL;
}

/* ^(win10|win11)$: win10. One that says less than a whole name: the pattern *win*. */
static const char *pattern_of_regex(struct import *im, const char *regex)
{
	bool begins = *regex == '^', ends = str_ends(regex, "$");
	const char *core = regex + strspn(regex, "^(");
	size_t n = strcspn(core, "|)$");

	core = arena_strndup(&im->arena, core, n);
	if (is_verb(core))
		return core;
	if (n > 2 && str_ends(core, ".*")) {
		ends = false;
		core = arena_strndup(&im->arena, core, n - 2);
	}
	return arena_printf(&im->arena, "%s%s%s", begins ? "" : "*", core,
			    ends ? "" : "*");
}

/* " win10 win11 " =~ " $1 ": the first of them. */
static const char *first_word(struct import *im, const char *list)
{
	list += strspn(list, " \t\n");
	return arena_strndup(&im->arena, list, strcspn(list, " \t\n"));
}

enum truth import_ask_domain(struct import *im, const char *a, const char *op,
			     const char *b)
{
	bool left = import_has_any_domain(a);
	const char *asked = left ? a : b, *other = left ? b : a;

	if (!im->any_domain || !import_has_any_domain(asked) || !is_known(other))
		return UNKNOWN;
	if (streq(op, "=~"))
		other = left ? pattern_of_regex(im, other) : first_word(im, other);
	else
		other = name_in(im, asked, other);
	return other ? ask(im, other, *op != '!') : FALSE;
}

void import_tell_domain(struct import *im)
{
	const char *name = path_base(im->dir);
	struct act act = { .kind = ACT_NOTE, .phase = im->meant_phase };

	if (!im->meant)
		return;
	act.text = arena_printf(&im->arena,
				"For domain %s, the first that the script asks for. For "
				"another one: vfio-hook import %s NAME",
				im->meant, name);
	acts_insert(im, 0, &act);
}
