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

/* What the host can spare: MemAvailable (of the node) less a reserve. */
struct page_room {
	uint64_t available, reserve, room; /* bytes */
};
int pages_room(const struct host *host, const struct page_pool *pool,
	       struct page_room *ret, struct error *err);

struct page_goal {
	struct page_pool pool;
	uint64_t pages; /* that the guest will need */
	bool drop_caches, partial;
};

/*
 * How many pages must come into the pool for GOAL: it has free ones, but some of them
 * are promised to others. From now on GOAL's pages are, too, until pages_unclaim().
 */
int pages_claim(struct run *run, const struct page_goal *goal, uint64_t *ret_need,
		struct error *err);
/* PAGES of the pool are free for others; a record that says nothing more is struck. */
int pages_unclaim(struct run *run, const struct page_pool *pool, uint64_t pages,
		  struct error *err);
/* In a plan: GROWN pages came into the pool. */
int pages_simulate(struct run *run, const struct page_pool *pool, uint64_t grown,
		   struct error *err);

/* Sees to it that GOAL->pages free pages wait for the guest. */
int pages_allocate(struct run *run, const struct page_goal *goal, struct error *err);
/* The size of a page that the kernel takes when nobody names one. */
int pages_default_size(const struct host *host, uint64_t *ret, struct error *err);
/* "2 MiB", "12.7 GiB" */
const char *pages_amount(uint64_t bytes, char buf[32]);
