/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back of one record: the journal alone decides what is done, so it works after a
 * crash and after the config was edited. Only what is still as we left it is put back.
 */
#include "claim.h"
#include "claims.h"
#include "effect.h"
#include "log.h"
#include "rebind.h"
#include "undo.h"

#define MOST_TRIES 8 /* while other domains leave the same target */

static int read_now(struct run *run, const struct record *record, char **ret,
		    struct error *err)
{
	int r = record->kind->read(&run->host, record->target, ret, err);

	if (r != -EOPNOTSUPP || !record->kind->relative)
		return r;
	error_done(err);
	*ret = strdup(record->new);
	return *ret ? 0 : error_oom(err);
}

/* Is what RECORD is put back to still what the journal says? */
static bool is_current(const struct record *record, const struct record *fresh)
{
	return streq(fresh->old, record->old) &&
	       (!record->kind->inherit || streq(fresh->data, record->data));
}

/*
 * Another domain that left may have handed its old value on to us, and the data that
 * belongs to it, now or while ours was put back. 1: it has, and RECORD is from the value
 * that is there now to that one.
 */
static int refresh(struct run *run, struct record *record, struct error *err)
{
	_cleanup_(record_done) struct record handed_on = {};
	const struct record *fresh;
	int r = journal_reload(&run->host, run->journal, err);

	if (r < 0)
		return r;
	fresh = journal_find(run->journal, record->kind, record->target);
	if (!fresh || is_current(record, fresh))
		return 0;
	if (record_copy(fresh, &handed_on) < 0)
		return error_oom(err);
	free(record->old);
	record->old = STEAL(handed_on.old);
	free(record->data);
	record->data = STEAL(handed_on.data);
	return 1;
}

static int leave_locked(struct run *run, const struct record *record, struct error *err)
{
	int r = claim_leave(run, record, err);

	/* Under the lock: nobody may see us in the stack and gone from it. */
	if (r == 1 && journal_strike(run->journal, record->kind, record->target, err) < 0)
		r = -EIO;
	return r;
}

/* For bookkeeping: whoever stops with it in hand must not hold up all that is left. */
static int lock_host(struct run *run, struct journal_lock *ret, struct error *err)
{
	int64_t deadline = now_ms() + RECORD_TIMEOUT_MS;

	return journal_lock(&run->host, deadline < run->budget ? deadline : run->budget,
			    ret, err);
}

/* 1: another domain's claim lives on, nothing to change. */
static int leave_claim(struct run *run, struct record *record, struct error *err)
{
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	int r;

	if (!record->kind->shared)
		return 0;
	r = lock_host(run, &lock, err);
	if (r == 0)
		r = refresh(run, record, err);
	return r < 0 ? r : leave_locked(run, record, err);
}

/* A domain that came while we put back found our value, and may have nothing changed. */
static int satisfy(struct run *run, const struct record *record, const char *value,
		   struct error *err)
{
	_cleanup_free_ char *now = NULL;
	int r = record->kind->read(&run->host, record->target, &now, err);

	return r < 0 || streq(now, value) ?
		       r :
		       record->kind->change(run, record, now, value, err);
}

/* The record's value is back: it is struck. 1: not yet, it has a new old value. */
static int strike(struct run *run, struct record *record, struct error *err)
{
	_cleanup_(claim_done) struct claim claim = {};
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	int r;

	if (!record->kind->shared)
		return journal_strike(run->journal, record->kind, record->target, err);
	r = lock_host(run, &lock, err);
	if (r == 0) {
		_cleanup_free_ char *put_back = strdup(record->old);

		r = put_back ? refresh(run, record, err) : error_oom(err);
		if (r == 1) {
			free(record->new);
			record->new = STEAL(put_back);
		}
	}
	if (r == 0)
		r = leave_locked(run, record, err);
	else
		return r;
	if (r == 0)
		return journal_strike(run->journal, record->kind, record->target, err);
	if (r == 1)
		r = claim_youngest(run, record->kind, record->target, &claim, err);
	journal_unlock(&lock); /* the change may take its time */
	return r < 0 ? r : satisfy(run, record, claim.new, err);
}

