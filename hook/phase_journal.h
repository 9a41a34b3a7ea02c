/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* What phase.c and phase_down.c share: internal to them. */

/*
 * Opens the domain's journal for a phase that goes up; before prepare, one that is there
 * already is adopted or undone. RUN->journal is JOURNAL then.
 */
int phase_open_journal(struct run *run, struct journal *journal, struct error *err);
/*
 * Did [boot/begin] get through, and are its devices still there? In the initramfs, then:
 * /run lives on, and the unit finds the journal.
 */
bool phase_was_done_at_boot(const struct run *run);
/* Is there something to be put back of an earlier run that did not come to its end? */
bool phase_was_cut_off(const struct run *run);
/* Says behind ERR how the domain gets on, should it never be put back; its code. */
int phase_offer_to_forget(const struct run *run, struct error *err);
/* Tells what is left, of which ERR is the reason, and that it is given up. */
int phase_forget(struct run *run, struct error *err);
/* Ends with RUN->journal; the file goes when nothing is left to put back. */
void phase_close_journal(struct run *run);
/* Writes how PHASE, begun at BEGIN, has ended: with R and ERR. Returns R. */
int phase_log_end(const struct run *run, const char *phase, int64_t begin, int r,
		  const struct error *err);
