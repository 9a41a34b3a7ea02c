/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domain.h"
#include "host.h"

/*
 * A part of the guest's memory as QEMU will ask the host for it: all of it, a guest NUMA
 * cell, or a memory device that is there from the start.
 */
struct guest_part {
	char name[64]; /* "cell 0", "dimm 1 of cell 0"; "the guest" */
	int cell, device; /* which of the domain's; -1: none */
	uint64_t bytes;
	uint64_t page_size; /* of a huge page; 0: ordinary memory */
	enum memory_mode mode;
	const struct cpu_list *nodes; /* of the host, the domain's; NULL: any */
};

struct guest_memory {
	struct guest_part *parts;
	size_t n;
};

/*
 * The parts of DOMAIN's memory, chosen as libvirt does. The host's default size of a huge
 * page is looked up if the XML leaves it open; -ENODEV: there is none.
 */
int guest_memory_read(const struct host *host, const struct domain *domain,
		      struct guest_memory *ret, struct error *err);
/* Does any part of it use huge pages? */
bool guest_memory_is_huge(const struct guest_memory *memory);
/* May QEMU take this part from nowhere but its nodes? */
bool guest_part_is_bound(const struct guest_part *part);
void guest_memory_done(struct guest_memory *memory);
