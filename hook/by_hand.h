/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "command.h"
#include "progress.h"

/* Tells ERR on stderr and in the log: STATUS_FAILED. */
int by_hand_fail(const struct error *err);
/* -EBUSY, and who, when somebody holds what the domain's journal says was taken. */
int by_hand_refuse_in_use(struct run *run, struct error *err);
/* Whoever typed it sees how far it is. PROGRESS must live as long as RUN. */
void by_hand_watch(struct run *run, struct progress *progress);
/* Runs PHASE as libvirt's call would; PHASE_NONE: puts back what the journal holds. */
int by_hand_phase(struct run *run, enum phase phase, struct error *err);
/*
 * Signals taken, the session left and the log opened: the exit status. OPEN: command_open, or
 * command_open_domain where a bad config must not matter.
 */
int by_hand_open(const struct command_options *options, const char *domain,
		 enum phase phase, typeof(command_open) *open, struct call *call);
/*
 * WORK's exit status, from a process that goes on when the desktop that this was typed in
 * ends as part of what it does.
 */
int by_hand_survive(const struct command_options *options, int argc, char **argv,
		    int (*work)(const struct command_options *options, int argc,
				char **argv));

/* Has the domain neither config nor scripts? Then that is told, with what to do. */
bool by_hand_has_nothing(const struct call *call);
