/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions taken off the bus, found again, and reset.
 */
#include "effect.h"
#include "group.h"
#include "guard.h"
#include "hold.h"
#include "nvidia.h"
#include "preflight.h"
#include "sriov.h"
#include "step.h"

#define DEVICE "/sys/bus/pci/devices/%s"

static int remove_apply(struct run *run, const struct step *step, struct error *err);
static int rescan_apply(struct run *run, const struct step *step, struct error *err);
static int reset_parse(const struct step *step, struct error *err);
static int reset_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec wait_options[] = {
	{ "timeout", VALUE_DURATION, .def = "15s",
	  .text = "how long to wait for processes to close the devices' nodes" },
	{}
};

static const struct option_spec reset_options[] = {
	{ "method", VALUE_STRING, .def = "those the kernel uses, in its order",
	  .text = "flr, bus, pm, …: one that the function offers, or several in quotes" },
	{ "timeout", VALUE_DURATION, .def = "15s",
	  .text = "how long to wait for processes to close the devices' nodes" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "remove",
		.summary = "take PCI functions off the bus",
		.undo = "a rescan of the bus finds them again; IOMMU group and node numbers may "
			"change, one way",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASES_ALL,
		.timeout_ms = 15000,
		.options = wait_options,
		.apply = remove_apply,
	},
	{
		.action = "rescan",
		.summary =
			"look for PCI functions on the bus; those named must be there then",
		.undo = "none: it is one way",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASES_ALL,
		.flags = STEP_ONE_WAY,
		.timeout_ms = 30000,
		.apply = rescan_apply,
	},
	{
		.action = "reset",
		.summary = "reset PCI functions that have no driver but vfio's",
		.undo = "reset_method as it was; the reset itself is one way",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASES_ALL,
		.timeout_ms = 15000,
		.options = reset_options,
		.parse = reset_parse,
		.apply = reset_apply,
	},
	{}
};

const struct plugin plugin_pci_function = { .name = "pci", .types = types };

typedef int action(struct run *run, const struct step *step,
		   const struct pci_function *fn, struct error *err);

/* Not to another domain's, and not while one comes for it. */
static int act_held(struct run *run, const struct step *step,
		    const struct pci_function *fn, action *act, struct error *err)
{
	bool held;
	int r = hold_function(run, fn->name, &held, err);

	return r < 0 ? r : hold_finish(run, fn->name, held, act(run, step, fn, err), err);
}

static int each(struct run *run, const struct step *step, action *act, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	int r = run_devices(run, &step->words, &functions, err);

	/* Displays last, as their audio and USB functions depend on them. */
	for (int display = 0; display <= 1; display++)
		for (size_t i = 0; i < functions.n && r == 0; i++)
			if ((functions.fn[i].class >> 16 == PCI_BASE_DISPLAY) == display)
				r = act_held(run, step, &functions.fn[i], act, err);
	return r;
}

/* Would the call that follows wait for somebody, with locks held? */
static int refuse_held(struct run *run, const struct pci_function *fn, struct error *err)
{
	struct pci_list one = { .fn = (struct pci_function *)(uintptr_t)fn, .n = 1 };

	return run->simulate ? preflight_holders(run, &one, NULL, err) :
			       preflight_wait_unheld(run, &one, fn->name, err);
}

static int remove_one(struct run *run, const struct step *step _unused_,
		      const struct pci_function *fn, struct error *err)
{
	struct pci_list one = { .fn = (struct pci_function *)(uintptr_t)fn, .n = 1 };
	int r;

	if (pci_is_bridge(fn))
		return run_problem(
			run, -EINVAL, err,
			"%s is a bridge, and all that is behind it would go, too: name the functions that are meant",
			fn->name);
	if (state_is(&run->host, &state_function, fn->name, ""))
		return 0;
	r = sriov_may_leave(run, fn->name, "they would go with it", err);
	if (r == 0)
		r = refuse_held(run, fn, err);
	if (r == 0)
		r = nvidia_may_unbind(run, fn, false, &one, err);
	return r == 0 ? effect_set(run, &state_function, fn->name, "", NULL, err) : r;
}

static int remove_apply(struct run *run, const struct step *step, struct error *err)
{
	return each(run, step, remove_one, err);
}

static int rescan(struct run *run, void *arg _unused_, struct error *err)
{
	return guard_write(run, "/sys/bus/pci/rescan", "1", err);
}

