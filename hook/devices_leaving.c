/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions leave the host, by the plan and by the domain's XML.
 */
#include "config.h"
#include "group.h"
#include "run.h"

static int planned_by(struct run *run, const struct step *step, struct pci_list *all,
		      struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list found = {};
	const char *group = step_option(step, "group");
	int r = run_known_devices(run, &step->words, &found, err);

	if (r == 0 && group && streq(group, "whole"))
		r = group_expand(run, &found, err);
	for (size_t i = 0; i < found.n && r == 0; i++)
		if (!pci_is_bridge(&found.fn[i]) &&
		    pci_list_add_once(all, &found.fn[i]) < 0)
			r = error_oom(err);
	return r;
}

/* What the steps called KEY in one of PHASES take; NEEDED: those that are not marked "-". */
static int taken_by(struct run *run, const char *key, unsigned phases, bool needed,
		    struct pci_list *all, struct error *err)
{
	const struct config *config = run->config;
	int r = 0;

	for (size_t i = 0; config && i < config->n_steps && r == 0; i++) {
		const struct step *step = &config->steps[i];

		if (phases & PHASE_BIT(step->phase) && streq(step->key, key) &&
		    !(needed && step->optional))
			r = planned_by(run, step, all, err);
	}
	return r;
}

/* pci.detach is legal in these two phases only; later ones ask what was planned. */
static int detached(struct run *run, bool needed, struct pci_list *all, struct error *err)
{
	enum phase phase = run->event.phase == PHASE_BOOT ? PHASE_BOOT : PHASE_PREPARE;

	return taken_by(run, "pci.detach", PHASE_BIT(phase), needed, all, err);
}

/* What libvirt detaches by itself is gone from the host as well. */
static int add_managed(struct run *run, struct pci_list *all, struct error *err)
{
	for (size_t i = 0; run->domain && i < run->domain->n_hostdevs; i++) {
		const struct hostdev *hostdev = &run->domain->hostdevs[i];
		const struct pci_function *fn = pci_find(&run->pci, hostdev->name);

		if (fn && hostdev->managed && pci_list_add_once(all, fn) < 0)
			return error_oom(err);
	}
	return 0;
}

/* ALL to the caller, unless R says that it is not whole. */
static int give(struct pci_list *all, int r, struct pci_list *ret)
{
	if (r < 0)
		pci_list_done(all);
	else
		*ret = *all;
	return r;
}

static int leaving(struct run *run, bool needed, bool managed, struct pci_list *ret,
		   struct error *err)
{
	struct pci_list all = {};
	int r = detached(run, needed, &all, err);

	if (r == 0 && managed)
		r = add_managed(run, &all, err);
	return give(&all, r, ret);
}

int run_planned_devices(struct run *run, struct pci_list *ret, struct error *err)
{
	return leaving(run, false, true, ret, err);
}

int run_needed_devices(struct run *run, struct pci_list *ret, struct error *err)
{
	return leaving(run, true, true, ret, err);
}

int run_removed_devices(struct run *run, struct pci_list *ret, struct error *err)
{
	unsigned boot = PHASE_BIT(PHASE_BOOT);
	struct pci_list all = {};
	int r = taken_by(run, "pci.remove",
			 run->event.phase == PHASE_BOOT ? boot : PHASES_UP & ~boot, false,
			 &all, err);

	return give(&all, r, ret);
}

int run_detached_devices(struct run *run, struct pci_list *ret, struct error *err)
{
	return leaving(run, false, false, ret, err);
}
