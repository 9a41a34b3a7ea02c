/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Huge pages for the guest's memory. Nothing to say is the common case: size and amount
 * are in the domain's XML.
 */
#include <inttypes.h>
#include <limits.h>

#include "cpus.h"
#include "effect.h"
#include "guest_goals.h"
#include "step.h"

static int allocate_parse(const struct step *step, struct error *err);
static int allocate_apply(struct run *run, const struct step *step, struct error *err);
static int free_parse(const struct step *step, struct error *err);
static int free_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec allocate_options[] = {
	{ "memory", VALUE_SIZE,
	  .text = "so much memory; default: all that the XML wants" },
	{ "pages", VALUE_UINT, .text = "so many pages, instead of memory=" },
	{ "size", VALUE_SIZE,
	  .text = "of a page, 2M or 1G; default: the XML's, else the host's" },
	{ "node", VALUE_UINT,
	  .text = "from this NUMA node of the host; default: as the XML says" },
	{ "timeout", VALUE_DURATION, .def = "20s", .text = "how long to try" },
	{ "drop-caches", VALUE_BOOL, .def = "no",
	  .text = "if need be, throw the page cache away" },
	{ "partial", VALUE_BOOL, .def = "no", .text = "fewer pages are enough" },
	{}
};

static const struct option_spec free_options[] = {
	{ "size", VALUE_SIZE, .text = "pages of this size only" },
	{ "node", VALUE_UINT, .text = "pages of this NUMA node only" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "allocate",
		.summary = "get huge pages for the guest's memory",
		.undo = "gives our pages back, never others'",
		.phases = PHASE_BIT(PHASE_PREPARE) | PHASE_BIT(PHASE_BOOT),
		.timeout_ms = 20000,
		.options = allocate_options,
		.parse = allocate_parse,
		.apply = allocate_apply,
	},
	{
		.action = "free",
		.summary = "give our huge pages back now",
		.undo = "none: it is an undo",
		.phases = PHASES_DOWN,
		.timeout_ms = 20000,
		.options = free_options,
		.parse = free_parse,
		.apply = free_apply,
	},
	{}
};

extern const struct plugin plugin_hugepages;
const struct plugin plugin_hugepages = { .name = "hugepages", .types = types };

static int check_size(const struct step *step, struct error *err)
{
	const uint64_t size = step_size(step, "size", 0);

	if (!step_option(step, "size") || (size >= 4096 && (size & (size - 1)) == 0))
		return 0;
	return error_set(err, -EINVAL, "size=%s is no size of a page: use 2M or 1G",
			 step_option(step, "size"));
}

static int check_node(const struct step *step, struct error *err)
{
	if (step_uint(step, "node", 0) <= INT_MAX)
		return 0;
	return error_set(err, -EINVAL,
			 "node=%s is no NUMA node: use one of those in "
			 "/sys/devices/system/node",
			 step_option(step, "node"));
}

static int check_pages(const struct step *step, struct error *err)
{
	const int r = check_size(step, err);

	return r < 0 ? r : check_node(step, err);
}

static int allocate_parse(const struct step *step, struct error *err)
{
	if (step_option(step, "memory") && step_option(step, "pages"))
		return error_set(err, -EINVAL,
				 "memory= and pages= say the same: keep one");
	if ((step_option(step, "memory") && !step_size(step, "memory", 0)) ||
	    (step_option(step, "pages") && !step_uint(step, "pages", 0)))
		return error_set(err, -EINVAL,
				 "no pages at all: leave the line out instead");
	return check_pages(step, err);
}

static int free_parse(const struct step *step, struct error *err)
{
	return check_pages(step, err);
}

/* What one step wants: goals, and what they point to. */
struct wanted {
	struct guest_memory memory;
	unsigned node; /* of node= */
	struct cpu_list nodes;
	struct page_goals goals;
};

static void wanted_done(struct wanted *w)
{
	guest_memory_done(&w->memory);
	page_goals_done(&w->goals);
}

