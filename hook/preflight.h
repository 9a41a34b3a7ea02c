/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "holders.h"

/*
 * What disks of FUNCTIONS are used for is a problem, always. And who has nodes of
 * theirs open, sorted: those that the plan so far ends say nothing,
 * those that may stay are noted, those that stay are a problem. WHAT is taken away from
 * them ("the module nvidia"); NULL: each function by its own name.
 */
int preflight_holders(struct run *run, const struct pci_list *functions, const char *what,
		      struct error *err);
/*
 * Waits, to the step's deadline, until nobody has a node of FUNCTIONS open; then -EBUSY with
 * their names (WHAT as above), or at once for disks in use. Nothing is done while simulating.
 */
int preflight_wait_unheld(struct run *run, const struct pci_list *functions,
			  const char *what, struct error *err);
/* The same until an unbind would wait for nobody. */
int preflight_wait_unbindable(struct run *run, const struct pci_list *functions,
			      const char *what, struct error *err);
