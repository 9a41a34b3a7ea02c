/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"
#include "pci.h"

/* What an open file of a node is to its driver. */
enum node_hold {
	NODE_COUNTED, /* one reference to the driver's module: DRM, KFD, sound, fb */
	NODE_HARMLESS, /* none, and no unbind waits for it: DP AUX, CEC, a VFIO group */
	NODE_UNCOUNTED, /* an unbind may wait for it, and no count tells: i2c, disks, … */
};

/* A device node that belongs to one of our PCI functions. */
struct node {
	char path[128]; /* not rooted */
	uint64_t rdev; /* by nodes_find_numbers(), of a character device that is there; else 0 */
	const char *function; /* borrowed from the PCI list */
	bool is_vfio;
	enum node_hold hold;
};

struct node_list {
	struct node *node;
	size_t n;
};

/* All nodes of FUNCTIONS, as sysfs has them at this moment. */
int nodes_find(const struct host *host, const struct pci_list *functions,
	       struct node_list *ret, struct error *err);
/* What nodes_opened() knows them by, as /dev has them at this moment. */
void nodes_find_numbers(const struct host *host, struct node_list *list);
/*
 * Does nobody hold FUNCTIONS, by the kernel's own counts? Spares a look at every process.
 * BLOCKING: only those matter whom an unbind would wait for.
 */
bool nodes_are_free(const struct host *host, const struct pci_list *functions,
		    const struct node_list *nodes, bool blocking);
/*
 * May PATH, which a process has open, be one of ours: is it called like one, but for numbers?
 * Other files are not looked at, since a stat(2) may hang on a dead network file system.
 */
bool nodes_may_be(const struct node_list *list, const char *path);
/*
 * Which one it is, if LINK in /proc leads to it; NULL: none of ours. In a container /dev is
 * another one, where ours may have another's name, and another device ours: the device
 * number decides, where there is one.
 */
const struct node *nodes_opened(const struct node_list *list, const char *path,
				const char *link);
void node_list_done(struct node_list *list);
