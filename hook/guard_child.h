/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard.h"

/* Internal to the files of the guard. */

/* What the child sends: one packet, which comes whole or not at all. */
struct guard_answer {
	int result;
	char text[GUARD_TEXT_MAX];
};

/*
 * Makes a child of ours that may be left behind, which runs MAIN and ends: its pid, and in
 * *RET_FD the end that its answers come to.
 */
int guard_spawn(void (*main)(const void *arg, int fd, int parent), const void *arg,
		int *ret_fd);
/* In the child: the size of the next packet; 0: there is none, or the parent is gone. */
size_t guard_next(int fd, int parent, char *buf, size_t size);
int guard_send(int fd, const struct guard_answer *answer);

/*
 * Ends with a child that has nothing more to do, and with FD; its status. One that somebody has
 * stopped is not waited for: then 0.
 */
int guard_reap(int pid, int fd);

/*
 * A child for the job. It does nothing before guard_go(), and nothing at all when *RET_FD is
 * closed without that.
 */
int guard_fork(const struct guard_job *job, int *ret_fd);
int guard_go(int fd);
/* What follows it where nobody waits any more. */
void guard_do_late(const struct guard_access *access);
/* The job itself, by ourselves. */
int guard_do(const struct guard_job *job, char text[GUARD_TEXT_MAX]);

/*
 * The server's child, made for HOST when there is none: its pid, and its end in *RET_FD,
 * which stays the server's.
 */
int guard_server_start(struct guard_server *server, const struct host *host, int *ret_fd);
bool guard_server_takes(const struct guard_access *access);
int guard_server_ask(int fd, const struct guard_access *access);

/* When the child began, or 0: with its pid that names it for all of a boot. */
uint64_t guard_start_time(const struct host *host, int pid);
/*
 * Before that: should we be killed while the child hangs, the next run must know of it. Only
 * a way back goes on when that cannot be written.
 */
int guard_begin(struct run *run, const struct guard_job *job, int pid, uint64_t start,
		struct error *err);
/* Nobody waits any more for what began at SINCE, now_ms(): -ETIMEDOUT, with all in ERR. */
int guard_leave(struct run *run, const struct guard_job *job, int pid, int64_t since,
		struct error *err);
/* 0: ANSWER is filled; -ETIMEDOUT; -ECHILD when the child died without a word. */
int guard_answer(int fd, int64_t deadline, struct guard_answer *answer);
