/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci.detach and pci.reattach: PCI functions from their host driver to VFIO, and back.
 */
#include "detach.h"
#include "guard.h"
#include "hold.h"
#include "nvidia.h"
#include "preflight.h"
#include "restore.h"
#include "step.h"
#include "storage.h"

static int detach_apply(struct run *run, const struct step *step, struct error *err);
static int detach_parse(const struct step *step, struct error *err);
static int reattach_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec detach_options[] = {
	{ .name = "driver",
	  .kind = VALUE_STRING,
	  .def = "the XML's <driver model>, else the best match, else vfio-pci",
	  .text = "the driver that the functions get" },
	{ .name = "timeout",
	  .kind = VALUE_DURATION,
	  .def = "15s",
	  .text = "how long to wait for processes to close the devices' nodes, and for each "
		  "unbind" },
	{ .name = "group",
	  .kind = VALUE_CHOICE,
	  .choices = "check|whole",
	  .def = "check",
	  .text = "refuse an IOMMU group that stays incomplete, or take all of it" },
	{ .name = "while-loaded",
	  .kind = VALUE_BOOL,
	  .def = "no",
	  .text = "unbind from nvidia although its module stays loaded for another card, once "
		  "it is proved that nothing uses this one" },
	{},
};

static const struct step_type types[] = {
	{
		.action = "detach",
		.summary = "bind PCI devices to VFIO",
		.undo = "driver, driver_override, power/control, d3cold_allowed and reset_method "
			"as they were; vfio modules stay loaded",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASE_BIT(PHASE_PREPARE) | PHASE_BIT(PHASE_BOOT),
		.timeout_ms = 15000,
		.options = detach_options,
		.parse = detach_parse,
		.check = detach_check,
		.apply = detach_apply,
	},
	{
		.action = "reattach",
		.summary = "give PCI devices back to their host drivers",
		.undo = "none: it is the way back",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASES_DOWN,
		.timeout_ms = 30000,
		.apply = reattach_apply,
	},
	{},
};

extern const struct plugin plugin_pci;
const struct plugin plugin_pci = { .name = "pci", .types = types };

static int detach_parse(const struct step *step, struct error *err)
{
	const char *driver = step_option(step, "driver");

	if (driver &&
	    (!*driver || strchr(driver, '/') || strlen(driver) >= DRIVER_NAME_LEN))
		return error_set(err, -EINVAL,
				 "driver= is the name of a PCI driver, like vfio-pci");
	return 0;
}

/* What is left to take, and when nobody was seen to hold any of it. */
struct taking {
	struct pci_list left; /* a view into the step's own list */
	int64_t unheld; /* now_ms(); 0: not yet */
};

/* One look at all processes serves every function that is taken right after it. */
#define LOOK_SERVES_MS 250

static int await_unheld(struct run *run, struct taking *taking, struct error *err)
{
	int64_t now = now_ms();
	int r;

	if (taking->unheld && now - taking->unheld < LOOK_SERVES_MS)
		return storage_refuse(run, &taking->left.fn[0], err);
	r = preflight_wait_unbindable(run, &taking->left, NULL, err);
	taking->unheld = now_ms();
	return r;
}

/* Never starts an unbind that would wait for somebody: it could not be taken back. */
static int take(struct run *run, const struct step *step, struct taking *taking,
		const char *driver, const struct pci_list *planned, struct error *err)
{
	const struct pci_function *fn = &taking->left.fn[0];
	bool while_loaded = step_bool(step, "while-loaded", false);
	int r = 0;

	if (!run->simulate && !state_is(&run->host, &state_driver, fn->name, "")) {
		r = await_unheld(run, taking, err);
		if (r == 0)
			r = nvidia_may_unbind(run, fn, while_loaded, planned, err);
	}
	if (r < 0)
		return r;
	/* The data lets the kind unbind from nvidia, which it refuses otherwise. */
	return effect_set(run, &state_driver, fn->name, driver,
			  while_loaded ? "while-loaded" : NULL, err);
}

