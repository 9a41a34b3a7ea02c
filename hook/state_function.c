/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds "function" (is a PCI function there at all?) and "bar" (how large is one of
 * its memory windows?).
 */
#include <inttypes.h>

#include "bar.h"
#include "baseline_home.h"
#include "guard.h"

#define DEVICE "/sys/bus/pci/devices/%s"
#define MIB 1048576ULL

static int function_read(const struct host *host, const char *target, char **ret,
			 struct error *err)
{
	*ret = strdup(host_exists(host, DEVICE, target) ? "present" : "");
	return *ret ? 0 : error_oom(err);
}

/* A scan binds whatever driver is there, also to what had none. */
static int unbind_again(struct run *run, const char *name, struct error *err)
{
	const struct baseline *b =
		run->journal ? journal_find_baseline(run->journal, name) : NULL;

	return b && !*b->driver ? baseline_set(run, &state_driver, name, "", err) : 0;
}

/* Both take the lock that all removals and scans of the host need: hence the guard. */
static int function_change(struct run *run, const struct record *record,
			   const char *from _unused_, const char *to, struct error *err)
{
	static const struct guard_late scan[] = { { "/sys/bus/pci/rescan", "1" }, {} };
	const char *name = record->target;
	char path[PATH_MAX];
	int r;

	if (!*to) {
		snprintf(path, sizeof(path), DEVICE "/remove", name);
		return guard_write_late(run, path, "1", scan, err);
	}
	r = guard_write(run, "/sys/bus/pci/rescan", "1", err);
	if (r < 0)
		return r;
	if (host_exists(&run->host, DEVICE, name))
		return unbind_again(run, name, err);
	return error_set(err, -ENODEV,
			 "%s did not come back with a rescan of the bus: reboot the host",
			 name);
}

const struct state_kind state_function = {
	.name = "function",
	.exclusive = true,
	.read = function_read,
	.change = function_change,
};

const char *bar_size_text(uint64_t size, char buf[BAR_SIZE_LEN])
{
	static const char units[] = "KMGT";
	uint64_t unit = 1ULL << 40;

	for (int i = 3; i >= 0; i--, unit >>= 10) {
		if (!size || size % unit)
			continue;
		snprintf(buf, BAR_SIZE_LEN, "%" PRIu64 "%c", size / unit, units[i]);
		return buf;
	}
	snprintf(buf, BAR_SIZE_LEN, "%" PRIu64, size);
	return buf;
}

uint64_t bar_offered(const struct host *host, const char *function, unsigned bar)
{
	char text[64];

	if (host_read(host, text, sizeof(text), DEVICE "/resource%u_resize", function,
		      bar) < 0)
		return 0;
	return strtoull(text, NULL, 16);
}

char *bar_sizes_text(uint64_t offered)
{
	_cleanup_strv_ struct strv sizes = {};
	char buf[BAR_SIZE_LEN];

	for (unsigned i = 0; i < 44; i++)
		if (offered & (1ULL << i) &&
		    strv_add(&sizes, bar_size_text(MIB << i, buf)) < 0)
			return NULL;
	return sizes.n ? strv_join(&sizes, ", ") : strdup("none");
}

/* "0000:0a:00.0 1" */
static int bar_parse(const char *target, char function[PCI_ADDR_LEN], unsigned *bar,
		     struct error *err)
{
	if (sscanf(target, "%19s %u", function, bar) == 2 && *bar < 6)
		return 0;
	return error_set(err, -EINVAL, "%s names no BAR", target);
}

/* One line for each window: first and last address, flags. */
static int bar_read(const struct host *host, const char *target, char **ret,
		    struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char function[PCI_ADDR_LEN], buf[BAR_SIZE_LEN], *line, *rest;
	unsigned long long first = 0, last = 0;
	unsigned bar;
	int r = bar_parse(target, function, &bar, err);

	if (r < 0)
		return r;
	r = host_read_all(host, &text, DEVICE "/resource", function);
	if (r < 0)
		return error_errno(err, r, "%s: cannot read its resources", function);
	rest = text;
	for (unsigned i = 0; i <= bar; i++)
		line = strsep(&rest, "\n");
	if (!line || sscanf(line, "%llx %llx", &first, &last) != 2)
		return error_set(err, -EIO, "%s: resource has no line of BAR %u",
				 function, bar);
	*ret = strdup(bar_size_text(last > first ? last - first + 1 : 0, buf));
	return *ret ? 0 : error_oom(err);
}

static int explain(int code, const char *target, const char *to, struct error *err)
{
	switch (code) {
	case -ENOSPC:
	case -ENOENT:
		error_done(err);
		return error_set(
			err, code,
			"BAR %s cannot become %s: the window of the bridge above has no "
			"room (other devices below it that have a driver keep it from "
			"growing)",
			target, to);
	case -EBUSY:
		error_done(err);
		return error_set(err, code,
				 "BAR %s cannot become %s: the function has a driver, or "
				 "its virtual functions are on",
				 target, to);
	}
	return code;
}

static int bar_change(struct run *run, const struct record *record,
		      const char *from _unused_, const char *to, struct error *err)
{
	char function[PCI_ADDR_LEN], path[PATH_MAX], index[16];
	uint64_t size;
	unsigned bar;
	int r = bar_parse(record->target, function, &bar, err);

	if (r < 0)
		return r;
	if (parse_size(to, &size) < 0 || size < MIB)
		return error_set(err, -EINVAL, "BAR %s: %s is no size", record->target,
				 to);
	/* The kernel wants the power of two, counted in MiB. */
	snprintf(index, sizeof(index), "%d", __builtin_ctzll(size / MIB));
	snprintf(path, sizeof(path), DEVICE "/resource%u_resize", function, bar);
	r = guard_write(run, path, index, err);
	return r < 0 ? explain(r, record->target, to, err) : 0;
}

static int bar_undo(struct run *run, const struct record *record, const char *now,
		    struct error *err)
{
	_cleanup_free_ char *driver = NULL, *then = NULL;
	char function[PCI_ADDR_LEN];
	unsigned bar;
	int r = bar_parse(record->target, function, &bar, err);

	if (r < 0)
		return r;
	if (!streq(now, record->new)) {
		run_warn(run,
			 "bar %s is %s, which is not what was set (%s): left as it is",
			 record->target, now, record->new);
		return 0;
	}
	r = state_get(&run->host, &state_driver, function, &driver, err);
	if (r < 0)
		return r;
	if (*driver)
		return error_set(err, -EBUSY,
				 "BAR %u of %s stays at %s, it was %s: %s is bound to it; "
				 "unbind that, then run vfio-hook undo",
				 bar, function, now, record->old, driver);
	r = bar_change(run, record, now, record->old, err);
	if (r == 0)
		r = bar_read(&run->host, record->target, &then, err);
	if (r < 0 || streq(then, record->old))
		return r;
	return error_set(err, -EIO, "is %s, it was %s", then, record->old);
}

const struct state_kind state_bar = {
	.name = "bar",
	.exclusive = true,
	.read = bar_read,
	.change = bar_change,
	.undo = bar_undo,
};
