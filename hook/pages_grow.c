/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting huge pages: in slices, each of them journalled, with a look at what the host
 * has left before each. A write that comes out short is no error to the kernel; then
 * compaction may help, and as a last resort dropping the page cache. What cannot be had
 * in full is given back.
 */
#include <inttypes.h>

#include "effect.h"
#include "guard.h"
#include "log.h"
#include "pages.h"

#define SLICE_BYTES (512ULL << 20)
#define GAIN_PAGES 8 /* a round that brings less than this, or 1 %, is the last */
#define GIVE_BACK_MS 10000

struct growth {
	struct run *run;
	const struct page_goal *goal;
	struct page_pool *pools;
	uint64_t *took; /* of each pool */
	size_t n;
	uint64_t need, got;
};

static void growth_done(struct growth *g)
{
	free(g->pools);
	free(g->took);
}

static int add_pool(struct growth *g, int node)
{
	int r = array_grow(&g->pools, g->n, sizeof(*g->pools));

	if (r >= 0)
		r = array_grow(&g->took, g->n, sizeof(*g->took));
	if (r < 0)
		return r;
	g->pools[g->n] = (struct page_pool){ .size = g->goal->pool.size, .node = node };
	g->took[g->n++] = 0;
	return 0;
}

/*
 * On a machine with several nodes each has its own record: the kernel takes pages of a
 * global write back from its nodes in turn, which need not be where they came from.
 */
static int find_pools(struct growth *g, struct error *err)
{
	_cleanup_strv_ struct strv names = {};
	struct page_pool pool = g->goal->pool;
	int r = 0;

	if (pool.node < 0)
		(void)host_list(&g->run->host, &names, "/sys/devices/system/node");
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		struct page_room room;

		if (sscanf(names.v[i], "node%d", &pool.node) == 1 &&
		    page_pool_exists(&g->run->host, &pool) &&
		    pages_room(&g->run->host, &pool, &room, NULL) == 0 && room.available)
			r = add_pool(g, pool.node);
	}
	if (r >= 0 && g->n < 2) {
		g->n = 0;
		r = add_pool(g, g->goal->pool.node);
	}
	return r < 0 ? error_oom(err) : 0;
}

static int grow_pool(struct growth *g, size_t i, uint64_t part, struct error *err)
{
	const uint64_t size = g->goal->pool.size;

	while (part > 0 && run_time_left(g->run) > 0) {
		uint64_t slice = SLICE_BYTES / size ? SLICE_BYTES / size : 1;
		struct page_room room;
		int64_t moved;
		int r = run_cancelled(g->run, err);

		if (r >= 0)
			r = pages_room(&g->run->host, &g->pools[i], &room, err);
		if (r < 0)
			return r;
		if (slice > part)
			slice = part;
		if (slice > room.room / size)
			slice = room.room / size;
		if (!slice)
			break;
		r = page_pool_move(g->run, &g->pools[i], (int64_t)slice, &moved, err);
		if (r < 0)
			return r;
		g->took[i] += (uint64_t)moved;
		g->got += (uint64_t)moved;
		part -= (uint64_t)moved;
		if ((uint64_t)moved < slice)
			break;
	}
	return 0;
}

/* Evenly over the pools, then, for what one of them lacks, from all of the others. */
static int grow_once(struct growth *g, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < g->n; i++) {
		uint64_t left = g->need - g->got, pools = g->n - i;

		r = grow_pool(g, i, (left + pools - 1) / pools, err);
	}
	for (size_t i = 0; r >= 0 && i + 1 < g->n; i++)
		r = grow_pool(g, i, g->need - g->got, err);
	return r;
}

