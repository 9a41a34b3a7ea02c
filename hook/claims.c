/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared tuning goes back with its last user, to what the first one found, in whatever
 * order the domains leave.
 */
#include "claims.h"
#include "journals.h"
#include "log.h"

void claim_done(struct claim *claim)
{
	free(claim->uuid);
	free(claim->domain);
	free(claim->old);
	free(claim->new);
	free(claim->data);
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
		.data = strdup(record->data),
		.when = record->when,
	};

	if (!c.uuid || !c.domain || !c.old || !c.new || !c.data) {
		claim_done(&c);
		return -ENOMEM;
	}
	claim_done(claim);
	*claim = c;
	return 0;
}

bool claim_function(const char *target, char buf[PCI_ADDR_LEN])
{
	size_t n = strcspn(target, " ");
	struct pci_addr addr;

	if (n >= PCI_ADDR_LEN)
		return false;
	snprintf(buf, PCI_ADDR_LEN, "%.*s", (int)n, target);
	return pci_parse_addr(buf, &addr, NULL) == 0;
}

/* A kind that this version does not know may be one of these. */
static bool owns_function(const struct record *record, const char *function)
{
	char other[PCI_ADDR_LEN];

	return !record->struck && (!record->kind || record->kind->exclusive) &&
	       claim_function(record->target, other) && streq(other, function);
}

const struct record *claim_in(const struct journal *journal,
			      const struct state_kind *kind, const char *target)
{
	char function[PCI_ADDR_LEN];

	if (!kind->exclusive || !claim_function(target, function))
		return journal_find(journal, kind, target);
	for (size_t i = journal->n; i-- > 0;)
		if (owns_function(&journal->records[i], function))
			return &journal->records[i];
	return NULL;
}

/* Of the same age are only those that older versions made. */
static bool is_younger(int64_t when, const char *uuid, int64_t than, const char *than_uuid)
{
	return when != than ? when > than : strcmp(uuid, than_uuid) > 0;
}

int claim_unread(const struct state_kind *kind, const char *target, int code,
		 const struct error *why, struct error *err)
{
	if (code == -ENOENT || code == -ESTALE || !kind->exclusive)
		return 0;
	return error_set(err, code, "cannot tell whose %s is: %s", target,
			 error_text(why));
}

/*
 * Of all other domains' open records of the target: the youngest (NEXT_AFTER is NULL), or
 * the oldest of those that are younger than NEXT_AFTER, which is ours.
 */
static int claim_search(struct run *run, const struct state_kind *kind,
			const char *target, const struct record *next_after,
			struct claim *ret, struct error *err)
{
	_cleanup_(journals_done) struct journals once = {};
	const struct journals *all;
	struct claim best = {};
	int r = journals_look(run, &once, &all, err);

	for (size_t i = 0; r == 0 && i < all->n; i++) {
		const struct found_journal *found = &all->found[i];
		const struct record *record;

		if (journals_is_own(run, found))
			continue;
		/* What was taken at boot was taken for whoever asks first. */
		if (!next_after && kind->exclusive && journal_is_boot(found->uuid))
			continue;
		if (found->code < 0) {
			r = claim_unread(kind, target, found->code, &found->why, err);
			continue;
		}
		record = claim_in(&found->journal, kind, target);
		if (!record || (next_after &&
				!is_younger(record->when, found->uuid, next_after->when,
					    run->domain ? run->domain->uuid : "")))
			continue;
		if (!best.uuid || is_younger(record->when, found->uuid, best.when,
					     best.uuid) == !next_after)
			r = claim_fill(&best, &found->journal, record);
	}
	if (r < 0) {
		claim_done(&best);
		return error_errno(err, r, "cannot read other domains' journals");
	}
	if (!best.uuid)
		return -ENOENT;
	*ret = best;
	return 0;
}

int claim_youngest(struct run *run, const struct state_kind *kind, const char *target,
		   struct claim *ret, struct error *err)
{
	return claim_search(run, kind, target, NULL, ret, err);
}

/* TO's record gets a new old value, and of DATA what belongs to that; NULL: nothing does. */
static int pass_on(struct run *run, const struct claim *to, const struct state_kind *kind,
		   const char *target, const char *old, const char *data,
		   struct error *err)
{
	_cleanup_(journal_done) struct journal other = { .fd = -1 };
	_cleanup_free_ char *heritage = NULL;
	int r;

	if (kind->inherit && data) {
		heritage = kind->inherit(data, to->data);
		if (!heritage)
			return error_oom(err);
	}
	r = journal_open_foreign(&run->host, to->uuid, &other, err);
	if (r == 0)
		r = journal_set_old(&other, kind, target, old, heritage, err);
	log_hold(true); /* the host's lock is held */
	if (r == 0)
		run_note(run, "%s stays as it is: domain %s still uses it", target,
			 to->domain);
	log_hold(false);
	return r;
}

int claim_leave(struct run *run, const struct record *record, struct error *err)
{
	_cleanup_(claim_done) struct claim next = {};
	int r = claim_search(run, record->kind, record->target, record, &next, err);

	if (r == 0)
		r = pass_on(run, &next, record->kind, record->target, record->old,
			    record->data, err);
	if (r < 0)
		return r == -ENOENT && !next.uuid ? 0 : r;
	return 1;
}

int claim_settle(struct run *run, const struct state_kind *kind, const char *target,
		 const char *value, struct error *err)
{
	const struct record before_all = { .when = INT64_MIN };
	_cleanup_(claim_done) struct claim oldest = {};
	int r = claim_search(run, kind, target, &before_all, &oldest, err);

	if (r == 0)
		r = pass_on(run, &oldest, kind, target, value, NULL, err);
	if (r < 0)
		return r == -ENOENT && !oldest.uuid ? 0 : r;
	return 1;
}
