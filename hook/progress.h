/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "holders.h"
#include "run.h"

/*
 * A phase as a person watches it: a line for each step when it has ended and, on a
 * terminal, one below them that lives while it is at work.
 */
struct progress {
	struct observer observer; /* for run.observer */
	int fd;
	bool live; /* a terminal that can do it, and NO_COLOR is not set */
	char step[64]; /* "kmod.unload: ", the step at work; "" between two */
	char shown[512]; /* the living line as it stands there, or "" */
};

void progress_init(struct progress *progress, int fd);
/* run_awaits() those processes to let go, by name; for the callbacks of run_wait(). */
void run_awaits_holders(struct run *run, const struct holder_list *holders);
