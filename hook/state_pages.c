/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools of huge pages as targets. Others may change a pool while we do, so its old value
 * is not what is put back: the journal's data tells how much of the pool is ours, and
 * the way back takes that away from whatever is found then.
 */
#include <inttypes.h>

#include "pages.h"
#include "util.h"

static int pages_read(const struct host *host, const char *target, char **ret,
		      struct error *err);
static int pages_change(struct run *run, const struct record *record, const char *from,
			const char *to, struct error *err);
static int pages_undo(struct run *run, const struct record *record, const char *now,
		      struct error *err);

const struct state_kind state_pages = {
	.name = "pages",
	.shared = false, /* shares add up: nobody's claim stands in another's way */
	.relative = true,
	.read = pages_read,
	.change = pages_change,
	.undo = pages_undo,
};

static int pages_read(const struct host *host, const char *target, char **ret,
		      struct error *err)
{
	struct page_counts counts;
	struct page_pool pool;
	char *text;
	int r = page_pool_parse(target, &pool);

	if (r < 0)
		return error_set(err, r, "%s is no pool of huge pages", target);
	r = page_pool_read(host, &pool, &counts, err);
	if (r < 0)
		return r;
	if (asprintf(&text, "%" PRIu64, counts.persistent) < 0)
		return error_oom(err);
	*ret = text;
	return 0;
}

static int pages_change(struct run *run, const struct record *record,
			const char *from _unused_, const char *to, struct error *err)
{
	struct page_pool pool;
	uint64_t value;

	if (page_pool_parse(record->target, &pool) < 0 || parse_u64(to, &value) < 0)
		return error_set(err, -EINVAL, "%s: %s is no number of pages",
				 record->target, to);
	return page_pool_set(run, &pool, value, err);
}

struct page_share page_share_of(const struct record *record, uint64_t found)
{
	struct page_share s = {};
	uint64_t low, high;

	if (!record || sscanf(record->data,
			      "share=%" SCNu64 " from=%" SCNu64 " to=%" SCNu64
			      " taken=%" SCNu64 " by=%d",
			      &s.share, &s.from, &s.to, &s.taken, &s.by) != 5) {
		s = (struct page_share){ .from = found, .to = found };
		return s;
	}
	low = s.from < s.to ? s.from : s.to;
	high = s.from < s.to ? s.to : s.from;
	if (found < low)
		found = low;
	if (found > high)
		found = high;
	/* one of the two is true: the pair went up, or down */
	if (found >= s.from)
		s.share += found - s.from;
	else
		s.share -= s.from - found < s.share ? s.from - found : s.share;
	s.from = s.to = found;
	return s;
}

int page_share_record(struct run *run, const struct page_pool *pool,
		      const struct page_share *share, struct error *err)
{
	char old[24], new[24], data[128], target[PAGE_POOL_LEN];
	const struct record *record;

	page_pool_target(pool, target);
	record = journal_find(run->journal, &state_pages, target);
	snprintf(old, sizeof(old), "%" PRIu64, share->from);
	snprintf(new, sizeof(new), "%" PRIu64, share->to);
	snprintf(data, sizeof(data),
		 "share=%" PRIu64 " from=%" PRIu64 " to=%" PRIu64 " taken=%" PRIu64
		 " by=%d",
		 share->share, share->from, share->to, share->taken, share->by);
	return journal_record(run->journal, &state_pages, target, old, new, data,
			      record ? record->phase : run->event.phase, err);
}

/*
 * A node's file counts the surplus of other nodes as if it were to stay, and so keeps
 * pages in use that should become surplus as well: the file for all nodes does not.
 */
static int shrink_all(struct run *run, const struct page_pool *pool, uint64_t to,
		      struct error *err)
{
	struct page_pool all = { .size = pool->size, .node = -1 };
	struct page_counts node = {}, total = {};
	int r = page_pool_read(&run->host, pool, &node, err);

	if (r >= 0)
		r = page_pool_read(&run->host, &all, &total, err);
	if (r < 0 || node.persistent <= to || total.persistent < node.persistent - to)
		return r;
	return page_pool_set(run, &all, total.persistent - (node.persistent - to), err);
}

/* The write of a pair, and what became of it. SHARE is settled at the value found. */
static int move_pair(struct run *run, const struct page_pool *pool, int64_t by,
		     struct page_share *share, struct error *err)
{
	struct page_counts counts;
	int r, written;

	share->to = share->from + (uint64_t)by;
	r = page_share_record(run, pool, share, err);
	if (r < 0)
		return r;
	written = page_pool_set(run, pool, share->to, err);
	if (written >= 0 && by < 0 && pool->node >= 0)
		written = shrink_all(run, pool, share->to, err);
	if (written == -ETIMEDOUT)
		return written; /* still going on: the pair stays open */
	r = page_pool_read(&run->host, pool, &counts, err);
	if (r < 0)
		return r;
	*share = page_share_of(journal_find(run->journal, &state_pages,
					    page_pool_target(pool,
							     (char[PAGE_POOL_LEN]){})),
			       counts.persistent);
	r = page_share_record(run, pool, share, err);
	return r < 0 ? r : written;
}

/* The wait for others is theirs: it does not count against what we have for our own. */
static int take_turn(struct run *run, int *ret_fd, struct error *err)
{
	const int64_t since = now_ms();
	int r = journal_lock_pages(&run->host, run->journal->domain, run_deadline(run),
				   ret_fd, err);

	run->deadline += now_ms() - since;
	return r;
}

int page_pool_move(struct run *run, const struct page_pool *pool, int64_t by,
		   int64_t *ret_moved, struct error *err)
{
	_cleanup_close_ int lock = -1;
	char target[PAGE_POOL_LEN];
	struct page_counts counts;
	struct page_share share;
	uint64_t before, most;
	int r;

	r = take_turn(run, &lock, err);
	if (r < 0)
		return r;
	r = page_pool_read(&run->host, pool, &counts, err);
	if (r < 0)
		return r;
	page_pool_target(pool, target);
	share = page_share_of(journal_find(run->journal, &state_pages, target),
			      counts.persistent);
	share.from = counts.persistent;
	before = share.share;
	most = share.share < counts.persistent ? share.share : counts.persistent;
	if (by < -(int64_t)most)
		by = -(int64_t)most;
	if (by != 0)
		r = move_pair(run, pool, by, &share, err);
	if (r >= 0)
		*ret_moved = (int64_t)share.share - (int64_t)before;
	return r;
}

/*
 * Pages that a guest still has become surplus and vanish when it lets go of them: that
 * is as good as given back, so there is nothing to wait for.
 */
static int pages_undo(struct run *run, const struct record *record, const char *now,
		      struct error *err)
{
	struct page_pool pool;
	uint64_t found, due;
	int64_t moved;
	int r;

	if (page_pool_parse(record->target, &pool) < 0 || parse_u64(now, &found) < 0)
		return error_set(err, -EINVAL, "%s: %s is no number of pages",
				 record->target, now);
	due = page_share_of(record, found).share;
	if (due > found)
		due = found;
	if (due == 0)
		return 0;
	r = page_pool_move(run, &pool, -(int64_t)due, &moved, err);
	if (r < 0)
		return r;
	if ((uint64_t)-moved < due) {
		char target[PAGE_POOL_LEN];

		return error_set(
			err, -EBUSY,
			"%s: gave back %" PRIu64 " of our %" PRIu64
			" pages, the kernel kept the others: try vfio-hook undo again",
			page_pool_target(&pool, target), (uint64_t)-moved, due);
	}
	return 0;
}
