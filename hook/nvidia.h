/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * May FN be unbound at this point of the run? Fine for a function that is not on the
 * nvidia driver. Else it needs WHILE_LOADED and the proof that nothing uses the card,
 * looked for afresh at each call; what is in the way is a problem.
 */
int nvidia_may_unbind(struct run *run, const struct pci_function *fn, bool while_loaded,
		      const struct pci_list *planned, struct error *err);
