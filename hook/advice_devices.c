/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of the XML against those of the config: what one of them has and the other
 * has forgotten.
 */
#include "advice.h"
#include "scripts.h"

/* What scripts take from the host nobody knows. */
static bool prepared_by_scripts(const struct run *run)
{
	return scripts_exist_in(&run->host, run->hooks_dir, run->event.domain,
				PHASE_BIT(PHASE_PREPARE));
}

static bool has_any(const struct inventory *inventory, const struct pci_list *functions,
		    const char *group)
{
	for (size_t i = 0; i < functions->n; i++) {
		const struct inventory_item *item =
			inventory_find(inventory, functions->fn[i].name);

		if (item && streq(item->group, group))
			return true;
	}
	return false;
}

static void tell_of_nobody(const struct inventory_item *item, struct findings *findings)
{
	char cure[128];

	snprintf(cure, sizeof(cure), "pci.detach = %s", item->fn.name);
	finding_add(findings, FINDING_PROBLEM, cure,
		    "%s is managed='no' in the XML, and no step detaches it from %s: "
		    "libvirt would refuse to start; add to [prepare/begin]",
		    item->fn.name, *item->driver ? item->driver : "the host");
}

/*
 * Who detaches none leaves all to libvirt and means it; who detaches some may have forgotten
 * one. Of what shares a group with those the step itself tells.
 */
static void tell_of_libvirt(const struct inventory_item *item,
			    const struct inventory *inventory,
			    const struct pci_list *detached, struct findings *findings)
{
	char cure[128];

	if (!detached->n || !*item->driver || streq(item->driver, "pci-stub") ||
	    (*item->group && has_any(inventory, detached, item->group)))
		return;
	snprintf(cure, sizeof(cure), "pci.detach = %s", item->fn.name);
	finding_add(findings, FINDING_ADVICE, cure,
		    "no step detaches %s (%s) of the XML: libvirt takes it from %s by "
		    "itself, which waits for nobody who has it open and has no deadline; "
		    "add to [prepare/begin]",
		    item->fn.name, item->name, item->driver);
}

/* Who takes it from the host, of those in DETACHED by a step? */
static void judge_way(const struct hostdev *hostdev, const struct inventory *inventory,
		      const struct run *run, const struct pci_list *detached,
		      struct findings *findings)
{
	const struct inventory_item *item = inventory_find(inventory, hostdev->name);

	if (!item || pci_find(detached, hostdev->name) ||
	    pci_driver_is_vfio(&run->host, item->fn.name, item->driver))
		return;
	if (hostdev->managed)
		tell_of_libvirt(item, inventory, detached, findings);
	else
		tell_of_nobody(item, findings);
}

static void judge_hostdev(const struct hostdev *hostdev,
			  const struct inventory *inventory, const struct run *run,
			  const struct pci_list *planned, struct findings *findings)
{
	const struct inventory_item *item = inventory_find(inventory, hostdev->name);

	if (item)
		advise_reset(inventory, run, item, planned, findings);
	else
		finding_add(findings, FINDING_PROBLEM, "vfio-hook devices",
			    "%s is in the XML, but this host has no such device now: a "
			    "card that was moved or added changes the numbers; see where "
			    "it is now",
			    hostdev->name);
}

/* Something of the XML is in the item's group, so that it has to leave the host, too. */
static bool must_go_along(const struct inventory *inventory, const struct domain *domain,
			  const struct inventory_item *item)
{
	for (size_t i = 0; *item->group && i < inventory->n; i++)
		if (streq(inventory->items[i].group, item->group) &&
		    domain_has_device(domain, inventory->items[i].fn.name))
			return true;
	return false;
}

/* The function of the same slot that the domain gets, one with a display first; or NULL. */
static const struct inventory_item *card_of(const struct inventory *inventory,
					    const struct domain *domain,
					    const struct pci_addr *addr)
{
	const struct inventory_item *found = NULL;

	for (size_t i = 0; i < inventory->n; i++) {
		const struct inventory_item *item = &inventory->items[i];

		if (!pci_same_slot(&item->fn.addr, addr) ||
		    !domain_has_device(domain, item->fn.name))
			continue;
		if (!found || item->fn.class >> 16 == PCI_BASE_DISPLAY)
			found = item;
	}
	return found;
}

static void tell_of_sound(const struct inventory_item *item, const char *how,
			  const char *cure, struct findings *findings)
{
	finding_add(findings, FINDING_ADVICE, cure,
		    "%s (%s) %s, but the domain does not get it, so the card has no sound "
		    "there: add to <devices>",
		    item->fn.name, item->name, how);
}

static void tell_of_rest(const struct inventory_item *item, const char *how,
			 const char *cure, struct findings *findings)
{
	finding_add(findings, FINDING_ADVICE, cure,
		    "%s (%s) %s, but the domain does not get it: nobody can use it "
		    "meanwhile, and a driver in the guest may look for it; add to "
		    "<devices>",
		    item->fn.name, item->name, how);
}

