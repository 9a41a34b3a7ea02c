/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Huge pages for the guest's memory. Nothing to say is the common case: size and amount
 * are in the domain's XML.
 */
#include <inttypes.h>

#include "effect.h"
#include "pages.h"
#include "step.h"

static int allocate_parse(const struct step *step, struct error *err);
static int allocate_apply(struct run *run, const struct step *step, struct error *err);
static int free_parse(const struct step *step, struct error *err);
static int free_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec allocate_options[] = {
	{ "memory", VALUE_SIZE, .text = "so much memory; default: the guest's" },
	{ "pages", VALUE_UINT, .text = "so many pages, instead of memory=" },
	{ "size", VALUE_SIZE,
	  .text = "of a page, 2M or 1G; default: the XML's, else the host's" },
	{ "node", VALUE_UINT,
	  .text = "from this NUMA node of the host; default: all, evenly" },
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

static int allocate_parse(const struct step *step, struct error *err)
{
	if (step_option(step, "memory") && step_option(step, "pages"))
		return error_set(err, -EINVAL,
				 "memory= and pages= say the same: keep one");
	if ((step_option(step, "memory") && !step_size(step, "memory", 0)) ||
	    (step_option(step, "pages") && !step_uint(step, "pages", 0)))
		return error_set(err, -EINVAL,
				 "no pages at all: leave the line out instead");
	return check_size(step, err);
}

static int free_parse(const struct step *step, struct error *err)
{
	return check_size(step, err);
}

/* The size that the XML wants; 0: the host's default. */
static int xml_size(struct run *run, uint64_t *ret, struct error *err)
{
	const struct domain *domain = run->domain;

	*ret = domain && domain->n_pages ? domain->pages[0].size : 0;
	for (size_t i = 1; domain && i < domain->n_pages; i++)
		if (domain->pages[i].size != *ret)
			return run_problem(
				run, -EINVAL, err,
				"the XML wants pages of several sizes: write a "
				"hugepages.allocate line with size= and memory= for each");
	return 0;
}

static int goal_size(struct run *run, const struct step *step, uint64_t *ret,
		     struct error *err)
{
	int r = 0;

	*ret = step_size(step, "size", 0);
	if (!*ret)
		r = xml_size(run, ret, err);
	if (r >= 0 && !*ret)
		r = pages_default_size(&run->host, ret, err);
	return r;
}

/* 0 pages: a problem that was told already. */
static int goal_pages(struct run *run, const struct step *step, uint64_t size,
		      uint64_t *ret, struct error *err)
{
	uint64_t memory = step_size(step, "memory", 0);
	char bytes[32], page[32];

	*ret = step_uint(step, "pages", 0);
	if (run->domain && !run->domain->hugepages) {
		if (!*ret && !memory)
			return run_problem(
				run, -EINVAL, err,
				"the XML has no <memoryBacking><hugepages/>: add it, "
				"or the guest will not use the pages");
		run_warn(run, "the guest will not use the pages: its XML has no "
			      "<memoryBacking><hugepages/>");
	}
	if (*ret)
		return 0;
	if (!memory && run->domain)
		memory = run->domain->memory;
	if (!memory)
		return run_problem(run, -EINVAL, err,
				   "nothing says how many pages: add memory= or pages=");
	*ret = (memory + size - 1) / size;
	if (memory % size)
		run_warn(run,
			 "%s are no whole number of pages of %s: taking %" PRIu64
			 " of them",
			 pages_amount(memory, bytes), pages_amount(size, page), *ret);
	return 0;
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
		return run_problem(run, -ENODEV, err, "this machine has no NUMA node %d",
				   pool->node);
	(void)host_list(&run->host, &names, "/sys/kernel/mm/hugepages");
	offered = strv_join(&names, ", ");
	return run_problem(
		run, -ENODEV, err, "this kernel has no pages of %s (it has: %s)%s",
		pages_amount(pool->size, page), offered && *offered ? offered : "none",
		pool->size == 1ULL << 30 ? "; 1G pages need a CPU with pdpe1gb" : "");
}

static int allocate_apply(struct run *run, const struct step *step, struct error *err)
{
	struct page_goal goal = {
		.pool.node = -1,
		.drop_caches = step_bool(step, "drop-caches", false),
		.partial = step_bool(step, "partial", false),
	};
	int r;

	if (step_option(step, "node"))
		goal.pool.node = (int)step_uint(step, "node", 0);
	r = goal_size(run, step, &goal.pool.size, err);
	if (r >= 0)
		r = goal_pages(run, step, goal.pool.size, &goal.pages, err);
	if (r < 0 || !goal.pages)
		return r;
	r = check_pool(run, &goal.pool, err);
	return r <= 0 ? r : pages_allocate(run, &goal, err);
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
