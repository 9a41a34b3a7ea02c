/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts outside of a tree ask which domain they are called for, and we do not know
 * which one is meant: the first that they ask for.
 */
#include "import.h"

/* $1 of such scripts until then, and what the config says in its place. */
#define ANY_DOMAIN "DOMAIN"

void import_any_domain(struct import *im, const char *chosen)
{
	im->any_domain = !chosen;
	im->domain = chosen ? chosen : ANY_DOMAIN;
}

/* `$1` is also what a script for one domain is told to do. */
static bool is_verb(const char *word)
{
	return STR_IN(word, "start", "stop", "restart", "reload", "status", "prepare",
		      "release", "begin", "end", "on", "off", "up", "down", "enable",
		      "disable", "bind", "unbind", "attach", "detach", "load", "unload",
		      "help", "prereqs", "check", "test", "reset", "host", "guest",
		      "vm") ||
	       *word == '-';
}

static void replace(struct import *im, struct words *words, const char *name)
{
	for (size_t i = 0; i < words->n; i++)
		if (streq(words->v[i], ANY_DOMAIN))
			words->v[i] = arena_strndup(&im->arena, name, strlen(name));
}

static void choose(struct import *im, const char *name)
{
	im->any_domain = false;
	im->domain = arena_strndup(&im->arena, name, strlen(name));
	replace(im, &im->args, name);
	for (struct variable *v = im->variables; v; v = v->next)
		replace(im, &v->values, name);
	act_note(im, NULL,
		 "For domain %s, the first that the script asks for. For another one: "
		 "vfio-hook import %s NAME",
		 name, path_base(im->dir));
}

bool import_is_the_domain(struct import *im, const char *a, const char *b)
{
	const char *other = streq(a, ANY_DOMAIN) ? b : a;

	if (!im->any_domain || (!streq(a, ANY_DOMAIN) && !streq(b, ANY_DOMAIN)))
		return false;
	if (!is_known(other) || is_verb(other) || !domain_name_is_safe(other) ||
	    streq(other, ANY_DOMAIN))
		return false;
	if (!strpbrk(other, "*?[|("))
		choose(im, other);
	return true;
}
