/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's memory: who allocates its huge pages, whether the host has the nodes that
 * it is bound to, and what VFIO makes of a balloon.
 */
#include <inttypes.h>

#include "advice.h"
#include "cpus.h"
#include "guest_goals.h"
#include "scripts.h"
#include "walk.h"

/* Free pages where the goal wants them; false: there is no such pool. */
static bool free_pages(const struct host *host, const struct page_goal *goal,
		       uint64_t *ret)
{
	struct page_pool pool = { .size = goal->size, .node = -1 };
	const size_t n = goal->only ? goal->nodes->n : 1;
	struct page_counts counts = {};

	*ret = 0;
	for (size_t i = 0; i < n; i++) {
		if (goal->only)
			pool.node = (int)goal->nodes->cpu[i];
		if (page_pool_read(host, &pool, &counts, NULL) < 0)
			return false;
		*ret += counts.free;
	}
	*ret -= counts.reserved < *ret ? counts.reserved : *ret;
	return true;
}

/* In KiB: the biggest below BYTES that this kernel has, or 0. */
static uint64_t smaller_page(const struct host *host, uint64_t bytes)
{
	_cleanup_strv_ struct strv names = {};
	uint64_t best = 0, kib;

	if (host_list(host, &names, "/sys/kernel/mm/hugepages") < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++)
		if (sscanf(names.v[i], "hugepages-%" SCNu64 "kB", &kib) == 1 &&
		    kib < bytes / 1024 && kib > best)
			best = kib;
	return best;
}

static void judge_size(const struct run *run, uint64_t size, struct findings *findings)
{
	const uint64_t kib = smaller_page(&run->host, size);
	bool of_device = false;
	char amount[32], cure[96];

	for (size_t i = 0; i < run->domain->n_memory_devices; i++)
		of_device |= run->domain->memory_devices[i].page_size == size;
	if (!kib)
		snprintf(cure, sizeof(cure), "<memoryBacking/>");
	else if (of_device)
		snprintf(cure, sizeof(cure),
			 "<pagesize unit='KiB'>%" PRIu64 "</pagesize>", kib);
	else
		snprintf(cure, sizeof(cure), "<page size='%" PRIu64 "' unit='KiB'/>", kib);
	finding_add(findings, FINDING_PROBLEM, cure,
		    "the XML asks for huge pages of %s, which this kernel does not have: 1 "
		    "GiB ones need a CPU with pdpe1gb; in place of its %s",
		    pages_amount(size, amount),
		    !kib      ? "<memoryBacking>" :
		    of_device ? "<pagesize>" :
				"<page>");
}

static void judge_goal(const struct run *run, const struct page_goal *goal,
		       struct findings *findings)
{
	const struct page_pool all = { .size = goal->size, .node = -1 };
	char amount[32], place[64];
	uint64_t left;

	if (!page_pool_exists(&run->host, &all)) {
		judge_size(run, goal->size, findings);
		return;
	}
	pages_amount(goal->size, amount);
	if (!free_pages(&run->host, goal, &left) || left >= goal->pages)
		return;
	finding_add(findings, FINDING_PROBLEM, "hugepages.allocate =",
		    "the XML asks for %" PRIu64 " huge pages of %s%s%s%s, %" PRIu64
		    " are free, and no step allocates any: add to [prepare/begin]",
		    goal->pages, amount, page_goal_place(goal, place),
		    *goal->who ? " for " : "", goal->who, left);
}

/* The line that makes the part a whole number of pages; returns where it goes. */
static const char *whole_pages(const struct domain *domain, const struct guest_part *part,
			       char *buf, size_t size)
{
	const uint64_t more = part->page_size - part->bytes % part->page_size;
	const uint64_t kib = (part->bytes + more) / 1024;
	const char *name;

	if (part->device >= 0) {
		name = streq(domain->memory_devices[part->device].model, "dimm") ?
			       "size" :
			       "requested";
		snprintf(buf, size, "<%s unit='KiB'>%" PRIu64 "</%s>", name, kib, name);
		return "its <target>";
	}
	if (part->cell >= 0) {
		snprintf(buf, size, "<cell id='%d' memory='%" PRIu64 "' unit='KiB'/>",
			 part->cell, kib);
		return "<cpu><numa>, beside what the <cell> has else";
	}
	/* Memory devices are counted in. */
	snprintf(buf, size, "<memory unit='KiB'>%" PRIu64 "</memory>",
		 (domain->memory + more) / 1024);
	return "<domain>";
}