static int detach_all(struct run *run, const struct step *step,
		      const struct pci_list *functions, struct error *err)
{
	_cleanup_free_ char(*drivers)[DRIVER_NAME_LEN] = NULL;
	_cleanup_(pci_list_done) struct pci_list planned = {};
	struct taking taking = { .left = *functions };
	int r = run_planned_devices(run, &planned, err);

	if (r == 0)
		r = detach_override(run, step, functions, &drivers, err);
	for (size_t i = 0; i < functions->n && r == 0;
	     i++, taking.left.fn++, taking.left.n--)
		r = take(run, step, &taking, drivers[i], &planned, err);
	return r;
}

/* Unless the words name none that is there, which was told. */
static int note_none_moves(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list all = {};
	int r = run_devices(run, &step->words, &all, err);

	if (r == 0 && all.n)
		run_note(run, "no device has to move: all are on a vfio driver already");
	return r;
}

static int detach_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	int r = detach_functions(run, step, &functions, NULL, err);

	if (r < 0)
		return r;
	if (!functions.n)
		return note_none_moves(run, step, err);
	return detach_all(run, step, &functions, err);
}

static int probe(struct run *run, void *arg, struct error *err)
{
	return guard_write(run, "/sys/bus/pci/drivers_probe", arg, err);
}

static int give_back(struct run *run, const struct pci_function *fn, struct error *err)
{
	struct pci_list one = { .fn = (struct pci_function *)(uintptr_t)fn, .n = 1 };
	_cleanup_free_ char *driver = NULL;
	char what[64];
	int r = state_get(&run->host, &state_driver, fn->name, &driver, err);

	if (r < 0)
		return r;
	if (!pci_driver_is_vfio(&run->host, fn->name, driver)) {
		run_note(run, "%s is on %s, nothing to give back", fn->name,
			 *driver ? driver : "no driver");
		return 0;
	}
	r = preflight_wait_unbindable(run, &one, fn->name, err);
	if (r == 0)
		r = effect_set(run, &state_override, fn->name, "", NULL, err);
	if (r == 0)
		r = effect_set(run, &state_driver, fn->name, "", NULL, err);
	snprintf(what, sizeof(what), "probe for a driver of %s", fn->name);
	return r == 0 ? effect_one_way(run, what, probe, (void *)(uintptr_t)fn->name,
				       err) :
			r;
}

/* A function that we have no record of, such as one detached by hand. */
static int reattach_unknown(struct run *run, const struct pci_function *fn,
			    struct error *err)
{
	bool held;
	int r = hold_function(run, fn->name, &held, err);

	return r < 0 ? r : hold_finish(run, fn->name, held, give_back(run, fn, err), err);
}

static int reattach(struct run *run, const struct pci_function *fn, struct error *err)
{
	bool driver, override;
	int r = restore_if_known(run, &state_driver, fn->name, &driver, err);

	if (r == 0)
		r = restore_if_known(run, &state_override, fn->name, &override, err);
	if (r < 0)
		return r;
	return driver || override ? 0 : reattach_unknown(run, fn, err);
}

static bool is_display(const struct pci_function *fn)
{
	return fn->class >> 16 == PCI_BASE_DISPLAY;
}

/* Displays first: their audio function waits for them. One failure stops no other. */
static int reattach_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	int first = run_devices(run, &step->words, &functions, err);

	for (int display = 1; display >= 0; display--)
		for (size_t i = 0; i < functions.n; i++) {
			const struct pci_function *fn = &functions.fn[i];
			struct error e = {};
			int r = 0;

			if (is_display(fn) == display && !pci_is_bridge(fn))
				r = reattach(run, fn, &e);
			if (r < 0 && first == 0) {
				first = r;
				*err = e;
				continue;
			}
			if (r < 0)
				run_warn(run, "%s", error_text(&e));
			error_done(&e);
		}
	return first;
}
