/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook devices: IOMMU groups, and what is to be known of each device in them before
 * it is given to a guest.
 */
#include "command.h"
#include "group.h"
#include "ini_lines.h"
#include "pages.h"
#include "print.h"
#include "table.h"

static bool has_display(const struct inventory *inventory,
			const struct inventory_item *item)
{
	bool found = item->fn.class >> 16 == PCI_BASE_DISPLAY;

	for (size_t i = 0; *item->group && i < inventory->n && !found; i++)
		found = streq(inventory->items[i].group, item->group) &&
			inventory->items[i].fn.class >> 16 == PCI_BASE_DISPLAY;
	return found;
}

/* Is it what WORD names: an address, all functions of one, an id? */
static bool is_named(const struct inventory_item *item, const char *word)
{
	uint16_t vendor, id;
	struct pci_addr addr;
	bool all = false;

	if (pci_parse_addr(word, &addr, &all) == 0)
		return pci_same_slot(&item->fn.addr, &addr) &&
		       (all || item->fn.addr.function == addr.function);
	return pci_parse_id(word, &vendor, &id) == 0 && item->fn.vendor == vendor &&
	       item->fn.id == id;
}

static int no_device(const char *word)
{
	char buf[SLIP_LEN];
	uint16_t vendor, id;
	struct pci_addr addr;
	const char *meant;
	bool all;

	if (pci_parse_addr(word, &addr, &all) == 0 ||
	    pci_parse_id(word, &vendor, &id) == 0)
		return usage_error(&command_devices,
				   "no such PCI device: %s (vfio-hook devices lists them)",
				   word);
	meant = slip_address(word, buf);
	return usage_error(&command_devices,
			   "%s is no PCI device%s%s%s: write its address, as 0a:00.0, or "
			   "0a:00.* for all functions, or its id, as 10de:1e84",
			   word, meant ? ": did you mean " : "", meant ? meant : "",
			   meant ? "?" : "");
}

/* Shows the item and all that is in its group. */
static void show(struct inventory *inventory, struct inventory_item *item)
{
	item->hidden = false;
	for (size_t i = 0; *item->group && i < inventory->n; i++)
		if (streq(inventory->items[i].group, item->group))
			inventory->items[i].hidden = false;
}

static int show_named(struct inventory *inventory, const char *word)
{
	bool found = false;

	for (size_t i = 0; i < inventory->n; i++) {
		struct inventory_item *item = &inventory->items[i];

		if (!is_named(item, word))
			continue;
		found = true;
		show(inventory, item);
	}
	return found ? STATUS_OK : no_device(word);
}

/* Hides what was not asked for. STATUS_OK, or STATUS_USAGE, told. */
static int choose(struct inventory *inventory, bool gpu, int argc, char **argv)
{
	int r = STATUS_OK;

	for (size_t i = 0; i < inventory->n; i++)
		inventory->items[i].hidden =
			argc || (gpu && !has_display(inventory, &inventory->items[i]));
	for (int i = 0; i < argc && r == STATUS_OK; i++)
		r = show_named(inventory, argv[i]);
	return r;
}

/* "BAR0 16 MiB, BAR1 256 MiB (can be 64 MiB to 8 GiB)" */
static int describe_bars(const struct inventory_item *item, struct strv *parts)
{
	char size[32], low[32], high[32];
	int r = 0;

	for (unsigned i = 0; i < INVENTORY_BARS && r == 0; i++) {
		const struct bar *bar = &item->bars[i];

		if (!bar->size)
			continue;
		if (!bar->largest)
			r = strv_addf(parts, "BAR%u %s", i, pages_amount(bar->size, size));
		else
			r = strv_addf(parts, "BAR%u %s (can be %s to %s)", i,
				      pages_amount(bar->size, size),
				      pages_amount(bar->smallest, low),
				      pages_amount(bar->largest, high));
	}
	return r;
}

static int describe(const struct inventory_item *item, struct strv *parts)
{
	int r = strv_addf(parts, "reset %s", *item->reset ? item->reset : "none");

	if (r == 0 && *item->module && !streq(item->module, item->driver))
		r = strv_addf(parts, "module %s", item->module);
	if (r == 0 && item->boot_display)
		r = strv_add(parts, "boot display");
	return r < 0 ? r : describe_bars(item, parts);
}

/* The line below a device, and one for each process that has it open. */
static int print_details(const struct inventory *inventory,
			 const struct inventory_item *item, FILE *out)
{
	_cleanup_strv_ struct strv parts = {};
	_cleanup_free_ char *line = NULL;

	if (describe(item, &parts) < 0)
		return -ENOMEM;
	line = strv_join(&parts, ", ");
	if (!line)
		return -ENOMEM;
	fprintf(out, "      %s%s%s\n", tone(out, TONE_DIM), line, tone(out, TONE_PLAIN));
	if (item->owner)
		fprintf(out, "      %staken by domain %s%s\n", tone(out, TONE_GOOD),
			item->owner, tone(out, TONE_PLAIN));
	for (size_t i = 0; i < inventory->holders.n; i++) {
		const struct holder *h = &inventory->holders.holder[i];

		if (streq(h->function, item->fn.name))
			fprintf(out, "      %sheld by %s (pid %d, %s%s%s, %s)%s\n",
				tone(out, TONE_WARN), h->comm, h->pid, h->user,
				*h->unit ? ", " : "", h->unit, h->node,
				tone(out, TONE_PLAIN));
	}
	return 0;
}

