/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Do FUNCTIONS have the host's only picture, with no display left to it by PLANNED, and
 * has nobody said that this is meant? Then it is a problem of RUN. Said it is by
 * headless = yes, or by a step that takes the picture down on purpose: the display
 * manager's service, the session, the console, the frame buffer or the driver.
 */
int headless_check(struct run *run, const struct pci_list *functions,
		   const struct pci_list *planned, struct error *err);
