/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain's XML means on this host: its devices by card, and which of them the
 * host itself uses.
 */
#include "propose.h"

static const char *set_name(const struct pci_function *fn)
{
	switch (fn->class >> 8) {
	case PCI_CLASS_AUDIO:
		return "sound";
	case PCI_CLASS_USB:
		return "usb";
	case PCI_CLASS_NVME:
		return "nvme";
	}
	switch (fn->class >> 16) {
	case PCI_BASE_DISPLAY:
		return "gpu";
	case 0x01:
		return "disk";
	case 0x02:
		return "nic";
	}
	return "dev";
}

static bool in_sets(const struct proposal *p, const struct inventory_item *item)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct proposed_set *set = &p->sets[i];

		for (size_t k = 0; k < set->n; k++)
			if (set->items[k] == item)
				return true;
		for (size_t k = 0; set->whole && k < set->n_missing; k++)
			if (set->missing[k] == item)
				return true;
	}
	return false;
}

/* "gpu", or "gpu2" when there is one. */
static void name_set(const struct proposal *p, struct proposed_set *set)
{
	const struct inventory_item *best = set->items[0];
	const char *base;
	unsigned number = 1;

	for (size_t i = 0; i < set->n; i++) /* a card is named by its display */
		if (set->items[i]->fn.class >> 16 == PCI_BASE_DISPLAY)
			best = set->items[i];
	base = set_name(&best->fn);
	snprintf(set->name, sizeof(set->name), "%s", base);
	for (size_t i = 0; i < p->n; i++)
		if (&p->sets[i] != set && streq(p->sets[i].name, set->name)) {
			snprintf(set->name, sizeof(set->name), "%s%u", base, ++number);
			i = (size_t)-1;
		}
}

/*
 * All functions of a card go under one address when the XML has all of them, or when
 * those that it lacks share a group with one that it has: then they go anyway.
 */
static void judge_whole(struct proposed_set *set)
{
	set->whole = set->items[0]->fn.addr.function == 0 && set->n + set->n_missing > 1;
	for (size_t i = 0; i < set->n_missing; i++) {
		bool shared = false;

		for (size_t k = 0; k < set->n; k++)
			shared |= *set->items[k]->group &&
				  streq(set->items[k]->group, set->missing[i]->group);
		set->whole &= shared;
	}
}

static int add_set(struct proposal *p, const struct inventory_item *first)
{
	struct proposed_set *set;
	int r = array_grow(&p->sets, p->n, sizeof(*set));

	if (r < 0)
		return r;
	set = &p->sets[p->n++];
	*set = (struct proposed_set){};
	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct inventory_item *item = &p->inventory->items[i];

		if (!pci_same_slot(&item->fn.addr, &first->fn.addr) ||
		    pci_is_bridge(&item->fn))
			continue;
		if (domain_has_device(p->call->run.domain, item->fn.name) &&
		    set->n < ARRAY_SIZE(set->items))
			set->items[set->n++] = item;
		else if (set->n_missing < ARRAY_SIZE(set->missing))
			set->missing[set->n_missing++] = item;
	}
	if (set->n == 0) { /* a bridge: VFIO never gives one out */
		p->n--;
		return 0;
	}
	judge_whole(set);
	name_set(p, set);
	return 0;
}

static int add_sets(struct proposal *p)
{
	const struct domain *domain = p->call->run.domain;
	int r = 0;

	for (size_t i = 0; i < domain->n_hostdevs && r == 0; i++) {
		const struct inventory_item *item =
			inventory_find(p->inventory, domain->hostdevs[i].name);

		if (!item)
			r = strv_add(&p->absent, domain->hostdevs[i].name);
		else if (!in_sets(p, item))
			r = add_set(p, item);
	}
	return r;
}

static void judge_host(struct proposal *p)
{
	bool taken = false, boot = false, left = false;

	for (size_t i = 0; i < p->inventory->n; i++) {
		const struct inventory_item *item = &p->inventory->items[i];
		bool display = item->fn.class >> 16 == PCI_BASE_DISPLAY;
		bool nvidia = streq(item->driver, "nvidia");

		if (in_sets(p, item)) {
			/* a card on vfio from the start is none of the desktop's */
			bool idle = str_after(item->driver, "vfio") != NULL;

			taken |= display && !idle;
			boot |= display && item->boot_display && !idle;
			p->nvidia |= nvidia;
			continue;
		}
		left |= display && !str_after(item->driver, "vfio");
		p->nvidia_stays |= nvidia;
		for (size_t k = 0; k < p->inventory->n && *item->group; k++)
			p->outside |= !pci_is_bridge(&item->fn) &&
				      in_sets(p, &p->inventory->items[k]) &&
				      streq(p->inventory->items[k].group, item->group);
	}
	p->display = boot || (taken && !left);
}

int proposal_make(const struct call *call, const struct inventory *inventory,
		  struct proposal *ret)
{
	struct proposal p = { .call = call, .inventory = inventory };

	if (add_sets(&p) < 0) {
		proposal_done(&p);
		return -ENOMEM;
	}
	judge_host(&p);
	*ret = p;
	return 0;
}

void proposal_done(struct proposal *proposal)
{
	free(proposal->sets);
	strv_done(&proposal->absent);
	*proposal = (struct proposal){};
}
