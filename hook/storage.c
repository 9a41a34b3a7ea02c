/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks in use below a controller. The kernel takes a mounted disk away without a word.
 */
#include <time.h>

#include "guard.h"
#include "storage.h"
#include "systemd.h"

#define MAX_DEPTH 8 /* disk, partition, md, crypt, LVM, … */
#define TRIES 5 /* while others may be looking, as we do */
#define PAUSE_NS 50000000L

struct use {
	char *text; /* "nvme0n1p2, mounted at /home" */
	char unit[NAME_MAX + 1]; /* the unit that ends it, or "" */
	bool ended; /* an earlier step ends a use of it, which the kernel sees still */
};

/* mountinfo writes blanks and the like as \040. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p; to++) {
		unsigned code;

		if (sscanf(p, "\\%3o", &code) == 1) {
			*to = (char)code;
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

/* Does an earlier step of the plan end it? Only a simulated one is in the overlay. */
static bool ends(const struct host *host, const char *path, const char *type,
		 struct use *use)
{
	const char *state;

	storage_unit(path, type, use->unit, sizeof(use->unit));
	state = host->overlay ? overlay_get(host->overlay, &state_unit, use->unit) : NULL;
	if (!state || !streq(state, "inactive"))
		return false;
	use->unit[0] = '\0';
	use->ended = true;
	return true;
}

static bool mount_of(const struct host *host, const char *mounts, const char *dev,
		     const char *number, struct use *ret)
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
		unescape(point);
		if (!ends(host, point, "mount", ret))
			return asprintf(&ret->text, "%s, mounted at %s", dev, point) >= 0;
	}
	return false;
}

static bool swap_of(const struct host *host, const char *swaps, const char *dev,
		    struct use *ret)
{
	_cleanup_free_ char *copy = strdup(swaps);
	char *save = NULL;

	if (!copy)
		return false;
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		line[strcspn(line, " \t")] = '\0';
		if (!streq(path_base(line), dev))
			continue;
		if (!ends(host, line, "swap", ret))
			return asprintf(&ret->text, "%s, used as swap", dev) >= 0;
	}
	return false;
}

struct tables {
	char *mounts, *swaps;
};

/* Does an earlier step unmount one of its disks, and with it the whole? */
static bool btrfs_ends(const struct host *host, const struct tables *tables,
		       const char *name)
{
	_cleanup_strv_ struct strv disks = {};

	if (host_list(host, &disks, "/sys/fs/btrfs/%s/devices", name) < 0)
		return false;
	for (size_t i = 0; i < disks.n; i++) {
		struct use use = {};

		if (mount_of(host, tables->mounts, disks.v[i], "", &use))
			free(use.text);
		else if (use.ended)
			return true;
	}
	return false;
}

/* A further disk of a mounted btrfs is in no list of mounts. */
static bool btrfs_of(const struct host *host, const struct tables *tables,
		     const char *dev, struct use *ret)
{
	_cleanup_strv_ struct strv all = {};

	if (host_list(host, &all, "/sys/fs/btrfs") < 0)
		return false;
	for (size_t i = 0; i < all.n; i++)
		if (!host_exists(host, "/sys/fs/btrfs/%s/devices/%s", all.v[i], dev))
			continue;
		else if (btrfs_ends(host, tables, all.v[i]))
			ret->ended = true;
		else
			return asprintf(&ret->text, "%s, part of a mounted btrfs", dev) >=
			       0;
	return false;
}

