/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks in use below a controller. The kernel takes a mounted disk away without a word.
 */
#include "storage.h"

#define MAX_DEPTH 8 /* disk, partition, md, crypt, LVM, … */

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

	n = readlink(host_path(host, path, "/sys/class/block/%s", disk), target,
		     sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	snprintf(part, sizeof(part), "/%s/", function);
	return strstr(target, part) != NULL;
}

/* mountinfo has octal escapes for blanks: shown as they are. */
static bool mount_of(const char *mounts, const char *dev, const char *number, char **ret)
{
	_cleanup_free_ char *copy = strdup(mounts);
	char *save = NULL;

	if (!copy)
		return false;
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *rest = strstr(line, " - ");
		char id[32], point[1024], source[1024] = "";

		if (!rest || sscanf(line, "%*s %*s %31s %*s %1023s", id, point) != 2)
			continue;
		/* btrfs mounts have a number of their own, but name a source. */
		if (sscanf(rest, " - %*s %1023s", source) != 1)
			source[0] = '\0';
		if (!streq(id, number) && !streq(path_base(source), dev))
			continue;
		return asprintf(ret, "%s, mounted at %s", dev, point) >= 0;
	}
	return false;
}

static bool swap_of(const char *swaps, const char *dev, char **ret)
{
	_cleanup_free_ char *copy = strdup(swaps);
	char *save = NULL;

	if (!copy)
		return false;
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, " \t")] = '\0';
		if (streq(path_base(line), dev))
			return asprintf(ret, "%s, used as swap", dev) >= 0;
	}
	return false;
}

/* A further disk of a mounted btrfs is in no list of mounts. */
static bool btrfs_of(const struct host *host, const char *dev, char **ret)
{
	_cleanup_strv_ struct strv all = {};

	if (host_list(host, &all, "/sys/fs/btrfs") < 0)
		return false;
	for (size_t i = 0; i < all.n; i++)
		if (host_exists(host, "/sys/fs/btrfs/%s/devices/%s", all.v[i], dev))
			return asprintf(ret, "%s, part of a mounted btrfs", dev) >= 0;
	return false;
}

struct tables {
	char *mounts, *swaps;
};

static bool device_in_use(const struct host *host, const struct tables *tables,
			  const char *dev, unsigned depth, char **ret)
{
	_cleanup_strv_ struct strv holders = {};
	char number[32] = "", name[256] = "";

	if (depth > MAX_DEPTH)
		return false;
	host_read(host, number, sizeof(number), "/sys/class/block/%s/dev", dev);
	if (mount_of(tables->mounts, dev, number, ret) ||
	    swap_of(tables->swaps, dev, ret) || btrfs_of(host, dev, ret))
		return true;
	/* A swap or a mount can be known by /dev/mapper/NAME, too. */
	if (host_read(host, name, sizeof(name), "/sys/class/block/%s/dm/name", dev) > 0 &&
	    (mount_of(tables->mounts, name, number, ret) ||
	     swap_of(tables->swaps, name, ret)))
		return true;
	if (host_list(host, &holders, "/sys/class/block/%s/holders", dev) < 0)
		return false;
	for (size_t i = 0; i < holders.n; i++)
		if (device_in_use(host, tables, holders.v[i], depth + 1, ret))
			return true;
	return false;
}

static int read_tables(const struct host *host, struct tables *ret, struct error *err)
{
	int r = host_read_all(host, &ret->mounts, "/proc/self/mountinfo");

	if (r < 0)
		return error_errno(err, r, "cannot read /proc/self/mountinfo");
	r = host_read_all(host, &ret->swaps, "/proc/swaps");
	if (r == -ENOENT) { /* a kernel without swap */
		ret->swaps = strdup("");
		r = ret->swaps ? 0 : -ENOMEM;
	}
	return r < 0 ? error_errno(err, r, "cannot read /proc/swaps") : 0;
}

static bool partition_in_use(const struct host *host, const struct tables *tables,
			     const char *disk, char **ret)
{
	_cleanup_strv_ struct strv parts = {};

	if (host_list(host, &parts, "/sys/class/block/%s", disk) < 0)
		return false;
	for (size_t i = 0; i < parts.n; i++)
		if (str_after(parts.v[i], disk) &&
		    device_in_use(host, tables, parts.v[i], 0, ret))
			return true;
	return false;
}

int storage_in_use(const struct host *host, const char *name, char **ret,
		   struct error *err)
{
	_cleanup_strv_ struct strv disks = {};
	struct tables tables = {};
	int r = 0;

	if (host_list(host, &disks, "/sys/class/block") < 0)
		return 0;
	for (size_t i = 0; i < disks.n && r == 0; i++) {
		char disk[NAME_MAX + 1];

		if (!lies_below(host, disks.v[i], name))
			continue;
		if (!tables.mounts)
			r = read_tables(host, &tables, err);
		if (r < 0)
			break;
		visible_name(disks.v[i], disk, sizeof(disk));
		r = device_in_use(host, &tables, disk, 0, ret) ||
		    partition_in_use(host, &tables, disk, ret);
	}
	free(tables.mounts);
	free(tables.swaps);
	return r;
}
