/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "error.h"
#include "host.h"

struct run;

/* A program to run: no shell, no inherited descriptors but those named here. */
struct spawn {
	const char *const *argv; /* argv[0] is an absolute path, not yet rooted */
	const char *const *env; /* NULL: LC_ALL=C and PATH */
	const char *input; /* for stdin; NULL: /dev/null */
	size_t input_len;
	const char *user; /* NULL: root */
	const char *cwd; /* NULL: "/" */
	int64_t deadline; /* now_ms(); then SIGTERM, a second later SIGKILL */
	const struct run *run; /* the same once this is cancelled; NULL: never */
	bool keep_output; /* stdout in RET->output, else it is read and dropped */
};

struct spawn_result {
	int status; /* exit status, 128 + signal, or -1 */
	bool timed_out;
	bool cancelled; /* before its end and the deadline */
	char *output; /* stdout, when asked for; up to 64 KiB */
	char *errors; /* the end of stderr, up to 4 KiB, without the last newline */
};

/*
 * Runs the program in a process group of its own and waits for its end or the
 * deadline. 0: it ran (see RET), or a negative errno with ERR (not found, not
 * executable, no such user).
 */
int spawn_run(const struct host *host, const struct spawn *spawn,
	      struct spawn_result *ret, struct error *err);
void spawn_result_done(struct spawn_result *result);

/* The first of /usr/local/sbin … /bin that has NAME, not yet rooted; -ENOENT. */
int spawn_find(const struct host *host, const char *name, char *buf, size_t size);

/* /etc/passwd, read without NSS (a static program has none). */
struct user {
	uid_t uid;
	gid_t gid;
	char *name, *home;
};
int user_find(const struct host *host, const char *name, struct user *ret,
	      struct error *err);
/* The name of UID, or its number as text. */
int user_name(const struct host *host, uid_t uid, char *buf, size_t size);
/* The user's own group first, then those of /etc/group; the caller frees *RET. */
int user_groups(const struct host *host, const struct user *user, gid_t **ret,
		size_t *ret_n, struct error *err);
void user_done(struct user *user);
/* A group of /etc/group, by name or number. */
int group_find(const struct host *host, const char *name, gid_t *ret, struct error *err);
