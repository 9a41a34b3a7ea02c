/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * The functions that a pci.detach step takes, in the order in which it takes them: audio
 * and USB first, displays last. Bridges stay, and with them what is on a vfio driver
 * already, whether ours from before or at home there.
 */
int detach_functions(struct run *run, const struct step *step, struct pci_list *ret,
		     struct error *err);
/* Journals what the step leaves out, since it is on vfio already, as ours until release. */
int detach_claim(struct run *run, const struct step *step, struct error *err);
/* All that is known beforehand to make the step fail, reported as problems. */
int detach_check(struct run *run, const struct step *step, struct error *err);
