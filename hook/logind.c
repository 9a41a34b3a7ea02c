/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions, from the files in which logind keeps its state across a restart: they need
 * neither the bus nor a program, and a session that closes slowly has its file until its
 * last process is gone, which is what a device's user waits for.
 */

#include <ctype.h>

#include "run.h"
#include "spawn.h"
#include "state.h"
#include "systemd.h"

/* The value of NAME= in the text of a state file, in BUF; "" when it has none. */
static void state_field(const char *text, const char *name, char *buf, size_t size)
{
	size_t n = strlen(name), len;

	*buf = '\0';
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) != 0 || line[n] != '=')
			continue;
		len = strcspn(line + n + 1, "\n");
		snprintf(buf, size, "%.*s", (int)len, line + n + 1);
		return;
	}
}

/* The folder has FIFOs named ID.ref, too: opening one would block. */
static bool is_session_id(const char *id)
{
	if (!*id)
		return false;
	for (; *id; id++)
		if (!isalnum((unsigned char)*id))
			return false;
	return true;
}

int session_load(const struct host *host, const char *id, struct session *ret)
{
	_cleanup_free_ char *text = NULL;
	struct session session = {};
	char class[32], number[32];
	uint64_t value;
	int r;

	if (!is_session_id(id) || strlen(id) >= sizeof(session.id))
		return -ENOENT;
	r = host_read_all(host, &text, "/run/systemd/sessions/%s", id);
	if (r < 0)
		return r;
	state_field(text, "CLASS", class, sizeof(class));
	if (*class && !str_after(class, "user") && !str_after(class, "greeter") &&
	    !str_after(class, "lock-screen"))
		return -ENOENT;

	strcpy(session.id, id);
	state_field(text, "USER", session.user, sizeof(session.user));
	state_field(text, "SEAT", session.seat, sizeof(session.seat));
	state_field(text, "TTY", session.tty, sizeof(session.tty));
	state_field(text, "SERVICE", session.service, sizeof(session.service));
	state_field(text, "LEADER", number, sizeof(number));
	if (parse_u64(number, &value) == 0 && value <= INT32_MAX)
		session.leader = (int)value;
	state_field(text, "UID", number, sizeof(number));
	if (parse_u64(number, &value) == 0 && value <= UINT32_MAX)
		session.uid = (unsigned)value;
	state_field(text, "DEVICES", number, sizeof(number));
	session.has_devices = *number;
	if (!*session.user)
		user_name(host, session.uid, session.user, sizeof(session.user));
	*ret = session;
	return 0;
}

int session_list_seat(const struct host *host, const char *seat, struct session_list *ret,
		      struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct session_list list = {};
	struct session session;
	char ids[1024], *rest = ids, *id;
	int r;

	r = host_read_all(host, &text, "/run/systemd/seats/%s", seat);
	if (r < 0 && r != -ENOENT)
		return error_set(err, r,
				 "cannot read the sessions of %s (%s): look what "
				 "/run/systemd/seats/%s is, or leave this line out",
				 seat, strerror(-r), seat);
	state_field(r < 0 ? "" : text, "SESSIONS", ids, sizeof(ids));
	while ((id = strsep(&rest, " "))) {
		if (session_load(host, id, &session) < 0)
			continue;
		r = array_grow(&list.session, list.n, sizeof(session));
		if (r < 0) {
			session_list_done(&list);
			return error_oom(err);
		}
		list.session[list.n++] = session;
	}
	*ret = list;
	return 0;
}

int seat_check(const char *seat, struct error *err)
{
	if (str_after(seat, "seat") && !strchr(seat, '/'))
		return 0;
	return error_set(
		err, -EINVAL,
		"seat=%s: a seat's name begins with \"seat\", as in seat0 (loginctl "
		"list-seats shows them)",
		seat);
}

int seat_users(const struct host *host, const char *seat, struct strv *ret,
	       struct error *err)
{
	_cleanup_(session_list_done) struct session_list list = {};
	int r = session_list_seat(host, seat, &list, err);

	for (size_t i = 0; i < list.n && r >= 0; i++)
		if (!strv_contains(ret, list.session[i].user) &&
		    strv_add(ret, list.session[i].user) < 0)
			r = error_oom(err);
	return r < 0 ? r : 0;
}

static bool is_stopped(const struct host *host, const char *unit)
{
	const char *value = overlay_get(host->overlay, &state_unit, unit);

	return value && streq(value, "inactive");
}

/*
 * PAM's service is named after the display manager ("gdm-password", "sddm-greeter"), but
 * not always after its unit ("gdm3"). A login on a console is nobody's but its user's.
 */
static bool display_manager_stopped(const struct host *host, const char *service)
{
	char unit[128], manager[128];
	size_t stem = strcspn(service, "-");

	if (!*service || streq(service, "login") || streq(service, "sshd"))
		return false;
	snprintf(unit, sizeof(unit), "%.*s.service", (int)stem, service);
	if (is_stopped(host, unit))
		return true;
	return host_link_name(host, manager, sizeof(manager),
			      "/etc/systemd/system/display-manager.service") >= 0 &&
	       is_stopped(host, manager);
}

bool session_ends(const struct host *host, const struct session *session)
{
	const char *seat;

	if (!host->overlay)
		return false;
	seat = *session->seat ?
		       overlay_get(host->overlay, &state_session, session->seat) :
		       NULL;
	if (seat && streq(seat, "ended"))
		return true;
	return display_manager_stopped(host, session->service);
}

bool sessions_with_devices_end(const struct host *host)
{
	_cleanup_strv_ struct strv seats = {};

	if (!host->overlay || host_list(host, &seats, "/run/systemd/seats") < 0)
		return false;
	for (size_t i = 0; i < seats.n; i++) {
		_cleanup_(session_list_done) struct session_list list = {};

		if (session_list_seat(host, seats.v[i], &list, NULL) < 0)
			return false;
		for (size_t k = 0; k < list.n; k++)
			if (list.session[k].has_devices &&
			    !session_ends(host, &list.session[k]))
				return false;
	}
	return true;
}

char *session_list_describe(const struct session_list *list)
{
	_cleanup_strv_ struct strv names = {};

	for (size_t i = 0; i < list->n; i++) {
		const struct session *s = &list->session[i];

		if (strv_addf(&names, "session %s of %s (pid %d%s%s)", s->id, s->user,
			      s->leader, *s->tty ? ", " : "", s->tty) < 0)
			return NULL;
	}
	return strv_join(&names, ", ");
}

int session_terminate(struct run *run, const struct session *session, struct error *err)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	char program[PATH_MAX];
	const char *const argv[] = { program, "--no-ask-password", "terminate-session",
				     session->id, NULL };
	int r;

	if (spawn_find(&run->host, "loginctl", program, sizeof(program)) < 0)
		return error_set(
			err, -ENOENT,
			"loginctl is not installed: install it, it is part of systemd");
	r = spawn_run(&run->host,
		      &(struct spawn){
			      .argv = argv, .deadline = run_deadline(run), .run = run },
		      &result, err);
	if (r < 0)
		return r;
	if (result.cancelled)
		return run_cancelled(run, err);
	if (result.status == 0)
		return 0;
	return error_set(err, result.timed_out ? -ETIMEDOUT : -EIO,
			 "loginctl terminate-session %s (of %s) failed: %s", session->id,
			 session->user,
			 *result.errors ? result.errors : "it did not end");
}

void session_list_done(struct session_list *list)
{
	free(list->session);
	*list = (struct session_list){};
}
