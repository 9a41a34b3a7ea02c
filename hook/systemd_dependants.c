/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd stops along with a unit: what requires it, is bound to it or part of it. And
 * what it stops for one that is started.
 */
#include "services.h"
#include "systemd.h"

#define STOPPED_FOR "Conflicts,ConflictedBy"
#define STOPPED_ALONG "RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo"

struct search {
	const struct host *host;
	char *manager; /* "user:NAME:", or "" for the system's */
	const char *properties;
	bool deep; /* in turn, too */
	struct strv seen, found;
};

/* Whoever is shut down for that starts nothing. */
static bool is_for_shutdown(const char *name)
{
	return streq(name, "shutdown.target");
}

static int visit(struct search *search, const char *target, struct error *err);

/* "RequiredBy=a.service b.socket" */
static int visit_units(struct search *search, char *line, struct error *err)
{
	char *rest = strchr(line, '='), *name;
	int r = 0;

	if (rest)
		rest++;
	while (r == 0 && (name = strsep(&rest, " "))) {
		_cleanup_free_ char *target = NULL;

		if (!*name || is_for_shutdown(name))
			continue;
		if (asprintf(&target, "%s%s", search->manager, name) < 0) {
			target = NULL;
			return error_oom(err);
		}
		if (strv_contains(&search->seen, target))
			continue;
		r = search->deep			? visit(search, target, err) :
		    strv_add(&search->seen, target) < 0 ? error_oom(err) :
							  0;
		if (r == 0 && strv_add(&search->found, target) < 0)
			return error_oom(err);
	}
	return r;
}

/* Before a unit is added, what goes along with it is. */
static int visit(struct search *search, const char *target, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	int r;

	if (strv_add(&search->seen, target) < 0)
		return error_oom(err);
	r = systemd_show(search->host, target, search->properties, &text, err);
	rest = text;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = visit_units(search, line, err);
	return r;
}

static int look_up(struct search *search, const char *target, struct strv *ret,
		   struct error *err)
{
	char *colon;
	int r;

	if (unit_is_out_of_reach(search->host, target))
		return 0;
	search->manager = strdup(target);
	if (!search->manager)
		return error_oom(err);
	colon = str_after(target, "user:") ? strrchr(search->manager, ':') : NULL;
	search->manager[colon ? colon - search->manager + 1 : 0] = '\0';
	r = visit(search, target, err);
	free(search->manager);
	strv_done(&search->seen);
	if (r == 0)
		*ret = search->found;
	else
		strv_done(&search->found);
	return r;
}

int systemd_dependants(const struct host *host, const char *target, struct strv *ret,
		       struct error *err)
{
	struct search search = { .host = host, .properties = STOPPED_ALONG, .deep = true };

	return look_up(&search, target, ret, err);
}

int systemd_conflicts(const struct host *host, const char *target, struct strv *ret,
		      struct error *err)
{
	struct search search = { .host = host, .properties = STOPPED_FOR };

	return look_up(&search, target, ret, err);
}
