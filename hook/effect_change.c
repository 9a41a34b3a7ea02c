/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One change of a target, read back, where other domains may change it at the same time.
 */
#include "claims.h"
#include "effect_change.h"
#include "log.h"

#define MOST_TRIES 8 /* while other domains set the same target */

static int verify(struct run *run, const struct state_kind *kind, const char *target,
		  const char *value, struct error *err)
{
	_cleanup_free_ char *now = NULL;
	char what[PATH_MAX];
	int r;

	if (kind->relative)
		return 0;
	r = kind->read(&run->host, target, &now, err);
	if (r < 0)
		return r;
	if (streq(now, value))
		return 0;
	/*
	 * Attributes may say the same in other words (a mask with leading zeros) and
	 * their kind has looked at that: undo must know what it will find.
	 */
	if (kind == &state_attr)
		return run->journal && journal_find(run->journal, kind, target) ?
			       journal_record(run->journal, kind, target, now, now, "",
					      run->event.phase, err) :
			       0;
	return error_set(err, -EIO, "%s is %s after it was set to %s",
			 state_describe(kind, target, what, sizeof(what)),
			 state_value_text(now), state_value_text(value));
}

/*
 * Another domain may set what it wants of the target at the same time. 1: its claim is the
 * younger, and what is there now its affair; 0: ours is, and its value came late; -ENOENT:
 * nobody else wants it.
 */
static int is_outdone(struct run *run, const struct record *record)
{
	_cleanup_(claim_done) struct claim claim = {};
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	int r;

	if (!record->kind->shared || !run->journal)
		return -ENOENT;
	r = journal_lock(&run->host, run_deadline(run), &lock, NULL);
	if (r == 0)
		r = claim_youngest(run, record->kind, record->target, &claim, NULL);
	return r < 0 ? r : claim.when > record->when;
}

static int change_once(struct run *run, const struct record *record, const char *now,
		       const char *value, struct error *err)
{
	int r = record->kind->change(run, record, now, value, err);

	return r < 0 ? r : verify(run, record->kind, record->target, value, err);
}

int effect_change(struct run *run, const struct record *record, const char *now,
		  const char *value, struct error *err)
{
	char what[PATH_MAX];
	int r;

	state_describe(record->kind, record->target, what, sizeof(what));
	log_debug("%s: %s: setting %s", run->step ? run->step->key : "undo", what,
		  state_value_text(value));
	if (!record->kind->harmless)
		log_sync();
	r = change_once(run, record, now, value, err);
	for (unsigned tries = 1; r == -EIO && tries < MOST_TRIES; tries++) {
		int outdone = is_outdone(run, record);

		if (outdone < 0)
			break;
		error_done(err);
		r = outdone ? 0 : change_once(run, record, now, value, err);
	}
	if (r < 0)
		return error_errno(err, r, "%s", what);
	run_change(run, what, now, value);
	return 0;
}
