/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function's way to the driver that it had, the second way too.
 */
#include "baseline_home.h"
#include "effect.h"
#include "group.h"
#include "guard.h"
#include "holders.h"
#include "log.h"

/* In the hands of a guest, or unknown: 1; nobody has it: 0. */
static bool vfio_held(struct run *run, const struct pci_list *functions)
{
	_cleanup_(holder_list_done) struct holder_list list = {};

	if (holders_scan(&run->host, functions, &list, NULL) < 0)
		return true;
	for (size_t i = 0; i < list.n; i++)
		if (list.holder[i].is_vfio)
			return true;
	return false;
}

/* All that a remove and rescan of NAME, or a bind of its driver, could disturb. */
static int siblings(struct run *run, const struct pci_function *fn, struct pci_list *ret)
{
	_cleanup_strv_ struct strv names = {};
	char group[32];
	int r = pci_list_add(ret, fn);

	if (r < 0 || pci_group(&run->host, fn->name, group, sizeof(group)) < 0)
		return r;
	if (pci_group_members(&run->host, group, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n && r >= 0; i++) {
		struct pci_function other;

		if (run_function(run, names.v[i], &other) == 0)
			r = pci_list_add_once(ret, &other);
	}
	return r;
}

/*
 * A rebind into a group that a guest still uses is refused by new kernels and crashes
 * those before 5.19.
 */
static bool may_move(struct run *run, const char *name)
{
	_cleanup_(pci_list_done) struct pci_list list = {};
	struct pci_function fn;

	return run_function(run, name, &fn) == 0 && siblings(run, &fn, &list) >= 0 &&
	       !vfio_held(run, &list);
}

int baseline_set(struct run *run, const struct state_kind *kind, const char *name,
		 const char *value, struct error *err)
{
	_cleanup_free_ char *now = NULL, *then = NULL;
	char what[64];
	struct record record = {
		.kind = kind,
		.target = (char *)(uintptr_t)name,
		.old = (char *)(uintptr_t)value,
		.new = (char *)(uintptr_t) "",
		.data = (char *)(uintptr_t) "",
		.phase = run->event.phase,
	};
	int r = kind->read(&run->host, name, &now, err);

	if (r < 0 || streq(now, value))
		return r;
	record.new = now;
	r = kind->change(run, &record, now, value, err);
	if (r == 0)
		r = kind->read(&run->host, name, &then, err);
	if (r < 0)
		return r;
	if (!streq(then, value))
		return error_set(err, -EIO, "%s %s is %s, it was %s", name, kind->name,
				 state_value_text(then), state_value_text(value));
	run_change(run, state_describe(kind, name, what, sizeof(what)), now, value);
	return 0;
}

/* The second way, when the home driver will not bind: the function is found anew. */
static int remove_and_rescan(struct run *run, const struct baseline *b, struct error *err)
{
	char path[128], what[64];
	int r;

	log_warn("%s: %s would not bind; trying remove and rescan", b->name, b->driver);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/remove", b->name);
	r = guard_write(run, path, "1", err);
	if (r == 0)
		r = guard_write(run, "/sys/bus/pci/rescan", "1", err);
	if (r < 0)
		return r;
	if (!host_exists(&run->host, "/sys/bus/pci/devices/%s", b->name))
		return error_set(
			err, -ENODEV,
			"%s did not come back after remove and rescan: reboot the host",
			b->name);
	snprintf(what, sizeof(what), "%s removed and rescanned", b->name);
	run_change(run, what, NULL, "done");
	return baseline_set(run, &state_driver, b->name, b->driver, err);
}

int baseline_bring_home(struct run *run, const struct baseline *b, struct error *err)
{
	_cleanup_free_ char *now = NULL;
	int r = state_driver.read(&run->host, b->name, &now, err);

	if (r < 0 || streq(now, b->driver))
		return r;
	if (*now && !pci_driver_is_vfio(&run->host, b->name, now))
		return error_set(err, -EBUSY, "%s is on %s now, it was on %s: left there",
				 b->name, now, state_value_text(b->driver));
	if (!may_move(run, b->name))
		return error_set(
			err, -EBUSY,
			"%s is not back on %s, as a guest still uses its IOMMU group: "
			"shut that down, then run vfio-hook undo",
			b->name, state_value_text(b->driver));
	/* Only a driver of the override's name may bind, so that comes first. */
	r = baseline_set(run, &state_override, b->name, b->override, err);
	if (r == 0)
		r = baseline_set(run, &state_driver, b->name, b->driver, err);
	/* A driver that is not there binds nothing, however anew the function is found. */
	if (r < 0 && *b->driver &&
	    host_exists(&run->host, "/sys/bus/pci/drivers/%s", b->driver)) {
		_cleanup_error_ struct error second = {};

		if (remove_and_rescan(run, b, &second) == 0) {
			error_done(err);
			return baseline_set(run, &state_override, b->name, b->override,
					    err);
		}
		log_warn("%s: %s", b->name, error_text(&second));
	}
	return r;
}
