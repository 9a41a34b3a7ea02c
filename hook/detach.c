/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What pci.detach is about to do, judged before it does it. The claim (claim.c) asks
 * here too, so that it covers exactly what the step takes later.
 */
#include "detach.h"
#include "effect.h"
#include "group.h"
#include "headless.h"
#include "hold.h"
#include "nvidia.h"
#include "preflight.h"
#include "sriov.h"

/*
 * snd_hda_intel pins the driver of its GPU through the audio component, and the GPU's
 * other functions depend on function 0 for power: so displays go last.
 */
static int rank(const struct pci_function *fn)
{
	unsigned class = fn->class >> 8;

	if (class == PCI_CLASS_AUDIO || class == PCI_CLASS_USB)
		return 0;
	return fn->class >> 16 == PCI_BASE_DISPLAY ? 2 : 1;
}

/*
 * Within a rank the last one first: undo goes the other way round, and the kernel numbers
 * cards and ports as they come back, which then is as they came at boot.
 */
static int in_taking_order(const void *a, const void *b)
{
	const struct pci_function *x = a, *y = b;
	int order = rank(x) - rank(y);

	return order ? order : strcmp(y->name, x->name);
}

static bool is_on_vfio(struct run *run, const char *name)
{
	_cleanup_free_ char *driver = NULL;

	return state_get(&run->host, &state_driver, name, &driver, NULL) == 0 &&
	       *driver && pci_driver_is_vfio(&run->host, name, driver);
}

static int step_functions(struct run *run, const struct step *step, struct pci_list *ret,
			  struct error *err)
{
	const char *group = step_option(step, "group");
	struct pci_list all = {};
	int r = run_devices(run, &step->words, &all, err);

	if (r == 0 && group && streq(group, "whole"))
		r = group_expand(run, &all, err);
	for (size_t i = 0; i < all.n && r == 0; i++)
		if (!pci_is_bridge(&all.fn[i]) && pci_list_add(ret, &all.fn[i]) < 0)
			r = error_oom(err);
	pci_list_done(&all);
	if (ret->n)
		qsort(ret->fn, ret->n, sizeof(*ret->fn), in_taking_order);
	return r;
}

int detach_functions(struct run *run, const struct step *step, struct pci_list *ret,
		     struct pci_list *on_vfio, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list all = {};
	struct pci_list found = {};
	int r = step_functions(run, step, &all, err);

	for (size_t i = 0; i < all.n && r == 0; i++) {
		const struct pci_function *fn = &all.fn[i];
		struct pci_list *list = is_on_vfio(run, fn->name) ? on_vfio : &found;

		if (list && pci_list_add(list, fn) < 0)
			r = error_oom(err);
	}
	if (r < 0) {
		pci_list_done(&found);
		return r;
	}
	*ret = found;
	return 0;
}

/* Is one of the first N DRIVERS this one, too? */
static bool among(const char *driver, char (*drivers)[DRIVER_NAME_LEN], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(drivers[i], driver))
			return true;
	return false;
}

static int load_drivers(struct run *run, const struct step *step,
			const struct pci_list *functions,
			char (*drivers)[DRIVER_NAME_LEN], struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < functions->n && r == 0; i++) {
		vfio_driver_for(run, &functions->fn[i], step_option(step, "driver"),
				drivers[i]);
		if (!among(drivers[i], drivers, i))
			r = vfio_driver_load(run, drivers[i], err);
	}
	return r;
}

int detach_override(struct run *run, const struct step *step,
		    const struct pci_list *functions,
		    char (**ret_drivers)[DRIVER_NAME_LEN], struct error *err)
{
	_cleanup_free_ char(*drivers)[DRIVER_NAME_LEN] =
		calloc(functions->n ?: 1, sizeof(*drivers));
	int r = drivers ? load_drivers(run, step, functions, drivers, err) :
			  error_oom(err);

	for (size_t i = 0; i < functions->n && r == 0; i++)
		r = effect_set(run, &state_override, functions->fn[i].name, drivers[i],
			       NULL, err);
	if (r == 0)
		*ret_drivers = STEAL(drivers);
	return r;
}

static int check_drivers(struct run *run, const struct step *step,
			 const struct pci_list *functions, struct error *err)
{
	_cleanup_strv_ struct strv done = {};
	char driver[DRIVER_NAME_LEN];
	int r = 0;

	for (size_t i = 0; i < functions->n && r == 0; i++) {
		vfio_driver_for(run, &functions->fn[i], step_option(step, "driver"),
				driver);
		if (strv_contains(&done, driver))
			continue;
		if (strv_add(&done, driver) < 0)
			return error_oom(err);
		r = vfio_driver_check(run, driver, err);
	}
	return r;
}

static int check_function(struct run *run, const struct step *step,
			  const struct pci_function *fn, const struct pci_list *planned,
			  struct error *err)
{
	bool while_loaded = step_bool(step, "while-loaded", false);
	int r = nvidia_may_unbind(run, fn, while_loaded, planned, err);

	return r == 0 ?
		       sriov_may_leave(run, fn->name, "VFIO takes it only without", err) :
		       r;
}

/* Only a function on a driver has nodes; the module's step looked after the others. */
static int check_holders(struct run *run, const struct pci_list *functions,
			 struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list bound = {};

	for (size_t i = 0; i < functions->n; i++)
		if (!state_is(&run->host, &state_driver, functions->fn[i].name, "") &&
		    pci_list_add(&bound, &functions->fn[i]) < 0)
			return error_oom(err);
	return preflight_holders(run, &bound, NULL, err);
}

int detach_check(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list all = {}, functions = {}, planned = {};
	int r = step_functions(run, step, &all, err);

	if (r == 0)
		r = detach_functions(run, step, &functions, NULL, err);
	if (r == 0)
		r = run_planned_devices(run, &planned, err);
	if (r == 0)
		r = hold_functions(run, &all, err);
	if (r == 0)
		r = headless_check(run, &functions, &planned, err);
	if (r == 0)
		r = group_check(run, &all, &planned, err);
	if (r == 0)
		r = check_drivers(run, step, &functions, err);
	for (size_t i = 0; i < functions.n && r == 0; i++)
		r = check_function(run, step, &functions.fn[i], &planned, err);
	/* ALL: a function on vfio may be in the hands of another guest. */
	return r == 0 ? check_holders(run, &all, err) : r;
}
