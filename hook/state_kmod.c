/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules as state: loaded or not.
 *
 * delete_module(2) has no waiting form any more, and references are dropped late (a
 * killed compositor, a last dma-buf), so an unload is tried until the deadline. It runs
 * in a child: the module's exit() unbinds its devices and may block there.
 */
#include "guard.h"
#include "kmod.h"
#include "kmod_blame.h"
#include "parameters.h"

/* How long modules that depend on ours may take to vanish by themselves. */
#define DEPENDANTS_MS 1000

static int module_read(const struct host *host, const char *target, char **ret,
		       struct error *err)
{
	static const char *const values[] = {
		[KMOD_ABSENT] = "",
		[KMOD_LIVE] = "loaded",
		[KMOD_BUILTIN] = "builtin",
		[KMOD_BUSY] = "loaded", /* its code and devices are there */
	};

	*ret = strdup(values[kmod_state_of(host, target)]);
	return *ret ? 0 : error_oom(err);
}

struct removal {
	const char *name;
	const struct host *host;
	int64_t since;
	int last; /* what the kernel said */
};

static int do_remove(void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	const struct removal *removal = arg;

	return kmod_remove(removal->host, removal->name);
}

/* Its exit() takes the devices of these from whoever uses them. */
static bool has_drivers(const struct host *host, const char *name)
{
	_cleanup_strv_ struct strv drivers = { 0 };

	return host_list(host, &drivers, "/sys/module/%s/drivers", name) >= 0 &&
	       drivers.n > 0;
}

static int try_remove(struct run *run, void *arg, struct error *err)
{
	_cleanup_strv_ struct strv holders = { 0 };
	struct removal *removal = arg;
	char what[160];
	struct guard_job job = { .what = what,
				 .fn = do_remove,
				 .arg = removal,
				 .waits = has_drivers(&run->host, removal->name) };
	int r;

	snprintf(what, sizeof(what), "unload of %s", removal->name);
	r = guard_run(run, &job, NULL, err);
	if (r == 0 || r == -ENOENT)
		return 1;
	if ((r != -EAGAIN && r != -EBUSY) || (err && err->msg))
		return r;
	removal->last = r;
	if (now_ms() - removal->since < DEPENDANTS_MS)
		return 0;
	if (r == -EBUSY) /* for longer than any load or unload by others takes */
		return r;
	kmod_holders(&run->host, removal->name, &holders);
	return holders.n ? r : 0; /* no wait makes another module go */
}

/* Removing a vfio module unbinds its devices: it counts only those that are open. */
static int refuse_vfio(struct run *run, const char *name, struct error *err)
{
	_cleanup_strv_ struct strv modules = { 0 }, functions = { 0 };

	if (!str_after(name, "vfio") && !str_ends(name, "_vfio_pci"))
		return 0;
	host_list(&run->host, &modules, "/sys/module");
	for (size_t i = 0; i < modules.n; i++)
		if (strstr(modules.v[i], "vfio"))
			kmod_pci_functions(&run->host, modules.v[i], &functions);
	if (!functions.n)
		return 0;
	return error_set(
		err, -EBUSY,
		"%s stays: %s is on a vfio driver, and unloading would take it away",
		name, functions.v[0]);
}

static int unload(struct run *run, const char *target, struct error *err)
{
	_cleanup_error_ struct error local = { 0 };
	char name[128];
	struct removal removal = { name, &run->host, now_ms(), -EAGAIN };
	int r;

	kmod_normalise(target, name, sizeof(name));
	r = refuse_vfio(run, name, err);
	if (r < 0)
		return r;
	run_awaits(run, "module %s to be free", name);
	r = run_wait(run, try_remove, &removal, &local);
	if (r >= 0)
		return 0;
	if (local.msg)
		return error_set(err, r, "%s", local.msg);
	return kmod_blame(run, name, r == -ETIMEDOUT ? removal.last : r, err);
}

/* Time to end an install command in, and to say so, before the child is given up. */
#define ENDING_MS 2500

struct loading {
	const struct host *host;
	const char *name, *params;
	int64_t deadline;
};

static int do_load(void *arg, char text[GUARD_TEXT_MAX])
{
	_cleanup_error_ struct error err = { 0 };
	const struct loading *loading = arg;
	int r = kmod_load(loading->host, loading->name, loading->params,
			  loading->deadline, &err);

	if (r < 0)
		snprintf(text, GUARD_TEXT_MAX, "%s", error_text(&err));
	return r;
}

