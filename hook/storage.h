/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* The disks below the PCI function NAME, each before its partitions: "nvme0n1", … */
int storage_disks(const struct host *host, const char *name, struct strv *ret);
/*
 * Is one of them mounted or swapped to, itself or by a dm or md device on it, or has
 * anybody else taken it for himself? 1 with *RET = "nvme0n1p2, mounted at /home", 0, or an
 * error.
 */
int storage_in_use(const struct host *host, const char *name, char **ret,
		   struct error *err);
/* A problem of RUN when one is. */
int storage_refuse(struct run *run, const char *name, struct error *err);
