/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * The start of a real prepare: what every PCI function of the plan was (journalled once:
 * an adopted journal keeps its own), and the driver_override of all that a pci.detach
 * takes, so that nothing else gets them from now on.
 */
int pci_claim(struct run *run, struct error *err);
/*
 * The end of a way back, when no guest has the devices any more: every function whose
 * baseline is not reached is brought there, a second way too. What stays different is in
 * ERR and the log.
 */
int baseline_compare(struct run *run, struct error *err);
