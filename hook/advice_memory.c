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

static void judge_goal(const struct run *run, const struct page_goal *goal,
		       struct findings *findings)
{
	const struct page_pool all = { .size = goal->size, .node = -1 };
	char amount[32], place[64];
	uint64_t left;

	pages_amount(goal->size, amount);
	if (!page_pool_exists(&run->host, &all)) {
		finding_add(findings, FINDING_PROBLEM, NULL,
			    "the XML asks for huge pages of %s, which this kernel does "
			    "not have: 1 GiB ones need a CPU with pdpe1gb",
			    amount);
		return;
	}
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

/* libvirt refuses it, whatever pages it is of. */
static void judge_nodes(const struct run *run, const struct guest_memory *memory,
			struct findings *findings)
{
	const bool has_nodes = host_exists(&run->host, "/sys/devices/system/node");

	for (size_t i = 0; has_nodes && i < memory->n; i++) {
		const struct guest_part *part = &memory->parts[i];

		for (size_t k = 0; part->nodes && k < part->nodes->n; k++)
			if (!host_exists(&run->host, "/sys/devices/system/node/node%u",
					 part->nodes->cpu[k]))
				finding_add(findings, FINDING_PROBLEM, NULL,
					    "the XML puts the memory of %s on NUMA node %u, "
					    "which this host does not have",
					    part->name, part->nodes->cpu[k]);
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

/* QEMU fills its memory part by part, so the first may take what lies there for another. */
static void judge_order(const struct guest_memory *memory, struct findings *findings)
{
	for (size_t i = 0; i < memory->n; i++)
		for (size_t k = i + 1; k < memory->n; k++) {
			const struct guest_part *first = &memory->parts[i],
						*bound = &memory->parts[k];

			if (!first->page_size || !may_take_from(first, bound) ||
			    !share_nodes(first, bound))
				continue;
			finding_add(findings, FINDING_WARNING, NULL,
				    "%s is filled before %s and may take the huge pages "
				    "that lie on that one's NUMA node: bind it, too, by a "
				    "<memnode>",
				    first->name, bound->name);
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
	judge_order(&memory, findings);
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
