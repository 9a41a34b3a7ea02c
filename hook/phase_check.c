/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A phase on the overlay: what it would do, and all that would stop it.
 */
#include "claim.h"
#include "effect.h"
#include "log.h"
#include "phase.h"
#include "walk.h"

static int first_problem(const struct run *run, struct error *err)
{
	const struct report_item *first = NULL;
	unsigned more = 0;

	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];

		if (item->kind != REPORT_PROBLEM)
			continue;
		if (!first)
			first = item;
		else
			more++;
	}
	if (!first)
		return 0;
	error_set(err, -EBUSY, "%s%s", first->what,
		  more ? " (and more: vfio-hook check tells all)" : "");
	if (first->step)
		error_prefix(err, "%s (%s:%u)", first->step->key,
			     path_base(run->config->path), first->step->line);
	return -EBUSY;
}

static int simulate_down(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	int r = journal_read(&run->host, run->domain->uuid, &journal, err);

	if (r == -ENOENT || r == -ESTALE) {
		error_done(err);
		run_note(run, "nothing is changed for %s now: no step would run",
			 run->domain->name);
		return 0;
	}
	if (r < 0)
		return r;
	run->planned = &journal;
	if (journal.phases[PHASE_PREPARE] == PHASE_STATE_COMPLETE)
		r = walk_steps(run, err);
	if (r == 0 && run->event.phase == PHASE_RELEASE)
		r = undo_all(run, PHASE_NONE, err);
	run->planned = NULL;
	return r;
}

int phase_check(struct run *run, struct error *err)
{
	int r = 0;

	run->host.overlay = overlay_new();
	if (!run->host.overlay)
		return error_oom(err);
	run->simulate = true;
	run_start_clock(run);
	if (run->event.phase == PHASE_PREPARE && run->domain->n_other_hostdevs)
		run_note(run,
			 "%u <hostdev> of other kinds (usb, scsi, mdev) are libvirt's: "
			 "left alone",
			 run->domain->n_other_hostdevs);
	if (run->event.phase == PHASE_PREPARE || run->event.phase == PHASE_BOOT)
		r = pci_claim_note_dead(run, err);
	if (r == 0)
		r = phase_goes_up(run->event.phase) ? walk_steps(run, err) :
						      simulate_down(run, err);
	run->simulate = false;
	run->step = NULL;
	overlay_free(STEAL(run->host.overlay));
	report_sort(&run->report);
	return r < 0 ? r : first_problem(run, err);
}

void phase_log_findings(const struct run *run)
{
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];
		const char *key = item->step ? item->step->key : "check";

		if (item->kind == REPORT_PROBLEM)
			log_error("%s: %s", key, item->what);
		else if (item->kind == REPORT_WARNING)
			log_warn("%s: %s", key, item->what);
	}
}
