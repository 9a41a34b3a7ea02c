/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI functions of the host with all that matters before one is given away. Only
 * files that are read without the device's lock: another process may hang with it held.
 */
#include "claims.h"
#include "hold.h"
#include "inventory.h"
#include "journal.h"

#define DEVICES "/sys/bus/pci/devices/"
#define FLAG_MEMORY 0x200

static char *text_of(const struct host *host, const char *name, const char *attr)
{
	char buf[256];

	if (host_read(host, buf, sizeof(buf), DEVICES "%s/%s", name, attr) < 0)
		buf[0] = '\0';
	return strdup(buf);
}

static char *link_of(const struct host *host, const char *name, const char *link)
{
	char buf[128];

	if (host_link_name(host, buf, sizeof(buf), DEVICES "%s/%s", name, link) < 0)
		buf[0] = '\0';
	return strdup(buf);
}

/* Before Linux 5.15 the methods are not told, only whether there is one. */
static char *reset_of(const struct host *host, const char *name)
{
	if (host_exists(host, DEVICES "%s/reset_method", name))
		return text_of(host, name, "reset_method");
	return strdup(host_exists(host, DEVICES "%s/reset", name) ? "yes" : "");
}

/* resourceN_resize is a bitmap: bit 0 is 1 MiB, and so on in powers of two. */
static void read_resizable(const struct host *host, const char *name, unsigned number,
			   struct bar *bar)
{
	char buf[32];
	uint64_t bits;

	if (host_read(host, buf, sizeof(buf), DEVICES "%s/resource%u_resize", name,
		      number) <= 0)
		return;
	bits = strtoull(buf, NULL, 16);
	if (!bits || bits >> 43)
		return;
	bar->smallest = (uint64_t)(1U << 20) << __builtin_ctzll(bits);
	bar->largest = (uint64_t)(1U << 20) << (63 - __builtin_clzll(bits));
}

static void read_bars(const struct host *host, struct inventory_item *item)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;

	if (host_read_all(host, &text, DEVICES "%s/resource", item->fn.name) < 0)
		return;
	rest = text;
	for (unsigned i = 0; i < INVENTORY_BARS && (line = strsep(&rest, "\n")); i++) {
		unsigned long long start, end, flags;

		if (sscanf(line, "%llx %llx %llx", &start, &end, &flags) != 3 ||
		    !(flags & FLAG_MEMORY) || end <= start)
			continue;
		item->bars[i].size = end - start + 1;
		read_resizable(host, item->fn.name, i, &item->bars[i]);
	}
}

static int fill_details(const struct host *host, struct inventory_item *item)
{
	char buf[64];

	if (*item->driver &&
	    pci_driver_module(host, item->driver, buf, sizeof(buf)) == 0) {
		free(item->module);
		item->module = strdup(buf);
	}
	item->boot_display = host_read(host, buf, sizeof(buf), DEVICES "%s/boot_vga",
				       item->fn.name) > 0 &&
			     streq(buf, "1");
	read_bars(host, item);
	return item->module ? 0 : -ENOMEM;
}

static int fill(const struct host *host, unsigned parts, struct inventory_item *item)
{
	if (pci_group(host, item->fn.name, item->group, sizeof(item->group)) < 0)
		item->group[0] = '\0';
	item->name = strdup("");
	item->driver = link_of(host, item->fn.name, "driver");
	item->reset = reset_of(host, item->fn.name);
	item->module = strdup("");
	if (!item->name || !item->driver || !item->reset || !item->module)
		return -ENOMEM;
	return parts & INVENTORY_DETAILS ? fill_details(host, item) : 0;
}

/* A domain's own journal tells more than the one of its boot. */
static int note_owner(const struct journal *journal, struct inventory_item *item)
{
	bool boot = journal_is_boot(journal->uuid);
	char *owner;

	if (item->owner && boot)
		return 0;
	if (asprintf(&owner, "%s%s", journal->domain ? journal->domain : "",
		     boot ? " (boot)" : "") < 0)
		return -ENOMEM;
	free(item->owner);
	item->owner = owner;
	return 0;
}

