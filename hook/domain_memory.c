/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain's XML says of its memory: how much, in which cells, of what pages, and
 * on which nodes of the host.
 */
#include <strings.h>

#include "cpus.h"
#include "domain_parser.h"

#define NODES_MAX 1024 /* of the kernel; libvirt numbers guest cells without gaps */

/* libvirt's virScaleInteger(): 1000 to the power for KB, 1024 for K and KiB. */
static bool memory_unit(const char *name, uint64_t *ret)
{
	static const char letters[] = "kmgtpe";
	const char *letter;
	uint64_t factor = 1, base;

	if (!name || !*name)
		name = "KiB";
	if (strcasecmp(name, "b") == 0 || strcasecmp(name, "byte") == 0 ||
	    strcasecmp(name, "bytes") == 0) {
		*ret = 1;
		return true;
	}
	letter = strchr(letters, *name | 0x20);
	if (!letter)
		return false;
	if (!name[1] || strcasecmp(name + 1, "iB") == 0)
		base = 1024;
	else if (strcasecmp(name + 1, "B") == 0)
		base = 1000;
	else
		return false;
	for (const char *l = letters; l <= letter; l++)
		factor *= base;
	*ret = factor;
	return true;
}

static int scaled(const char *number, uint64_t unit, uint64_t *ret)
{
	uint64_t n;

	if (parse_u64(number, &n) < 0)
		return -EINVAL;
	return __builtin_mul_overflow(n, unit, ret) ? -ERANGE : 0;
}

/* The unit= of an element whose text is the size. */
static void on_unit(struct parser *parser, const char **atts)
{
	const char *unit = attribute(atts, "unit");

	if (!memory_unit(unit, &parser->unit))
		parser_stop(parser, "<%s unit='%.32s'>: unknown unit",
			    path_base(parser->path), unit);
}

/* An attribute that holds a size, in the unit of unit=. */
static bool size_attribute(struct parser *parser, const char **atts, const char *name,
			   uint64_t *ret)
{
	const char *size = attribute(atts, name), *unit = attribute(atts, "unit");
	uint64_t scale;

	if (size && memory_unit(unit, &scale) && scaled(size, scale, ret) == 0 && *ret)
		return true;
	parser_stop(parser, "<%s %s='%.32s' unit='%.32s'> holds no size",
		    path_base(parser->path), name, size ?: "", unit ?: "KiB");
	return false;
}

/* A set of nodes or cells, in libvirt's form; it is never empty. */
static bool take_nodes(struct parser *parser, const char *text, struct cpu_list *ret)
{
	_cleanup_(cpu_list_done) struct cpu_list list = {};
	int r = cpus_add(&list, text);

	if (r == -ENOMEM) {
		parser_stop_oom(parser);
		return false;
	}
	if (r < 0 || !list.n || list.cpu[list.n - 1] >= NODES_MAX) {
		parser_stop(parser, "<%s>: \"%.32s\" is no set of NUMA nodes",
			    path_base(parser->path), text);
		return false;
	}
	cpu_list_done(ret);
	*ret = (struct cpu_list){ STEAL(list.cpu), list.n };
	return true;
}

static void on_page(struct parser *parser, const char **atts)
{
	struct domain *domain = parser->domain;
	const char *nodeset = attribute(atts, "nodeset");
	struct page_request page = { .has_cells = nodeset };

	if (attribute(atts, "size") && !size_attribute(parser, atts, "size", &page.size))
		return;
	if (nodeset && !take_nodes(parser, nodeset, &page.cells))
		return;
	if (array_grow(&domain->pages, domain->n_pages, sizeof(page)) < 0) {
		cpu_list_done(&page.cells);
		parser_stop_oom(parser);
		return;
	}
	domain->pages[domain->n_pages++] = page;
}

/* <cell> and <memnode> come in any order: whoever is first makes room. */
static struct guest_cell *cell_of(struct parser *parser, const char *id)
{
	struct domain *domain = parser->domain;
	uint64_t n;

