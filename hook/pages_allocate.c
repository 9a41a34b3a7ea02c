/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All the huge pages of a guest: is there room for every goal, before the first page is
 * taken; then one after the other, and all of them back when one cannot be had.
 */
#include <inttypes.h>

#include "cpus.h"
#include "effect.h"
#include "log.h"
#include "pages.h"

#define GIVE_BACK_MS 10000
#define GIGANTIC_BYTES (512ULL << 20) /* longer than what the buddy allocator keeps */

const char *page_goal_place(const struct page_goal *goal, char buf[64])
{
	_cleanup_free_ char *nodes = goal->nodes ? cpus_text(goal->nodes) : NULL;

	*buf = '\0';
	if (nodes)
		snprintf(buf, 64, " on node%s %.40s", goal->nodes->n > 1 ? "s" : "",
			 nodes);
	return buf;
}

/* "cell 0: ", or nothing for the whole guest. */
static const char *for_whom(const struct page_goal *goal, char buf[80])
{
	snprintf(buf, 80, "%s%s", goal->who, *goal->who ? ": " : "");
	return buf;
}

/* What has to come into pools: as few as will do. */
static uint64_t least(const struct page_goal *goal)
{
	return goal->need - goal->elsewhere;
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

static int come_out_short(struct page_growth *g, struct error *err)
{
	const struct page_goal *goal = g->goal;
	const uint64_t size = goal->size, got = goal->pages - (least(goal) - g->got);
	char numbers[320], page[32], part[64], who[80], place[64];

	snprintf(numbers, sizeof(numbers),
		 "hugepages: %sgot %" PRIu64 " of %" PRIu64 " pages of %s%s (%s)",
		 for_whom(goal, who), got, goal->pages, pages_amount(size, page),
		 page_goal_place(goal, place),
		 part_text(got * size, goal->pages * size, part));
	if (goal->partial) {
		run_warn(g->run, "%s: going on with them (partial=yes)", numbers);
		return 0;
	}
	if (run_time_left(g->run) == 0)
		return error_set(err, -ETIMEDOUT,
				 "%s: there was no time for more: raise timeout=, or take "
				 "the pages early, in [boot/begin]",
				 numbers);
	if (size > GIGANTIC_BYTES)
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

static int refuse(struct run *run, const struct page_goal *goal,
		  const struct page_room *room, struct error *err)
{
	char page[32], bytes[32], spare[32], available[32], reserve[32], who[80],
		place[64];

	pages_amount(least(goal) * goal->size, bytes);
	pages_amount(goal->size, page);
	pages_amount(room->room, spare);
	pages_amount(room->available, available);
	pages_amount(room->reserve, reserve);
	page_goal_place(goal, place);
	return run_problem(
		run, -ENOMEM, err,
		"hugepages: %s%s more are needed (%" PRIu64 " x %s)%s, but %s can "
		"spare %s only (%s available, %s of it kept back): end some programs "
		"or give the guest less memory",
		for_whom(goal, who), bytes, least(goal), page, place,
		goal->only ? "it" : "the host", spare, available, reserve);
}

/* Of the bytes that the N goals before will take, what may be on the nodes of GOAL. */
static uint64_t spoken_for(const struct page_goal *goals, size_t n,
			   const struct cpu_list *nodes)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		if (!nodes || (goals[i].only && cpus_within(goals[i].nodes, nodes)))
			bytes += least(&goals[i]) * goals[i].size;
	return bytes;
}

/* What NODES can spare for the goal AT, once the goals before have theirs. */
static int room_left(struct run *run, const struct page_goal *goals, size_t at,
		     const struct cpu_list *nodes, struct page_room *ret,
		     struct error *err)
{
	uint64_t gone = spoken_for(goals, at, nodes);
	int r = pages_room(&run->host, nodes, ret, err);

	if (r < 0)
		return r;
	if (run->simulate)
		gone += pages_planned(run, nodes);
	ret->room -= gone < ret->room ? gone : ret->room;
	return 0;
}

/* With partial=yes no problem: then as much as there is room for is needed. */
static int check_room(struct run *run, struct page_goal *goals, size_t at,
		      struct error *err)
{
	struct page_goal *goal = &goals[at];
	struct page_room room, nodes;
	uint64_t most;
	int r = room_left(run, goals, at, NULL, &room, err);

	if (r >= 0 && goal->only)
		r = room_left(run, goals, at, goal->nodes, &nodes, err);
	if (r < 0)
		return r;
	if (goal->only && nodes.room < room.room)
		room = nodes;
	most = room.room / goal->size;
	if (least(goal) <= most)
		return 0;
	if (!goal->partial)
		return refuse(run, goal, &room, err);
	if (run->simulate)
		goal->need = most + goal->elsewhere;
	return 0;
}

static int report_growth(struct page_growth *g, struct error *err)
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

static void note_ready(struct run *run, const struct page_goal *goal)
{
	char page[32], who[80], place[64];

	run_note(run, "%s%" PRIu64 " pages of %s%s are free already", for_whom(goal, who),
		 goal->pages, pages_amount(goal->size, page),
		 page_goal_place(goal, place));
}

/* What these goals took, and only that; what remains is left to the undo of the phase. */
static void give_back(struct run *run, struct page_growth *growths,
		      const struct page_goal *goals, size_t n)
{
	const int64_t deadline = run->deadline, until = now_ms() + GIVE_BACK_MS;
	_cleanup_error_ struct error err = {};
	int r = 0;

	if (run->deadline < until)
		run->deadline = until;
	for (size_t i = n; i-- > 0 && r >= 0;)
		r = page_growth_give_back(&growths[i], &err);
	for (size_t i = 0; i < n && r >= 0; i++) {
		const struct page_pool pool = page_goal_pool(&goals[i]);

		r = pages_unclaim(run, &pool, goals[i].pages, &err);
	}
	if (r < 0)
		log_warn("hugepages: giving back: %s", error_text(&err));
	run->deadline = deadline;
}

static int grow_all(struct run *run, struct page_growth *growths, struct page_goal *goals,
		    size_t n, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct page_growth *g = &growths[i];

		g->run = run;
		g->goal = &goals[i];
		if (!goals[i].need) {
			note_ready(run, &goals[i]);
			continue;
		}
		r = page_growth_run(g, err);
		if (r >= 0 && g->got < least(&goals[i]))
			r = come_out_short(g, err);
	}
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = report_growth(&growths[i], err);
	return r;
}

