/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

struct run;

/*
 * Units, through systemctl(1) or what OpenRC and runit have for it, sessions from the files
 * that logind keeps in /run. A unit's target (state.h) is its true name, or "user:NAME:UNIT"
 * for one of the service manager of user NAME: unit names may hold an '@' themselves.
 */

/* Was this machine booted with systemd? */
bool systemd_is_running(const struct host *host);
/* Is the machine on its way down, so that nothing should be started any more? */
bool system_is_stopping(const struct host *host);

/*
 * The target of UNIT as people write it: ".service" is added where there is no suffix,
 * and an alias such as display-manager.service replaced by the name behind it. USER may
 * be NULL. -ENOENT with names that look alike in ERR; -EOPNOTSUPP without any manager.
 */
int unit_target(const struct host *host, const char *unit, const char *user, char **ret,
		struct error *err);
/* What to do about UNIT, which there is not, in BUF: ": did you mean a.service?" */
const char *unit_suggest(const struct host *host, const char *unit, bool user, char *buf,
			 size_t size);
/* "active", "inactive" or "" (no such unit), in *RET; the caller frees. */
int unit_state(const struct host *host, const char *target, char **ret, struct error *err);
/* Is the target, which counts as active, on its way only, and may fail yet? */
bool unit_is_starting(const struct host *host, const char *target);
/*
 * The targets that a stop of TARGET stops before it, because they need it or are part of
 * it, and in turn what needs those: in that order, whether they run or not.
 */
int unit_dependants(const struct host *host, const char *target, struct strv *ret,
		    struct error *err);
/* The journal's data of one that needs the desktop's: its start would start that, too. */
extern const char unit_with_desktop[];
/* The targets that a start of TARGET stops, whether they run or not (Conflicts=). */
int unit_conflicts(const struct host *host, const char *target, struct strv *ret,
		   struct error *err);
/*
 * VERB (start, stop, restart, reset-failed) on the target: waits for the job, to the
 * run's deadline at most, and no longer than it is cancelled.
 */
int unit_call(struct run *run, const char *target, const char *verb, struct error *err);
/* A property of a unit of the system's, in *RET; "" when it is not set. */
int unit_property(const struct host *host, const char *unit, const char *name, char **ret,
		  struct error *err);
/* systemctl set-property --runtime: "AllowedCPUs=0-1" of a unit of the system's. */
int unit_set_property(const struct host *host, const char *unit, const char *property,
		      int64_t deadline, struct error *err);
/* Is the target a user's, whose service manager does not run (nobody is logged in)? */
bool unit_is_out_of_reach(const struct host *host, const char *target);

/* A session that someone can see: class user or greeter. */
struct session {
	char id[32], user[64], seat[32], tty[32];
	char service[64]; /* of PAM: "lightdm", "gdm-password", "login" */
	int leader; /* pid, or 0 */
	unsigned uid;
	bool has_devices; /* logind holds nodes open for it */
};

struct session_list {
	struct session *session;
	size_t n;
};

/* 0; -ENOENT: no such session, or of another class (manager, background, …). */
int session_load(const struct host *host, const char *id, struct session *ret);
/* Is this the name of a seat? */
int seat_check(const char *seat, struct error *err);
/* The names of those who have a session on SEAT, each once. */
int seat_users(const struct host *host, const char *seat, struct strv *ret,
	       struct error *err);
/* All on SEAT; none when the seat is not there. */
int session_list_seat(const struct host *host, const char *seat, struct session_list *ret,
		      struct error *err);
/* Does it end with a unit or seat that the plan stops before (host.overlay)? */
bool session_ends(const struct host *host, const struct session *session);
/*
 * Do all sessions that logind holds nodes for end before? It has opened those that a
 * compositor uses, and keeps a copy in pid 1, its descriptor store.
 */
bool sessions_with_devices_end(const struct host *host);
/* "session 2 of alice (pid 1234, tty2)", all of them; the caller frees. */
char *session_list_describe(const struct session_list *list);
/* loginctl terminate-session. */
int session_terminate(struct run *run, const struct session *session, struct error *err);
void session_list_done(struct session_list *list);
