/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that XML, config and host disagree on.
 */
#include "advice.h"
#include "group.h"

static bool shares_bus(const struct pci_list *list, const struct pci_function *fn)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->fn[i].addr.domain == fn->addr.domain &&
		    list->fn[i].addr.bus == fn->addr.bus)
			return true;
	return false;
}

/*
 * What a start is judged by: of a machine with a hundred functions, those of the domain and of
 * the plan, and what is moved, opened or reset together with them.
 */
static int find_concerned(struct run *run, struct pci_list *ret, struct error *err)
{
	int r = 0;

	(void)run_planned_devices(run, ret, NULL); /* the plan has told why */
	for (size_t i = 0; i < run->domain->n_hostdevs && r == 0; i++) {
		const struct pci_function *fn =
			pci_find(&run->pci, run->domain->hostdevs[i].name);

		if (fn && pci_list_add_once(ret, fn) < 0)
			r = error_oom(err);
	}
	if (r == 0)
		r = group_expand(run, ret, err);
	for (size_t i = 0; i < run->pci.n && r == 0; i++)
		if (shares_bus(ret, &run->pci.fn[i]) &&
		    pci_list_add_once(ret, &run->pci.fn[i]) < 0)
			r = error_oom(err);
	return r;
}

static int take_stock(struct call *call, bool all, unsigned parts,
		      struct inventory *inventory, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list concerned = {};
	struct run *run = &call->run;
	int r;

	if (!run->pci.n)
		return inventory_scan(&run->host, NULL, parts, inventory, err);
	if (all)
		return inventory_scan(&run->host, &run->pci, parts, inventory, err);
	r = find_concerned(run, &concerned, err);
	return r < 0 ? r : inventory_scan(&run->host, &concerned, parts, inventory, err);
}

static void judge_devices(struct call *call, bool all, unsigned parts,
			  struct findings *findings)
{
	_cleanup_(inventory_done) struct inventory inventory = {};
	_cleanup_error_ struct error err = {};

	if (take_stock(call, all, parts, &inventory, &err) < 0)
		finding_add(findings, FINDING_WARNING, NULL, "%s", error_text(&err));
	else
		advise_devices(call, &inventory, findings);
	if (!all)
		return;
	advise_acs(call, &inventory, findings);
	advise_guest(call, &inventory, findings);
}

/* At a guest's start mostly nothing is odd: only then all of pci.ids is read for names. */
void advise_domain(struct call *call, bool all, struct findings *findings)
{
	_cleanup_(findings_done) struct findings nameless = {};

	if (!all)
		judge_devices(call, false, 0, &nameless);
	if (all || findings_worst(&nameless) > FINDING_ADVICE)
		judge_devices(call, all, INVENTORY_NAMES, findings);
	advise_memory(call, findings);
	if (all)
		advise_cpus(call, findings);
}