/* The domains that have functions. */
static int read_owners(const struct host *host, struct inventory *inventory)
{
	_cleanup_strv_ struct strv uuids = {};

	if (journal_list(host, &uuids) < 0)
		return 0;
	for (size_t i = 0; i < uuids.n; i++) {
		_cleanup_(journal_done) struct journal journal = { .fd = -1 };

		if (journal_read(host, uuids.v[i], &journal, NULL) < 0)
			continue;
		for (size_t k = 0; k < inventory->n; k++) {
			struct inventory_item *item = &inventory->items[k];

			if (claim_in(&journal, &state_hold, item->fn.name) &&
			    note_owner(&journal, item) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static int by_group(const void *a, const void *b)
{
	const struct inventory_item *i = a, *k = b;
	int r;

	if (!*i->group != !*k->group)
		return !*i->group - !*k->group;
	r = (int)strtol(i->group, NULL, 10) - (int)strtol(k->group, NULL, 10);
	return r ? r : strcmp(i->fn.name, k->fn.name);
}

static int add_names(const struct host *host, const struct pci_list *functions,
		     struct inventory *inventory, struct error *err)
{
	_cleanup_strv_ struct strv names = {};
	int r = pci_describe_all(host, functions, &names, err);

	for (size_t i = 0; r == 0 && i < inventory->n; i++) {
		free(inventory->items[i].name);
		inventory->items[i].name = STEAL(names.v[i]);
	}
	return r;
}

static int add_all(const struct host *host, const struct pci_list *functions,
		   unsigned parts, struct inventory *inventory, struct error *err)
{
	inventory->items = calloc(functions->n + 1, sizeof(*inventory->items));
	if (!inventory->items)
		return error_oom(err);
	for (size_t i = 0; i < functions->n; i++) {
		struct inventory_item *item = &inventory->items[inventory->n++];

		item->fn = functions->fn[i];
		if (fill(host, parts, item) < 0)
			return error_oom(err);
		inventory->iommu |= *item->group != '\0';
	}
	return 0;
}

static int still_there(const struct host *host, const struct pci_list *functions,
		       struct pci_list *ret, struct error *err)
{
	for (size_t i = 0; i < functions->n; i++)
		if (host_exists(host, DEVICES "%s", functions->fn[i].name) &&
		    pci_list_add(ret, &functions->fn[i]) < 0)
			return error_oom(err);
	return 0;
}

int inventory_scan(const struct host *host, const struct pci_list *functions,
		   unsigned parts, struct inventory *ret, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list there = {};
	_cleanup_(inventory_done) struct inventory inventory = {};
	int r = functions ? still_there(host, functions, &there, err) :
			    pci_scan(host, &there, err);

	if (r == 0)
		r = add_all(host, &there, parts, &inventory, err);
	if (r == 0 && parts & INVENTORY_NAMES)
		r = add_names(host, &there, &inventory, err);
	if (r == 0 && parts & INVENTORY_DETAILS && read_owners(host, &inventory) < 0)
		r = error_oom(err);
	if (r == 0 && parts & INVENTORY_HOLDERS)
		r = holders_scan(host, &there, &inventory.holders, err);
	if (r < 0)
		return r;
	if (inventory.n > 1)
		qsort(inventory.items, inventory.n, sizeof(*inventory.items), by_group);
	*ret = inventory;
	inventory = (struct inventory){};
	return 0;
}

const struct inventory_item *inventory_find(const struct inventory *inventory,
					    const char *name)
{
	for (size_t i = 0; i < inventory->n; i++)
		if (streq(inventory->items[i].fn.name, name))
			return &inventory->items[i];
	return NULL;
}

size_t inventory_group_size(const struct inventory *inventory,
			    const struct inventory_item *item)
{
	size_t n = 0;

	for (size_t i = 0; *item->group && i < inventory->n; i++)
		n += streq(inventory->items[i].group, item->group) &&
		     !pci_is_bridge(&inventory->items[i].fn);
	return n;
}

void inventory_done(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n; i++) {
		struct inventory_item *item = &inventory->items[i];

		free(item->name);
		free(item->driver);
		free(item->module);
		free(item->reset);
		free(item->owner);
	}
	free(inventory->items);
	holder_list_done(&inventory->holders);
	*inventory = (struct inventory){};
}

const char *iommu_advice(const struct host *host)
{
	_cleanup_free_ char *cpus = NULL;

	if (host_read_all(host, &cpus, "/proc/cpuinfo") == 0) {
		if (strstr(cpus, "AuthenticAMD"))
			return "switch on \"IOMMU\" or \"AMD-Vi\" in the firmware setup "
			       "(Auto may mean off); the kernel needs no parameter";
		if (strstr(cpus, "GenuineIntel"))
			return "switch on \"VT-d\" in the firmware setup, and add "
			       "intel_iommu=on to the kernel's command line";
	}
	return "switch on VT-d, AMD-Vi or \"IOMMU\" in the firmware setup; on Intel add "
	       "intel_iommu=on to the kernel's command line";
}
