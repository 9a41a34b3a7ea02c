/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "spawn.h"

/* The search path of every program that is run. */
#define SPAWN_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* All that the child needs, made before the fork: after it nothing may be allocated. */
struct child {
	char path[PATH_MAX]; /* rooted */
	struct strv argv, env;
	const char *cwd;
	struct user user;
	gid_t *groups;
	size_t n_groups;
	bool switch_user;
};

/* Adds NAME=VALUE unless ENV has a NAME. */
int spawn_env_default(struct strv *env, const char *name, const char *value);

enum child_stage {
	CHILD_FILES,
	CHILD_FOLDER,
	CHILD_USER,
	CHILD_EXEC,
};

/* What the child writes into its pipe when it cannot become the program. */
struct child_failure {
	enum child_stage stage;
	int code; /* errno */
};

int child_prepare(const struct host *host, const struct spawn *spawn, struct child *ret,
		  struct error *err);
/* In the child. FDS: stdin, stdout, stderr and the pipe for a failure. */
void child_exec(const struct child *child, const int fds[4]) __attribute__((noreturn));
/* FAILURE with its cure. */
int child_explain(const struct spawn *spawn, const struct child *child,
		  const struct child_failure *failure, struct error *err);
void child_done(struct child *child);
