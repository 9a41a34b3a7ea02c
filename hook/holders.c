/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds a device, in words. An unbind of a GPU whose nodes are open may never return,
 * and "in use" helps nobody.
 */

#include "holders.h"
#include "holders_process.h"

#define COMM_MAX 15 /* without its 0 */

char *holders_describe(const struct holder_list *list)
{
	_cleanup_strv_ struct strv parts = {};
	size_t shown = 0, more = 0;
	int last = 0, r = 0;

	for (size_t i = 0; i < list->n && r >= 0; i++) {
		const struct holder *h = &list->holder[i];

		if (h->pid == last)
			continue; /* one node of each process says enough */
		last = h->pid;
		if (shown++ < 3)
			r = strv_addf(&parts, "%s (pid %d, %s, %s)", h->comm, h->pid,
				      h->user, h->node);
		else
			more++;
	}
	if (r >= 0 && more)
		r = strv_addf(&parts, "and %zu more", more);
	return r < 0 ? NULL : strv_join(&parts, ", ");
}

bool holders_are_unknown(const struct holder_list *list)
{
	return list->unreadable || list->hung.n;
}

static int add_unreadable(const struct holder_list *list, struct strv *parts)
{
	if (!list->unreadable)
		return 0;
	return strv_addf(parts,
			 list->unreadable > 1 ?
				 "%u processes may not be looked at, %s for one" :
				 "%u process may not be looked at, %s",
			 list->unreadable, list->unreadable_one);
}

static int add_hung(const struct holder_list *list, struct strv *parts)
{
	_cleanup_free_ char *names = NULL;

	if (!list->hung.n)
		return 0;
	names = strv_join(&list->hung, ", ");
	return names ? strv_addf(parts,
				 list->hung.n > 1 ?
					 "%s hang in the kernel and cannot be looked at" :
					 "%s hangs in the kernel and cannot be looked at",
				 names) :
		       -ENOMEM;
}

char *holders_unreadable(const struct holder_list *list)
{
	_cleanup_strv_ struct strv parts = {};

	if (add_unreadable(list, &parts) < 0 || add_hung(list, &parts) < 0 || !parts.n)
		return NULL;
	return strv_join(&parts, ", and ");
}

bool holder_is_session(const struct holder *holder)
{
	return str_after(holder->unit, "session-") || str_after(holder->unit, "user@") ||
	       process_is_logind(holder);
}

/* What to do about one holder, once for all that it helps against. */
static int add_cure(struct strv *cures, const struct holder *holder)
{
	_cleanup_free_ char *cure = NULL;
	int r;

	if (holder->is_vfio)
		r = asprintf(&cure, "shut its guest down");
	else if (process_is_logind(holder))
		r = asprintf(&cure, "end the session on that seat");
	else if (holder_is_session(holder))
		r = asprintf(&cure, "end the session of %s (as session.end does)",
			     holder->user);
	else if (str_ends(holder->unit, ".service"))
		r = asprintf(&cure, "stop %s", holder->unit);
	else
		r = asprintf(&cure, "end %s", holder->comm);
	if (r < 0) {
		cure = NULL;
		return -ENOMEM;
	}
	return strv_contains(cures, cure) ? 0 : strv_add(cures, cure);
}

/* A process is found by its name as long as the kernel has that whole. */
static bool has_whole_name(const struct holder *holder)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_."
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const size_t n = strlen(holder->comm);

	return n > 0 && n < COMM_MAX && strspn(holder->comm, plain) == n;
}

static int add_cure_line(struct strv *lines, const struct holder *holder)
{
	char line[sizeof(holder->unit) + 32];

	if (holder->is_vfio)
		return 0;
	if (holder_is_session(holder))
		snprintf(line, sizeof(line), "session.end =");
	else if (str_ends(holder->unit, ".service"))
		snprintf(line, sizeof(line), "service.stop = %s", holder->unit);
	else if (has_whole_name(holder))
		snprintf(line, sizeof(line), "process.stop = %s", holder->comm);
	else
		return 0;
	return strv_contains(lines, line) ? 0 : strv_add(lines, line);
}

char *holders_cure_lines(const struct holder_list *list)
{
	_cleanup_strv_ struct strv lines = {};

	for (size_t i = 0; i < list->n; i++)
		if (add_cure_line(&lines, &list->holder[i]) < 0)
			return NULL;
	return lines.n ? strv_join(&lines, "\n") : strdup("");
}

char *holders_cure(const struct holder_list *list)
{
	_cleanup_strv_ struct strv cures = {};
	_cleanup_free_ char *joined = NULL;
	char *text;

	for (size_t i = 0; i < list->n && cures.n < 3; i++)
		if (add_cure(&cures, &list->holder[i]) < 0)
			return NULL;
	joined = strv_join(&cures, " and ");
	return joined && asprintf(&text, "%s first", joined) >= 0 ? text : NULL;
}

void holder_list_done(struct holder_list *list)
{
	free(list->holder);
	strv_done(&list->hung);
	*list = (struct holder_list){};
}
