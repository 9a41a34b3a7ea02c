/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moves a PCI function from one driver to another.
 *
 * unbind waits inside the driver's remove(), with the device lock held, for as long as
 * the driver likes; bind and, before the rework of 2026, even a read of driver_override
 * then wait for that lock. So all of them go through guard.h, and the `driver` link,
 * which vanishes before remove() has run, proves nothing until the write has returned.
 */
#include "guard.h"
#include "holders.h"
#include "kmod.h"
#include "progress.h"
#include "rebind.h"

#define DEVICE "/sys/bus/pci/devices/%s"
#define DRIVER "/sys/bus/pci/drivers/%s"

/* An unbind from nvidia that finds a user never returns, and later ones neither. */
static int refuse_nvidia(struct run *run, const struct record *record, const char *from,
			 struct error *err)
{
	static const char *const order[] = { "nvidia_uvm", "nvidia_drm", "nvidia_peermem",
					     "nvidia_modeset", "nvidia" };
	_cleanup_strv_ struct strv loaded = { 0 };
	_cleanup_free_ char *list = NULL;

	if (!streq(from, "nvidia") ||
	    (record->data && strstr(record->data, "while-loaded")) ||
	    kmod_state_of(&run->host, "nvidia") != KMOD_LIVE)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		if (kmod_state_of(&run->host, order[i]) == KMOD_LIVE)
			strv_add(&loaded, order[i]);
	list = strv_join(&loaded, " ");
	return error_set(err, -EBUSY,
			 "%s is on nvidia, whose unbind may never return while the module is"
			 " loaded: put this line above pci.detach: kmod.unload = %s",
			 record->target, list ? list : "nvidia");
}

int rebind_refuse_left(struct run *run, const char *name, struct error *err)
{
	const char *what;
	int pid = guard_left(run, name, &what);

	if (!pid)
		return 0;
	return error_set(
		err, -EBUSY,
		str_after(what, "unbind ") ?
			"%s: process %d is still inside the kernel (%s); it puts the"
			" function back when the last user closes the device" :
			"%s: process %d is still inside the kernel (%s); once it has"
			" ended and the function is not back, run vfio-hook undo",
		name, pid, what);
}

struct vfio_wait {
	const struct pci_list *functions;
	char *holders;
	bool *proved; /* nobody has it open */
};

/* vfio's remove() loops until the device's descriptor is closed. */
static int vfio_is_free(struct run *run, void *arg, _unused_ struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list list = { 0 };
	struct vfio_wait *wait = arg;
	_cleanup_error_ struct error ignored = { 0 };

	if (holders_scan_blocking(&run->host, wait->functions, &list, &ignored) < 0)
		return 1; /* the guarded write will tell */
	free(wait->holders);
	wait->holders = list.n ? holders_describe(&list) : NULL;
	run_awaits_holders(run, &list);
	*wait->proved = list.n == 0;
	return list.n == 0;
}

static int wait_vfio(struct run *run, const char *name, bool *proved, struct error *err)
{
	struct pci_function fn = { .name = "" };
	struct pci_list functions = { .fn = &fn, .n = 1 };
	struct vfio_wait wait = { .functions = &functions, .proved = proved };
	const struct pci_function *known = pci_find(&run->pci, name);
	int r;

	if (known)
		fn = *known;
	else if (pci_parse_addr(name, &fn.addr, NULL) == 0)
		pci_format_addr(&fn.addr, fn.name);
	r = run_wait(run, vfio_is_free, &wait, err);
	if (r == -ETIMEDOUT)
		error_set(err, r,
			  "%s is still held by %s: its unbind would wait for that; end it"
			  " first",
			  name, wait.holders ? wait.holders : "a process");
	free(wait.holders);
	return r;
}

/* What puts a function back when the kernel returns too late for us. */
struct late_return {
	struct guard_late writes[GUARD_LATE_MAX + 1];
	char override[96], unbind[160], bind[160];
};

/* From FROM (NULL: it has none then) to HOME, with the OVERRIDE that it had. */
static void plan_late(struct late_return *late, const char *name, const char *from,
		      const char *override, const char *home)
{
	struct guard_late *write = late->writes;

	snprintf(late->override, sizeof(late->override), DEVICE "/driver_override", name);
	if (from) {
		snprintf(late->unbind, sizeof(late->unbind), DRIVER "/unbind", from);
		*write++ = (struct guard_late){ late->unbind, name };
	}
	*write++ = (struct guard_late){ late->override, override };
	if (home[0]) {
		snprintf(late->bind, sizeof(late->bind), DRIVER "/bind", home);
		*write++ = (struct guard_late){ late->bind, name };
		*write++ = (struct guard_late){ "/sys/bus/pci/drivers_probe", name };
	}
	write->path = NULL;
}

static const struct baseline *baseline_of(const struct run *run, const char *name)
{
	return run->journal ? journal_find_baseline(run->journal, name) : NULL;
}

