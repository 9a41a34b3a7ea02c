/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/*
 * Is a disk below the PCI function NAME mounted or swapped to, itself or by a partition,
 * dm or md device on it? 1 with *RET = "nvme0n1p2, mounted at /home", 0, or an error.
 */
int storage_in_use(const struct host *host, const char *name, char **ret,
		   struct error *err);
