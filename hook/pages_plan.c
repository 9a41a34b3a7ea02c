/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Huge pages in a plan: what its steps would have put into the pools so far, and what
 * of that they count on for the guest. The overlay keeps both.
 */
#include <inttypes.h>

#include "effect.h"
#include "pages.h"

/* Could pages that are counted in POOL be on one of NODES (NULL: on any)? */
bool page_pool_may_be_on(const struct page_pool *pool, const struct cpu_list *nodes)
{
	return !nodes || pool->node < 0 || cpu_list_contains(nodes, (unsigned)pool->node);
}

/* Must they? */
static bool must_be_on(const struct page_pool *pool, const struct cpu_list *nodes)
{
	return !nodes ||
	       (pool->node >= 0 && cpu_list_contains(nodes, (unsigned)pool->node));
}

/* In the overlay: what earlier steps of the plan took of the pool. */
static const char *taken_name(const struct page_pool *pool, char buf[PAGE_POOL_LEN])
{
	char target[PAGE_POOL_LEN];

	page_pool_target(pool, target);
	snprintf(buf, PAGE_POOL_LEN, "%.40s taken", target);
	return buf;
}

static uint64_t overlay_number(const struct run *run, const char *name, uint64_t def)
{
	const char *text = overlay_get(run->host.overlay, &state_pages, name);
	uint64_t value;

	return text && parse_u64(text, &value) == 0 ? value : def;
}

static int overlay_set_number(struct run *run, const char *name, uint64_t value,
			      struct error *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	if (overlay_set(run->host.overlay, &state_pages, name, text) < 0)
		return error_oom(err);
	return 0;
}

/* The pool of a size of the whole machine (-1), then of each node in turn. */
static bool next_pool(const struct cpu_list *all, struct page_pool *pool, size_t *i)
{
	if (*i > all->n)
		return false;
	pool->node = *i ? (int)all->cpu[*i - 1] : -1;
	++*i;
	return true;
}

static uint64_t planned_growth(const struct run *run, const struct page_pool *pool)
{
	char target[PAGE_POOL_LEN];
	struct page_counts counts;
	uint64_t planned;

	if (!overlay_get(run->host.overlay, &state_pages,
			 page_pool_target(pool, target)) ||
	    page_pool_read(&run->host, pool, &counts, NULL) < 0)
		return 0;
	planned = overlay_number(run, target, counts.persistent);
	return planned > counts.persistent ? planned - counts.persistent : 0;
}

int pages_plan_take(struct run *run, const struct page_pool *pool, uint64_t pages,
		    struct error *err)
{
	char name[PAGE_POOL_LEN];
	uint64_t taken = overlay_number(run, taken_name(pool, name), 0);

	return overlay_set_number(run, name, taken + pages, err);
}

int pages_plan_grow(struct run *run, const struct page_pool *pool, uint64_t grown,
		    struct error *err)
{
	char target[PAGE_POOL_LEN], what[PAGE_POOL_LEN + 8], now_text[24], then_text[24];
	struct page_counts counts;
	uint64_t now;
	int r = page_pool_read(&run->host, pool, &counts, err);

	if (r < 0)
		return r;
	page_pool_target(pool, target);
	now = overlay_number(run, target, counts.persistent);
	snprintf(now_text, sizeof(now_text), "%" PRIu64, now);
	snprintf(then_text, sizeof(then_text), "%" PRIu64, now + grown);
	run_change(run, state_describe(&state_pages, target, what, sizeof(what)),
		   now_text, then_text);
	effect_note_way_back(run, &state_pages, target, NULL);
	return overlay_set_number(run, target, now + grown, err);
}

uint64_t pages_planned(const struct run *run, const struct cpu_list *nodes)
{
	_cleanup_(cpu_list_done) struct cpu_list all = {};
	_cleanup_strv_ struct strv sizes = {};
	struct page_pool pool = {};
	uint64_t bytes = 0;

	if (pages_nodes(&run->host, &all, NULL) < 0)
		return 0;
	(void)host_list(&run->host, &sizes, "/sys/kernel/mm/hugepages");
	for (size_t i = 0; i < sizes.n; i++) {
		if (sscanf(sizes.v[i], "hugepages-%" SCNu64 "kB", &pool.size) != 1)
			continue;
		pool.size *= 1024;
		for (size_t k = 0; next_pool(&all, &pool, &k);) {
			uint64_t grown = planned_growth(run, &pool) * pool.size;

			if (nodes && pool.node < 0 && all.n) /* evenly, then */
				grown = grown / all.n * nodes->n;
			if (page_pool_may_be_on(&pool, nodes))
				bytes += grown;
		}
	}
	return bytes;
}

/* What earlier steps of this very start put there, and what they count on. */
int pages_plan_supply(const struct run *run, uint64_t size, const struct cpu_list *nodes,
		      struct page_supply *s, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list all = {};
	struct page_pool pool = { .size = size };
	char name[PAGE_POOL_LEN];
	int r = pages_nodes(&run->host, &all, err);

	for (size_t i = 0; r >= 0 && next_pool(&all, &pool, &i);) {
		if (must_be_on(&pool, nodes))
			s->free += planned_growth(run, &pool);
		if (page_pool_may_be_on(&pool, nodes))
			s->away += overlay_number(run, taken_name(&pool, name), 0);
	}
	return r;
}
