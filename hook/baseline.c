/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After an undo: is every PCI function what it was? Modules load late, probes are
 * deferred, an unbind by vfio leaves power/control at "on" whatever it was: so the end
 * state is looked at, not trusted.
 */
#include "baseline_home.h"
#include "claim.h"
#include "effect.h"
#include "group.h"
#include "guard.h"
#include "hold.h"
#include "log.h"
#include "rebind.h"

#define SETTLE_MS 3000
#define FUNCTION_MS 20000

static char *path_of(char *buf, size_t size, const char *name, const char *attr)
{
	snprintf(buf, size, "/sys/bus/pci/devices/%s/%s", name, attr);
	return buf;
}

static int settled(struct run *run, void *arg _unused_, struct error *err _unused_)
{
	return !host_exists(&run->host, "/run/udev/queue");
}

/* Whatever way it came home: its records have nothing left to put back. */
static int strike_records(struct run *run, const char *name, struct error *err)
{
	int r = 0;

	if (journal_find(run->journal, &state_driver, name))
		r = journal_strike(run->journal, &state_driver, name, err);
	if (r == 0 && journal_find(run->journal, &state_override, name))
		r = journal_strike(run->journal, &state_override, name, err);
	return r;
}

static int restore_attr(struct run *run, const char *name, const char *attr,
			const char *value, struct error *err)
{
	char path[128], now[256] = "";
	int r;

	path_of(path, sizeof(path), name, attr);
	if (!*value || host_read(&run->host, now, sizeof(now), "%s", path) < 0 ||
	    streq(now, value))
		return 0;
	/* Takes the device lock, which a stuck unbind may hold. */
	r = guard_write(run, path, value, err);
	if (r < 0)
		return r;
	run_change(run, path, now, value);
	if (host_read(&run->host, now, sizeof(now), "%s", path) < 0 || streq(now, value))
		return 0;
	return error_set(err, -EIO, "%s is %s, it was %s", path, now, value);
}

/*
 * The initramfs takes a function before the host has loaded its driver, and the load passed
 * it over. None is what it had, but not what the host has without us.
 */
static bool had_none_yet(const struct run *run, const struct baseline *b)
{
	return !*b->driver && !*b->override && journal_is_boot(run->domain->uuid);
}

static int restore_attrs(struct run *run, const struct baseline *b, struct error *err)
{
	int r = baseline_set(run, &state_override, b->name, b->override, err), s;

	s = restore_attr(run, b->name, "reset_method", b->reset_method,
			 r < 0 ? NULL : err);
	r = r < 0 ? r : s;
	s = restore_attr(run, b->name, "d3cold_allowed", b->d3cold_allowed,
			 r < 0 ? NULL : err);
	r = r < 0 ? r : s;
	/* Of a driver that came later, with udev's rules for it, nothing was known. */
	if (had_none_yet(run, b))
		return r;
	s = restore_attr(run, b->name, "power/control", b->power_control,
			 r < 0 ? NULL : err);
	return r < 0 ? r : s;
}

static bool same_device(struct run *run, const struct baseline *b, char id[16])
{
	char vendor[16] = "", device[16] = "";

	id[0] = '\0';
	host_read(&run->host, vendor, sizeof(vendor), "/sys/bus/pci/devices/%s/vendor",
		  b->name);
	host_read(&run->host, device, sizeof(device), "/sys/bus/pci/devices/%s/device",
		  b->name);
	if (strlen(vendor) > 2 && strlen(device) > 2) /* "0x10de" */
		snprintf(id, 16, "%.4s:%.4s", vendor + 2, device + 2);
	return streq(id, b->id);
}

static int let_probe(struct run *run, const char *name)
{
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *driver = NULL;
	char what[64];

	if (guard_write(run, "/sys/bus/pci/drivers_probe", name, &err) < 0)
		run_warn(run, "%s", error_text(&err));
	else if (state_driver.read(&run->host, name, &driver, NULL) == 0 && *driver)
		run_change(run, state_describe(&state_driver, name, what, sizeof(what)),
			   "", driver);
	return 0;
}

/* The attributes wait until all drivers are home; what is not was reported then. */
static int compare_held(struct run *run, const struct baseline *b, bool attrs,
			struct error *err)
{
	_cleanup_free_ char *now = NULL;
	char id[16];
	int r;