/* What the step says of each of its goals: nothing of it is the XML's. */
static struct page_goal plain_goal(const struct step *step, struct wanted *w)
{
	struct page_goal goal = {
		.size = step_size(step, "size", 0),
		.drop_caches = step_bool(step, "drop-caches", false),
		.partial = step_bool(step, "partial", false),
	};

	if (step_option(step, "node")) {
		w->node = (unsigned)step_uint(step, "node", 0);
		w->nodes = (struct cpu_list){ .cpu = &w->node, .n = 1 };
		goal.nodes = &w->nodes;
		goal.only = true;
	}
	return goal;
}

static void warn_of_part(struct run *run, const struct page_goal *goal,
			 const struct guest_part *part)
{
	char page[32], wanted[32];

	if (goal->size != part->page_size)
		run_warn(run,
			 "%s will not use pages of %s: the XML wants such of %s for it",
			 part->name, pages_amount(goal->size, page),
			 pages_amount(part->page_size, wanted));
	if (guest_part_is_bound(part) && goal->nodes &&
	    !cpus_within(goal->nodes, part->nodes))
		run_warn(run,
			 "%s will not use pages of node %u: the XML binds it to others",
			 part->name, goal->nodes->cpu[0]);
	if (part->bytes % goal->size)
		run_warn(run,
			 "%s: %s are no whole number of pages of %s: the last one is taken "
			 "whole, if QEMU does not refuse",
			 part->name, pages_amount(part->bytes, wanted),
			 pages_amount(goal->size, page));
}

/* All of the guest, anywhere, is what everybody expects: nothing to say. */
static int add_parts(struct run *run, const struct step *step, struct wanted *w,
		     struct error *err)
{
	const struct page_goal like = plain_goal(step, w);

	for (size_t i = 0; i < w->memory.n; i++) {
		const struct guest_part *part = &w->memory.parts[i];
		const struct page_goal *goal;
		char page[32], where[64];

		if (!part->page_size)
			continue;
		goal = page_goals_add_part(&w->goals, &like, part, w->memory.n > 1);
		if (!goal)
			return error_oom(err);
		warn_of_part(run, goal, part);
		if (w->memory.n > 1 || goal->nodes)
			run_note(run, "%s: %" PRIu64 " pages of %s%s", part->name,
				 guest_part_pages(part, goal->size),
				 pages_amount(goal->size, page),
				 page_goal_place(goal, where));
	}
	return 0;
}

/* What is said in the step itself; where it may be, if the XML says that of the whole. */
static int add_amount(struct run *run, const struct step *step, struct wanted *w,
		      struct error *err)
{
	const uint64_t memory = step_size(step, "memory", 0);
	struct page_goal goal = plain_goal(step, w);
	char bytes[32], page[32];
	int r = 0;

	for (size_t i = 0; i < w->memory.n && !step_option(step, "size"); i++) {
		const uint64_t size = w->memory.parts[i].page_size;

		if (goal.size && size && size != goal.size)
			return run_problem(
				run, -EINVAL, err,
				"the XML wants pages of several sizes: add size=");
		goal.size = size ? size : goal.size;
	}
	if (!goal.size)
		r = pages_default_size(&run->host, &goal.size, err);
	if (r < 0)
		return r;
	if (w->memory.n == 1)
		page_goal_place_part(&goal, &w->memory.parts[0]);
	goal.pages = step_uint(step, "pages", (memory + goal.size - 1) / goal.size);
	if (memory % goal.size)
		run_warn(run,
			 "%s are no whole number of pages of %s: taking %" PRIu64
			 " of them",
			 pages_amount(memory, bytes), pages_amount(goal.size, page),
			 goal.pages);
	return page_goals_add(&w->goals, &goal) ? 0 : error_oom(err);
}

/* No goals: a problem that was told already. */
static int read_wanted(struct run *run, const struct step *step, struct wanted *w,
		       struct error *err)
{
	const bool has_amount = step_option(step, "memory") || step_option(step, "pages");
	const struct domain *domain = run->domain;
	int r = 0;

