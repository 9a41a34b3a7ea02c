/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of one domain, as programs read it: vfio-hook(8) has the members.
 */
#include "hold.h"
#include "status_print.h"

static void json_changes(struct json *json, const struct host *host,
			 const struct domain_status *status)
{
	bool hangs = false;

	json_array(json, "changes");
	for (size_t i = 0; i < status->journal.n; i++) {
		const struct record *record = &status->journal.records[i];
		_cleanup_free_ char *now = NULL;

		if (record->struck || record->kind == &state_hold)
			continue;
		if (!hangs)
			hangs = status_value_now(host, record, &now) == -ETIMEDOUT;
		json_object(json, NULL);
		json_string(json, "kind", record->kind_name);
		json_string(json, "target", record->target);
		json_string(json, "original", record->old);
		json_string(json, "set", record->new);
		json_string(json, "now", now);
		json_string(json, "phase", phase_name(record->phase));
		json_end(json);
	}
	json_end(json);
}

static void json_left(struct json *json, const struct host *host,
		      const struct domain_status *status)
{
	json_array(json, "left");
	for (size_t i = 0; i < status->journal.n_children; i++) {
		const struct journal_child *child = &status->journal.children[i];

		if (!status_left_is_there(host, status, child))
			continue;
		json_object(json, NULL);
		json_number(json, "pid", child->pid);
		json_string(json, "what", child->what);
		json_end(json);
	}
	json_end(json);
}

static void json_phase(struct json *json, const struct logged_phase *phase)
{
	static const char *const results[] = { NULL, "done", "failed" };

	json_object(json, NULL);
	json_string(json, "phase", phase->name);
	json_string(json, "time", phase->when);
	json_string(json, "result", results[phase->result]);
	json_number(json, "ms", phase->ms);
	json_string(json, "error", phase->error);
	json_array(json, "steps");
	for (size_t i = 0; i < phase->n_steps; i++) {
		json_object(json, NULL);
		json_string(json, "step", phase->steps[i].text);
		json_number(json, "ms", phase->steps[i].ms);
		json_bool(json, "ended", phase->steps[i].done);
		json_bool(json, "failed", phase->steps[i].failed);
		json_end(json);
	}
	json_end(json);
	json_end(json);
}

void status_print_json(struct json *json, const struct host *host,
		       const struct domain_status *status)
{
	const struct logged_phase *open = status_open_phase(status);
	_cleanup_free_ char *place = open ? logged_place(open) : NULL;
	const struct journal *journal = &status->journal;

	json_object(json, NULL);
	json_string(json, "domain", status->name);
	json_bool(json, "boot", status->boot);
	json_string(json, "uuid", status->boot ? NULL : journal->uuid);
	json_string(json, "config", *status->config ? status->config : NULL);
	json_string(json, "state", domain_state_text(status->state));
	json_string(json, "interrupted", place);
	if (status->have_journal) {
		json_object(json, "owner");
		json_number(json, "pid", journal->owner_pid);
		json_string(json, "command", *status->owner ? status->owner : NULL);
		json_bool(json, "alive", status->state != DOMAIN_ORPHANED);
		json_end(json);
	} else {
		json_string(json, "owner", NULL);
	}
	json_changes(json, host, status);
	json_left(json, host, status);
	json_array(json, "phases");
	for (size_t i = 0; i < status->log.n; i++)
		json_phase(json, &status->log.phases[i]);
	json_end(json);
	json_end(json);
}