static void judge_multiple(const struct domain *domain, const struct guest_part *part,
			   bool has_step, struct findings *findings)
{
	char bytes[32], page[32], cure[96];
	const char *place;

	if (!part->page_size || part->bytes % part->page_size == 0)
		return;
	place = whole_pages(domain, part, cure, sizeof(cure));
	pages_amount(part->bytes, bytes);
	pages_amount(part->page_size, page);
	if (has_step) /* it warns itself */
		finding_add(findings, FINDING_ADVICE, cure,
			    "%s would be a whole number of pages of %s with, in %s",
			    part->name, page, place);
	else
		finding_add(findings, FINDING_WARNING, cure,
			    "%s: %s are no multiple of the %s of a huge page: the rest of "
			    "the last page is lost, or QEMU refuses; in %s",
			    part->name, bytes, page, place);
}

/* What a hugepages.allocate would have said of the parts. */
static void judge_parts(const struct run *run, const struct guest_memory *memory,
			struct findings *findings)
{
	_cleanup_(page_goals_done) struct page_goals goals = {};
	const struct page_goal like = {};

	for (size_t i = 0; i < memory->n; i++) {
		const struct guest_part *part = &memory->parts[i];

		if (!part->page_size)
			continue;
		findings->oom |= !page_goals_add_part(&goals, &like, part, memory->n > 1);
	}
	for (size_t i = 0; i < goals.n; i++)
		judge_goal(run, &goals.v[i], findings);
}

/*
 * The line that binds the part: to those of WANTED that the host has, or are not of it
 * (!WITHIN); to any if there are none. Returns where it goes, NULL: out of memory.
 */
static const char *bind_line(const struct host *host, const struct guest_part *part,
			     const struct cpu_list *wanted, bool within, char **ret)
{
	static const char *const modes[] = {
		[MEMORY_STRICT] = "strict",
		[MEMORY_RESTRICTIVE] = "restrictive",
		[MEMORY_PREFERRED] = "preferred",
		[MEMORY_INTERLEAVE] = "interleave",
	};
	_cleanup_(cpu_list_done) struct cpu_list here = {}, some = {};
	_cleanup_free_ char *nodes = NULL;

	if (pages_nodes(host, &here, NULL) < 0 ||
	    cpus_pick(&here, wanted, within, &some) < 0)
		return NULL;
	nodes = here.n ? cpus_text(some.n ? &some : &here) : strdup("0");
	if (!nodes)
		return NULL;
	if (part->device >= 0) {
		return asprintf(ret, "<nodemask>%s</nodemask>", nodes) < 0 ?
			       NULL :
			       "its <source>";
	}
	if (part->cell >= 0)
		return asprintf(ret, "<memnode cellid='%d' mode='%s' nodeset='%s'/>",
				part->cell, modes[part->mode], nodes) < 0 ?
			       NULL :
			       "<numatune>";
	return asprintf(ret, "<memory mode='%s' nodeset='%s'/>", modes[part->mode],
			nodes) < 0 ?
		       NULL :
		       "<numatune>";
}

static void judge_node(const struct host *host, const struct guest_part *part,
		       unsigned node, struct findings *findings)
{
	_cleanup_free_ char *cure = NULL;
	const char *place;

	if (host_exists(host, "/sys/devices/system/node/node%u", node))
		return;
	place = bind_line(host, part, part->nodes, true, &cure);
	findings->oom |= !place;
	finding_add(findings, FINDING_PROBLEM, place ? cure : NULL,
		    "the XML puts the memory of %s on NUMA node %u, which this host does "
		    "not have: libvirt would refuse to start; in %s",
		    part->name, node, place ?: "its XML");
}

static void judge_nodes(const struct run *run, const struct guest_memory *memory,
			struct findings *findings)
{
	const bool has_nodes = host_exists(&run->host, "/sys/devices/system/node");