static void judge_detached(const struct inventory *inventory, const struct domain *domain,
			   const struct pci_list *planned, struct findings *findings)
{
	static const char together[] = "leaves the host together with its card";

	for (size_t i = 0; i < planned->n; i++) {
		const struct pci_function *fn = &planned->fn[i];
		const struct inventory_item *item = inventory_find(inventory, fn->name);
		char cure[512];

		if (!item || domain_has_device(domain, fn->name))
			continue;
		advice_hostdev_xml(&fn->addr, cure, sizeof(cure));
		if (!must_go_along(inventory, domain, item))
			finding_add(findings, FINDING_WARNING, cure,
				    "%s (%s) is taken from the host, but the domain does "
				    "not get it: add to <devices>, or leave it out of the "
				    "config",
				    fn->name, item->name);
		else if (fn->class >> 8 == PCI_CLASS_AUDIO)
			tell_of_sound(item, together, cure, findings);
		else if (card_of(inventory, domain, &fn->addr))
			tell_of_rest(item, together, cure, findings);
	}
}

/*
 * What of a graphics card nobody takes from the host: it has a group of its own, or no
 * driver. A processor with graphics has functions of another vendor in the same slot,
 * which are the host's own, and so are those of a network card with several ports.
 */
static void judge_left_out(const struct inventory *inventory, const struct domain *domain,
			   const struct pci_list *planned, struct findings *findings)
{
	for (size_t i = 0; i < inventory->n; i++) {
		const struct inventory_item *item = &inventory->items[i], *card;
		char cure[512];

		card = card_of(inventory, domain, &item->fn.addr);
		if (!card || card->fn.class >> 16 != PCI_BASE_DISPLAY ||
		    card->fn.vendor != item->fn.vendor || pci_is_bridge(&item->fn) ||
		    item->fn.class >> 16 == PCI_BASE_DISPLAY ||
		    domain_has_device(domain, item->fn.name) ||
		    pci_find(planned, item->fn.name))
			continue;
		advice_hostdev_xml(&item->fn.addr, cure, sizeof(cure));
		if (item->fn.class >> 8 == PCI_CLASS_AUDIO)
			tell_of_sound(item, "is of the same card", cure, findings);
		else
			finding_add(findings, FINDING_ADVICE, cure,
				    "%s (%s) is of the same card, but stays with the host: "
				    "a driver in the guest may look for it; add to "
				    "<devices>",
				    item->fn.name, item->name);
	}
}

/*
 * Where libvirt moves the devices by itself, what shares their group and has a driver of
 * the host keeps QEMU from opening it. Where a step moves them, the plan tells that.
 */
static void judge_groups(const struct inventory *inventory, const struct call *call,
			 const struct pci_list *planned, const struct pci_list *detached,
			 struct findings *findings)
{
	const struct domain *domain = call->run.domain;

	for (size_t i = 0; i < inventory->n; i++) {
		const struct inventory_item *item = &inventory->items[i];

		if (!*item->driver || streq(item->driver, "pci-stub") ||
		    pci_is_bridge(&item->fn) ||
		    domain_has_device(domain, item->fn.name) ||
		    pci_find(planned, item->fn.name) ||
		    has_any(inventory, detached, item->group) ||
		    !must_go_along(inventory, domain, item) ||
		    pci_driver_is_vfio(&call->run.host, item->fn.name, item->driver))
			continue;
		finding_add(findings, FINDING_PROBLEM, "pci.detach = group=whole",
			    "%s (%s) shares IOMMU group %s with a device of the XML and "
			    "stays with %s: QEMU cannot open the group (\"is not "
			    "viable\"); add to [prepare/begin], where it takes all of the "
			    "XML's devices with their groups",
			    item->fn.name, item->name, item->group, item->driver);
	}
}

void advise_devices(struct call *call, const struct inventory *inventory,
		    struct findings *findings)
{
	_cleanup_(pci_list_done) struct pci_list planned = {}, detached = {};
	_cleanup_error_ struct error err = {};
	const struct run *run = &call->run;
	const bool by_scripts = prepared_by_scripts(run);

	if (run_planned_devices(&call->run, &planned, &err) < 0 ||
	    run_detached_devices(&call->run, &detached, &err) < 0)
		return; /* the plan has told why */
	for (size_t i = 0; i < run->domain->n_hostdevs; i++)
		judge_hostdev(&run->domain->hostdevs[i], inventory, run, &planned,
			      findings);
	for (size_t i = 0; !by_scripts && i < run->domain->n_hostdevs; i++)
		judge_way(&run->domain->hostdevs[i], inventory, run, &detached, findings);
	if (!by_scripts)
		judge_groups(inventory, call, &planned, &detached, findings);
	judge_detached(inventory, run->domain, &planned, findings);
	judge_left_out(inventory, run->domain, &planned, findings);
}