/* Once each: a run that finds nothing to do still walks all of memory. */
static int compact(struct growth *g, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r != -ETIMEDOUT && i < g->n; i++) {
		_cleanup_error_ struct error ignored = {};
		char path[64] = "/proc/sys/vm/compact_memory";

		if (g->pools[i].node >= 0)
			snprintf(path, sizeof(path),
				 "/sys/devices/system/node/node%d/compact",
				 g->pools[i].node);
		r = guard_write(g->run, path, "1", &ignored);
		if (r < 0)
			log_debug("hugepages: %s", error_text(&ignored));
		if (r == -ETIMEDOUT)
			error_set(err, r, "%s", error_text(&ignored));
	}
	return r == -ETIMEDOUT ? r : 0; /* a kernel without compaction is no failure */
}

static int do_sync(void *arg _unused_)
{
	sync();
	return 0;
}

/* Dirty pages stay in the cache, so they are written first. */
static int drop_caches(struct growth *g, struct error *err)
{
	int r = guard_call(g->run, "hugepages: sync", do_sync, NULL, err);

	if (r >= 0)
		r = guard_write(g->run, "/proc/sys/vm/drop_caches", "1", err);
	if (r >= 0)
		run_note(g->run, "dropped the page cache");
	return r;
}

static int compact_and_grow(struct growth *g, struct error *err)
{
	int r = compact(g, err);

	return r < 0 ? r : grow_once(g, err);
}

static bool is_short(const struct growth *g)
{
	return g->got < g->need && run_time_left(g->run) > 0;
}

static int grow(struct growth *g, struct error *err)
{
	const uint64_t per_cent = g->need / 100;
	uint64_t least = per_cent > GAIN_PAGES ? per_cent : GAIN_PAGES, before = 0;
	int r = grow_once(g, err);

	if (g->goal->pool.size > SLICE_BYTES)
		least = 1;
	do {
		before = g->got;
		if (r >= 0 && is_short(g))
			r = compact_and_grow(g, err);
	} while (r >= 0 && is_short(g) && g->got - before >= least);
	if (r >= 0 && is_short(g) && g->goal->drop_caches) {
		r = drop_caches(g, err);
		if (r >= 0)
			r = compact_and_grow(g, err);
	}
	return r;
}

/* What this step took, and only that; what remains is left to the undo of the phase. */
static void give_back(struct growth *g)
{
	const int64_t deadline = g->run->deadline, until = now_ms() + GIVE_BACK_MS;
	_cleanup_error_ struct error err = {};
	int64_t moved;
	int r = 0;

	if (g->run->deadline < until)
		g->run->deadline = until;
	for (size_t i = 0; i < g->n; i++) {
		if (g->took[i] && r >= 0)
			r = page_pool_move(g->run, &g->pools[i], -(int64_t)g->took[i],
					   &moved, &err);
		if (r >= 0)
			r = pages_unclaim(g->run, &g->pools[i], 0, &err);
	}
	if (r >= 0)
		r = pages_unclaim(g->run, &g->goal->pool, g->goal->pages, &err);
	if (r < 0)
		log_warn("hugepages: giving back: %s", error_text(&err));
	g->run->deadline = deadline;
}

/* "12.7 of 16.0 GiB" */
static const char *part_text(uint64_t part, uint64_t whole, char buf[64])
{
	const uint64_t a = (part >> 20) * 10 / 1024, b = (whole >> 20) * 10 / 1024;

	if (whole < 1ULL << 30)
		snprintf(buf, 64, "%" PRIu64 " of %" PRIu64 " MiB", part >> 20,
			 whole >> 20);
	else
		snprintf(buf, 64,
			 "%" PRIu64 ".%" PRIu64 " of %" PRIu64 ".%" PRIu64 " GiB", a / 10,
			 a % 10, b / 10, b % 10);
	return buf;
}

