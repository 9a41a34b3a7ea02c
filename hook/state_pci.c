/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver of a PCI function and its driver_override, as state. How a function is
 * moved is rebind.c's.
 */
#include "guard.h"
#include "rebind.h"

#define DEVICE "/sys/bus/pci/devices/%s"

/* By an earlier step of the plan. */
static bool is_removed(const struct host *host, const char *name)
{
	const char *simulated = overlay_get(host->overlay, &state_function, name);

	return simulated && !*simulated;
}

static int function_there(const struct host *host, const char *name, struct error *err)
{
	const char *simulated = overlay_get(host->overlay, &state_function, name);

	if (simulated ? *simulated : host_exists(host, DEVICE, name))
		return 0;
	return error_set(err, -ENODEV,
			 "there is no PCI function %s now: it was removed or has failed; a"
			 " rescan of the bus (pci.rescan) or a reboot may bring it back",
			 name);
}

/* driver_override as the kernel shows it; unset reads as "(null)". */
static int override_value(const char *text, char **ret, struct error *err)
{
	*ret = strdup(streq(text, "(null)") ? "" : text);
	return *ret ? 0 : error_oom(err);
}

static int override_read(const struct host *host, const char *target, char **ret,
			 struct error *err)
{
	_cleanup_error_ struct error why = { 0 };
	char text[512], path[PATH_MAX];
	int r;

	if (is_removed(host, target))
		return function_there(host, target, err);
	/* Most kernels take the device lock for this read: behind a stuck unbind, for ever. */
	snprintf(path, sizeof(path), DEVICE "/driver_override", target);
	r = guard_read_host(host, path, text, sizeof(text), &why);
	if (r == -ENOENT && function_there(host, target, err) < 0)
		return -ENODEV;
	if (r < 0)
		return error_set(err, r, "%s", error_text(&why));
	return override_value(text, ret, err);
}

static const char *override_text(const char *value)
{
	return streq(value, "(null)") ? "" : value;
}

static int override_write(struct run *run, const char *name, const char *from,
			  const char *to, struct error *err)
{
	char path[PATH_MAX];
	const struct guard_late back[] = { { path, override_text(from) }, {} };

	snprintf(path, sizeof(path), DEVICE "/driver_override", name);
	return guard_write_late(run, path, override_text(to), back, err);
}

static int override_change(struct run *run, const struct record *record, const char *from,
			   const char *to, struct error *err)
{
	int r = function_there(&run->host, record->target, err);

	return r < 0 ? r : override_write(run, record->target, from, to, err);
}

/*
 * First, as a function that was claimed and not yet moved is bound by the load of its
 * home module, which finds no function while the override names another driver.
 */
const struct state_kind state_override = {
	.name = "override",
	.exclusive = true,
	.harmless = true,
	.undo_first = true,
	.read = override_read,
	.change = override_change,
};

static int driver_read(const struct host *host, const char *target, char **ret,
		       struct error *err)
{
	char driver[128] = "";
	int r = -ENOENT;

	if (!is_removed(host, target))
		r = host_link_name(host, driver, sizeof(driver), DEVICE "/driver", target);
	/* What has a driver is there. */
	if (r == -ENOENT && function_there(host, target, err) < 0)
		return -ENODEV;
	if (r < 0 && r != -ENOENT)
		return error_errno(err, r, "%s: cannot read its driver", target);
	*ret = strdup(driver);
	return *ret ? 0 : error_oom(err);
}

static int driver_derive(const struct host *host, const char *target, char **value)
{
	const char *simulated;
	char module[128];

	(void)target;
	if (!**value || !overlay_has(host->overlay, &state_module) ||
	    pci_driver_module(host, *value, module, sizeof(module)) < 0)
		return 0;
	simulated = overlay_get(host->overlay, &state_module, module);
	if (simulated && !*simulated)
		**value = '\0'; /* the driver went with its module */
	return 0;
}

static bool registered(const struct host *host, const char *driver)
{
	return host_exists(host, "/sys/bus/pci/drivers/%s", driver);
}

static int driver_change(struct run *run, const struct record *record, const char *from,
			 const char *to, struct error *err)
{
	int r = function_there(&run->host, record->target, err);

	if (r == 0 && from[0] && !streq(from, to))
		r = rebind_off(run, record, from, err);
	if (r == 0 && to[0] && !streq(from, to))
		r = rebind_to(run, record->target, to, err);
	return r;
}

/*
 * First the override, so that nothing binds vfio again; then off what holds it now;
 * then home, unless home's module is yet to be loaded: that load binds the function.
 */
static int driver_undo(struct run *run, const struct record *record, const char *now,
		       struct error *err)
{
	_cleanup_error_ struct error override = { 0 };
	const char *name = record->target, *home = record->old;
	int r, cleared;

	r = rebind_refuse_left(run, name, err);
	if (r < 0 || streq(now, home))
		return r;
	cleared =
		override_write(run, name, "", rebind_home_override(run, name), &override);
	if (now[0])
		r = rebind_off(run, record, now, err);
	if (r == 0 && home[0] && registered(&run->host, home))
		r = rebind_to(run, name, home, err);
	if (r == 0 && cleared < 0)
		r = error_set(err, cleared, "%s", error_text(&override));
	return r;
}

const struct state_kind state_driver = {
	.name = "driver",
	.exclusive = true,
	.read = driver_read,
	.change = driver_change,
	.undo = driver_undo,
	.derive = driver_derive,
};
