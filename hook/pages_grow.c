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

void page_growth_done(struct page_growth *g)
{
	free(g->pools);
	free(g->took);
	*g = (struct page_growth){};
}

static int add_pool(struct page_growth *g, int node)
{
	int r = array_grow(&g->pools, g->n, sizeof(*g->pools));

	if (r >= 0)
		r = array_grow(&g->took, g->n, sizeof(*g->took));
	if (r < 0)
		return r;
	g->pools[g->n] = (struct page_pool){ .size = g->goal->size, .node = node };
	g->took[g->n++] = 0;
	return 0;
}

/*
 * On a machine with several nodes each has its own record: the kernel takes pages of a
 * global write back from its nodes in turn, which need not be where they came from.
 * The goal's own nodes come first, then the others that are good enough.
 */
static int find_pools(struct page_growth *g, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list all = {};
	const struct cpu_list *nodes = g->goal->nodes;
	int r = pages_nodes(&g->run->host, &all, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r >= 0 && nodes && i < nodes->n; i++)
		r = add_pool(g, (int)nodes->cpu[i]);
	g->first = g->n;
	for (size_t i = 0; r >= 0 && !g->goal->only && all.n > 1 && i < all.n; i++)
		if (!nodes || !cpu_list_contains(nodes, all.cpu[i]))
			r = add_pool(g, (int)all.cpu[i]);
	if (r >= 0 && !g->n)
		r = add_pool(g, -1);
	if (!nodes)
		g->first = g->n;
	return r < 0 ? error_oom(err) : 0;
}

static int pool_room(const struct page_growth *g, size_t i, struct page_room *ret,
		     struct error *err)
{
	unsigned node = (unsigned)g->pools[i].node;
	const struct cpu_list nodes = { .cpu = &node, .n = 1 };

	return pages_room(&g->run->host, g->pools[i].node < 0 ? NULL : &nodes, ret, err);
}

static int grow_pool(struct page_growth *g, size_t i, uint64_t part, struct error *err)
{
	const uint64_t size = g->goal->size;

	while (part > 0 && run_time_left(g->run) > 0) {
		uint64_t slice = SLICE_BYTES / size ? SLICE_BYTES / size : 1;
		struct page_room room;
		int64_t moved;
		int r = run_cancelled(g->run, err);

		if (r >= 0)
			r = pool_room(g, i, &room, err);
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
		run_tell(g->run, RUN_GOES_ON, "%" PRIu64 " of %" PRIu64 " pages", g->got,
			 g->wanted);
		if ((uint64_t)moved < slice)
			break;
	}
	return 0;
}

/* Evenly over the first N pools, then, for what one of them lacks, from all of them. */
static int grow_once(struct page_growth *g, size_t n, struct error *err)
{
	int r = 0;

	for (size_t pools = n; r >= 0 && pools > 0; pools--) {
		uint64_t left = g->wanted - g->got;

		r = grow_pool(g, n - pools, (left + pools - 1) / pools, err);
	}
	for (size_t i = 0; r >= 0 && i + 1 < n; i++)
		r = grow_pool(g, i, g->wanted - g->got, err);
	return r;
}

/* Once each: a run that finds nothing to do still walks all of memory. */
static int compact(struct page_growth *g, size_t n, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r != -ETIMEDOUT && i < n; i++) {
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
static int drop_caches(struct page_growth *g, struct error *err)
{
	int r = guard_call(g->run, "hugepages: sync", do_sync, NULL, err);

	if (r >= 0)
		r = guard_write(g->run, "/proc/sys/vm/drop_caches", "1", err);
	if (r >= 0)
		run_note(g->run, "dropped the page cache");
	return r;
}

static int compact_and_grow(struct page_growth *g, size_t n, struct error *err)
{
	int r;

	log_info("hugepages: %" PRIu64 " of %" PRIu64 " pages came: compacting memory",
		 g->got, g->wanted);
	r = compact(g, n, err);
	return r < 0 ? r : grow_once(g, n, err);
}

static bool is_short(const struct page_growth *g)
{
	return g->got < g->wanted && run_time_left(g->run) > 0;
}

/* From the first N pools. */
static int grow(struct page_growth *g, size_t n, struct error *err)
{
	const uint64_t per_cent = g->wanted / 100;
	uint64_t least = per_cent > GAIN_PAGES ? per_cent : GAIN_PAGES, before = 0;
	int r = grow_once(g, n, err);

	if (g->goal->size > SLICE_BYTES)
		least = 1;
	do {
		before = g->got;
		if (r >= 0 && is_short(g))
			r = compact_and_grow(g, n, err);
	} while (r >= 0 && is_short(g) && g->got - before >= least);
	return r;
}

int page_growth_run(struct page_growth *g, struct error *err)
{
	const uint64_t elsewhere = g->goal->elsewhere;
	int r = find_pools(g, err);

	g->wanted = g->goal->need;
	if (r >= 0)
		r = grow(g, g->first, err);
	/* the pages that lie ready on other nodes are good enough then, and more of them */
	g->wanted -= elsewhere < g->wanted - g->got ? elsewhere : g->wanted - g->got;
	if (r >= 0 && is_short(g) && g->first < g->n)
		r = grow(g, g->n, err);
	if (r >= 0 && is_short(g) && g->goal->drop_caches) {
		r = drop_caches(g, err);
		if (r >= 0)
			r = compact_and_grow(g, g->n, err);
	}
	return r;
}

int page_growth_give_back(struct page_growth *g, struct error *err)
{
	int64_t moved;
	int r = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->took[i] && r >= 0)
			r = page_pool_move(g->run, &g->pools[i], -(int64_t)g->took[i],
					   &moved, err);
		if (r >= 0)
			r = pages_unclaim(g->run, &g->pools[i], 0, err);
	}
	return r;
}