static int find_one(struct run *run, const struct step *step _unused_,
		    const struct pci_function *fn, struct error *err)
{
	if (state_is(&run->host, &state_function, fn->name, "present"))
		return 0;
	return effect_set(run, &state_function, fn->name, "present", NULL, err);
}

static int rescan_apply(struct run *run, const struct step *step, struct error *err)
{
	int r = hold_refuse_removed(run, err);

	if (r == 0)
		r = effect_one_way(run, "rescan of the PCI bus", rescan, NULL, err);
	return r == 0 ? each(run, step, find_one, err) : r;
}

static int reset_parse(const struct step *step, struct error *err)
{
	const char *method = step_option(step, "method");

	if (!method ||
	    (*method &&
	     strspn(method, "abcdefghijklmnopqrstuvwxyz0123456789_ ") == strlen(method)))
		return 0;
	return error_set(err, -EINVAL,
			 "method=%s: write a word of the function's reset_method, like flr "
			 "or bus",
			 method);
}

/* Is each word of WANTED one of OFFERED? */
static bool offers(const char *offered, const char *wanted)
{
	char text[256], *rest = text, *word;

	snprintf(text, sizeof(text), "%s", wanted);
	while ((word = strsep(&rest, " "))) {
		const char *at = offered;
		size_t n = strlen(word);

		while (n && (at = strstr(at, word)) &&
		       ((at > offered && at[-1] != ' ') || (at[n] && at[n] != ' ')))
			at += n;
		if (!at)
			return false;
	}
	return true;
}

static int check_reset(struct run *run, const struct pci_function *fn, const char *method,
		       struct error *err)
{
	_cleanup_free_ char *driver = NULL;
	char offered[256] = "";
	int r = state_get(&run->host, &state_driver, fn->name, &driver, err);

	if (r < 0)
		return r;
	if (*driver && !pci_driver_is_vfio(&run->host, fn->name, driver))
		return run_problem(run, -EBUSY, err,
				   "%s is in the hands of %s, which a reset would take by "
				   "surprise: put a pci.detach in front",
				   fn->name, driver);
	if (!host_exists(&run->host, DEVICE "/reset", fn->name))
		return run_problem(
			run, -EOPNOTSUPP, err,
			"%s cannot be reset, the kernel knows no method for it: leave this line out",
			fn->name);
	if (method && (host_read(&run->host, offered, sizeof(offered),
				 DEVICE "/reset_method", fn->name) < 0 ||
		       !offers(offered, method)))
		return run_problem(
			run, -EOPNOTSUPP, err,
			"%s cannot be reset by %s: leave method= out, or use one of those that it offers: %s",
			fn->name, method, *offered ? offered : "none");
	return refuse_held(run, fn, err);
}

static int reset(struct run *run, void *arg, struct error *err)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), DEVICE "/reset", (const char *)arg);
	r = guard_write(run, path, "1", err);
	if (r == -ENOTTY) {
		error_done(err);
		error_set(err, r,
			  "%s: none of its reset methods can be used now (a bus reset needs "
			  "all functions of the bus)",
			  (const char *)arg);
	}
	return r;
}

static int reset_one(struct run *run, const struct step *step,
		     const struct pci_function *fn, struct error *err)
{
	const char *method = step_option(step, "method");
	_cleanup_free_ char *old = NULL;
	char path[PATH_MAX], what[64];
	int r = check_reset(run, fn, method, err);

	snprintf(path, sizeof(path), DEVICE "/reset_method", fn->name);
	if (r == 0 && method && host_exists(&run->host, "%s", path)) {
		r = state_get(&run->host, &state_attr, path, &old, err);
		if (r == 0)
			r = effect_set(run, &state_attr, path, method, NULL, err);
	}
	if (r < 0)
		return r;
	snprintf(what, sizeof(what), "reset of %s", fn->name);
	r = effect_one_way(run, what, reset, (void *)(uintptr_t)fn->name, err);
	/* What is done on the way down stays: so this is its own way back. */
	if (old && !phase_goes_up(run->event.phase)) {
		int back =
			effect_set(run, &state_attr, path, old, NULL, r < 0 ? NULL : err);

		r = r < 0 ? r : back;
	}
	return r;
}

static int reset_apply(struct run *run, const struct step *step, struct error *err)
{
	return each(run, step, reset_one, err);
}
