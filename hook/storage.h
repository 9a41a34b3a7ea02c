/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* The disks below FN, each before its partitions: "nvme0n1", … */
int storage_disks(const struct host *host, const struct pci_function *fn,
		  struct strv *ret);
/*
 * A problem of RUN when one of them is mounted or swapped to, itself or by a dm or md
 * device on it, or anybody else has taken it for himself. What an earlier step unmounts by
 * its .mount unit, or ends by its .swap unit, counts as gone.
 */
int storage_refuse(struct run *run, const struct pci_function *fn, struct error *err);
/* systemd's name of the unit of a path: "/mnt/my disk", "mount": "mnt-my\x20disk.mount". */
void storage_unit(const char *path, const char *type, char *buf, size_t size);