	if (domain && domain->memory)
		r = guest_memory_read(&run->host, domain, &w->memory, err);
	if (r < 0)
		return r;
	if (domain && !domain->hugepages && !guest_memory_is_huge(&w->memory)) {
		run_cure(run, "<memoryBacking><hugepages/></memoryBacking>");
		if (!has_amount)
			return run_problem(
				run, -EINVAL, err,
				"the XML has no <memoryBacking><hugepages/>: add it, "
				"or the guest will not use the pages");
		run_warn(run, "the guest will not use the pages: its XML has no "
			      "<memoryBacking><hugepages/>");
	}
	r = has_amount ? add_amount(run, step, w, err) : add_parts(run, step, w, err);
	if (r >= 0 && !w->goals.n && !has_amount)
		r = run_problem(run, -EINVAL, err,
				"nothing says how many pages: add memory= or pages=");
	return r;
}

static int check_pool(struct run *run, const struct page_pool *pool, struct error *err)
{
	struct page_pool all = { .size = pool->size, .node = -1 };
	_cleanup_strv_ struct strv names = {};
	_cleanup_free_ char *offered = NULL;
	char page[32];

	if (page_pool_exists(&run->host, pool))
		return 1;
	if (page_pool_exists(&run->host, &all))
		return run_problem(
			run, -ENODEV, err,
			"this machine has no NUMA node %d: set node= (or the XML's <hugepages nodeset>) to one of those in /sys/devices/system/node",
			pool->node);
	(void)host_list(&run->host, &names, "/sys/kernel/mm/hugepages");
	offered = strv_join(&names, ", ");
	return run_problem(run, -ENODEV, err,
			   "this kernel has no pages of %s: use a size that it has: %s%s",
			   pages_amount(pool->size, page),
			   offered && *offered ? offered : "none",
			   pool->size == 1ULL << 30 ?
				   "; 1G pages need a CPU with pdpe1gb" :
				   "");
}

/* All nodes of a goal; 0: a problem that was told already. */
static int check_nodes(struct run *run, const struct page_goal *goal, struct error *err)
{
	struct page_pool pool = { .size = goal->size, .node = -1 };
	int r = check_pool(run, &pool, err);

	for (size_t i = 0; r > 0 && goal->nodes && i < goal->nodes->n; i++) {
		pool.node = (int)goal->nodes->cpu[i];
		r = check_pool(run, &pool, err);
	}
	return r;
}

static int allocate_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(wanted_done) struct wanted w = {};
	bool bad = false;
	int r = read_wanted(run, step, &w, err);

	for (size_t i = 0; r >= 0 && i < w.goals.n; i++) {
		r = check_nodes(run, &w.goals.v[i], err);
		bad |= r == 0;
	}
	if (r < 0 || bad || !w.goals.n)
		return r < 0 ? r : 0;
	return pages_allocate(run, w.goals.v, w.goals.n, err);
}

static bool is_meant(const struct step *step, const char *target)
{
	struct page_pool pool;

	if (page_pool_parse(target, &pool) < 0)
		return false;
	if (step_option(step, "size") && step_size(step, "size", 0) != pool.size)
		return false;
	return !step_option(step, "node") ||
	       (pool.node >= 0 && step_uint(step, "node", 0) == (uint64_t)pool.node);
}

static int free_apply(struct run *run, const struct step *step, struct error *err)
{
	const struct journal *journal = run->simulate ? run->planned : run->journal;
	_cleanup_strv_ struct strv targets = {};
	int r = 0, result = 0;

	for (size_t i = 0; r >= 0 && journal && i < journal->n; i++) {
		const struct record *record = &journal->records[i];

		if (!record->struck && record->kind == &state_pages &&
		    is_meant(step, record->target))
			r = strv_add(&targets, record->target);
	}
	if (r < 0)
		return error_oom(err);
	if (!targets.n)
		run_note(run, "no huge pages of ours are left");
	/* one that fails must not keep the others */
	for (size_t i = 0; i < targets.n; i++) {
		r = effect_restore(run, &state_pages, targets.v[i], err);
		if (r < 0 && r != -ENOENT && result == 0)
			result = r;
	}
	return result;
}