static bool device_in_use(const struct host *host, const struct tables *tables,
			  const char *dev, unsigned depth, struct use *ret)
{
	_cleanup_strv_ struct strv holders = {};
	char number[32] = "", name[256] = "";

	if (depth > MAX_DEPTH)
		return false;
	host_read(host, number, sizeof(number), "/sys/class/block/%s/dev", dev);
	if (mount_of(host, tables->mounts, dev, number, ret) ||
	    swap_of(host, tables->swaps, dev, ret) || btrfs_of(host, tables, dev, ret))
		return true;
	/* A swap or a mount can be known by /dev/mapper/NAME, too. */
	if (host_read(host, name, sizeof(name), "/sys/class/block/%s/dm/name", dev) > 0 &&
	    (mount_of(host, tables->mounts, name, number, ret) ||
	     swap_of(host, tables->swaps, name, ret)))
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

struct probe {
	const struct host *host;
	const char *dev;
};

static int open_alone(void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	const struct probe *probe = arg;
	int r = -EBUSY;

	for (unsigned i = 0; i < TRIES && r == -EBUSY; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		r = host_open_alone(probe->host, "/dev/%s", probe->dev);
	}
	return r;
}

/*
 * What no list here tells: a file system of another mount namespace, ZFS, an md or LVM
 * that is not used itself. Whoever has a disk for himself is known to the kernel.
 */
static bool taken(const struct host *host, const char *dev, struct use *ret)
{
	_cleanup_strv_ struct strv holders = {};
	_cleanup_free_ char *names = NULL;
	struct probe probe = { host, dev };
	char what[NAME_MAX + 16];
	struct guard_job job = { .what = what, .fn = open_alone, .arg = &probe };

	snprintf(what, sizeof(what), "open of /dev/%s", dev);
	if (guard_run_host(host, &job, NULL, NULL) != -EBUSY)
		return false;
	if (host_list(host, &holders, "/sys/class/block/%s/holders", dev) >= 0 &&
	    holders.n && (names = strv_join(&holders, ", ")))
		return asprintf(&ret->text, "%s, part of %s", dev, names) >= 0;
	return asprintf(&ret->text,
			"%s, in use: mounted in a container, a part of ZFS, or another's "
			"that no list tells",
			dev) >= 0;
}

/* Does an earlier step end a use of the disk, or of a partition of it? */
static bool ends_below(const struct host *host, const struct strv *disks,
		       const bool *ended, const char *disk)
{
	for (size_t i = 0; i < disks->n; i++)
		if (ended[i] &&
		    (streq(disks->v[i], disk) ||
		     host_exists(host, "/sys/class/block/%s/%s", disk, disks->v[i])))
			return true;
	return false;
}

/* As the lists tell of each; ENDED[i] is set when an earlier step ends a use of it. */
static int listed(const struct host *host, const struct strv *disks, bool *ended,
		  struct use *ret, struct error *err)
{
	struct tables tables = {};
	int r = disks->n ? read_tables(host, &tables, err) : 0;

	for (size_t i = 0; i < disks->n && r == 0; i++) {
		r = device_in_use(host, &tables, disks->v[i], 0, ret);
		ended[i] = ret->ended;
		ret->ended = false;
	}
	free(tables.mounts);
	free(tables.swaps);
	return r;
}

/* 1: a disk below FN is in use, by RET. */
static int in_use(const struct host *host, const struct pci_function *fn, struct use *ret,
		  struct error *err)
{
	_cleanup_strv_ struct strv disks = {};
	_cleanup_free_ bool *ended = NULL;
	int r = storage_disks(host, fn, &disks);

	ended = calloc(disks.n + 1, sizeof(*ended));
	if (r < 0 || !ended)
		return error_oom(err);
	r = listed(host, &disks, ended, ret, err);
	/* Partitions first: with one of them the disk is in use, too. */
	for (size_t i = disks.n; i-- > 0 && r == 0;)
		if (!ends_below(host, &disks, ended, disks.v[i]))
			r = taken(host, disks.v[i], ret);
	return r;
}

int storage_refuse(struct run *run, const struct pci_function *fn, struct error *err)
{
	struct use use = {};
	int r = in_use(&run->host, fn, &use, err);

	if (r > 0 && *use.unit && systemd_is_running(&run->host)) {
		run_cure(run, "service.stop = %s", use.unit);
		r = run_problem(run, -EBUSY, err,
				"%s carries %s: to take it from the host put "
				"'service.stop = %s' in front, or take another device",
				fn->name, use.text, use.unit);
	} else if (r > 0)
		r = run_problem(
			run, -EBUSY, err,
			"%s carries %s: unmount it, or take another device; it must not be "
			"taken from the running host",
			fn->name, use.text);
	free(use.text);
	return r;
}