	if (!id || parse_u64(id, &n) < 0 || n >= NODES_MAX) {
		parser_stop(parser, "<%s>: '%.32s' is no number of a guest NUMA cell",
			    path_base(parser->path), id ?: "");
		return NULL;
	}
	while (domain->n_cells <= n) {
		if (array_grow(&domain->cells, domain->n_cells, sizeof(*domain->cells)) <
		    0) {
			parser_stop_oom(parser);
			return NULL;
		}
		domain->cells[domain->n_cells++] = (struct guest_cell){};
	}
	return &domain->cells[n];
}

static void on_cell(struct parser *parser, const char **atts)
{
	const char *id = attribute(atts, "id");
	struct guest_cell *cell;
	char next[24];

	/* libvirt counts those without a number itself, and writes them with one */
	snprintf(next, sizeof(next), "%zu", parser->cells_seen++);
	cell = cell_of(parser, id ?: next);
	if (!cell)
		return;
	if (cell->is_set)
		parser_stop(parser, "two <cell> with id='%.32s'", id ?: next);
	else if (size_attribute(parser, atts, "memory", &cell->memory))
		cell->is_set = true;
}

/* A mode that we do not know will bind memory in some way: strictly is safe then. */
static enum memory_mode memory_mode(const char *mode)
{
	if (mode && streq(mode, "preferred"))
		return MEMORY_PREFERRED;
	if (mode && streq(mode, "interleave"))
		return MEMORY_INTERLEAVE;
	return mode && streq(mode, "restrictive") ? MEMORY_RESTRICTIVE : MEMORY_STRICT;
}

static void on_policy(struct parser *parser, struct memory_policy *policy,
		      const char **atts)
{
	const char *nodes = attribute(atts, "nodeset");

	policy->is_set = true;
	policy->mode = memory_mode(attribute(atts, "mode"));
	if (nodes && !attribute_is(atts, "placement", "auto"))
		take_nodes(parser, nodes, &policy->nodes);
}

static void on_memnode(struct parser *parser, const char **atts)
{
	struct guest_cell *cell = cell_of(parser, attribute(atts, "cellid"));

	if (cell && cell->policy.is_set)
		parser_stop(parser, "two <memnode> with cellid='%.32s'",
			    attribute(atts, "cellid"));
	else if (cell)
		on_policy(parser, &cell->policy, atts);
}

static void on_memory_device(struct parser *parser, const char **atts)
{
	struct domain *domain = parser->domain;
	struct memory_device device = { .cell = -1 };

	device.model = strdup(attribute(atts, "model") ?: "");
	if (!device.model || array_grow(&domain->memory_devices, domain->n_memory_devices,
					sizeof(device)) < 0) {
		free(device.model);
		parser_stop_oom(parser);
		return;
	}
	domain->memory_devices[domain->n_memory_devices++] = device;
}

void memory_begin(struct parser *parser, const char *path, const char **atts)
{
	struct domain *domain = parser->domain;

	if (streq(path, "/memoryBacking/hugepages"))
		domain->hugepages = true;
	else if (streq(path, "/memoryBacking/hugepages/page"))
		on_page(parser, atts);
	else if (streq(path, "/cpu/numa/cell"))
		on_cell(parser, atts);
	else if (streq(path, "/numatune/memory"))
		on_policy(parser, &domain->policy, atts);
	else if (streq(path, "/numatune/memnode"))
		on_memnode(parser, atts);
	else if (streq(path, "/devices/memory"))
		on_memory_device(parser, atts);
	else if (*path && memory_has_text(path + 1))
		on_unit(parser, atts);
}

bool memory_has_text(const char *path)
{
	const char *device = str_after(path, "devices/memory/");

	if (!device)
		return streq(path, "memory") || streq(path, "maxMemory");
	return streq(device, "source/pagesize") || streq(device, "source/nodemask") ||
	       streq(device, "target/size") || streq(device, "target/requested") ||
	       streq(device, "target/node");
}