static int allocate(struct run *run, struct page_goal *goals, size_t n, struct error *err)
{
	struct page_growth *growths = calloc(n, sizeof(*growths));
	int r = growths ? 0 : error_oom(err);

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = check_room(run, goals, i, err);
	if (r >= 0)
		r = grow_all(run, growths, goals, n, err);
	if (r < 0 && growths)
		give_back(run, growths, goals, n);
	for (size_t i = 0; growths && i < n; i++)
		page_growth_done(&growths[i]);
	free(growths);
	return r;
}

/* Where the pages of a pool of many nodes will be is not known before: as it turns out. */
static int note_nodes(struct run *run, const struct page_goal *goal, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list all = {};
	_cleanup_free_ char *names = NULL;
	int r = pages_nodes(&run->host, &all, err);

	if (r < 0 || all.n < 2)
		return r;
	names = cpus_text(goal->nodes ? goal->nodes : &all);
	if (!names)
		return error_oom(err);
	run_note(run,
		 "from nodes %s of the host, as they have room: the log tells how many of each; "
		 "<numatune> in the XML or node= says from which",
		 names);
	return 0;
}

/* A plan shows where the pages should be; pages on many nodes are one line. */
static int simulate(struct run *run, struct page_goal *goals, size_t n, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = check_room(run, goals, i, err);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct page_pool pool = { .size = goals[i].size, .node = -1 };

		if (goals[i].nodes && goals[i].nodes->n == 1)
			pool.node = (int)goals[i].nodes->cpu[0];
		if (goals[i].need)
			r = pages_plan_grow(run, &pool, goals[i].need, err);
		else
			note_ready(run, &goals[i]);
		if (r >= 0 && goals[i].need && pool.node < 0)
			r = note_nodes(run, &goals[i], err);
	}
	return r;
}

int pages_allocate(struct run *run, struct page_goal *goals, size_t n, struct error *err)
{
	int r = pages_claim(run, goals, n, err);

	if (r < 0)
		return r;
	return run->simulate ? simulate(run, goals, n, err) :
			       allocate(run, goals, n, err);
}
