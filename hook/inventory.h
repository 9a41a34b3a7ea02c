/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "holders.h"

#define INVENTORY_BARS 6

/* A memory region of a function; 0: it has none there. */
struct bar {
	uint64_t size;
	uint64_t smallest, largest; /* where it can be resized, else 0 */
};

/* What `devices` and `check` tell of one PCI function. */
struct inventory_item {
	struct pci_function fn;
	char group[32]; /* "": in none */
	char *name; /* from pci.ids, if asked for */
	char *driver, *module; /* "" when there is none */
	char *reset; /* "flr bus", "yes" where the kernel does not say, "" none */
	char *owner; /* the domain whose journal has it, or NULL */
	bool boot_display; /* the firmware's picture was on it */
	bool hidden; /* not asked for */
	struct bar bars[INVENTORY_BARS];
};

struct inventory {
	struct inventory_item *items; /* by group, then by address */
	size_t n;
	struct holder_list holders;
	bool iommu;
};

enum inventory_parts {
	INVENTORY_NAMES = 1 << 0, /* else "": all of pci.ids is read for them */
	INVENTORY_HOLDERS = 1 << 1, /* all of /proc is */
	INVENTORY_DETAILS =
		1 << 2, /* else none of module, owner, boot display and BARs */
};

/*
 * Everything on the PCI bus, with PARTS of what takes its time; of FUNCTIONS, those that are
 * there, if that is not NULL.
 */
int inventory_scan(const struct host *host, const struct pci_list *functions,
		   unsigned parts, struct inventory *ret, struct error *err);
const struct inventory_item *inventory_find(const struct inventory *inventory,
					    const char *name);
/* How many functions besides bridges are in the item's group? 0: it has none. */
size_t inventory_group_size(const struct inventory *inventory,
			    const struct inventory_item *item);
void inventory_done(struct inventory *inventory);

/* How to switch the IOMMU on, on this machine. */
const char *iommu_advice(const struct host *host);