static void take_size(struct parser *parser, uint64_t *ret)
{
	const char *text = trimmed(parser);

	if (scaled(text, parser->unit, ret) < 0)
		parser_stop(parser, "<%s> holds \"%.32s\", which is no size",
			    path_base(parser->path), text);
}

static void take_cell(struct parser *parser, int *ret)
{
	const char *text = trimmed(parser);
	uint64_t n;

	if (parse_u64(text, &n) < 0 || n >= NODES_MAX)
		parser_stop(parser, "<node> holds \"%.32s\", which is no guest NUMA cell",
			    text);
	else
		*ret = (int)n;
}

static void device_text(struct parser *parser, const char *path)
{
	struct domain *domain = parser->domain;
	struct memory_device *device =
		&domain->memory_devices[domain->n_memory_devices - 1];

	if (streq(path, "/source/pagesize"))
		take_size(parser, &device->page_size);
	else if (streq(path, "/source/nodemask"))
		take_nodes(parser, trimmed(parser), &device->nodes);
	else if (streq(path, "/target/size"))
		take_size(parser, &device->size);
	else if (streq(path, "/target/requested"))
		take_size(parser, &device->requested);
	else if (streq(path, "/target/node"))
		take_cell(parser, &device->cell);
}

void memory_end(struct parser *parser, const char *path)
{
	const char *device = str_after(path, "/devices/memory");

	if (streq(path, "/memory") && !parser->have_memory) {
		take_size(parser, &parser->domain->memory);
		parser->have_memory = true;
	} else if (streq(path, "/maxMemory")) {
		take_size(parser, &parser->domain->max_memory);
	} else if (device && parser->domain->n_memory_devices) {
		device_text(parser, device);
	}
}

/* All of it, as libvirt sums it up when <memory> is left out. */
static bool add_up(const struct domain *domain, uint64_t *cells, uint64_t *devices)
{
	bool too_much = false;

	*cells = *devices = 0;
	for (size_t i = 0; i < domain->n_cells; i++)
		too_much |=
			__builtin_add_overflow(*cells, domain->cells[i].memory, cells);
	for (size_t i = 0; i < domain->n_memory_devices; i++)
		too_much |= __builtin_add_overflow(*devices,
						   domain->memory_devices[i].size,
						   devices);
	return !too_much && *cells <= UINT64_MAX - *devices;
}

void memory_finish(struct parser *parser)
{
	struct domain *domain = parser->domain;
	uint64_t cells, devices;

	for (size_t i = 0; i < domain->n_cells; i++)
		if (!domain->cells[i].is_set) {
			parser_stop(parser, "no <cell id='%zu'>, but there are others", i);
			return;
		}
	for (size_t i = 0; i < domain->n_memory_devices; i++)
		if (!domain->memory_devices[i].size) {
			parser_stop(parser, "a <memory> device without a <size>");
			return;
		}
	if (!add_up(domain, &cells, &devices))
		parser_stop(parser, "the guest's memory is more than 16 EiB");
	else if (!domain->memory)
		domain->memory = cells + devices;
	else if (devices > domain->memory)
		parser_stop(parser, "the memory devices are larger than <memory>");
}

void memory_done(struct domain *domain)
{
	for (size_t i = 0; i < domain->n_pages; i++)
		cpu_list_done(&domain->pages[i].cells);
	free(domain->pages);
	for (size_t i = 0; i < domain->n_cells; i++)
		cpu_list_done(&domain->cells[i].policy.nodes);
	free(domain->cells);
	cpu_list_done(&domain->policy.nodes);
	for (size_t i = 0; i < domain->n_memory_devices; i++) {
		free(domain->memory_devices[i].model);
		cpu_list_done(&domain->memory_devices[i].nodes);
	}
	free(domain->memory_devices);
}
