/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "host.h"

/*
 * The daemon that called the hook last, with its start time: whether one has found the hook
 * cannot be asked, and a reload by a signal leaves no trace.
 */

/* PID has called; where that cannot be noted, it is not. */
void caller_note(const struct host *host, int pid);
/* Is it known that the process PID, which has run ever since, called the hook? */
bool caller_has_called(const struct host *host, int pid);
