/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * The start of a real prepare: all PCI functions of the plan are held (hold.h), then what
 * each of them was is journalled (once: an adopted journal keeps its own), and the
 * driver_override of all that a pci.detach takes, so that nothing else gets them from now
 * on. What only steps marked "-" take may be another domain's: it is left out then.
 */
int pci_claim(struct run *run, struct error *err);
/* While planning: dead domains that have functions of the plan are undone before us. */
int pci_claim_note_dead(struct run *run, struct error *err);
/*
 * The begin of a way back: what has a baseline is held until hold_end_all(), unless another
 * domain has it by now.
 */
void baseline_hold(struct run *run);
/*
 * The end of a way back, when no guest has the devices any more: every function whose
 * baseline is not reached is brought there, a second way too. Another domain's is left to
 * that. What stays different is in
 * ERR and the log.
 */
int baseline_compare(struct run *run, struct error *err);
