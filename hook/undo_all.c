/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back of a whole journal, whatever of it fails: newest first, the comparison with
 * the state before, and the desktop last.
 */
#include "claim.h"
#include "effect.h"
#include "hold.h"
#include "log.h"
#include "undo.h"

#define RETRY_TIMEOUT_MS 10000

/* Counts failures and keeps the first one's text. */
static void collect(struct run *run, struct error *first, unsigned *failures,
		    struct error *err)
{
	log_error("undo: %s", error_text(err));
	if (run->simulate)
		run_warn(run, "%s", error_text(err));
	if ((*failures)++ > 0) {
		error_done(err);
		return;
	}
	*first = *err;
	*err = (struct error){};
}

static void undo_records(struct run *run, const struct journal *journal, enum phase phase,
			 enum undo_turn turn, struct error *first, unsigned *failures)
{
	/* By number: it may be read anew on the way, but never gets shorter. */
	for (size_t i = journal->n; i-- > 0;) {
		const struct record *record = &journal->records[i];
		_cleanup_error_ struct error err = {};

		/* Until all is compared nobody else may have the functions. */
		if (record->struck || record->kind == &state_hold ||
		    (phase != PHASE_NONE && record->phase != phase) ||
		    state_undo_turn(&run->host, record->kind, record->target, record->old,
				    record->data) != turn)
			continue;
		if (undo_record(run, record, &err) < 0)
			collect(run, first, failures, &err);
	}
}

/* All but the desktop, and the comparison: how many failed; the first is in FIRST. */
static unsigned undo_most(struct run *run, const struct journal *journal,
			  enum phase phase, struct error *first)
{
	struct error compare = {};
	unsigned failures = 0;

	undo_records(run, journal, phase, UNDO_EARLY, first, &failures);
	undo_records(run, journal, phase, UNDO_IN_ORDER, first, &failures);
	run_promise_time(run);
	if (phase == PHASE_NONE && !run->simulate && baseline_compare(run, &compare) < 0)
		collect(run, first, &failures, &compare);
	return failures;
}

/* By now whatever could be had of its card is there. */
static unsigned undo_desktop(struct run *run, const struct journal *journal,
			     enum phase phase, struct error *first)
{
	unsigned failures = 0;

	undo_records(run, journal, phase, UNDO_LATE, first, &failures);
	return failures;
}

/*
 * What failed may have needed what came back later, or by a second way: a bind its
 * module. So it is tried once more, but with less patience.
 */
static unsigned twice(struct run *run, const struct journal *journal, enum phase phase,
		      unsigned (*undo)(struct run *run, const struct journal *journal,
				       enum phase phase, struct error *first),
		      struct error *first)
{
	struct error again = {};
	unsigned failures, before;

	run->patience = RECORD_TIMEOUT_MS;
	failures = undo(run, journal, phase, first);
	if (!failures || run->simulate)
		return failures;
	log_warn("trying once more what is not put back");
	run->patience = RETRY_TIMEOUT_MS;
	before = failures;
	failures = undo(run, journal, phase, &again);
	/* The same again: its first error is nearer to the cause. */
	if (failures == before) {
		error_done(&again);
	} else {
		error_done(first);
		*first = again;
	}
	if (!failures)
		log_warn("a second way was found: all of it is as it was");
	return failures;
}

static unsigned undo_both(struct run *run, const struct journal *journal,
			  enum phase phase, struct error *first)
{
	struct error desktop = {};
	unsigned failures = twice(run, journal, phase, undo_most, first);
	unsigned more = twice(run, journal, phase, undo_desktop, &desktop);

	if (failures)
		error_done(&desktop);
	else
		*first = desktop;
	return failures + more;
}

/* The I-th change of this phase, unless somebody else has changed the target since. */
static int give_back(struct run *run, size_t i, struct error *err)
{
	const struct report_item *item = &run->report.items[i];
	_cleanup_free_ char *value = strdup(item->now);
	_cleanup_free_ char *target = strdup(item->target);
	_cleanup_free_ char *data =
		item->data && !item->state->keep ? strdup(item->data) : NULL;

	if (!value || !target)
		return error_oom(err);
	if (!state_is(&run->host, item->state, target, item->then))
		return 0;
	return effect_set(run, item->state, target, value, data, err);
}

/* What the phase made of targets whose records are an earlier one's. */
static void give_back_to_earlier(struct run *run)
{
	for (size_t i = run->report.n; i-- > 0;) {
		_cleanup_error_ struct error err = {};

		if (!run->report.items[i].state)
			continue;
		run->deadline = now_ms() + RECORD_TIMEOUT_MS;
		if (give_back(run, i, &err) < 0)
			log_warn("release puts it back: %s", error_text(&err));
	}
}

int undo_all(struct run *run, enum phase phase, struct error *err)
{
	const struct journal *journal = run->simulate ? run->planned : run->journal;
	int64_t deadline = run->deadline, budget = run->budget;
	_cleanup_error_ struct error reload = {};
	struct error first = {};
	unsigned failures;

	if (!journal)
		return 0;
	run->undoing = true;
	run->budget = now_ms() + 10 * RECORD_TIMEOUT_MS;
	if (run->undo_by && run->undo_by < run->budget)
		run->budget = run->undo_by;
	if (!run->simulate && journal_reload(&run->host, run->journal, &reload) < 0)
		log_warn("%s", error_text(&reload));
	if (phase == PHASE_NONE && !run->simulate)
		baseline_hold(run);
	failures = undo_both(run, journal, phase, &first);
	if (phase == PHASE_NONE && !run->simulate)
		hold_end_all(run);
	if (phase != PHASE_NONE && !run->simulate)
		give_back_to_earlier(run);
	run->undoing = false;
	if (run->journal)
		run->journal->way_back = false;
	run->patience = 0;
	run->promised = 0;
	run->deadline = deadline;
	run->budget = budget;
	if (!failures)
		return 0;
	error_done(err);
	*err = first;
	if (failures == 1)
		return error_prefix(err, "not put back");
	return error_prefix(err, "%u things not put back (see the log), first", failures);
}