	for (size_t i = 0; has_nodes && i < memory->n; i++) {
		const struct guest_part *part = &memory->parts[i];

		for (size_t k = 0; part->nodes && k < part->nodes->n; k++)
			judge_node(&run->host, part, part->nodes->cpu[k], findings);
	}
}

static bool may_take_from(const struct guest_part *part, const struct guest_part *bound)
{
	if (part->page_size != bound->page_size || !guest_part_is_bound(bound))
		return false;
	return !guest_part_is_bound(part) || !cpus_within(part->nodes, bound->nodes);
}

static bool share_nodes(const struct guest_part *a, const struct guest_part *b)
{
	for (size_t i = 0; guest_part_is_bound(a) && i < a->nodes->n; i++)
		if (cpu_list_contains(b->nodes, a->nodes->cpu[i]))
			return true;
	return !guest_part_is_bound(a);
}

static void tell_of_order(const struct host *host, const struct guest_part *first,
			  const struct guest_part *bound, struct findings *findings)
{
	_cleanup_free_ char *cure = NULL;
	struct guest_part like = *first;
	const char *place;

	if (!guest_part_is_bound(first))
		like.mode = MEMORY_STRICT;
	place = bind_line(host, &like, bound->nodes, false, &cure);
	findings->oom |= !place;
	finding_add(findings, FINDING_WARNING, place ? cure : NULL,
		    "%s is filled before %s and may take the huge pages that lie on that "
		    "one's NUMA node: bind it, too, in %s",
		    first->name, bound->name, place ?: "its XML");
}

/* QEMU fills its memory part by part, so the first may take what lies there for another. */
static void judge_order(const struct host *host, const struct guest_memory *memory,
			struct findings *findings)
{
	for (size_t i = 0; i < memory->n; i++)
		for (size_t k = i + 1; k < memory->n; k++) {
			const struct guest_part *first = &memory->parts[i],
						*bound = &memory->parts[k];

			if (!first->page_size || !may_take_from(first, bound) ||
			    !share_nodes(first, bound))
				continue;
			tell_of_order(host, first, bound, findings);
			return;
		}
}

static bool scripts_prepare(const struct run *run)
{
	return scripts_exist_in(&run->host, run->hooks_dir, run->event.domain,
				PHASE_BIT(PHASE_PREPARE));
}

static void judge_plugged(const struct domain *domain, struct findings *findings)
{
	char cure[96];

	snprintf(cure, sizeof(cure), "hugepages.allocate = memory=%" PRIu64 "M",
		 (domain->max_memory + (1 << 20) - 1) >> 20);
	finding_add(
		findings, FINDING_ADVICE, cure,
		"memory that is plugged in later (<maxMemory>) takes huge pages, too: "
		"hugepages.allocate gets those of the start only; for all of them in place "
		"of it");
}

static void judge_memory(const struct call *call, struct findings *findings)
{
	_cleanup_(guest_memory_done) struct guest_memory memory = {};
	const struct run *run = &call->run;
	const struct domain *domain = run->domain;
	const bool has_step = walk_has(run, "hugepages.allocate");

	if (guest_memory_read(&run->host, domain, &memory, NULL) < 0)
		return; /* no huge pages in this kernel: libvirt says so */
	judge_nodes(run, &memory, findings);
	judge_order(&run->host, &memory, findings);
	for (size_t i = 0; i < memory.n; i++)
		judge_multiple(domain, &memory.parts[i], has_step, findings);
	/* The step warns itself; scripts may see to the pages. */
	if (!has_step && !scripts_prepare(run))
		judge_parts(run, &memory, findings);
	if (has_step && domain->max_memory > domain->memory &&
	    guest_memory_is_huge(&memory))
		judge_plugged(domain, findings);
}

void advise_memory(struct call *call, struct findings *findings)
{
	const struct domain *domain = call->run.domain;

	judge_memory(call, findings);
	if (domain->balloon && domain->n_hostdevs)
		finding_add(findings, FINDING_ADVICE, "<memballoon model='none'/>",
			    "a memory balloon gives nothing back here: VFIO pins all of "
			    "the guest's memory for the device; in <devices>");
}
