/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared tuning goes back with its last user, to what the first one found, in whatever
 * order the domains leave.
 */
#include "claims.h"

void claim_done(struct claim *claim)
{
	free(claim->uuid);
	free(claim->domain);
	free(claim->old);
	free(claim->new);
	*claim = (struct claim){};
}

static int claim_fill(struct claim *claim, const struct journal *journal,
		      const struct record *record)
{
	struct claim c = {
		.uuid = strdup(journal->uuid),
		.domain = strdup(journal->domain),
		.old = strdup(record->old),
		.new = strdup(record->new),
		.when = record->when,
	};

	if (!c.uuid || !c.domain || !c.old || !c.new) {
		claim_done(&c);
		return -ENOMEM;
	}
	claim_done(claim);
	*claim = c;
	return 0;
}

/* Two claims may be of the same millisecond. */
static bool is_younger(int64_t when, const char *uuid, int64_t than, const char *than_uuid)
{
	return when != than ? when > than : strcmp(uuid, than_uuid) > 0;
}

/*
 * Of all other domains' open records of the target: the youngest (NEXT_AFTER is NULL), or
 * the oldest of those that are younger than NEXT_AFTER, which is ours.
 */
static int claim_search(struct run *run, const struct state_kind *kind,
			const char *target, const struct record *next_after,
			struct claim *ret)
{
	_cleanup_strv_ struct strv uuids = {};
	struct claim best = {};
	int r = journal_list(&run->host, &uuids);

	for (size_t i = 0; r == 0 && i < uuids.n; i++) {
		_cleanup_(journal_done) struct journal journal = { .fd = -1 };
		const struct record *record;

		if (run->domain && streq(uuids.v[i], run->domain->uuid))
			continue;
		/* What was taken at boot was taken for whoever asks first. */
		if (!next_after && kind->exclusive && journal_is_boot(uuids.v[i]))
			continue;
		if (journal_read(&run->host, uuids.v[i], &journal, NULL) < 0)
			continue;
		record = journal_find(&journal, kind, target);
		if (!record ||
		    (next_after && !is_younger(record->when, uuids.v[i], next_after->when,
					       run->domain ? run->domain->uuid : "")))
			continue;
		if (!best.uuid || is_younger(record->when, uuids.v[i], best.when,
					     best.uuid) == !next_after)
			r = claim_fill(&best, &journal, record);
	}
	if (r == 0 && !best.uuid)
		r = -ENOENT;
	if (r < 0)
		claim_done(&best);
	else
		*ret = best;
	return r;
}

int claim_youngest(struct run *run, const struct state_kind *kind, const char *target,
		   struct claim *ret, struct error *err)
{
	int r = claim_search(run, kind, target, NULL, ret);

	return r < 0 && r != -ENOENT ?
		       error_errno(err, r, "cannot read other domains' journals") :
		       r;
}

static int pass_on(struct run *run, const struct claim *to, const struct record *record,
		   struct error *err)
{
	_cleanup_(journal_done) struct journal other = { .fd = -1 };
	int r = journal_open_foreign(&run->host, to->uuid, &other, err);

	return r < 0 ? r :
		       journal_set_old(&other, record->kind, record->target, record->old,
				       err);
}

int claim_leave(struct run *run, const struct record *record, struct error *err)
{
	_cleanup_(claim_done) struct claim next = {};
	int r = claim_search(run, record->kind, record->target, record, &next);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_errno(err, r, "cannot read other domains' journals");
	r = pass_on(run, &next, record, err);
	if (r < 0)
		return r;
	run_note(run, "%s stays as it is: domain %s still uses it", record->target,
		 next.domain);
	return 1;
}