const char *rebind_home_override(struct run *run, const char *name)
{
	const struct baseline *baseline = baseline_of(run, name);

	return baseline && baseline->override ? baseline->override : "";
}

static int now_on(struct run *run, const char *name, char *buf, size_t size,
		  struct error *err)
{
	_cleanup_free_ char *driver = NULL;
	int r = state_driver.read(&run->host, name, &driver, err);

	if (r == 0)
		snprintf(buf, size, "%s", driver);
	return r;
}

int rebind_off(struct run *run, const struct record *record, const char *from,
	       struct error *err)
{
	const char *name = record->target;
	char what[256], path[PATH_MAX], now[128] = "";
	struct late_return late = { 0 };
	struct guard_access unbind = {
		.host = &run->host, .path = path, .value = name, .late = late.writes
	};
	struct guard_job job = { .what = what, .access = &unbind };
	bool proved = false;
	int r = rebind_refuse_left(run, name, err);

	if (r == 0)
		r = refuse_nvidia(run, record, from, err);
	if (r == 0 && pci_driver_is_vfio(&run->host, name, from))
		r = wait_vfio(run, name, &proved, err);
	if (r < 0)
		return r;
	job.waits = !proved;
	plan_late(&late, name, NULL, rebind_home_override(run, name),
		  record->old ? record->old : "");
	snprintf(path, sizeof(path), DRIVER "/unbind", from);
	snprintf(what, sizeof(what), "unbind of %s from %s", name, from);
	r = guard_run(run, &job, NULL, err);
	if (r == -ENOENT || r == -EACCES)
		return error_set(err, r,
				 "%s: driver %s cannot let go of a single device (it has no"
				 " unbind file): unload its module instead (kmod.unload)",
				 name, from);
	/* -ENODEV: not on FROM any more, which is as good when it is on none. */
	if (r < 0 && r != -ENODEV)
		return error_errno(err, r, "%s", what);
	r = now_on(run, name, now, sizeof(now), err);
	if (r == 0 && now[0])
		r = error_set(err, -EBUSY,
			      "%s was let go by %s but is on %s now: something else binds it"
			      " at the same time",
			      name, from, now);
	return r;
}

/* What the probe's errno means; NULL: nothing that is known. */
static const char *bind_reason(const struct host *host, const char *name, int r)
{
	char group[32];

	switch (r) {
	case -ENOENT:
		return "is not registered: is its module loaded?";
	case -ENODEV:
		return "does not take it: does driver_override name another one, or is it the"
		       " wrong driver for the device?";
	case -EBUSY:
		return "cannot have it: a guest owns its IOMMU group, or it has virtual"
		       " functions enabled";
	case -EAGAIN:
		return "waits for another driver (deferred probe) and may bind later by itself";
	case -EINVAL:
		if (pci_group(host, name, group, sizeof(group)) < 0)
			return "needs an IOMMU and there is none: enable VT-d or AMD-Vi in the"
			       " firmware, and boot an Intel machine with intel_iommu=on";
		return NULL;
	default:
		return NULL;
	}
}

static int bind_error(struct run *run, const char *name, const char *to, int r,
		      struct error *err)
{
	const char *reason = bind_reason(&run->host, name, r);

	if (reason)
		return error_set(err, r, "%s: driver %s %s", name, to, reason);
	return error_errno(err, r, "%s: driver %s failed to take it (see dmesg)", name,
			   to);
}

int rebind_to(struct run *run, const char *name, const char *to, struct error *err)
{
	_cleanup_error_ struct error timeout = { 0 }, ignored = { 0 };
	const struct baseline *b = baseline_of(run, name);
	char what[256], path[PATH_MAX], now[128] = "";
	struct late_return late = { 0 };
	struct guard_access bind = { .host = &run->host, .path = path, .value = name };
	struct guard_job job = { .what = what, .access = &bind };
	int r, bound;

	r = rebind_refuse_left(run, name, err);
	if (r < 0)
		return r;
	if (b && !streq(b->driver, to)) {
		plan_late(&late, name, to, b->override, b->driver);
		bind.late = late.writes;
	}
	snprintf(what, sizeof(what), "bind of %s to %s", name, to);
	snprintf(path, sizeof(path), DRIVER "/bind", to);
	bound = guard_run(run, &job, NULL, &timeout);
	if (timeout.msg)
		return error_set(err, bound, "%s", timeout.msg);
	r = now_on(run, name, now, sizeof(now), err);
	if (r == 0 && bound < 0 && !now[0]) {
		/* Succeeds even when nothing was bound: the link tells. */
		guard_write(run, "/sys/bus/pci/drivers_probe", name, &ignored);
		r = now_on(run, name, now, sizeof(now), err);
	}
	if (r < 0 || streq(now, to))
		return r;
	if (now[0])
		return error_set(err, -EBUSY, "%s is on %s instead of %s", name, now, to);
	return bind_error(run, name, to, bound < 0 ? bound : -ENODEV, err);
}
