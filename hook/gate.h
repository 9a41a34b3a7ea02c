/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * The last look before prepare exits 0: would libvirt hang on a managed hostdev that is
 * still on its host driver? -EBUSY with the names of all that are in the way. Looks at
 * the machine, never at the overlay.
 */
int gate_check(struct run *run, struct error *err);