	/* Whatever is done to it would wait for the unbind that is under way. */
	r = rebind_refuse_left(run, b->name, attrs ? NULL : err);
	if (r < 0)
		return attrs ? 0 : r;
	if (!same_device(run, b, id)) {
		if (attrs)
			return 0;
		if (!*id)
			return error_set(
				err, -ENODEV,
				"%s (%s) is gone: write 1 to /sys/bus/pci/rescan, or "
				"reboot the host",
				b->name, b->id);
		return error_set(err, -ENODEV, "%s is %s now, it was %s: left alone",
				 b->name, id, b->id);
	}
	if (!attrs) {
		r = baseline_bring_home(run, b, err);
		return r == 0 && had_none_yet(run, b) ? let_probe(run, b->name) : r;
	}
	if (state_driver.read(&run->host, b->name, &now, NULL) < 0 ||
	    (!streq(now, b->driver) && !had_none_yet(run, b)))
		return 0;
	r = restore_attrs(run, b, err);
	return r == 0 ? strike_records(run, b->name, err) : r;
}

/* A disk that is full keeps nobody from going home. */
static int hold_or_ask(struct run *run, const char *name, struct error *err)
{
	_cleanup_error_ struct error why = {};
	int r = hold_function(run, name, NULL, &why);

	if (r == 0)
		return 0;
	if (r == -EBUSY)
		return error_set(err, r, "%s", error_text(&why));
	log_warn("%s cannot be held: %s", name, error_text(&why));
	return hold_ask(run, name, err);
}

/* Taken since, or taken before us while we were cut off: its own way back knows more. */
static int compare_one(struct run *run, const struct baseline *b, bool attrs,
		       struct error *err)
{
	_cleanup_error_ struct error whose = {};
	const char *text;
	int r;

	run->deadline = now_ms() + FUNCTION_MS;
	run_promise_time(run);
	r = hold_or_ask(run, b->name, &whose);
	if (r == 0)
		return compare_held(run, b, attrs, err);
	text = error_text(&whose);
	if (r != -EBUSY)
		return error_set(err, r, "%s", text);
	if (!attrs)
		run_note(run, "left as it is: %s", text);
	return 0;
}

void baseline_hold(struct run *run)
{
	for (size_t i = 0; i < run->journal->n_baselines; i++) {
		run->deadline = now_ms() + FUNCTION_MS;
		/* What cannot be held now is asked for again when it is compared. */
		hold_function(run, run->journal->baselines[i].name, NULL, NULL);
	}
}

/* Displays first, as on every way home: audio and USB functions depend on them. */
static bool is_display(const struct run *run, const struct baseline *b)
{
	struct pci_function fn;

	return run_function(run, b->name, &fn) == 0 && fn.class >> 16 == PCI_BASE_DISPLAY;
}

static void compare_all(struct run *run, bool displays, bool attrs, struct error *first,
			unsigned *failures)
{
	for (size_t i = 0; i < run->journal->n_baselines; i++) {
		const struct baseline *b = &run->journal->baselines[i];
		struct error err = {};

		if (is_display(run, b) != displays ||
		    compare_one(run, b, attrs, &err) == 0)
			continue;
		log_warn("%s", error_text(&err));
		if ((*failures)++ == 0)
			*first = err;
		else
			error_done(&err);
	}
}

int baseline_compare(struct run *run, struct error *err)
{
	int64_t deadline = run->deadline;
	struct error first = {};
	unsigned failures = 0;

	if (run->simulate || !run->journal || !run->journal->n_baselines)
		return 0;
	compare_all(run, true, false, &first, &failures);
	compare_all(run, false, false, &first, &failures);
	/* udev rules on "bind" write power/control, too: after them. */
	run->deadline = now_ms() + SETTLE_MS;
	run_wait(run, settled, NULL, NULL);
	compare_all(run, true, true, &first, &failures);
	compare_all(run, false, true, &first, &failures);
	run->deadline = deadline;
	if (!failures)
		return 0;
	error_done(err);
	if (err)
		*err = first;
	else
		error_done(&first);
	return failures == 1 || !err ? -EIO :
				       error_prefix(err,
						    "%u differences to the state before, "
						    "first",
						    failures);
}
