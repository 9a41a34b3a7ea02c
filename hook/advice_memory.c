/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's memory: who allocates its huge pages, and what VFIO makes of a balloon.
 */
#include <inttypes.h>

#include "advice.h"
#include "pages.h"
#include "walk.h"

/* The size of page that the whole guest uses; 0: several, or not known. */
static uint64_t page_size(const struct run *run)
{
	const struct domain *domain = run->domain;
	uint64_t size = 0;

	if (domain->n_pages > 1 || (domain->n_pages == 1 && domain->pages[0].nodeset))
		return 0;
	if (domain->n_pages == 1)
		size = domain->pages[0].size;
	if (!size && pages_default_size(&run->host, &size, NULL) < 0)
		return 0;
	return size;
}

static void judge_pool(const struct run *run, uint64_t size, struct findings *findings)
{
	struct page_pool pool = { .size = size, .node = -1 };
	uint64_t need = (run->domain->memory + size - 1) / size, left;
	struct page_counts counts;
	char amount[32];

	if (page_pool_read(&run->host, &pool, &counts, NULL) < 0) {
		finding_add(findings, FINDING_PROBLEM, NULL,
			    "the XML asks for huge pages of %s, which this kernel does "
			    "not have: 1 GiB ones need a CPU with pdpe1gb",
			    pages_amount(size, amount));
		return;
	}
	left = counts.free > counts.reserved ? counts.free - counts.reserved : 0;
	if (left >= need)
		return;
	finding_add(findings, FINDING_PROBLEM, "hugepages.allocate =",
		    "the XML asks for %" PRIu64 " huge pages of %s, %" PRIu64
		    " are free, and no step allocates any: add to [prepare/begin]",
		    need, pages_amount(size, amount), left);
}

static void judge_pages(const struct run *run, struct findings *findings)
{
	uint64_t size = page_size(run);
	char amount[32];

	if (!run->domain->hugepages)
		return; /* a step that allocates all the same warns itself */
	if (!size)
		return;
	if (run->domain->memory % size)
		finding_add(findings, FINDING_WARNING, NULL,
			    "<memory> is no multiple of the %s of a huge page: the rest "
			    "of the last page is lost, or QEMU refuses",
			    pages_amount(size, amount));
	if (!walk_has(run, "hugepages.allocate"))
		judge_pool(run, size, findings);
}

void advise_memory(struct call *call, struct findings *findings)
{
	const struct domain *domain = call->run.domain;

	judge_pages(&call->run, findings);
	if (domain->balloon && domain->n_hostdevs)
		finding_add(findings, FINDING_ADVICE, "<memballoon model='none'/>",
			    "a memory balloon gives nothing back here: VFIO pins all of "
			    "the guest's memory for the device; in <devices>");
}