static int load(struct run *run, const char *name, const char *params, struct error *err)
{
	char what[160], text[GUARD_TEXT_MAX] = "";
	const int64_t left = run_time_left(run), end = left / 4;
	struct loading loading = { &run->host, name, params,
				   now_ms() + left - (end < ENDING_MS ? end : ENDING_MS) };
	struct guard_job job = { .what = what, .fn = do_load, .arg = &loading };
	int r;

	snprintf(what, sizeof(what), "load of %s", name);
	r = guard_run(run, &job, text, err);
	if (r < 0)
		/* Keeps the guard's own text, if that is what failed. */
		return error_set(err, r, "%s", text[0] ? text : what);
	if (kmod_state_of(&run->host, name) == KMOD_ABSENT)
		return error_set(
			err, -EIO,
			"%s is not there after it was loaded: does modprobe.d have it"
			" blacklisted, or an install command that loads nothing?",
			name);
	return 0;
}

/*
 * Data is "FOUND\nWANTED", parameters both: what the first unload found, to which undo goes
 * back, and what a load is given. An unload and a load of one module are one record.
 */
static const char *wanted_of(const char *data)
{
	const char *end = data ? strrchr(data, '\n') : NULL;

	return end ? end + 1 : "";
}

static size_t found_len(const char *data)
{
	const char *end = data ? strrchr(data, '\n') : NULL;

	return end ? (size_t)(end - data) : 0;
}

/* Of FOUND its first N bytes. */
static char *join_data(const char *found, size_t n, const char *wanted)
{
	char *data;

	return asprintf(&data, "%.*s\n%s", (int)n, found, wanted) < 0 ? NULL : data;
}

static char *module_keep(const struct record *known, const char *value, const char *data)
{
	const size_t n = found_len(known ? known->data : NULL);
	const char *found = *value || !data ? "" : data,
		   *wanted = *value && data ? data : "";

	return n ? join_data(known->data, n, wanted) :
		   join_data(found, strlen(found), wanted);
}

/* What the first of all unloads found is put back by the last who leaves. */
static char *module_inherit(const char *ours, const char *others)
{
	const size_t n = found_len(ours);

	return n ? join_data(ours, n, wanted_of(others)) : strdup(others);
}

static int module_change(struct run *run, const struct record *record, const char *from,
			 const char *to, struct error *err)
{
	const char *name = record->target, *wanted = wanted_of(record->data);

	if (streq(from, to) || (streq(from, "builtin") && *to))
		return 0;
	if (streq(from, "builtin"))
		return error_set(err, -EOPNOTSUPP,
				 "%s is built into the kernel and cannot be unloaded: use"
				 " pci.detach for its devices",
				 name);
	if (!*to)
		return unload(run, name, err);
	return load(run, name, *wanted ? wanted : NULL, err);
}

/* Why a module that we loaded stays, as text; NULL: nobody uses it. */
static char *reason_to_stay(struct run *run, const char *name)
{
	_cleanup_strv_ struct strv users = { 0 };
	char text[64];
	int count;

	kmod_holders(&run->host, name, &users);
	kmod_pci_functions(&run->host, name, &users);
	if (users.n)
		return strv_join(&users, ", ");
	count = kmod_refcount(&run->host, name);
	if (count <= 0)
		return NULL;
	snprintf(text, sizeof(text), "something else (reference count %d)", count);
	return strdup(text);
}

static int undo_load(struct run *run, const char *name, struct error *err)
{
	_cleanup_error_ struct error local = { 0 };
	_cleanup_free_ char *reason = reason_to_stay(run, name);
	int r;

	if (reason) {
		run_note(run, "module %s is left loaded: in use by %s", name, reason);
		return 0;
	}
	r = unload(run, name, &local);
	if (r == -EBUSY) {
		run_note(run, "module %s is left loaded: %s", name, error_text(&local));
		return 0;
	}
	return r < 0 ? error_set(err, r, "%s", error_text(&local)) : 0;
}

static int restore_found(struct run *run, const struct record *record, struct error *err)
{
	const char *data = record->data ?: "";
	_cleanup_free_ char *found = strndup(data, found_len(data));

	if (!found)
		return error_oom(err);
	parameters_restore(run, record->target, found);
	return 0;
}

static int module_undo(struct run *run, const struct record *record, const char *now,
		       struct error *err)
{
	int r = 0;

	if (streq(now, "builtin") || streq(record->old, "builtin"))
		return 0;
	if (!*record->old)
		return *now ? undo_load(run, record->target, err) : 0;
	/* Its parameters of before are no parameters now: modprobe.d rules the load. */
	if (!*now)
		r = load(run, record->target, NULL, err);
	/* An undo that was cut off may have come as far as the load. */
	return r < 0 ? r : restore_found(run, record, err);
}

const struct state_kind state_module = {
	.name = "module",
	.shared = true,
	.always_undo = true,
	.keep = module_keep,
	.inherit = module_inherit,
	.read = module_read,
	.change = module_change,
	.undo = module_undo,
};
