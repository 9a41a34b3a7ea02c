/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plan takes from the host (its devices, who holds them, the desktop), and what
 * would stop it.
 */
#include "desktop.h"
#include "print.h"
#include "table.h"

struct taken {
	struct pci_list planned;
	struct inventory inventory;
};

static void taken_done(struct taken *taken)
{
	pci_list_done(&taken->planned);
	inventory_done(&taken->inventory);
}

/* Nothing on the way down; what cannot be told the plan is complete without, or told why. */
static struct taken find_taken(struct run *run)
{
	_cleanup_error_ struct error err = {};
	struct taken taken = {};

	if (phase_goes_up(run->event.phase) &&
	    run_planned_devices(run, &taken.planned, &err) == 0 && taken.planned.n)
		(void)inventory_scan(&run->host, &run->pci, INVENTORY_HOLDERS,
				     &taken.inventory, &err);
	return taken;
}

/* "Xorg (pid 812, …)" of those that hold this function; the caller frees. */
static char *holders_of(const struct inventory *inventory, const char *name)
{
	struct holder_list one = {};
	char *text = NULL;

	for (size_t i = 0; i < inventory->holders.n; i++) {
		const struct holder *holder = &inventory->holders.holder[i];

		if (!streq(holder->function, name))
			continue;
		if (array_grow(&one.holder, one.n, sizeof(*holder)) < 0)
			break;
		one.holder[one.n++] = *holder;
	}
	if (one.n)
		text = holders_describe(&one);
	free(one.holder); /* what they point to is the inventory's */
	return text;
}

static int print_devices(const struct taken *taken, FILE *out)
{
	static const char *const titles[] = { "DEVICE", "GROUP", "DRIVER", "HELD BY" };
	_cleanup_(table_done) struct table table = { .columns = ARRAY_SIZE(titles) };
	int r = table_row(&table, TONE_HEAD, titles);

	for (size_t i = 0; r == 0 && i < taken->planned.n; i++) {
		const char *name = taken->planned.fn[i].name;
		const struct inventory_item *item =
			inventory_find(&taken->inventory, name);
		_cleanup_free_ char *held = NULL;
		const char *cells[4] = { name, "", "", "" };

		if (item) {
			held = holders_of(&taken->inventory, name);
			cells[1] = *item->group ? item->group : "none";
			cells[2] = *item->driver ? item->driver : "none";
			cells[3] = held ? held : "";
		}
		r = table_row(&table, TONE_PLAIN, cells);
	}
	if (r == 0)
		table_print(&table, 6, out);
	return r;
}

static void print_device_json(const struct inventory *inventory, const char *name,
			      struct json *json)
{
	const struct inventory_item *item = inventory_find(inventory, name);

	json_object(json, NULL);
	json_string(json, "address", name);
	json_string(json, "group", item && *item->group ? item->group : NULL);
	json_string(json, "driver", item && *item->driver ? item->driver : NULL);
	print_holders_json(inventory, name, json);
	json_end(json);
}

void print_plan_devices_json(struct run *run, struct json *json)
{
	_cleanup_(taken_done) struct taken taken = find_taken(run);

	json_array(json, "devices");
	for (size_t i = 0; i < taken.planned.n; i++)
		print_device_json(&taken.inventory, taken.planned.fn[i].name, json);
	json_end(json);
}

/* They stand at their steps, and one may be out of sight there: here as check has them. */
static void print_worst_first(const struct run *run, FILE *out)
{
	unsigned n = 0;

	for (size_t i = 0; i < run->report.n; i++)
		n += run->report.items[i].kind == REPORT_PROBLEM;
	if (n < 2)
		return;
	fprintf(out, "   !  %u problems, worst first\n", n);
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];

		if (item->kind != REPORT_PROBLEM)
			continue;
		fputs("      ", out);
		if (item->step)
			fprintf(out, "%s (%s:%u): ", item->step->key,
				path_base(run->config->path), item->step->line);
		fprintf(out, "%s\n", item->what);
	}
}

int print_plan_whole(struct run *run, FILE *out)
{
	_cleanup_(taken_done) struct taken taken = find_taken(run);
	const struct step *end = desktop_end(run);
	int r = 0;

	print_plan(run, out);
	print_way_back(run, out);
	if (end)
		fprintf(out, "   !  %s ends the desktop of this host: %s\n", end->key,
			desktop_end_advice);
	if (taken.planned.n)
		r = print_devices(&taken, out);
	print_worst_first(run, out);
	return r;
}
