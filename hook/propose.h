/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "call.h"
#include "inventory.h"

/*
 * Writes to OUT a config for CALL's domain on this host, commented: what its XML asks
 * for, by the means that the devices' drivers of this moment need.
 */
int propose_config(const struct call *call, const struct inventory *inventory, FILE *out);

/* The devices of one slot that the XML gives to the domain, as a set for [devices]. */
struct proposed_set {
	char name[16]; /* "gpu" */
	const struct inventory_item *items[8]; /* those in the XML, by function */
	size_t n;
	const struct inventory_item *missing[8]; /* of the same card, not in the XML */
	size_t n_missing;
	bool whole; /* written as ".*" */
};

struct proposal {
	const struct call *call;
	const struct inventory *inventory;
	struct proposed_set *sets;
	size_t n;
	struct strv absent; /* addresses in the XML that this host does not have */
	bool outside; /* a group holds more than the sets do */
	bool display; /* the host's only display, or the one it booted with, goes */
	bool nvidia; /* a function is on the nvidia driver */
	bool nvidia_stays; /* and so is one that stays with the host */
};

int proposal_make(const struct call *call, const struct inventory *inventory,
		  struct proposal *ret);
void proposal_done(struct proposal *proposal);
