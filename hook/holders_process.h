/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "holders.h"

/* This process, or one that it started. */
bool process_is_ours(const struct host *host, int pid);
/* The same for the process SELF. */
bool process_is_of(const struct host *host, int pid, int self);
/* Can it have files open that count: it is no kernel thread and not of SELF's making? */
bool process_may_hold(const struct host *host, int pid, int self);
/*
 * Fills comm, user and unit of a holder whose pid is known. The unit of what a user's
 * service manager runs is that manager, "user@1000.service".
 */
void process_describe(const struct host *host, struct holder *holder);
/* Is it logind or pid 1, which hold nodes for sessions and must never be stopped? */
bool process_is_logind(const struct holder *holder);
