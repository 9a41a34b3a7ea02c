/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The claim: before anything is stopped, unloaded or unbound, each function to come gets
 * its driver_override. Then no udev rule, GPU client or module reload can bind it to a
 * host driver in between. And the baseline, which knows what it was before.
 */
#include "claim.h"
#include "detach.h"
#include "effect.h"
#include "hold.h"
#include "log.h"

static char *attribute(const struct host *host, const char *name, const char *attr)
{
	char buf[256] = "";

	/* Absent where the kernel is older or the function cannot do it. */
	if (host_read(host, buf, sizeof(buf), "/sys/bus/pci/devices/%s/%s", name, attr) <
	    0)
		buf[0] = '\0';
	return strdup(buf);
}

/* On vfio by our own earlier work: the record of that knows the home driver. */
static int home_driver(struct run *run, const char *name, char **ret, struct error *err)
{
	const struct record *record = journal_find(run->journal, &state_driver, name);
	_cleanup_free_ char *driver = NULL;
	int r = state_get(&run->host, &state_driver, name, &driver, err);

	if (r < 0)
		return r;
	if (record && pci_driver_is_vfio(&run->host, name, driver)) {
		free(driver);
		driver = strdup(record->old);
	}
	*ret = STEAL(driver);
	return *ret ? 0 : error_oom(err);
}

static int read_baseline(struct run *run, const struct pci_function *fn,
			 struct baseline *ret, struct error *err)
{
	const struct host *host = &run->host;
	char module[64] = "", id[16];
	int r;

	snprintf(ret->name, sizeof(ret->name), "%s", fn->name);
	r = home_driver(run, fn->name, &ret->driver, err);
	if (r == 0)
		r = state_get(host, &state_override, fn->name, &ret->override, err);
	if (r < 0)
		return r;
	if (*ret->driver &&
	    pci_driver_module(host, ret->driver, module, sizeof(module)) < 0)
		module[0] = '\0';
	snprintf(id, sizeof(id), "%04x:%04x", fn->vendor, fn->id);
	ret->module = strdup(module);
	ret->id = strdup(id);
	ret->power_control = attribute(host, fn->name, "power/control");
	ret->d3cold_allowed = attribute(host, fn->name, "d3cold_allowed");
	ret->reset_method = attribute(host, fn->name, "reset_method");
	if (!ret->module || !ret->id || !ret->power_control || !ret->d3cold_allowed ||
	    !ret->reset_method)
		return error_oom(err);
	return 0;
}

static int write_baseline(struct run *run, const struct pci_function *fn,
			  struct error *err)
{
	_cleanup_(baseline_done) struct baseline baseline = {};
	int r;

	if (journal_find_baseline(run->journal, fn->name))
		return 0;
	r = read_baseline(run, fn, &baseline, err);
	return r == 0 ? journal_baseline(run->journal, &baseline, err) : r;
}

static int write_baselines(struct run *run, const struct pci_list *functions,
			   struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < functions->n && r == 0; i++)
		r = write_baseline(run, &functions->fn[i], err);
	return r;
}

/* What may be had and is not needed now: another domain's has no part in this start. */
static int hold_optional(struct run *run, const struct pci_list *all,
			 struct pci_list *held, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < all->n && r == 0; i++) {
		_cleanup_error_ struct error whose = {};

		if (pci_find(held, all->fn[i].name))
			continue;
		r = hold_function(run, all->fn[i].name, NULL, &whose);
		if (r == -EBUSY)
			log_warn("going on without: %s", error_text(&whose));
		else if (r < 0)
			return error_set(err, r, "%s", error_text(&whose));
		else if (pci_list_add(held, &all->fn[i]) < 0)
			return error_oom(err);
		r = 0;
	}
	return r;
}

/* libvirt moves these itself, and may give them to another domain while ours runs. */
static int end_hold_of_managed(struct run *run, const struct pci_list *functions,
			       struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list taken = {};
	int r = run_detached_devices(run, &taken, err);

	for (size_t i = 0; i < functions->n && r == 0; i++)
		if (!pci_find(&taken, functions->fn[i].name))
			r = hold_end(run, functions->fn[i].name, err);
	return r;
}

/*
 * Nothing is read of a function before it is ours: another domain might just leave it. What is
 * removed comes back with the kernel's defaults and whatever driver will have it.
 */
static int claim_baselines(struct run *run, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list all = {}, removed = {}, held = {};
	int r = run_planned_devices(run, &all, err);

	if (r == 0)
		r = run_needed_devices(run, &held, err);
	if (r == 0)
		r = hold_functions(run, &held, err);
	if (r == 0)
		r = hold_optional(run, &all, &held, err);
	if (r == 0)
		r = run_removed_devices(run, &removed, err);
	if (r == 0)
		r = hold_optional(run, &removed, &held, err);
	if (r == 0)
		r = write_baselines(run, &held, err);
	return r == 0 ? end_hold_of_managed(run, &held, err) : r;
}

int pci_claim_note_dead(struct run *run, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list all = {};
	int r = run_planned_devices(run, &all, err);

	for (size_t i = 0; i < all.n && r == 0; i++)
		hold_note_dead(run, all.fn[i].name);
	return r;
}

/* What the step leaves out, since it is on vfio already, is ours until release, too. */
static int claim_functions(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {}, on_vfio = {};
	_cleanup_free_ char(*drivers)[DRIVER_NAME_LEN] = NULL;
	int r = detach_functions(run, step, &functions, &on_vfio, err);

	for (size_t i = 0; i < on_vfio.n && r == 0; i++)
		r = effect_claim(run, &state_driver, on_vfio.fn[i].name, err);
	return r == 0 ? detach_override(run, step, &functions, &drivers, err) : r;
}

static int claim_step(struct run *run, const struct step *step, struct error *err)
{
	const struct step *outer = run->step;
	int64_t deadline = run->deadline;
	int r;

	run->step = step;
	run->deadline = now_ms() + step_duration(step, "timeout", step->type->timeout_ms);
	r = claim_functions(run, step, err);
	run->step = outer;
	run->deadline = deadline;
	if (r < 0 && step->optional) {
		log_warn("%s is marked '-': going on without: %s", step->key,
			 error_text(err));
		error_done(err);
		r = 0;
	}
	return r;
}

int pci_claim(struct run *run, struct error *err)
{
	const struct config *config = run->config;
	int r = claim_baselines(run, err);

	for (size_t i = 0; config && i < config->n_steps && r == 0; i++) {
		const struct step *step = &config->steps[i];

		if (step->phase == run->event.phase && streq(step->key, "pci.detach"))
			r = claim_step(run, step, err);
	}
	return r;
}
