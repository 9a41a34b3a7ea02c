/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard.h"

/* Internal to the files of the guard. */

/* What the child sends: one write below PIPE_BUF, so it comes whole or not at all. */
struct guard_answer {
	int result;
	char text[GUARD_TEXT_MAX];
};

/* Starts the job in a child: its pid, and the end that its answer comes to in *RET_FD. */
int guard_fork(const struct guard_job *job, int *ret_fd);
/* 0: ANSWER is filled; -ETIMEDOUT; -ECHILD when the child died without a word. */
int guard_answer(int fd, int64_t deadline, struct guard_answer *answer);
