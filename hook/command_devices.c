/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook devices: IOMMU groups, and what is to be known of each device in them before
 * it is given to a guest.
 */
#include "command.h"
#include "group.h"
#include "inventory.h"
#include "json.h"
#include "pages.h"
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

		for (int k = 0; k < 3; k++)
			if (strlen(text[k]) > widths[k])
				widths[k] = strlen(text[k]);
	}
}

static int print_text(const struct host *host, const struct inventory *inventory,
		      bool gpu, FILE *out)
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

		if (gpu && !has_display(inventory, item))
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
		fprintf(out, "\n%u processes could not be looked at%s\n",
			inventory->holders.unreadable,
			geteuid() ? ": run as root to see who holds a device" : "");
	return r;
}

static void json_words(struct json *json, const char *name, const char *words)
{
	char copy[256], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", words);
	json_array(json, name);
	while ((word = strsep(&rest, " ")))
		if (*word)
			json_string(json, NULL, word);
	json_end(json);
}

static void json_bars(struct json *json, const struct inventory_item *item)
{
	json_array(json, "bars");
	for (unsigned i = 0; i < INVENTORY_BARS; i++) {
		const struct bar *bar = &item->bars[i];

		if (!bar->size)
			continue;
		json_object(json, NULL);
		json_number(json, "bar", i);
		json_number(json, "size", (int64_t)bar->size);
		if (bar->largest) {
			json_number(json, "min", (int64_t)bar->smallest);
			json_number(json, "max", (int64_t)bar->largest);
		}
		json_end(json);
	}
	json_end(json);
}

static void json_holders(struct json *json, const struct inventory *inventory,
			 const struct inventory_item *item)
{
	json_array(json, "holders");
	for (size_t i = 0; i < inventory->holders.n; i++) {
		const struct holder *h = &inventory->holders.holder[i];

		if (!streq(h->function, item->fn.name))
			continue;
		json_object(json, NULL);
		json_number(json, "pid", h->pid);
		json_string(json, "command", h->comm);
		json_string(json, "user", h->user);
		json_string(json, "unit", *h->unit ? h->unit : NULL);
		json_string(json, "node", h->node);
		json_bool(json, "vfio", h->is_vfio);
		json_end(json);
	}
	json_end(json);
}

static void json_item(struct json *json, const struct inventory *inventory,
		      const struct inventory_item *item)
{
	char id[16];

	snprintf(id, sizeof(id), "%04x:%04x", (unsigned)item->fn.vendor,
		 (unsigned)item->fn.id);
	json_object(json, NULL);
	json_string(json, "address", item->fn.name);
	json_string(json, "group", *item->group ? item->group : NULL);
	json_string(json, "class", pci_class_text(&item->fn));
	json_string(json, "id", id);
	json_string(json, "name", item->name);
	json_string(json, "driver", *item->driver ? item->driver : NULL);
	json_string(json, "module", *item->module ? item->module : NULL);
	json_string(json, "domain", item->owner);
	json_bool(json, "bridge", pci_is_bridge(&item->fn));
	json_bool(json, "boot_display", item->boot_display);
	json_words(json, "reset", item->reset);
	json_array(json, "with");
	for (size_t i = 0; *item->group && i < inventory->n; i++) {
		const struct inventory_item *other = &inventory->items[i];

		if (other != item && streq(other->group, item->group) &&
		    !pci_is_bridge(&other->fn))
			json_string(json, NULL, other->fn.name);
	}
	json_end(json);
	json_bars(json, item);
	json_holders(json, inventory, item);
	json_end(json);
}

static void print_json(const struct inventory *inventory, bool gpu, FILE *out)
{
	struct json json = { .out = out };

	json_object(&json, NULL);
	json_bool(&json, "iommu", inventory->iommu);
	json_array(&json, "devices");
	for (size_t i = 0; i < inventory->n; i++)
		if (!gpu || has_display(inventory, &inventory->items[i]))
			json_item(&json, inventory, &inventory->items[i]);
	json_end(&json);
	json_end(&json);
}

static int devices_run(const struct command_options *options, _unused_ int argc,
		       _unused_ char **argv)
{
	_cleanup_(inventory_done) struct inventory inventory = {};
	_cleanup_error_ struct error err = {};
	struct host host = { .root = options->root };
	int r = inventory_scan(&host, true, &inventory, &err);

	if (r < 0) {
		fprintf(stderr, "vfio-hook: %s\n", error_text(&err));
		return STATUS_FAILED;
	}
	if (options->json)
		print_json(&inventory, options->gpu, stdout);
	else
		r = print_text(&host, &inventory, options->gpu, stdout);
	return r < 0 || !inventory.iommu ? STATUS_FAILED : STATUS_OK;
}

const struct command command_devices = {
	.name = "devices",
	.args = "[--gpu]",
	.summary = "IOMMU groups, drivers, reset methods, who holds what",
	.options = COMMAND_GPU | COMMAND_JSON,
	.run = devices_run,
	.help = "Every PCI device by its IOMMU group: address, class, id, driver and name; below,\n"
		"how it can be reset, its memory and whether that can be resized, the domain that\n"
		"has it, and the processes that have it open. --gpu: only the groups that have a\n"
		"display. Exit status 1 when the IOMMU is off.",
};
