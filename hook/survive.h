/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "host.h"

/*
 * For a command that ends the very desktop it was typed in: first survive_fork(), and in
 * the process that does the work, survive_session().
 */

/*
 * true in the process that is to do the work: from a terminal or a session that is a new
 * one, in a session of its own. false in the one that waits in front of it, with the exit
 * status of the work in *STATUS. Ctrl-C reaches the work; a SIGTERM to the one in front,
 * which sudo passes on when the session ends, does not.
 */
bool survive_fork(const struct host *host, int *status);

/*
 * Leaves the control group of the login session that this process is part of, since its
 * end kills all that is in it: for a scope of systemd's, or the topmost group. What does
 * not work is logged. Needs root.
 */
void survive_session(const struct host *host);
