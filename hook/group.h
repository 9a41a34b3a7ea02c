/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* Adds to LIST what else the IOMMU groups of its functions hold, without bridges. */
int group_expand(struct run *run, struct pci_list *list, struct error *err);
/*
 * Will VFIO be able to use the groups of FUNCTIONS once everything in PLANNED was taken?
 * What keeps it from that is reported as problems.
 */
int group_check(struct run *run, const struct pci_list *functions,
		const struct pci_list *planned, struct error *err);
/*
 * The function NAME, from the plan's scan or, where there was none (an undo without a
 * config), from sysfs. -ENODEV.
 */
int run_function(const struct run *run, const char *name, struct pci_function *ret);
/* "audio", "USB controller", …: what a function is, for people. */
const char *pci_class_text(const struct pci_function *fn);
