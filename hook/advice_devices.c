/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of the XML against those of the config: what one of them has and the other
 * has forgotten.
 */
#include "advice.h"

static bool in_xml(const struct domain *domain, const char *name)
{
	for (size_t i = 0; i < domain->n_hostdevs; i++)
		if (streq(domain->hostdevs[i].name, name))
			return true;
	return false;
}

/* The lines for a <hostdev> of the function. */
static void hostdev_xml(const struct pci_addr *addr, char *buf, size_t size)
{
	snprintf(buf, size,
		 "<hostdev mode='subsystem' type='pci' managed='yes'>\n"
		 "  <source><address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
		 "function='0x%x'/></source>\n"
		 "</hostdev>",
		 addr->domain, (unsigned)addr->bus, (unsigned)addr->device,
		 (unsigned)addr->function);
}

static void judge_hostdev(const struct hostdev *hostdev,
			  const struct inventory *inventory, const struct host *host,
			  const struct pci_list *planned, struct findings *findings)
{
	const struct inventory_item *item = inventory_find(inventory, hostdev->name);
	char cure[128];

	if (!item) {
		finding_add(findings, FINDING_PROBLEM, NULL,
			    "%s is in the XML, but this host has no such device now (a "
			    "card that was moved or added changes the numbers): see "
			    "vfio-hook devices",
			    hostdev->name);
		return;
	}
	if (!*item->reset && !pci_is_bridge(&item->fn))
		finding_add(findings, FINDING_WARNING, NULL,
			    "%s (%s) cannot be reset by the kernel: what the first guest "
			    "leaves in it the next one finds, and may not start",
			    hostdev->name, item->name);
	if (hostdev->managed || pci_find(planned, hostdev->name) ||
	    pci_driver_is_vfio(host, item->fn.name, item->driver))
		return;
	snprintf(cure, sizeof(cure), "pci.detach = %s", hostdev->name);
	finding_add(findings, FINDING_PROBLEM, cure,
		    "%s is managed='no' in the XML, and no step detaches it from %s: "
		    "libvirt would refuse to start; add to [prepare/begin]",
		    hostdev->name, *item->driver ? item->driver : "the host");
}

/* Something of the XML is in the item's group, so that it has to leave the host, too. */
static bool must_go_along(const struct inventory *inventory, const struct domain *domain,
			  const struct inventory_item *item)
{
	for (size_t i = 0; *item->group && i < inventory->n; i++)
		if (streq(inventory->items[i].group, item->group) &&
		    in_xml(domain, inventory->items[i].fn.name))
			return true;
	return false;
}

/* Does the domain get another function of the same device? */
static bool is_of_a_card(const struct domain *domain, const struct pci_addr *addr)
{
	for (size_t i = 0; i < domain->n_hostdevs; i++) {
		const struct pci_addr *other = &domain->hostdevs[i].addr;

		if (other->domain == addr->domain && other->bus == addr->bus &&
		    other->device == addr->device)
			return true;
	}
	return false;
}

static void judge_detached(const struct inventory *inventory, const struct domain *domain,
			   const struct pci_list *planned, struct findings *findings)
{
	for (size_t i = 0; i < planned->n; i++) {
		const struct pci_function *fn = &planned->fn[i];
		const struct inventory_item *item = inventory_find(inventory, fn->name);
		char cure[512];

		if (!item || in_xml(domain, fn->name))
			continue;
		hostdev_xml(&fn->addr, cure, sizeof(cure));
		if (!must_go_along(inventory, domain, item))
			finding_add(findings, FINDING_WARNING, cure,
				    "%s (%s) is taken from the host, but the domain does "
				    "not get it: add to <devices>, or leave it out of the "
				    "config",
				    fn->name, item->name);
		else if (fn->class >> 8 == PCI_CLASS_AUDIO)
			finding_add(findings, FINDING_ADVICE, cure,
				    "%s (%s) leaves the host together with its card, but "
				    "the domain does not get it, so the card has no sound "
				    "there: add to <devices>",
				    fn->name, item->name);
		else if (is_of_a_card(domain, &fn->addr))
			finding_add(findings, FINDING_ADVICE, cure,
				    "%s (%s) leaves the host together with its card, but "
				    "the domain does not get it: nobody can use it "
				    "meanwhile, and a driver in the guest may look for it; "
				    "add to <devices>",
				    fn->name, item->name);
	}
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

/*
 * Where libvirt moves the devices by itself, what shares their group and has a driver of
 * the host keeps QEMU from opening it. Where a step moves them, the plan tells that.
 */
static void judge_groups(const struct inventory *inventory, struct call *call,
			 const struct pci_list *planned, struct findings *findings)
{
	const struct domain *domain = call->run.domain;
	_cleanup_(pci_list_done) struct pci_list detached = {};
	_cleanup_error_ struct error err = {};

	if (run_detached_devices(&call->run, &detached, &err) < 0)
		return;
	for (size_t i = 0; i < inventory->n; i++) {
		const struct inventory_item *item = &inventory->items[i];

		if (!*item->driver || streq(item->driver, "pci-stub") ||
		    pci_driver_is_vfio(&call->run.host, item->fn.name, item->driver) ||
		    pci_is_bridge(&item->fn) || in_xml(domain, item->fn.name) ||
		    pci_find(planned, item->fn.name) ||
		    has_any(inventory, &detached, item->group) ||
		    !must_go_along(inventory, domain, item))
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
	_cleanup_(pci_list_done) struct pci_list planned = {};
	_cleanup_error_ struct error err = {};
	const struct domain *domain = call->run.domain;

	if (!call->run.config)
		return;
	if (run_planned_devices(&call->run, &planned, &err) < 0)
		return; /* the plan has told why */
	for (size_t i = 0; i < domain->n_hostdevs; i++)
		judge_hostdev(&domain->hostdevs[i], inventory, &call->run.host, &planned,
			      findings);
	judge_groups(inventory, call, &planned, findings);
	judge_detached(inventory, domain, &planned, findings);
}
