/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal of a domain from its prepare to its release.
 */
#include "effect.h"
#include "guard.h"
#include "hold.h"
#include "log.h"
#include "phase.h"
#include "phase_journal.h"
#include "scripts.h"

/* The process that called us: as long as it lives the domain is its. */
static void note_owner(struct run *run)
{
	uint64_t start = 0;
	int pid = run->owner > 0  ? run->owner :
		  run->caller > 0 ? run->caller :
				    (int)getppid();

	if (process_start_time(&run->host, pid, &start) == 0)
		journal_owner(run->journal, pid, start, NULL);
}

/* Does anything that it says matter any more? */
static bool journal_is_spent(struct run *run)
{
	return !journal_has_open_records(run->journal) && !guard_left(run, "", NULL);
}

/* Are the first changes to a journal those of this phase? */
static bool opens_journal(const struct run *run)
{
	return run->event.phase == PHASE_PREPARE || run->event.phase == PHASE_BOOT;
}

/* Gone through, no way back was begun, and the devices are where they were put? */
static bool is_whole(const struct run *run, const struct journal *journal)
{
	if (journal->phases[run->event.phase] != PHASE_STATE_COMPLETE ||
	    journal->phases[PHASE_RELEASE] != PHASE_STATE_NONE)
		return false;
	for (size_t i = 0; i < journal->n; i++) {
		const struct record *record = &journal->records[i];

		if (!record->struck && record->kind == &state_driver &&
		    !state_is(&run->host, record->kind, record->target, record->new))
			return false;
	}
	return true;
}

/* One without open records may have been cut off while functions were compared with it. */
static bool is_half_way(const struct run *run, const struct journal *journal)
{
	return (journal_has_open_records(journal) || journal->n_baselines) &&
	       !is_whole(run, journal);
}

/* A journal that is there already: complete, then it is adopted; else undone first. */
static int settle_old_journal(struct run *run, struct error *err)
{
	int r;

	if (!is_half_way(run, run->journal)) {
		if (journal_has_open_records(run->journal))
			log_warn("%s was prepared before and never released: going on from "
				 "there",
				 run->domain->name);
		return 0;
	}
	log_warn("an earlier phase of %s was cut off: putting back what is left",
		 run->domain->name);
	run->undo_by = run->budget;
	r = undo_all(run, PHASE_NONE, err);
	run->undo_by = 0; /* a rollback has a time of its own */
	if (r < 0)
		error_prefix(err, "cannot put back an earlier prepare");
	return r < 0 ? phase_offer_to_forget(run, err) : 0;
}

int phase_offer_to_forget(const struct run *run, struct error *err)
{
	const struct domain *domain = run->domain;
	_cleanup_free_ char *boot = NULL;
	char word[SHELL_WORD_MAX];
	bool at_boot = journal_boot_name(domain->name, &boot) == 0 &&
		       streq(boot, domain->uuid);

	if (guard_left(run, "", NULL)) /* what that is at may yet come to its end */
		return err->code;
	return error_suffix(err, " (if it never can be: vfio-hook undo %s--forget %s)",
			    at_boot ? "--boot " : "",
			    shell_word(domain->name, word, sizeof(word)));
}

static void give_up_record(struct run *run, const struct record *record)
{
	char what[PATH_MAX];

	if (record->struck)
		return;
	if (record->kind)
		state_describe(record->kind, record->target, what, sizeof(what));
	else
		snprintf(what, sizeof(what), "%s %s", record->kind_name, record->target);
	run_warn(run, "given up: %s, which was %s", what, state_value_text(record->old));
}

/* One that is not home though no record is open that would say so, and nobody else's now. */
static void give_up_function(struct run *run, const struct baseline *b)
{
	const struct record *record = journal_find(run->journal, &state_driver, b->name);
	char what[PATH_MAX];

	if ((record && !record->struck) || hold_ask(run, b->name, NULL) == -EBUSY ||
	    state_is(&run->host, &state_driver, b->name, b->driver))
		return;
	run_warn(run, "given up: %s, which was %s",
		 state_describe(&state_driver, b->name, what, sizeof(what)),
		 state_value_text(b->driver));
}

