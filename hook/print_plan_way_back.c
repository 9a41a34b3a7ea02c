/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a plan would come back.
 */
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
