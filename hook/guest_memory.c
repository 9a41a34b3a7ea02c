/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a guest's memory is of huge pages, and of which nodes of the host: the rules
 * by which libvirt makes QEMU's memory backends of <hugepages>, <numa> and <numatune>.
 */
#include "guest_memory.h"
#include "pages.h"

/* A <page> without nodeset; or, in a guest without cells, one for cell 0. */
static bool is_for_all(const struct domain *domain, const struct page_request *page)
{
	return !page->has_cells ||
	       (!domain->n_cells && page->cells.n == 1 && page->cells.cpu[0] == 0);
}

/* NULL: ordinary memory. */
static const struct page_request *request_of(const struct domain *domain, int cell)
{
	const struct page_request *all = NULL;

	for (size_t i = 0; i < domain->n_pages; i++) {
		const struct page_request *page = &domain->pages[i];

		if (is_for_all(domain, page))
			all = page;
		else if (cell >= 0 && cpu_list_contains(&page->cells, (unsigned)cell))
			return page;
	}
	return all;
}

/*
 * SIZE is what the memory itself asks for, or 0. A page of the ordinary size is none
 * that we would have to make.
 */
static int page_size_of(const struct host *host, const struct domain *domain, int cell,
			uint64_t *size, struct error *err)
{
	const struct page_request *page = request_of(domain, cell);
	bool is_huge = *size || page || (domain->hugepages && !domain->n_pages);

	if (!*size && page)
		*size = page->size;
	if (is_huge && !*size)
		return pages_default_size(host, size, err);
	if (*size == (uint64_t)sysconf(_SC_PAGESIZE))
		*size = 0;
	return 0;
}

static void bind_part(const struct domain *domain, int cell, struct guest_part *part)
{
	const struct memory_policy *policy = &domain->policy;

	if (cell >= 0 && (size_t)cell < domain->n_cells &&
	    domain->cells[cell].policy.is_set)
		policy = &domain->cells[cell].policy;
	part->mode = policy->mode;
	if (policy->is_set && policy->nodes.n)
		part->nodes = &policy->nodes;
}

static int add_part(struct guest_memory *memory, const struct guest_part *part,
		    struct error *err)
{
	if (array_grow(&memory->parts, memory->n, sizeof(*part)) < 0)
		return error_oom(err);
	memory->parts[memory->n++] = *part;
	return 0;
}

/* CELL is -1 for a guest without cells. */
static int add_cell(const struct host *host, const struct domain *domain, int cell,
		    uint64_t bytes, struct guest_memory *memory, struct error *err)
{
	struct guest_part part = { .bytes = bytes, .cell = cell, .device = -1 };
	int r;

	if (!bytes)
		return 0;
	r = page_size_of(host, domain, cell, &part.page_size, err);
	if (r < 0)
		return r;
	snprintf(part.name, sizeof(part.name), cell < 0 ? "the guest" : "cell %d", cell);
	bind_part(domain, cell, &part);
	return add_part(memory, &part, err);
}

/* The others have a file or device of their own behind them. */
static uint64_t device_bytes(const struct memory_device *device)
{
	if (streq(device->model, "dimm"))
		return device->size;
	return streq(device->model, "virtio-mem") ? device->requested : 0;
}

static int add_device(const struct host *host, const struct domain *domain, size_t i,
		      struct guest_memory *memory, struct error *err)
{
	const struct memory_device *device = &domain->memory_devices[i];
	struct guest_part part = { .bytes = device_bytes(device),
				   .cell = device->cell,
				   .device = (int)i,
				   .page_size = device->page_size };
	int r;

	if (!part.bytes)
		return 0;
	r = page_size_of(host, domain, device->cell, &part.page_size, err);
	if (r < 0)
		return r;
	snprintf(part.name, sizeof(part.name), "%.10s %zu", device->model, i);
	if (device->cell >= 0)
		snprintf(part.name, sizeof(part.name), "%.10s %zu of cell %d",
			 device->model, i, device->cell);
	bind_part(domain, device->cell, &part);
	if (device->nodes.n)
		part.nodes = &device->nodes;
	return add_part(memory, &part, err);
}

/* Without cells: <memory> less its devices; the parser has looked that it is not less. */
static uint64_t initial_memory(const struct domain *domain)
{
	uint64_t bytes = domain->memory;

	for (size_t i = 0; i < domain->n_memory_devices; i++)
		bytes -= domain->memory_devices[i].size;
	return bytes;
}

int guest_memory_read(const struct host *host, const struct domain *domain,
		      struct guest_memory *ret, struct error *err)
{
	_cleanup_(guest_memory_done) struct guest_memory memory = {};
	int r = 0;

	if (!domain->n_cells)
		r = add_cell(host, domain, -1, initial_memory(domain), &memory, err);
	for (size_t i = 0; r >= 0 && i < domain->n_cells; i++)
		r = add_cell(host, domain, (int)i, domain->cells[i].memory, &memory, err);
	for (size_t i = 0; r >= 0 && i < domain->n_memory_devices; i++)
		r = add_device(host, domain, i, &memory, err);
	if (r < 0)
		return r;
	*ret = (struct guest_memory){ STEAL(memory.parts), memory.n };
	return 0;
}

bool guest_memory_is_huge(const struct guest_memory *memory)
{
	for (size_t i = 0; i < memory->n; i++)
		if (memory->parts[i].page_size)
			return true;
	return false;
}

bool guest_part_is_bound(const struct guest_part *part)
{
	return part->nodes &&
	       (part->mode == MEMORY_STRICT || part->mode == MEMORY_RESTRICTIVE);
}

void guest_memory_done(struct guest_memory *memory)
{
	free(memory->parts);
	*memory = (struct guest_memory){};
}