int phase_forget(struct run *run, struct error *err)
{
	const struct journal *journal = run->journal;
	int pid = guard_left(run, "", NULL), r;

	if (pid)
		return error_suffix(
			err,
			"; nothing is given up while process %d is in the kernel:"
			" end what it waits for, or reboot",
			pid);
	run_warn(run, "%s", error_text(err));
	error_done(err);
	for (size_t i = 0; i < journal->n; i++)
		give_up_record(run, &journal->records[i]);
	for (size_t i = 0; i < journal->n_baselines; i++)
		give_up_function(run, &journal->baselines[i]);
	r = journal_remove(run->journal);
	return r < 0 ? error_errno(err, r, "the journal cannot be removed") : 0;
}

int phase_open_journal(struct run *run, struct journal *journal, struct error *err)
{
	int r = journal_open(&run->host, run->domain->uuid, run->domain->name, true, run,
			     journal, err);

	if (r < 0)
		return r;
	run->journal = journal;
	guard_settle(run);
	if (!opens_journal(run))
		return 0;
	r = settle_old_journal(run, err);
	/* Baselines of an earlier start may be out of date. */
	if (r == 0 && journal->n_baselines && !is_whole(run, journal) &&
	    journal_is_spent(run)) {
		journal_remove(journal);
		journal_done(journal);
		r = journal_open(&run->host, run->domain->uuid, run->domain->name, true,
				 run, journal, err);
	}
	if (r == 0)
		note_owner(run);
	else if (journal->fd < 0)
		run->journal = NULL;
	return r;
}

bool phase_was_done_at_boot(const struct run *run)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	return run->event.phase == PHASE_BOOT &&
	       journal_read(&run->host, run->domain->uuid, &journal, NULL) == 0 &&
	       is_whole(run, &journal);
}

bool phase_was_cut_off(const struct run *run)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	return opens_journal(run) &&
	       journal_read(&run->host, run->domain->uuid, &journal, NULL) == 0 &&
	       is_half_way(run, &journal);
}

/* Do scripts wait for stopped or release that have to know of a refused prepare? */
static bool has_way_back(const struct run *run)
{
	return scripts_exist_in(&run->host, run->hooks_dir, run->event.domain,
				PHASES_DOWN);
}

/* Between prepare and release it stays, empty or not: release asks whether prepare was. */
void phase_close_journal(struct run *run)
{
	enum phase_state prepare = run->journal->phases[PHASE_PREPARE];
	bool over = run->event.phase == PHASE_RELEASE || run->event.phase == PHASE_NONE ||
		    (prepare == PHASE_STATE_REFUSED ? !has_way_back(run) :
						      prepare != PHASE_STATE_COMPLETE);

	if (over && journal_is_spent(run))
		journal_remove(run->journal);
	run->journal = NULL;
}

void phase_note_refusal(struct run *run)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	run->deadline = run->budget;
	if (run->event.phase != PHASE_PREPARE || !has_way_back(run) ||
	    journal_open(&run->host, run->domain->uuid, run->domain->name, true, run,
			 &journal, NULL) < 0)
		return;
	if (!journal_has_open_records(&journal))
		journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_REFUSED, NULL);
}

/* What `status` reads: a phase whose log has no such line at its end was cut off. */
int phase_log_end(const struct run *run, const char *phase, int64_t begin, int r,
		  const struct error *err)
{
	long long ms = (long long)(now_ms() - begin);

	if (r < 0)
		log_error("-- %s %s: failed after %lld ms: %s", run->domain->name, phase,
			  ms, error_text(err));
	else
		log_info("-- %s %s: done in %lld ms", run->domain->name, phase, ms);
	return r;
}
