/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* A program that a step runs, or that undoes one. */
struct program {
	struct strv argv; /* argv[0] is an absolute path, not rooted */
	struct strv env; /* NAME=VALUE on top of ours */
	char *user; /* NULL: root */
	int64_t timeout_ms;
};

/* From an exec step: its words and the options user=, env= and timeout=. */
int program_of_step(const struct host *host, const struct step *step, struct program *ret,
		    struct error *err);
/*
 * Runs it, for its timeout or what the phase has left. A status other than 0 is an error
 * that has the last line of its stderr.
 */
int program_run(struct run *run, const struct program *program, struct error *err);
/* Two programs as a record's data: what is run, and what undoes it. */
char *program_encode(const struct program *forward, const struct program *undo);
int program_decode(const char *data, bool undo, struct program *ret);
void program_done(struct program *program);
