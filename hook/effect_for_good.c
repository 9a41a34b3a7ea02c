/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On the way down a change is final: it strikes the journal's record instead of making one.
 */
#include "claims.h"
#include "effect_change.h"
#include "hold.h"

/*
 * What a final change is worth beside other domains' claims: 1: nothing is to be changed.
 * Else 0, and in *WISH what those want that were there before us; NULL: there are none.
 */
static int leave_to_others(struct run *run, const struct state_kind *kind,
			   const char *target, const char *value, char **wish,
			   struct error *err)
{
	_cleanup_(claim_done) struct claim claim = {};
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	const struct record *known;
	int r = journal_lock(&run->host, run_deadline(run), &lock, err);

	if (r == 0 && run->journal)
		r = journal_reload(&run->host, run->journal, err);
	if (r < 0)
		return r;
	known = run->journal ? journal_find(run->journal, kind, target) : NULL;
	if (!known)
		return claim_settle(run, kind, target, value, err);
	r = claim_leave(run, known, err);
	if (r == 1)
		return journal_strike(run->journal, kind, target, err) < 0 ? -EIO : 1;
	if (r == 0)
		r = claim_youngest(run, kind, target, &claim, err);
	if (r == 0)
		*wish = STEAL(claim.new);
	return r == -ENOENT && !claim.uuid ? 0 : r;
}

/* On the way down: final, but not against the wish of another domain. */
static int set_for_good(struct run *run, const struct state_kind *kind,
			const char *target, const char *now, const char *value,
			const char *data, struct error *err)
{
	struct record record = { .kind = kind,
				 .target = (char *)(uintptr_t)target,
				 .data = (char *)(uintptr_t)(data ? data : "") };
	_cleanup_free_ char *wish = NULL;
	int r = 0;

	if (kind->shared)
		r = leave_to_others(run, kind, target, value, &wish, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (wish)
		value = wish;
	if (!streq(now, value))
		r = effect_change(run, &record, now, value, err);
	return r >= 0 && run->journal && journal_find(run->journal, kind, target) ?
		       journal_strike(run->journal, kind, target, err) :
		       r;
}

/* Nobody else takes the function meanwhile, although nothing is journalled. */
int effect_set_for_good(struct run *run, const struct state_kind *kind,
			const char *target, const char *now, const char *value,
			const char *data, struct error *err)
{
	char function[PCI_ADDR_LEN];
	bool held;
	int r;

	if (!kind->exclusive || !claim_function(target, function))
		return set_for_good(run, kind, target, now, value, data, err);
	r = hold_function(run, function, &held, err);
	if (r < 0)
		return r;
	r = set_for_good(run, kind, target, now, value, data, err);
	return hold_finish(run, function, held, r, err);
}
