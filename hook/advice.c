/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that XML, config and host disagree on.
 */
#include "advice.h"

static void judge(struct call *call, bool all, unsigned parts, struct findings *findings)
{
	_cleanup_(inventory_done) struct inventory inventory = {};
	const struct pci_list *known = &call->run.pci;
	_cleanup_error_ struct error err = {};

	if (inventory_scan(&call->run.host, known->n ? known : NULL, parts, &inventory,
			   &err) < 0)
		finding_add(findings, FINDING_WARNING, NULL, "%s", error_text(&err));
	else
		advise_devices(call, &inventory, findings);
	advise_memory(call, findings);
	if (!all)
		return;
	advise_acs(call, &inventory, findings);
	advise_guest(call, &inventory, findings);
	advise_cpus(call, findings);
}

/* At a guest's start mostly nothing is odd: only then all of pci.ids is read for names. */
void advise_domain(struct call *call, bool all, struct findings *findings)
{
	_cleanup_(findings_done) struct findings nameless = {};

	if (!all)
		judge(call, false, 0, &nameless);
	if (all || findings_worst(&nameless) > FINDING_ADVICE)
		judge(call, all, INVENTORY_NAMES, findings);
}
