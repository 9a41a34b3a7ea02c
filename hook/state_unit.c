/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds "unit" (a systemd unit is active or not) and "session" (somebody sits at a
 * seat). A unit is shared: two domains may both need the display manager stopped, and it
 * comes back when the second is done with it.
 */

#include "desktop.h"
#include "log.h"
#include "run.h"
#include "state.h"
#include "systemd.h"

static int unit_read(const struct host *host, const char *target, char **ret,
		     struct error *err)
{
	return unit_state(host, target, ret, err);
}

static int unit_start(struct run *run, const char *target, struct error *err)
{
	_cleanup_error_ struct error ignored = {};

	if (unit_is_out_of_reach(&run->host, target)) {
		run_note(run,
			 "%s is not started: its user is not logged in, it comes with the "
			 "next session",
			 target);
		return 0;
	}
	if (system_is_stopping(&run->host)) {
		run_note(run, "%s is not started: the system is shutting down", target);
		return 0;
	}
	/* an earlier crash, or too many starts in a row, would refuse this one */
	unit_call(run, target, "reset-failed", &ignored);
	return unit_call(run, target, "start", err);
}

static int unit_change(struct run *run, const struct record *record, const char *from,
		       const char *to, struct error *err)
{
	if (streq(to, "active"))
		return unit_start(run, record->target, err);
	if (streq(to, "inactive") && !unit_is_out_of_reach(&run->host, record->target))
		return unit_call(run, record->target, "stop", err);
	return 0; /* it did not exist when it was first looked at */
}

const char unit_with_desktop[] = "with the desktop";

/* A desktop that starts without its card stays without it, or gives up for good. */
static bool is_desktop(const struct host *host, const char *target, const char *old,
		       const char *data)
{
	return streq(old, "active") &&
	       (streq(data, unit_with_desktop) || desktop_is_manager_here(host, target));
}

const struct state_kind state_unit = {
	.name = "unit",
	.shared = true,
	.undo_last = is_desktop,
	.read = unit_read,
	.change = unit_change,
};

static int session_read(const struct host *host, const char *seat, char **ret,
			struct error *err)
{
	_cleanup_(session_list_done) struct session_list list = {};
	int r = session_list_seat(host, seat, &list, err);

	if (r < 0)
		return r;
	*ret = strdup(list.n ? "open" : "ended");
	return *ret ? 0 : error_oom(err);
}

static int seat_is_empty(struct run *run, void *arg, struct error *err)
{
	const struct record *record = arg;
	_cleanup_free_ char *now = NULL;
	int r = session_read(&run->host, record->target, &now, err);

	return r < 0 ? r : streq(now, "ended");
}

static int terminate_all(struct run *run, const struct session_list *list,
			 struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++) {
		struct session gone;

		log_info("terminating session %s of %s", list->session[i].id,
			 list->session[i].user);
		r = session_terminate(run, &list->session[i], err);
		if (r < 0 &&
		    session_load(&run->host, list->session[i].id, &gone) == -ENOENT) {
			error_done(err); /* it ended by itself meanwhile */
			r = 0;
		}
	}
	return r;
}

static int session_change(struct run *run, const struct record *record, const char *from,
			  const char *to, struct error *err)
{
	_cleanup_(session_list_done) struct session_list list = {};
	_cleanup_free_ char *names = NULL;
	struct record copy = *record;
	int r;

	if (!streq(to, "ended"))
		return 0; /* nobody can be logged in again by force */
	r = session_list_seat(&run->host, record->target, &list, err);
	if (r < 0)
		return r;
	r = terminate_all(run, &list, err);
	if (r < 0)
		return r;
	r = run_wait(run, seat_is_empty, &copy, err);
	if (r != -ETIMEDOUT)
		return r;
	names = session_list_describe(&list);
	return error_set(err, r, "still open after they were terminated: %s",
			 names ? names : "sessions");
}

const struct state_kind state_session = {
	.name = "session",
	.one_way = true,
	.read = session_read,
	.change = session_change,
};
