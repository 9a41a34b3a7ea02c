/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

#define DRIVER_NAME_LEN 64

/*
 * The driver that FN is to get: WANTED (driver= of the step) if not NULL, else the
 * <driver model> of the XML, else what libvirt itself would choose.
 */
void vfio_driver_for(struct run *run, const struct pci_function *fn, const char *wanted,
		     char buf[DRIVER_NAME_LEN]);
/* Can DRIVER be had? Reports a problem if not. */
int vfio_driver_check(struct run *run, const char *driver, struct error *err);
/*
 * Loads the driver's module, which stays loaded, and what VFIO itself needs. BUF has
 * the wanted name and gets the one that is registered (they may differ in '-' and '_').
 */
int vfio_driver_load(struct run *run, char buf[DRIVER_NAME_LEN], struct error *err);
