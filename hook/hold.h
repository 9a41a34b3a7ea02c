/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * A PCI function is one domain's alone, whatever is done to it: while one has an open
 * record of any exclusive kind about it, no other gets one. The kind "hold" is such a
 * record that says nothing else. A function that a pci.detach takes is held from before its
 * baseline is read until it has been compared with that.
 *
 *   kind        target                            values
 *   hold        0000:0a:00.0                      "" always: there is nothing to put back
 */
extern const struct state_kind state_hold;

/*
 * Holds all of FUNCTIONS or, when one of them is another domain's, none: -EBUSY, with the
 * domain's name in ERR. Another's is also what a domain that is about to start has planned
 * for libvirt to take. While simulating that is only reported.
 */
int hold_functions(struct run *run, const struct pci_list *functions, struct error *err);
/* The same for one. *RET_NEW (may be NULL): it was not held before. */
int hold_function(struct run *run, const char *name, bool *ret_new, struct error *err);
/* Is it another's? Without holding it: where nothing can be journalled. */
int hold_ask(struct run *run, const char *name, struct error *err);
/* A rescan would bring back what another domain has taken off the bus: by its name. */
int hold_refuse_removed(struct run *run, struct error *err);
/* Ends that: of one function, of all. */
int hold_end(struct run *run, const char *name, struct error *err);
void hold_end_all(struct run *run);
/* Behind what had the result R: ends it if it was NEW. Returns R, or why that failed. */
int hold_finish(struct run *run, const char *name, bool new, int r, struct error *err);

/*
 * While planning: a dead domain that has the function, or left it on another driver than
 * it found it on, is undone before we act.
 */
void hold_note_dead(struct run *run, const char *name);