static int come_out_short(struct growth *g, struct error *err)
{
	const struct page_goal *goal = g->goal;
	const uint64_t size = goal->pool.size, got = goal->pages - (g->need - g->got);
	char numbers[160], page[32], part[64];

	snprintf(numbers, sizeof(numbers),
		 "hugepages: got %" PRIu64 " of %" PRIu64 " pages of %s (%s)", got,
		 goal->pages, pages_amount(size, page),
		 part_text(got * size, goal->pages * size, part));
	if (goal->partial) {
		run_warn(g->run, "%s: going on with them (partial=yes)", numbers);
		return 0;
	}
	if (size > SLICE_BYTES)
		return error_set(
			err, -ENOMEM,
			"%s: no free stretch of memory is that long: use size=2M, or boot "
			"with hugepagesz=1G hugepages=%" PRIu64
			" on the kernel's command line",
			numbers, goal->pages);
	return error_set(
		err, -ENOMEM,
		"%s: memory is fragmented or in use; end some programs, %s, or take the "
		"pages early, in [boot/begin]",
		numbers,
		goal->drop_caches ? "give the guest less memory" : "add drop-caches=yes");
}

static int refuse(struct run *run, const struct page_goal *goal, uint64_t need,
		  const struct page_room *room, struct error *err)
{
	char page[32], bytes[32], spare[32], available[32], reserve[32];

	pages_amount(need * goal->pool.size, bytes);
	pages_amount(goal->pool.size, page);
	pages_amount(room->room, spare);
	pages_amount(room->available, available);
	pages_amount(room->reserve, reserve);
	return run_problem(
		run, -ENOMEM, err,
		"hugepages: %s more are needed (%" PRIu64 " x %s), but the host can "
		"spare %s only (%s available, %s of it kept back): end some programs "
		"or give the guest less memory",
		bytes, need, page, spare, available, reserve);
}

static int report_growth(struct growth *g, struct error *err)
{
	char target[PAGE_POOL_LEN], what[PAGE_POOL_LEN + 8], now[24], then[24];
	struct page_counts counts;
	int r;

	for (size_t i = 0; i < g->n; i++) {
		if (!g->took[i])
			continue;
		r = page_pool_read(&g->run->host, &g->pools[i], &counts, err);
		if (r < 0)
			return r;
		snprintf(now, sizeof(now), "%" PRIu64, counts.persistent - g->took[i]);
		snprintf(then, sizeof(then), "%" PRIu64, counts.persistent);
		page_pool_target(&g->pools[i], target);
		run_change(g->run,
			   state_describe(&state_pages, target, what, sizeof(what)), now,
			   then);
	}
	return 0;
}

static int grow_for_real(struct growth *g, const struct page_room *room, struct error *err)
{
	int r = 0;

	if (room->room / g->goal->pool.size < g->need && !g->goal->partial)
		r = refuse(g->run, g->goal, g->need, room, err);
	if (r >= 0)
		r = find_pools(g, err);
	if (r >= 0)
		r = grow(g, err);
	if (r >= 0 && g->got < g->need)
		r = come_out_short(g, err);
	if (r >= 0)
		r = report_growth(g, err);
	if (r < 0)
		give_back(g);
	return r;
}

int pages_allocate(struct run *run, const struct page_goal *goal, struct error *err)
{
	_cleanup_(growth_done) struct growth g = { .run = run, .goal = goal };
	struct page_room room;
	char page[32];
	int r = pages_room(&run->host, &goal->pool, &room, err);

	if (r >= 0)
		r = pages_claim(run, goal, &g.need, err);
	if (r < 0)
		return r;
	if (g.need == 0) {
		run_note(run, "%" PRIu64 " pages of %s are free already", goal->pages,
			 pages_amount(goal->pool.size, page));
		return 0;
	}
	if (!run->simulate)
		return grow_for_real(&g, &room, err);
	if (room.room / goal->pool.size < g.need) {
		if (goal->partial)
			g.need = room.room / goal->pool.size;
		else
			r = refuse(run, goal, g.need, &room, err);
	}
	return r < 0 ? r : pages_simulate(run, &goal->pool, g.need, err);
}
