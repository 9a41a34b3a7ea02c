/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI functions of the host for programs.
 */
#include "group.h"
#include "print.h"

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

void print_holders_json(const struct inventory *inventory, const char *function,
			struct json *json)
{
	json_array(json, "holders");
	for (size_t i = 0; i < inventory->holders.n; i++) {
		const struct holder *h = &inventory->holders.holder[i];

		if (!streq(h->function, function))
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
	print_holders_json(inventory, item->fn.name, json);
	json_end(json);
}

void print_devices_json(const struct inventory *inventory, FILE *out)
{
	struct json json = { .out = out };

	json_object(&json, NULL);
	json_bool(&json, "iommu", inventory->iommu);
	json_array(&json, "devices");
	for (size_t i = 0; i < inventory->n; i++)
		if (!inventory->items[i].hidden)
			json_item(&json, inventory, &inventory->items[i]);
	json_end(&json);
	json_end(&json);
}
