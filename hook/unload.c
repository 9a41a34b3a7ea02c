/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kmod.unload is about to do, judged before: a module counts neither the devices
 * bound to it nor those of other cards, so removing it takes them all.
 */
#include "modules.h"
#include "preflight.h"
#include "sriov.h"
#include "unload.h"

/* Modules that depend on NAME and are not unloaded by then: the line that would do. */
static int check_dependants(struct run *run, const struct step *step, size_t index,
			    const char *name, struct error *err)
{
	_cleanup_strv_ struct strv holders = {}, before = {}, left = {}, order = {};
	_cleanup_free_ char *list = NULL, *line = NULL;
	int r = kmod_holders(&run->host, name, &holders);

	for (size_t i = 0; i < index && r >= 0; i++) {
		char other[MODULE_NAME_LEN];

		r = strv_add(&before,
			     kmod_normalise(step->words.v[i], other, sizeof(other)));
	}
	for (size_t i = 0; i < holders.n && r >= 0; i++)
		if (module_is_loaded(&run->host, holders.v[i]) &&
		    !strv_contains(&before, holders.v[i]))
			r = strv_add(&left, holders.v[i]);
	if (r >= 0 && left.n)
		r = module_unload_order(&run->host, &step->words, &order);
	if (r < 0)
		return error_errno(err, r, "cannot look up what uses %s", name);
	if (!left.n)
		return 0;
	list = strv_join(&left, ", ");
	line = strv_join(&order, " ");
	if (!list || !line)
		return error_oom(err);
	run_cure(run, "kmod.unload = %s", line);
	return run_problem(run, -EBUSY, err,
			   "%s is used by the %s %s, which must be unloaded before it: "
			   "kmod.unload = %s",
			   name, left.n > 1 ? "modules" : "module", list, line);
}

static bool is_vfio(const char *name)
{
	return str_after(name, "vfio") || str_ends(name, "_vfio_pci");
}

static bool in_xml(const struct run *run, const char *name)
{
	for (size_t i = 0; run->domain && i < run->domain->n_hostdevs; i++)
		if (streq(run->domain->hostdevs[i].name, name))
			return true;
	return false;
}

static int refuse_devices(struct run *run, const char *name, const struct strv *others,
			  struct error *err)
{
	_cleanup_free_ char *list = strv_join(others, ", ");

	if (!list)
		return error_oom(err);
	if (is_vfio(name))
		return run_problem(
			run, -EBUSY, err,
			"%s drives %s, and unloading it would take that from its "
			"guest: vfio modules may stay loaded, so leave this out",
			name, list);
	return run_problem(
		run, -EBUSY, err,
		"%s also drives %s, which is not part of the plan and would lose its "
		"driver: detach only the wanted device (pci.detach; for nvidia with "
		"while-loaded=yes), or add that one to the devices",
		name, list);
}

/* Devices that stay with the host would lose their driver, too. */
static int check_devices(struct run *run, const char *name,
			 const struct pci_list *functions, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list planned = {};
	_cleanup_strv_ struct strv others = {};
	int r = 0;

	if (!phase_goes_up(run->event.phase) && !is_vfio(name))
		return 0;
	if (!is_vfio(name))
		r = run_planned_devices(run, &planned, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < functions->n; i++) {
		const char *fn = functions->fn[i].name;

		if (!is_vfio(name) && (pci_find(&planned, fn) || in_xml(run, fn)))
			continue;
		if (strv_add(&others, fn) < 0)
			return error_oom(err);
	}
	return others.n ? refuse_devices(run, name, &others, err) : 0;
}

/*
 * Its functions' virtual ones would go with their driver. A pci.detach asks by itself, but
 * what only the XML takes is asked for by nobody.
 */
static int check_virtual(struct run *run, const struct pci_list *functions,
			 struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list detached = {};
	int r = run_detached_devices(run, &detached, err);

	for (size_t i = 0; i < functions->n && r == 0; i++)
		if (!pci_find(&detached, functions->fn[i].name))
			r = sriov_may_leave(run, functions->fn[i].name,
					    "they would go with its driver", err);
	return r;
}

/* After a kernel update without a reboot its file may be gone: no way back then. */
static int check_way_back(struct run *run, const char *name, struct error *err)
{
	_cleanup_error_ struct error why = {};

	if (kmod_available(&run->host, name, &why) >= 0)
		return 0;
	return run_problem(
		run, -ENOENT, err,
		"%s could not be loaded again afterwards (a kernel update without a "
		"reboot?): %s",
		name, error_text(&why));
}

static int check_module(struct run *run, const struct step *step, size_t index,
			const char *name, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	char what[MODULE_NAME_LEN + 16];
	int r = module_functions(run, name, &functions, err);

	if (r == 0)
		r = check_dependants(run, step, index, name, err);
	if (r == 0)
		r = check_devices(run, name, &functions, err);
	if (r == 0 && !is_vfio(name))
		r = check_virtual(run, &functions, err);
	if (r == 0)
		r = check_way_back(run, name, err);
	if (r < 0 || is_vfio(name))
		return r;
	snprintf(what, sizeof(what), "the module %s", name);
	return preflight_holders(run, &functions, what, err);
}

int unload_check(struct run *run, const struct step *step, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < step->words.n && r == 0; i++) {
		_cleanup_free_ char *state = NULL;
		char name[MODULE_NAME_LEN];

		kmod_normalise(step->words.v[i], name, sizeof(name));
		r = state_get(&run->host, &state_module, name, &state, err);
		if (r < 0 || !*state)
			continue;
		r = streq(state, "builtin") ?
			    run_problem(
				    run, -EOPNOTSUPP, err,
				    "%s is built into the kernel and cannot be unloaded: leave "
				    "it out, and let pci.detach take the device from it",
				    name) :
			    check_module(run, step, i, name, err);
	}
	return r;
}