/* All rows first, so that the columns of every group stand below each other. */
static int print_item(const struct inventory *inventory,
		      const struct inventory_item *item, const size_t *widths, FILE *out)
{
	bool bridge = pci_is_bridge(&item->fn);
	char id[16];

	snprintf(id, sizeof(id), "%04x:%04x", (unsigned)item->fn.vendor,
		 (unsigned)item->fn.id);
	fprintf(out, "%s  %-*s  %-*s  %s  %-*s  %s%s\n",
		bridge ? tone(out, TONE_DIM) : "", (int)widths[0], item->fn.name,
		(int)widths[1], pci_class_text(&item->fn), id, (int)widths[2],
		*item->driver ? item->driver : "-", item->name,
		bridge ? tone(out, TONE_PLAIN) : "");
	return bridge ? 0 : print_details(inventory, item, out);
}

static void print_group_head(const struct inventory *inventory,
			     const struct inventory_item *item, FILE *out)
{
	size_t n = inventory_group_size(inventory, item);

	fprintf(out, "%s", tone(out, TONE_HEAD));
	if (!*item->group)
		fprintf(out, "in no IOMMU group");
	else
		fprintf(out, "group %s", item->group);
	fprintf(out, "%s", tone(out, TONE_PLAIN));
	if (n > 1)
		fprintf(out, ": these %zu go to a guest together or not at all", n);
	else if (*item->group && n == 0)
		fprintf(out, ": bridges stay with the host");
	putc('\n', out);
}

static void measure(const struct inventory *inventory, size_t widths[3])
{
	for (size_t i = 0; i < inventory->n; i++) {
		const struct inventory_item *item = &inventory->items[i];
		const char *text[3] = { item->fn.name, pci_class_text(&item->fn),
					item->driver };

		for (int k = 0; k < 3 && !item->hidden; k++)
			if (strlen(text[k]) > widths[k])
				widths[k] = strlen(text[k]);
	}
}

static int print_text(const struct host *host, const struct inventory *inventory,
		      FILE *out)
{
	_cleanup_free_ char *unseen = NULL;
	const char *group = NULL;
	size_t widths[3] = { 0, 0, 1 };
	int r = 0;

	measure(inventory, widths);
	if (!inventory->iommu)
		fprintf(out, "%sno IOMMU:%s no device can be given to a guest; %s\n\n",
			tone(out, TONE_BAD), tone(out, TONE_PLAIN), iommu_advice(host));
	for (size_t i = 0; i < inventory->n && r == 0; i++) {
		const struct inventory_item *item = &inventory->items[i];

		if (item->hidden)
			continue;
		if (!group || !streq(group, item->group))
			print_group_head(inventory, item, out);
		group = item->group;
		r = print_item(inventory, item, widths, out);
	}
	if (inventory->holders.hung.n)
		unseen = holders_unreadable(&inventory->holders);
	if (unseen)
		fprintf(out, "\n%s\n", unseen);
	else if (inventory->holders.unreadable)
		fprintf(out, "\n%u process%s could not be looked at%s\n",
			inventory->holders.unreadable,
			inventory->holders.unreadable > 1 ? "es" : "",
			geteuid() ? ": run as root to see who holds a device" : "");
	return r;
}

static int devices_run(const struct command_options *options, int argc, char **argv)
{
	_cleanup_(inventory_done) struct inventory inventory = {};
	_cleanup_error_ struct error err = {};
	struct host host = { .root = options->root };
	int r;

	if (options->gpu && argc)
		return usage_error(&command_devices, "--gpu and DEVICE: only one of them");
	r = inventory_scan(&host, NULL,
			   INVENTORY_NAMES | INVENTORY_HOLDERS | INVENTORY_DETAILS,
			   &inventory, &err);
	if (r < 0) {
		fprintf(stderr, "vfio-hook: %s\n", error_text(&err));
		return STATUS_FAILED;
	}
	r = choose(&inventory, options->gpu, argc, argv);
	if (r != STATUS_OK)
		return r;
	if (options->json)
		print_devices_json(&inventory, stdout);
	else
		r = print_text(&host, &inventory, stdout);
	return r < 0 || !inventory.iommu ? STATUS_FAILED : STATUS_OK;
}

const struct command command_devices = {
	.name = "devices",
	.args = "[--gpu | DEVICE...]",
	.summary = "IOMMU groups, drivers, reset methods, who holds what",
	.max_args = UINT_MAX,
	.options = COMMAND_GPU | COMMAND_JSON,
	.run = devices_run,
	.help = "Every PCI device by its IOMMU group: address, class, id, driver and name; below,\n"
		"how it can be reset, its memory and whether that can be resized, the domain that\n"
		"has it, and the processes that have it open. DEVICE, an address (0a:00.0, 0a:00.*)\n"
		"or an id (10de:1e84): only its group. --gpu: only the groups that have a display.\n"
		"Exit status 1 when the IOMMU is off.",
};
