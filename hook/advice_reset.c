/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that the kernel cannot reset one by one. Behind a bridge QEMU resets the whole bus,
 * if all that is on it is the guest's: so does many a graphics card without reset method.
 */
#include <libgen.h>

#include "advice.h"

void advice_hostdev_xml(const struct pci_addr *addr, char *buf, size_t size)
{
	snprintf(buf, size,
		 "<hostdev mode='subsystem' type='pci' managed='yes'>\n"
		 "  <source><address domain='0x%04x' bus='0x%02x' slot='0x%02x' "
		 "function='0x%x'/></source>\n"
		 "</hostdev>",
		 addr->domain, (unsigned)addr->bus, (unsigned)addr->device,
		 (unsigned)addr->function);
}

/* sysfs nests what is behind a bridge into it. */
static bool is_behind_bridge(const struct host *host, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlink(host_path(host, path, "/sys/bus/pci/devices/%s", name),
			     target, sizeof(target) - 1);
	struct pci_addr addr;

	target[n > 0 ? n : 0] = '\0';
	return n > 0 && pci_parse_addr(basename(dirname(target)), &addr, NULL) == 0;
}

/* Is it the guest's during a reset of its bus: given to it, or in a group that is? */
static bool is_of_guest(const struct inventory *inventory, const struct run *run,
			const struct pci_list *planned, const struct inventory_item *item)
{
	if (domain_has_device(run->domain, item->fn.name))
		return true;
	if (!pci_find(planned, item->fn.name) &&
	    !pci_driver_is_vfio(&run->host, item->fn.name, item->driver))
		return false;
	for (size_t i = 0; *item->group && i < inventory->n; i++)
		if (streq(inventory->items[i].group, item->group) &&
		    domain_has_device(run->domain, inventory->items[i].fn.name))
			return true;
	return false;
}

/* *RET: what keeps QEMU from a reset of the bus. Returns how many others are on it. */
static size_t find_others(const struct inventory *inventory, const struct run *run,
			  const struct inventory_item *item,
			  const struct pci_list *planned, struct strv *lines)
{
	size_t n = 0;

	for (size_t i = 0; i < inventory->n; i++) {
		const struct inventory_item *other = &inventory->items[i];
		char xml[512];

		if (other == item || other->fn.addr.domain != item->fn.addr.domain ||
		    other->fn.addr.bus != item->fn.addr.bus)
			continue;
		n++;
		advice_hostdev_xml(&other->fn.addr, xml, sizeof(xml));
		if (!is_of_guest(inventory, run, planned, other) &&
		    strv_add(lines, xml) < 0)
			return 0;
	}
	return n;
}

void advise_reset(const struct inventory *inventory, const struct run *run,
		  const struct inventory_item *item, const struct pci_list *planned,
		  struct findings *findings)
{
	_cleanup_strv_ struct strv lines = {};
	_cleanup_free_ char *cure = NULL;
	size_t others = 0;

	if (*item->reset || pci_is_bridge(&item->fn))
		return;
	if (is_behind_bridge(&run->host, item->fn.name))
		others = find_others(inventory, run, item, planned, &lines);
	if (others && !lines.n)
		return;
	if (others && (cure = strv_join(&lines, "\n")))
		finding_add(findings, FINDING_WARNING, cure,
			    "%s (%s) cannot be reset by itself, and its bus only when all "
			    "on it is the guest's: what the first guest leaves in it the "
			    "next one finds, and may not start; add to <devices>",
			    item->fn.name, item->name);
	else
		finding_add(findings, FINDING_WARNING,
			    "[release/end]\nsuspend.cycle = seconds=5\nundo =",
			    "%s (%s) cannot be reset by the kernel: what the first guest "
			    "leaves in it the next one finds, and may not start; if so, "
			    "the host has to sleep for a moment in between",
			    item->fn.name, item->name);
}
