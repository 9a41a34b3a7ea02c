/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many huge pages a guest still lacks. Pages that are free now may be promised to a
 * guest that starts as well, or be what another goal of the same guest counts on.
 */
#include <inttypes.h>

#include "cpus.h"
#include "log.h"
#include "pages.h"

struct page_pool page_goal_pool(const struct page_goal *goal)
{
	const bool is_one = goal->nodes && goal->only && goal->nodes->n == 1;

	return (struct page_pool){ .size = goal->size,
				   .node = is_one ? (int)goal->nodes->cpu[0] : -1 };
}

/* Pages on NODES that JOURNAL's domain was given, or counts on, in whatever pool. */
static uint64_t journal_pages(const struct host *host, const struct journal *journal,
			      uint64_t size, const struct cpu_list *nodes)
{
	uint64_t shares = 0, taken = 0;

	for (size_t i = 0; i < journal->n; i++) {
		const struct record *record = &journal->records[i];
		struct page_counts counts;
		struct page_share s;
		struct page_pool p;

		if (record->struck || record->kind != &state_pages ||
		    page_pool_parse(record->target, &p) < 0 || p.size != size ||
		    !page_pool_may_be_on(&p, nodes))
			continue;
		if (page_pool_read(host, &p, &counts, NULL) < 0)
			continue;
		s = page_share_of(record, counts.persistent);
		shares += s.share;
		taken += s.taken;
	}
	return shares > taken ? shares : taken;
}

/*
 * Free pages that are promised: to domains whose QEMU is not up yet. From then on the
 * kernel knows: a running guest's pages are in use or reserved.
 */
static int pages_promised(const struct run *run, uint64_t size,
			  const struct cpu_list *nodes, uint64_t *ret, struct error *err)
{
	const char *own = run->journal ? run->journal->uuid :
			  run->domain  ? run->domain->uuid :
					 NULL;
	_cleanup_strv_ struct strv uuids = {};
	char boot_id[37] = "";
	uint64_t sum = 0;
	int r = journal_list(&run->host, &uuids);

	if (r < 0)
		return error_errno(err, r, "cannot list the journals");
	(void)host_boot_id(&run->host, boot_id);
	for (size_t i = 0; i < uuids.n; i++) {
		_cleanup_(journal_done) struct journal other = { .fd = -1 };

		if (own && streq(uuids.v[i], own))
			continue;
		if (journal_is_boot(uuids.v[i]))
			continue; /* for whoever asks first */
		if (journal_read(&run->host, uuids.v[i], &other, NULL) < 0)
			continue; /* its own domain will say so */
		if (other.boot_id && !streq(other.boot_id, boot_id))
			continue;
		if (other.phases[PHASE_STARTED] != PHASE_STATE_COMPLETE)
			sum += journal_pages(&run->host, &other, size, nodes);
	}
	*ret = sum;
	return 0;
}

static void supply_journalled(const struct run *run, uint64_t size,
			      const struct cpu_list *nodes, struct page_supply *s)
{
	const struct journal *journal = run->journal;

	for (size_t i = 0; journal && i < journal->n; i++) {
		const struct record *record = &journal->records[i];
		struct page_share share;
		struct page_pool pool;

		if (record->struck || record->kind != &state_pages ||
		    page_pool_parse(record->target, &pool) < 0 || pool.size != size ||
		    !page_pool_may_be_on(&pool, nodes))
			continue;
		share = page_share_of(record, 0);
		/* what a prepare without a release got waits for this one */
		if (share.by == getpid())
			s->away += share.taken;
	}
}

static int supply_read(const struct run *run, uint64_t size, const struct cpu_list *nodes,
		       struct page_supply *ret, struct error *err)
{
	struct page_pool pool = { .size = size, .node = -1 };
	struct page_counts counts = {};
	struct page_supply s = {};
	uint64_t promised = 0;
	int r = pages_promised(run, size, nodes, &promised, err);

	if (r >= 0 && !nodes)
		r = page_pool_read(&run->host, &pool, &counts, err);
	s.free = counts.free;
	for (size_t i = 0; r >= 0 && nodes && i < nodes->n; i++) {
		pool.node = (int)nodes->cpu[i];
		r = page_pool_read(&run->host, &pool, &counts, err);
		s.free += counts.free;
	}
	if (r >= 0 && run->simulate)
		r = pages_plan_supply(run, size, nodes, &s, err);
	else if (r >= 0)
		supply_journalled(run, size, nodes, &s);
	log_debug("hugepages: %" PRIu64 " free, %" PRIu64 " reserved, %" PRIu64
		  " promised to others, %" PRIu64 " taken",
		  s.free, counts.reserved, promised, s.away);
	s.away += counts.reserved + promised;
	*ret = s;
	return r;
}

