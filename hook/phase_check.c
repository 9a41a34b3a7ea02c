/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A phase on the overlay: what it would do, and all that would stop it.
 */
#include "claim.h"
#include "effect.h"
#include "journals.h"
#include "log.h"
#include "phase.h"
#include "scripts.h"
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

static int begin(struct run *run, struct journals *journals, struct error *err)
{
	run->host.overlay = overlay_new();
	if (!run->host.overlay)
		return error_oom(err);
	run->journals = journals;
	run->simulate = true;
	return 0;
}

static void end(struct run *run)
{
	run->simulate = false;
	run->journals = NULL;
	run->step = NULL;
	overlay_free(STEAL(run->host.overlay));
	report_sort(&run->report);
}

static int simulate_up(struct run *run, struct error *err)
{
	int r = 0;

	if (run->event.phase == PHASE_PREPARE && run->domain->n_other_hostdevs)
		run_note(run,
			 "%u <hostdev> of other kinds (usb, scsi, mdev) are libvirt's: "
			 "left alone",
			 run->domain->n_other_hostdevs);
	if (run->event.phase == PHASE_PREPARE || run->event.phase == PHASE_BOOT)
		r = pci_claim_note_dead(run, err);
	return r == 0 ? walk_steps(run, err) : r;
}

int phase_check(struct run *run, struct error *err)
{
	_cleanup_(journals_done) struct journals journals = {};
	int r = begin(run, &journals, err);

	if (r < 0)
		return r;
	run_start_clock(run);
	r = phase_goes_up(run->event.phase) ? simulate_up(run, err) :
					      simulate_down(run, err);
	end(run);
	return r < 0 ? r : first_problem(run, err);
}

/* What the phase that was just walked would have journalled. */
static int imagine_journal(const struct run *run, size_t first, struct journal *journal)
{
	int r = 0;

	for (size_t i = first; i < run->report.n && r == 0; i++) {
		const struct report_item *item = &run->report.items[i];

		if (item->state && item->target)
			r = journal_imagine(journal, item->state, item->target, item->now,
					    item->then, item->data, run->event.phase);
	}
	return r;
}

static bool has_phase(const struct run *run, enum phase phase)
{
	struct event event;

	event_of_phase(&event, run->event.domain, phase);
	return phase == PHASE_PREPARE ||
	       (run->config && config_has_phase(run->config, phase)) ||
	       scripts_exist(&run->host, run->hooks_dir, &event);
}

static int simulate_next(struct run *run, enum phase phase, struct journal *journal,
			 struct error *err)
{
	size_t first = run->report.n;
	int r;

	event_of_phase(&run->event, run->event.domain, phase);
	run_start_clock(run);
	if (phase_goes_up(phase)) {
		r = simulate_up(run, err);
		return r == 0 && imagine_journal(run, first, journal) < 0 ?
			       error_oom(err) :
			       r;
	}
	run->planned = journal;
	r = walk_steps(run, err);
	run->planned = NULL;
	return r;
}

int phase_check_all(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	_cleanup_(journals_done) struct journals journals = {};
	int r = begin(run, &journals, err);

	if (r < 0)
		return r;
	/* Of a domain that is prepared already, prepare would find nothing to do. */
	if (journal_read(&run->host, run->domain->uuid, &journal, NULL) < 0) {
		journal_done(&journal);
		journal = (struct journal){ .fd = -1 };
	}
	for (enum phase phase = PHASE_PREPARE; phase <= PHASE_RELEASE && r == 0; phase++)
		if (has_phase(run, phase))
			r = simulate_next(run, phase, &journal, err);
	end(run);
	return r;
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
