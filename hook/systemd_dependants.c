/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd stops along with a unit: what requires it, is bound to it or part of it.
 */
#include "services.h"
#include "systemd.h"

#define STOPPED_ALONG "RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo"

struct search {
	const struct host *host;
	const char *manager; /* "user:NAME:", or "" for the system's */
	struct strv seen, found;
};

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

		if (!*name)
			continue;
		if (asprintf(&target, "%s%s", search->manager, name) < 0) {
			target = NULL;
			return error_oom(err);
		}
		if (strv_contains(&search->seen, target))
			continue;
		r = visit(search, target, err);
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
	r = systemd_show(search->host, target, STOPPED_ALONG, &text, err);
	rest = text;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = visit_units(search, line, err);
	return r;
}

int systemd_dependants(const struct host *host, const char *target, struct strv *ret,
		       struct error *err)
{
	_cleanup_free_ char *manager = strdup(target);
	struct search search = { .host = host, .manager = manager };
	char *colon;
	int r;

	if (!manager)
		return error_oom(err);
	if (unit_is_out_of_reach(host, target))
		return 0;
	colon = str_after(target, "user:") ? strrchr(manager, ':') : NULL;
	manager[colon ? colon - manager + 1 : 0] = '\0';
	r = visit(&search, target, err);
	strv_done(&search.seen);
	if (r == 0)
		*ret = search.found;
	else
		strv_done(&search.found);
	return r;
}
