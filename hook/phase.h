/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Runs the steps of run->event.phase on the overlay and, on the way down, what the
 * journal would put back. Findings and changes are in run->report. 0, or the code of
 * the first problem, which ERR tells ("and 2 more").
 */
int phase_check(struct run *run, struct error *err);

/*
 * The same for every phase of a start and a stop that has steps or scripts, each in the
 * state that those before it would leave. 0: all were walked, whatever they found; else
 * ERR.
 */
int phase_check_all(struct run *run, struct error *err);

/* The problems and warnings of a check into the log. */
void phase_log_findings(const struct run *run);

/*
 * prepare, start, started, boot: checks, journals, acts. On failure everything that the
 * phase changed was put back (prepare: everything) and ERR has the cause.
 */
int phase_up(struct run *run, struct error *err);

/*
 * A prepare that ends before its first script, refused or not, leaves word of it for a
 * domain with a script tree: its release scripts, which libvirt makes us run next, would
 * undo what never began. Does nothing in other phases.
 */
void phase_note_refusal(struct run *run);

/*
 * stopped and release: goes on past what fails. ERR has the first failure; the journal
 * stays for `undo` then.
 */
int phase_down(struct run *run, struct error *err);

/* reconnect: are the devices still where we put them? Only looks; never fails. */
void phase_reconnect(struct run *run);

/* Puts back all that the journal of run->domain holds. -ENOENT: there is none. */
int phase_undo(struct run *run, struct error *err);
/*
 * The same, but not when its owner turns out to be alive: -EBUSY. While another vfio-hook
 * is at work on it, that takes the time of the run WAIT (NULL: of RUN).
 */
int phase_undo_orphan(struct run *run, const struct run *wait, struct error *err);

/* The file or kernel parameter that switches the hook off, in BUF; else false. */
bool phase_switched_off(const struct run *run, char *buf, size_t size);
