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
 * Makes a child for the job: its pid, and in *RET_FD the end that its answer comes to. It
 * does nothing before guard_go(), and nothing at all when *RET_FD is closed without that.
 */
int guard_fork(const struct guard_job *job, int *ret_fd);
int guard_go(int fd);
/*
 * Before that: should we be killed while the child hangs, the next run must know of it. Only
 * a way back goes on when that cannot be written.
 */
int guard_begin(struct run *run, const struct guard_job *job, int pid, struct error *err);
/* Nobody waits any more for what began at SINCE, now_ms(): -ETIMEDOUT, with all in ERR. */
int guard_leave(struct run *run, const struct guard_job *job, int pid, int64_t since,
		struct error *err);
/* 0: ANSWER is filled; -ETIMEDOUT; -ECHILD when the child died without a word. */
int guard_answer(int fd, int64_t deadline, struct guard_answer *answer);