/* What the kind made of it is read again: it may have left the target alone. */
static int undo_by_kind(struct run *run, const struct record *record, const char *now,
			struct error *err)
{
	_cleanup_free_ char *after = NULL;
	char what[PATH_MAX];
	int r = record->kind->undo(run, record, now, err);

	state_describe(record->kind, record->target, what, sizeof(what));
	if (r < 0)
		return error_errno(err, r, "%s", what);
	if (record->kind->read(&run->host, record->target, &after, NULL) < 0)
		run_change(run, what, NULL, "undone");
	else if (!streq(now, after))
		run_change(run, what, now, after);
	return 0;
}

static int put_back(struct run *run, const struct record *record, const char *now,
		    struct error *err)
{
	char what[PATH_MAX];
	int r;

	state_describe(record->kind, record->target, what, sizeof(what));
	log_debug("undo: %s: putting it back", what);
	if (!record->kind->harmless)
		log_sync();
	if (record->kind->undo) {
		return undo_by_kind(run, record, now, err);
	} else if (!streq(now, record->new)) {
		run_warn(run, "%s is %s, which is not what was set (%s): left as it is",
			 what, state_value_text(now), state_value_text(record->new));
		return 0;
	} else {
		r = record->kind->change(run, record, now, record->old, err);
	}
	if (r < 0)
		return error_errno(err, r, "%s", what);
	run_change(run, what, now, record->old);
	return 0;
}

static int put_back_once(struct run *run, const struct record *record, struct error *err)
{
	_cleanup_free_ char *now = NULL;
	int r;

	if (record->kind->one_way) {
		run_note(run, "%s %s cannot be put back", record->kind->name,
			 record->target);
		return 0;
	}
	r = read_now(run, record, &now, err);
	if (r < 0)
		return r;
	if (record->kind->relative || record->kind->always_undo ||
	    !streq(now, record->old))
		r = put_back(run, record, now, err);
	return r;
}

static int undo_for_real(struct run *run, const struct record *known, struct error *err)
{
	/* A copy: kinds that write to the journal replace what is in it. */
	_cleanup_(record_done) struct record record = {};
	int r = 0;

	/* Whatever is done to a function would wait for an unbind that is under way. */
	if (known->kind->exclusive)
		r = rebind_refuse_left(run, known->target, err);
	if (r < 0)
		return r;
	if (record_copy(known, &record) < 0)
		return error_oom(err);
	run->journal->way_back = true;
	for (unsigned tries = 0; tries < MOST_TRIES; tries++) {
		r = leave_claim(run, &record, err);
		if (r != 0)
			return r < 0 ? r : 0;
		r = put_back_once(run, &record, err);
		if (r == 0)
			r = strike(run, &record, err);
		if (r <= 0)
			return r;
	}
	return error_set(err, -EAGAIN, "%s %s: other domains keep changing their claims",
			 record.kind->name, record.target);
}

static int undo_simulated(struct run *run, const struct record *record, struct error *err)
{
	_cleanup_free_ char *now = NULL;
	char what[PATH_MAX];
	int r;

	if (record->kind->one_way ||
	    (record->kind->relative &&
	     overlay_get(run->host.overlay, record->kind, record->target)))
		return 0; /* done by a step of this phase */
	r = state_get(&run->host, record->kind, record->target, &now, err);
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	if (now && !record->kind->relative && streq(now, record->old))
		return 0;
	state_describe(record->kind, record->target, what, sizeof(what));
	run_change(run, what, now ? now : record->new, record->old);
	return overlay_set(run->host.overlay, record->kind, record->target, record->old);
}

int undo_record(struct run *run, const struct record *record, struct error *err)
{
	if (!record->kind)
		return error_set(err, -ENOSYS,
				 "this version does not know how to put back %s %s",
				 record->kind_name, record->target);
	run->deadline = now_ms() + (run->patience ? run->patience : RECORD_TIMEOUT_MS);
	run_promise_time(run);
	return run->simulate ? undo_simulated(run, record, err) :
			       undo_for_real(run, record, err);
}

int effect_restore(struct run *run, const struct state_kind *kind, const char *target,
		   struct error *err)
{
	const struct journal *journal = run->simulate ? run->planned : run->journal;
	const struct record *record = journal ? journal_find(journal, kind, target) :
						NULL;

	return record ? undo_record(run, record, err) : -ENOENT;
}
