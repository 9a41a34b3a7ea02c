/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"
#include "vfio.h"

/*
 * The functions that a pci.detach step takes, in the order in which it takes them: audio
 * and USB first, displays last. Bridges stay, and with them what is on a vfio driver
 * already, whether ours from before or at home there: those are added to ON_VFIO, unless
 * that is NULL.
 */
int detach_functions(struct run *run, const struct step *step, struct pci_list *ret,
		     struct pci_list *on_vfio, struct error *err);
/*
 * Loads the drivers that the functions get, then makes each one's driver_override name its
 * own. The drivers first: one that is loaded after an override by its name would bind what has
 * no driver by itself, unseen by the journal. The caller frees *RET_DRIVERS, one a function.
 */
int detach_override(struct run *run, const struct step *step,
		    const struct pci_list *functions,
		    char (**ret_drivers)[DRIVER_NAME_LEN], struct error *err);
/* All that is known beforehand to make the step fail, reported as problems. */
int detach_check(struct run *run, const struct step *step, struct error *err);
