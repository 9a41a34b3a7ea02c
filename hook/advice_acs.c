/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why devices share an IOMMU group. What is behind a bridge without ACS (Access Control
 * Services) can reach its neighbours past the IOMMU, so the kernel gives them out together.
 */
#include <endian.h>
#include <fcntl.h>
#include <linux/pci_regs.h>

#include "advice.h"

#define MOST_CAPABILITIES 64 /* a list that a broken device closes to a ring */

enum acs {
	ACS_UNKNOWN, /* only root may look */
	ACS_THERE,
	ACS_MISSING,
};

/*
 * From the file of the one bridge: nothing that hangs or vanishes elsewhere is in the way.
 * Ordinary users are given the first 64 bytes, conventional bridges have 256.
 */
static enum acs acs_of(const struct host *host, const char *bridge)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	uint32_t header;
	uint8_t byte;
	int at = 0x100;

	fd = open(host_path(host, path, "/sys/bus/pci/devices/%s/config", bridge),
		  O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &byte, 1, PCI_STD_HEADER_SIZEOF) != 1)
		return ACS_UNKNOWN;
	for (int i = 0; i < MOST_CAPABILITIES && at >= 0x100; i++) {
		if (pread(fd, &header, sizeof(header), at) != sizeof(header))
			break;
		header = le32toh(header);
		if (PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_ACS)
			return ACS_THERE;
		at = (int)PCI_EXT_CAP_NEXT(header);
	}
	return ACS_MISSING;
}

/* The bridges above NAME that have none: sysfs nests what is behind a bridge into it. */
static int bridges_without(const struct host *host, const char *name, struct strv *ret)
{
	char path[PATH_MAX], target[PATH_MAX], *rest = target, *part;
	ssize_t n = readlink(host_path(host, path, "/sys/bus/pci/devices/%s", name),
			     target, sizeof(target) - 1);
	struct pci_addr addr;
	int r = 0;

	target[n > 0 ? n : 0] = '\0';
	while (r >= 0 && (part = strsep(&rest, "/")))
		if (rest && pci_parse_addr(part, &addr, NULL) == 0 &&
		    acs_of(host, part) == ACS_MISSING)
			r = strv_add(ret, part);
	return r;
}

/* What is in its group, and neither a part of it nor the domain's; or NULL. */
static const struct inventory_item *stranger(const struct inventory *inventory,
					     const struct domain *domain,
					     const struct inventory_item *item)
{
	for (size_t i = 0; *item->group && i < inventory->n; i++) {
		const struct inventory_item *other = &inventory->items[i];
		bool ours = pci_same_slot(&other->fn.addr, &item->fn.addr);

		for (size_t k = 0; k < domain->n_hostdevs && !ours; k++)
			ours = streq(domain->hostdevs[k].name, other->fn.name);
		if (!ours && !pci_is_bridge(&other->fn) &&
		    streq(other->group, item->group))
			return other;
	}
	return NULL;
}

void advise_acs(const struct call *call, const struct inventory *inventory,
		struct findings *findings)
{
	const struct domain *domain = call->run.domain;
	_cleanup_strv_ struct strv told = {};

	for (size_t i = 0; i < domain->n_hostdevs; i++) {
		const struct inventory_item *item = inventory_find(
						    inventory, domain->hostdevs[i].name),
					    *other;
		_cleanup_strv_ struct strv bridges = {};
		_cleanup_free_ char *names = NULL;

		other = item && !strv_contains(&told, item->group) ?
				stranger(inventory, domain, item) :
				NULL;
		if (!other || strv_add(&told, item->group) < 0 ||
		    bridges_without(&call->run.host, item->fn.name, &bridges) < 0 ||
		    !bridges.n || !(names = strv_join(&bridges, ", ")))
			continue;
		finding_add(findings, FINDING_ADVICE, NULL,
			    "%s shares IOMMU group %s with %s (%s), as %s above it %s no "
			    "ACS: devices behind it can reach each other past the IOMMU; "
			    "in a slot behind another port the card may have a group of "
			    "its own",
			    item->fn.name, item->group, other->fn.name, other->name,
			    names, bridges.n > 1 ? "have" : "has");
	}
}
