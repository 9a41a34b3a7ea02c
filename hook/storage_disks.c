/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks below a controller.
 */
#include "storage.h"

/* "nvme0c1n1" is the path of a multipath disk, "nvme0n1" what people mount. */
static void visible_name(const char *name, char *buf, size_t size)
{
	unsigned subsystem, path, space;
	int end = 0;

	if (sscanf(name, "nvme%uc%un%u%n", &subsystem, &path, &space, &end) == 3 &&
	    end > 0)
		snprintf(buf, size, "nvme%un%u%s", subsystem, space, name + end);
	else
		snprintf(buf, size, "%s", name);
}

static bool lies_below(const struct host *host, const char *disk, const char *function)
{
	char path[PATH_MAX], target[PATH_MAX], part[64];
	ssize_t n;

	n = readlink(host_path(host, path, "/sys/block/%s", disk), target,
		     sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	snprintf(part, sizeof(part), "/%s/", function);
	return strstr(target, part) != NULL;
}

/* Of no controller; some hosts have dozens of them, by snaps or volumes. */
static bool is_virtual(const char *disk)
{
	static const char *const kinds[] = { "dm-", "loop", "md", "ram", "zd", "zram" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (str_after(disk, kinds[i]))
			return true;
	return false;
}

/* Displays and sound have none: spares a look at every disk for each of a card's functions. */
static bool may_have_disks(const struct host *host, const struct pci_function *fn)
{
	unsigned class = fn->class;
	char text[32];

	/* Of those that were not scanned only the name is known. */
	if (!class && host_read(host, text, sizeof(text), "/sys/bus/pci/devices/%s/class",
				fn->name) > 0)
		class = (unsigned)strtoul(text, NULL, 16);
	return class >> 16 != PCI_BASE_DISPLAY && class >> 16 != PCI_BASE_MULTIMEDIA;
}

int storage_disks(const struct host *host, const struct pci_function *fn, struct strv *ret)
{
	_cleanup_strv_ struct strv all = {}, parts = {};
	int r = 0;

	if (!may_have_disks(host, fn) || host_list(host, &all, "/sys/block") < 0)
		return 0;
	for (size_t i = 0; i < all.n && r == 0; i++) {
		char disk[NAME_MAX + 1];

		visible_name(all.v[i], disk, sizeof(disk));
		if (is_virtual(disk) || !lies_below(host, all.v[i], fn->name) ||
		    strv_contains(ret, disk))
			continue;
		r = strv_add(ret, disk);
		if (r < 0 || host_list(host, &parts, "/sys/class/block/%s", disk) < 0)
			continue;
		for (size_t k = 0; k < parts.n && r == 0; k++)
			if (str_after(parts.v[k], disk) && !strv_contains(ret, parts.v[k]))
				r = strv_add(ret, parts.v[k]);
		strv_done(&parts);
	}
	return r;
}
