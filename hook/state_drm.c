/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kind "drm": what programs were told about a DRM node of a function. The kernel
 * sends on what is written to `uevent`; the node itself stays as it is. There is nothing
 * to read back, so what is told is journalled before, and told again at the end.
 */
#include "guard.h"
#include "run.h"

static int drm_read(const struct host *host _unused_, const char *target,
		    char **ret _unused_, struct error *err)
{
	return error_set(err, -EOPNOTSUPP, "%s: nobody knows what was told of it", target);
}

static int tell(struct run *run, const char *target, const char *action, struct error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/uevent", target);
	return guard_write(run, path, action, err);
}

static int drm_change(struct run *run, const struct record *record,
		      const char *from _unused_, const char *to, struct error *err)
{
	return tell(run, record->target, streq(to, "removed") ? "remove" : "add", err);
}

/* A node that is gone comes back with its driver, and the kernel tells of that itself. */
static int drm_undo(struct run *run, const struct record *record,
		    const char *now _unused_, struct error *err)
{
	if (!host_exists(&run->host, "/sys/bus/pci/devices/%s/uevent", record->target))
		return 0;
	return tell(run, record->target, "add", err);
}

const struct state_kind state_drm = {
	.name = "drm",
	.relative = true,
	.read = drm_read,
	.change = drm_change,
	.undo = drm_undo,
};
