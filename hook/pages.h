/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Huge pages. A pool is shared by everybody, so we never set it to a number of our own:
 * we add pages, remember how many of them are ours, and take away no more than that.
 */

/* The pages of one size, of the whole machine or of one NUMA node. */
struct page_pool {
	uint64_t size; /* bytes */
	int node; /* -1: all */
};

struct page_counts {
	uint64_t persistent; /* nr - surplus: what a write to nr_hugepages sets */
	uint64_t free, reserved;
};

/*
 * What the journal's data says of a pool: SHARE pages of it were ours before it was to
 * move from FROM to TO. TAKEN of its pages, ours or not, are what the steps of the
 * process BY count on for the guest.
 */
struct page_share {
	uint64_t share, from, to, taken;
	int by;
};

#define PAGE_POOL_LEN 64

/* "hugepages-2048kB/all" or "…/node0". */
const char *page_pool_target(const struct page_pool *pool, char buf[PAGE_POOL_LEN]);
int page_pool_parse(const char *target, struct page_pool *ret);
bool page_pool_exists(const struct host *host, const struct page_pool *pool);
int page_pool_read(const struct host *host, const struct page_pool *pool,
		   struct page_counts *ret, struct error *err);
/* Makes the pool VALUE pages, or as many as there can be until the run's deadline. */
int page_pool_set(struct run *run, const struct page_pool *pool, uint64_t value,
		  struct error *err);
/*
 * Adds BY pages to the pool, or takes away up to as many as are ours, as one journalled
 * pair. *RET_MOVED is what really came or went: less is no error.
 */
int page_pool_move(struct run *run, const struct page_pool *pool, int64_t by,
		   int64_t *ret_moved, struct error *err);

/* What RECORD says when the pool has FOUND persistent pages: an open pair is decided. */
struct page_share page_share_of(const struct record *record, uint64_t found);
/* Journals SHARE; the caller holds the lock. */
int page_share_record(struct run *run, const struct page_pool *pool,
		      const struct page_share *share, struct error *err);

/* "2 MiB", "12.7 GiB" */
const char *pages_amount(uint64_t bytes, char buf[32]);
/* The size of a page that the kernel takes when nobody names one. */
int pages_default_size(const struct host *host, uint64_t *ret, struct error *err);
/* The nodes of the host that have memory; the caller frees *RET. */
int pages_nodes(const struct host *host, struct cpu_list *ret, struct error *err);

/* What the host can spare: MemAvailable (of the nodes) less a reserve. */
struct page_room {
	uint64_t available, reserve, room; /* bytes */
};
/* NODES NULL: the whole machine. */
int pages_room(const struct host *host, const struct cpu_list *nodes,
	       struct page_room *ret, struct error *err);

/* Pages of one size that a guest will need in the same place. */
struct page_goal {
	uint64_t size; /* bytes of a page */
	uint64_t pages;
	const struct cpu_list *nodes; /* of the host; NULL: any */
	bool only; /* from these nodes and no others */
	bool drop_caches, partial;
	char who[64]; /* "cell 0, cell 2"; "" the guest */

	/* pages_claim() tells. */
	uint64_t need; /* so many are to come into the pools of the goal's nodes */
	uint64_t elsewhere; /* so many of them lie ready on other nodes, if need be */
};

/* Where a claim of GOAL is noted: its node when it is bound to one, else "all". */
struct page_pool page_goal_pool(const struct page_goal *goal);
/* " on node 1", "" for any, in BUF; returns BUF. */
const char *page_goal_place(const struct page_goal *goal, char buf[64]);

/*
 * How many pages must come into the pools for the N goals: there are free ones, but some
 * of them are promised to others. From now on the goals' pages are, too, until
 * pages_unclaim().
 */
int pages_claim(struct run *run, struct page_goal *goals, size_t n, struct error *err);
/* PAGES of the pool are free for others; a record that says nothing more is struck. */
int pages_unclaim(struct run *run, const struct page_pool *pool, uint64_t pages,
		  struct error *err);
/* The free pages of one size on some nodes, and those that are not for us. */
struct page_supply {
	uint64_t free, away;
};

/*
 * In a plan, where NODES NULL means the whole machine: GROWN pages came into the pool, as
 * a change; PAGES of it are counted on; both added to what is free and away; the bytes
 * of what came.
 */
int pages_plan_grow(struct run *run, const struct page_pool *pool, uint64_t grown,
		    struct error *err);
int pages_plan_take(struct run *run, const struct page_pool *pool, uint64_t pages,
		    struct error *err);
int pages_plan_supply(const struct run *run, uint64_t size, const struct cpu_list *nodes,
		      struct page_supply *supply, struct error *err);
uint64_t pages_planned(const struct run *run, const struct cpu_list *nodes);
/* Could pages that are counted in POOL be on one of NODES? */
bool page_pool_may_be_on(const struct page_pool *pool, const struct cpu_list *nodes);

/* The growth of the pools for one goal, and what it took of each. */
struct page_growth {
	struct run *run;
	const struct page_goal *goal;
	struct page_pool *pools;
	uint64_t *took;
	size_t n, first; /* the first FIRST pools are those where the pages should be */
	uint64_t wanted, got;
};

/* Less than what is wanted is no error: compare GOT with NEED - ELSEWHERE. */
int page_growth_run(struct page_growth *growth, struct error *err);
/* What this growth took, and only that; what remains is left to the phase's undo. */
int page_growth_give_back(struct page_growth *growth, struct error *err);
void page_growth_done(struct page_growth *growth);

/*
 * Sees to it that free pages wait for the guest, GOAL->pages of each of the N goals:
 * all of them, or none and an error.
 */
int pages_allocate(struct run *run, struct page_goal *goals, size_t n, struct error *err);