static bool overlap(const struct cpu_list *a, const struct cpu_list *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (cpu_list_contains(b, a->cpu[i]))
			return true;
	return false;
}

/* The N goals before this one will bring their pages, and use them. */
static void supply_goals(const struct page_goal *goals, size_t n, uint64_t size,
			 const struct cpu_list *nodes, struct page_supply *s)
{
	for (size_t i = 0; i < n; i++) {
		const struct cpu_list *other = goals[i].only ? goals[i].nodes : NULL;

		if (goals[i].size != size)
			continue;
		if (!nodes || (other && cpus_within(other, nodes)))
			s->free += goals[i].need;
		if (!nodes || !other || overlap(other, nodes))
			s->away += goals[i].pages;
	}
}

/* How many pages the goal AT still lacks on NODES. */
static int pages_need(const struct run *run, const struct page_goal *goals, size_t at,
		      const struct cpu_list *nodes, uint64_t *ret, struct error *err)
{
	const struct page_goal *goal = &goals[at];
	struct page_supply s = {};
	uint64_t usable;
	int r = supply_read(run, goal->size, nodes, &s, err);

	if (r < 0)
		return r;
	supply_goals(goals, at, goal->size, nodes, &s);
	usable = s.free > s.away ? s.free - s.away : 0;
	*ret = goal->pages > usable ? goal->pages - usable : 0;
	return 0;
}

static int goal_needs(const struct run *run, struct page_goal *goals, size_t at,
		      struct error *err)
{
	struct page_goal *goal = &goals[at];
	uint64_t anywhere;
	int r = pages_need(run, goals, at, goal->nodes, &goal->need, err);

	goal->elsewhere = 0;
	if (r < 0 || !goal->nodes || goal->only)
		return r;
	r = pages_need(run, goals, at, NULL, &anywhere, err);
	if (r >= 0 && goal->need > anywhere)
		goal->elsewhere = goal->need - anywhere;
	return r;
}

static struct page_share own_share(const struct run *run, const struct page_pool *pool,
				   uint64_t found)
{
	char target[PAGE_POOL_LEN];
	struct page_share share;

	page_pool_target(pool, target);
	share = page_share_of(journal_find(run->journal, &state_pages, target), found);
	/* what a prepare without a release got waits for this one */
	if (share.by != getpid())
		share.taken = 0;
	share.from = share.to = found;
	share.by = getpid();
	return share;
}

/* The claim itself: in the journal or, in a plan, in the overlay. */
static int claim(struct run *run, const struct page_goal *goal, struct error *err)
{
	const struct page_pool pool = page_goal_pool(goal);
	struct page_counts counts;
	struct page_share share;
	int r;

	if (run->simulate)
		return pages_plan_take(run, &pool, goal->pages, err);
	r = page_pool_read(&run->host, &pool, &counts, err);
	if (r < 0)
		return r;
	share = own_share(run, &pool, counts.persistent);
	share.taken += goal->pages;
	return page_share_record(run, &pool, &share, err);
}

int pages_claim(struct run *run, struct page_goal *goals, size_t n, struct error *err)
{
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	int r = 0;

	if (!run->simulate)
		r = journal_lock(&run->host, run_deadline(run), &lock, err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = goal_needs(run, goals, i, err);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = claim(run, &goals[i], err);
	return r;
}

int pages_unclaim(struct run *run, const struct page_pool *pool, uint64_t pages,
		  struct error *err)
{
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	char target[PAGE_POOL_LEN];
	struct page_counts counts;
	struct page_share share;
	int r;

	page_pool_target(pool, target);
	if (!journal_find(run->journal, &state_pages, target))
		return 0;
	r = journal_lock(&run->host, run_deadline(run), &lock, err);
	if (r >= 0)
		r = page_pool_read(&run->host, pool, &counts, err);
	if (r < 0)
		return r;
	share = own_share(run, pool, counts.persistent);
	share.taken -= pages < share.taken ? pages : share.taken;
	if (share.share == 0 && share.taken == 0)
		return journal_strike(run->journal, &state_pages, target, err);
	return page_share_record(run, pool, &share, err);
}
