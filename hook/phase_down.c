/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way down: stopped, release, undo by hand. It never gives up, and never fails the
 * guest that goes on running (reconnect).
 */
#include "effect.h"
#include "guard.h"
#include "log.h"
#include "owner.h"
#include "phase.h"
#include "phase_journal.h"
#include "picture.h"
#include "walk.h"

/* Steps of stopped and release run only behind a prepare that got through. */
static int down_steps(struct run *run, struct error *err)
{
	const struct config *config = run->config;
	int r;

	if (run->journal && run->journal->phases[PHASE_PREPARE] == PHASE_STATE_COMPLETE)
		return walk_steps(run, err);
	if (run->journal && run->journal->phases[PHASE_PREPARE] == PHASE_STATE_REFUSED) {
		log_info("prepare never started its scripts: those of %s are not run",
			 phase_name(run->event.phase));
		return 0;
	}
	if (config && config_has_phase(config, run->event.phase))
		log_info("prepare is not behind us: the steps of %s are not run",
			 phase_name(run->event.phase));
	run->config = NULL;
	r = walk_steps(run, err); /* the script tree */
	run->config = config;
	return r;
}

static int down_journal(struct run *run, struct error *err)
{
	bool all = run->event.phase == PHASE_RELEASE ||
		   run->journal->phases[PHASE_PREPARE] != PHASE_STATE_COMPLETE;
	struct error undo_err = {};
	int r, undone = 0;

	/* Should we be cut off, the next prepare must not go on from there. */
	if (run->event.phase == PHASE_RELEASE)
		journal_phase(run->journal, PHASE_RELEASE, PHASE_STATE_BEGUN, NULL);
	r = down_steps(run, err);
	if (all) {
		undone = undo_all(run, PHASE_NONE, &undo_err);
		picture_check(run);
	}
	if (undone < 0 && r < 0)
		error_done(&undo_err);
	else if (undone < 0)
		*err = undo_err;
	journal_phase(run->journal, run->event.phase, PHASE_STATE_COMPLETE, NULL);
	return r < 0 ? r : undone;
}

static int down(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	int r;

	run_start_clock(run);
	r = journal_open(&run->host, run->domain->uuid, run->domain->name, false, run,
			 &journal, err);
	if (r == -ENOENT || r == -ESTALE)
		return down_steps(run, err);
	if (r < 0) { /* nothing can be put back, but the scripts know their own part */
		down_steps(run, NULL);
		return r;
	}
	run->journal = &journal;
	run->after_refusal = journal.phases[PHASE_PREPARE] == PHASE_STATE_UNDONE ||
			     journal.phases[PHASE_PREPARE] == PHASE_STATE_REFUSED;
	guard_settle(run);
	r = down_journal(run, err);
	phase_close_journal(run);
	return r;
}

int phase_down(struct run *run, struct error *err)
{
	const char *name = phase_name(run->event.phase);
	int64_t begin = now_ms();

	log_info("== %s %s", run->domain->name, name);
	return phase_log_end(run, name, begin, down(run, err), err);
}

static bool is_prepared(const struct journal *journal)
{
	return journal->phases[PHASE_PREPARE] == PHASE_STATE_COMPLETE;
}

/*
 * It may have been started while we waited for its journal: then its guest has what it was
 * promised, or will in a moment.
 */
static int refuse_started(struct run *run, const struct journal *journal,
			  bool was_prepared, bool orphan, struct error *err)
{
	if (orphan)
		return owner_is_alive(&run->host, journal) ?
			       error_set(err, -EBUSY,
					 "domain %s is alive: nothing is put back",
					 run->domain->name) :
			       0;
	if (is_prepared(journal) && !was_prepared)
		return error_set(err, -EBUSY,
				 "%s has just been started: nothing is put back; stop it "
				 "first",
				 run->domain->name);
	return owner_refuse_in_use(&run->host, journal, err);
}

static bool was_prepared(struct run *run)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	return journal_read(&run->host, run->domain->uuid, &journal, NULL) == 0 &&
	       is_prepared(&journal);
}

/* WAIT: whose time it is that passes while another is at work on the journal. */
static int undo(struct run *run, const struct run *wait, bool orphan, struct error *err)
{
	int64_t begin = now_ms();
	bool prepared = was_prepared(run);
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	int r;

	run_start_clock(run);
	r = journal_open(&run->host, run->domain->uuid, run->domain->name, false, wait,
			 &journal, err);
	if (r < 0)
		return r == -ESTALE ? -ENOENT : r;
	r = refuse_started(run, &journal, prepared, orphan, err);
	if (r < 0)
		return r;
	log_info("== %s undo", run->domain->name);
	run->journal = &journal;
	guard_settle(run);
	journal_phase(&journal, PHASE_RELEASE, PHASE_STATE_BEGUN, NULL);
	r = undo_all(run, PHASE_NONE, err);
	if (r < 0)
		r = run->forget ? phase_forget(run, err) :
				  phase_offer_to_forget(run, err);
	phase_close_journal(run);
	return phase_log_end(run, "undo", begin, r, err);
}

int phase_undo(struct run *run, struct error *err)
{
	return undo(run, run, false, err);
}

int phase_undo_orphan(struct run *run, const struct run *wait, struct error *err)
{
	return undo(run, wait ? wait : run, true, err);
}

void phase_reconnect(struct run *run)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	uint64_t start = 0;

	if (journal_open_foreign(&run->host, run->domain->uuid, &journal, NULL) < 0)
		return;
	/* The daemon is a new one; from now on it stands behind the domain. */
	if (process_start_time(&run->host, getppid(), &start) == 0)
		journal_owner(&journal, getppid(), start, NULL);
	for (size_t i = 0; i < journal.n; i++) {
		const struct record *record = &journal.records[i];

		if (record->struck || record->kind != &state_driver)
			continue;
		if (!state_is(&run->host, record->kind, record->target, record->new))
			log_warn("reconnect: %s is no longer on %s", record->target,
				 record->new);
	}
}
