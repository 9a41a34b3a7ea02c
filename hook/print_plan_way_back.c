/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a plan takes from the host, and what of it would come back.
 */
#include "desktop.h"
#include "print.h"
#include "state.h"
#include "table.h"

static const struct report_item *first_change(const struct report *report,
					      const char *what)
{
	for (size_t i = 0; i < report->n; i++)
		if (report->items[i].kind == REPORT_CHANGE && report->items[i].state &&
		    streq(report->items[i].what, what))
			return &report->items[i];
	return NULL;
}

static const struct report_item *last_change(const struct report *report, const char *what)
{
	for (size_t i = report->n; i-- > 0;)
		if (report->items[i].kind == REPORT_CHANGE && report->items[i].state &&
		    streq(report->items[i].what, what))
			return &report->items[i];
	return NULL;
}

/* The changes that are put back, one after the other, in the order of undo_all(). */
struct way_back {
	const struct run *run;
	enum undo_turn turn;
	size_t left; /* items of this turn */
	const struct report_item *item;
	const char *from, *to;
};

static struct way_back way_back(const struct run *run)
{
	return (struct way_back){ .run = run, .left = run->report.n };
}

/* A target stands where it was changed first, and goes from its latest value to its oldest. */
static bool is_put_back(struct way_back *way)
{
	const struct report_item *item = way->item;
	const struct report *report = &way->run->report;

	if (item->kind != REPORT_CHANGE || !item->state ||
	    first_change(report, item->what) != item)
		return false;
	way->from = last_change(report, item->what)->then;
	way->to = item->now;
	if (item->state == &state_write)
		way->to = item->data ? item->data : "";
	else if (item->state == &state_exec)
		way->to = "undone by its exec.undo";
	return !streq(way->from, way->to) &&
	       state_undo_turn(&way->run->host, item->state, item->target, item->now,
			       item->data) == way->turn;
}

static bool way_back_next(struct way_back *way)
{
	for (; way->turn < N_UNDO_TURNS; way->turn++, way->left = way->run->report.n)
		while (way->left > 0) {
			way->item = &way->run->report.items[--way->left];
			if (is_put_back(way))
				return true;
		}
	return false;
}

static bool stays(const struct report_item *item)
{
	return item->kind == REPORT_CHANGE && !item->state;
}

/*
 * A function whose module went first was without a driver when it was taken, and is so
 * again until that module comes: which one, in BUF, else "".
 */
static const char *module_to_come(const struct run *run, const struct report_item *item,
				  char buf[128])
{
	char driver[128], what[160];

	if (item->state != &state_driver || *item->now || !item->target ||
	    host_link_name(&run->host, driver, sizeof(driver),
			   "/sys/bus/pci/devices/%s/driver", item->target) < 0 ||
	    pci_driver_module(&run->host, driver, buf, 128) < 0)
		return "";
	state_describe(&state_module, buf, what, sizeof(what));
	return first_change(&run->report, what) ? buf : "";
}

void print_way_back(const struct run *run, FILE *out)
{
	struct way_back way = way_back(run);
	const struct report *report = &run->report;
	int width = print_width(report);
	const char *module;
	unsigned n = 0;
	char buf[128];

	if (!phase_goes_up(run->event.phase))
		return;
	while (way_back_next(&way)) {
		if (n++ == 0)
			fprintf(out, "%s   <  put back afterwards%s\n",
				tone(out, TONE_HEAD), tone(out, TONE_PLAIN));
		module = module_to_come(run, way.item, buf);
		fprintf(out, "      %-*s  %s → %s%s%s%s\n", width, way.item->what,
			state_value_text(way.from), state_value_text(way.to),
			*module ? ", then the load of " : "", module,
			*module ? " takes it back" : "");
	}
	for (size_t i = 0; i < report->n; i++)
		if (stays(&report->items[i]))
			fprintf(out, "      %snot put back: %s%s\n", tone(out, TONE_DIM),
				report->items[i].what, tone(out, TONE_PLAIN));
}

void print_way_back_json(const struct run *run, struct json *json)
{
	struct way_back way = way_back(run);

	json_array(json, "undo");
	while (phase_goes_up(run->event.phase) && way_back_next(&way)) {
		json_object(json, NULL);
		json_string(json, "target", way.item->what);
		json_string(json, "now", way.from);
		json_string(json, "then", way.to);
		json_end(json);
	}
	json_end(json);
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

static int print_devices(struct run *run, const struct inventory *inventory, FILE *out)
{
	static const char *const titles[] = { "DEVICE", "GROUP", "DRIVER", "HELD BY" };
	_cleanup_(table_done) struct table table = { .columns = ARRAY_SIZE(titles) };
	_cleanup_(pci_list_done) struct pci_list planned = {};
	_cleanup_error_ struct error err = {};
	int r = run_planned_devices(run, &planned, &err);

	if (r < 0 || !planned.n)
		return 0; /* the plan has told why */
	r = table_row(&table, TONE_HEAD, titles);
	for (size_t i = 0; r == 0 && i < planned.n; i++) {
		const struct inventory_item *item =
			inventory_find(inventory, planned.fn[i].name);
		_cleanup_free_ char *held = NULL;
		const char *cells[4] = { planned.fn[i].name, "", "", "" };

		if (item) {
			held = holders_of(inventory, item->fn.name);
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
	_cleanup_(inventory_done) struct inventory inventory = {};
	_cleanup_(pci_list_done) struct pci_list planned = {};
	_cleanup_error_ struct error err = {};
	int r = phase_goes_up(run->event.phase) ?
			run_planned_devices(run, &planned, &err) :
			0;

	/* Without either of the two the plan is complete, or has told why. */
	if (r == 0 && planned.n)
		(void)inventory_scan(&run->host, true, &inventory, &err);
	json_array(json, "devices");
	for (size_t i = 0; i < planned.n; i++)
		print_device_json(&inventory, planned.fn[i].name, json);
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

static int print_inventory(struct run *run, FILE *out)
{
	_cleanup_(inventory_done) struct inventory inventory = {};
	_cleanup_error_ struct error err = {};

	if (inventory_scan(&run->host, true, &inventory, &err) < 0)
		return 0; /* the plan is complete without */
	return print_devices(run, &inventory, out);
}

int print_plan_whole(struct run *run, FILE *out)
{
	const struct step *end;
	int r = 0;

	print_plan(run, out);
	print_way_back(run, out);
	end = desktop_end(run);
	if (end)
		fprintf(out, "   !  %s ends the desktop of this host: %s\n", end->key,
			desktop_end_advice);
	if (phase_goes_up(run->event.phase))
		r = print_inventory(run, out);
	print_worst_first(run, out);
	return r;
}
