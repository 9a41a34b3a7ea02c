/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of one domain, as people read it.
 */
#include "hold.h"
#include "status_print.h"

#define PHASES_SHOWN 5
#define SLOWEST_SHOWN 3

enum tone status_tone(enum domain_state state)
{
	static const enum tone tones[] = {
		[DOMAIN_IDLE] = TONE_DIM,     [DOMAIN_PREPARED] = TONE_GOOD,
		[DOMAIN_PARTIAL] = TONE_WARN, [DOMAIN_BUSY] = TONE_WARN,
		[DOMAIN_ORPHANED] = TONE_BAD, [DOMAIN_INTERRUPTED] = TONE_BAD,
	};

	return tones[state];
}

/* "release done in 1.2 s" */
char *status_phase_text(const struct logged_phase *phase)
{
	int name = (int)strcspn(phase->name, "/"), r;
	char ms[32], *text;

	if (phase->result == LOGGED_CUT_OFF)
		r = asprintf(&text, "%.*s never ended", name, phase->name);
	else
		r = asprintf(&text, "%.*s %s %s", name, phase->name,
			     phase->result == LOGGED_DONE ? "done in" : "failed after",
			     format_ms(phase->ms, ms));
	return r < 0 ? NULL : text;
}

static void print_owner(const struct domain_status *status, FILE *out)
{
	const struct journal *journal = &status->journal;
	char word[SHELL_WORD_MAX];

	if (!status->have_journal)
		return;
	if (status->boot)
		fprintf(out,
			"  owner   none: no release puts it back, only: vfio-hook undo "
			"--boot %s\n",
			shell_word(status->name, word, sizeof(word)));
	else if (status->state == DOMAIN_ORPHANED)
		fprintf(out, "  owner   %sgone%s: put it back with: vfio-hook undo %s\n",
			tone(out, TONE_BAD), tone(out, TONE_PLAIN),
			shell_word(status->name, word, sizeof(word)));
	else if (*status->owner)
		fprintf(out, "  owner   %s (pid %d)\n", status->owner, journal->owner_pid);
	else
		fprintf(out, "  owner   its guest or a user of its devices\n");
}

static int add_change(const struct host *host, const struct record *record, bool *hangs,
		      struct table *table)
{
	_cleanup_free_ char *now = NULL;
	int r = *hangs ? -ETIMEDOUT : status_value_now(host, record, &now);
	char what[PATH_MAX];
	bool other = r == 0 && record->kind && !record->kind->relative &&
		     !streq(now, record->new);
	const char *cells[] = { what, state_value_text(record->old),
				r == 0		 ? state_value_text(now) :
				r == -EOPNOTSUPP ? state_value_text(record->new) :
						   "?",
				other ? state_value_text(record->new) : "" };

	*hangs |= r == -ETIMEDOUT;
	if (record->kind)
		state_describe(record->kind, record->target, what, sizeof(what));
	else
		snprintf(what, sizeof(what), "%s %s", record->kind_name, record->target);
	return table_row(table, other ? TONE_WARN : TONE_PLAIN, cells);
}

static int print_changes(const struct host *host, const struct domain_status *status,
			 FILE *out)
{
	static const char *const titles[] = { "CHANGED", "ORIGINAL", "NOW", "WAS SET TO" };
	static const char *const without[] = { "CHANGED", "ORIGINAL", "NOW", "" };
	_cleanup_(table_done) struct table rows = { .columns = 4 };
	_cleanup_(table_done) struct table table = { .columns = 4 };
	bool hangs = false, other = false;
	int r = 0;

	for (size_t i = 0; i < status->journal.n && r == 0; i++)
		if (!status->journal.records[i].struck &&
		    status->journal.records[i].kind != &state_hold)
			r = add_change(host, &status->journal.records[i], &hangs, &rows);
	for (size_t i = 0; i < rows.rows; i++)
		other |= rows.row_tones[i] != TONE_PLAIN;
	if (r == 0)
		r = table_row(&table, TONE_HEAD, other ? titles : without);
	for (size_t i = 0; i < rows.rows && r == 0; i++)
		r = table_row(&table, (enum tone)rows.row_tones[i],
			      (const char *const *)&rows.cells.v[i * 4]);
	if (r == 0 && rows.rows)
		table_print(&table, 2, out);
	if (hangs)
		fprintf(out, "  ? the kernel does not answer: see the children left\n");
	return r;
}

static void print_left(const struct host *host, const struct domain_status *status,
		       FILE *out)
{
	for (size_t i = 0; i < status->journal.n_children; i++) {
		const struct journal_child *child = &status->journal.children[i];
		char wchan[128] = "";

		if (!status_left_is_there(host, status, child))
			continue;
		host_read(host, wchan, sizeof(wchan), "/proc/%d/wchan", child->pid);
		if (streq(wchan, "0"))
			wchan[0] = '\0';
		fprintf(out, "  left    %sprocess %d waits in the kernel%s%s: %s%s\n",
			tone(out, TONE_BAD), child->pid, *wchan ? " in " : "", wchan,
			child->what, tone(out, TONE_PLAIN));
	}
}

/* The steps that took the time, of a phase that ended. */
static void print_slowest(const struct logged_phase *phase, FILE *out)
{
	const struct logged_step *shown[SLOWEST_SHOWN] = {};
	char text[256], ms[32];

	for (int n = 0; n < SLOWEST_SHOWN; n++) {
		for (size_t i = 0; i < phase->n_steps; i++) {
			const struct logged_step *step = &phase->steps[i];
			bool before = false;

			for (int k = 0; k < n; k++)
				before |= shown[k] == step;
			if (!before && step->ms > (shown[n] ? shown[n]->ms : 0))
				shown[n] = step;
		}
		if (shown[n] && shown[n]->ms * 10 >= phase->ms)
			fprintf(out, "%s%s %s", n ? ", " : ": ",
				logged_step_text(shown[n], text, sizeof(text)),
				format_ms(shown[n]->ms, ms));
	}
}

static void print_log(const struct domain_status *status, FILE *out)
{
	const struct phase_log *log = &status->log;
	size_t first = log->n > PHASES_SHOWN ? log->n - PHASES_SHOWN : 0;

	for (size_t i = first; i < log->n; i++) {
		const struct logged_phase *phase = &log->phases[i];
		_cleanup_free_ char *text = status_phase_text(phase);
		bool bad = phase->result != LOGGED_DONE;

		fprintf(out, "  %s  %s%s%s", phase->when, bad ? tone(out, TONE_BAD) : "",
			text ? text : "", bad ? tone(out, TONE_PLAIN) : "");
		if (phase->error)
			fprintf(out, ": %s", phase->error);
		else if (!bad)
			print_slowest(phase, out);
		putc('\n', out);
	}
}

int status_print(const struct host *host, const struct domain_status *status, FILE *out)
{
	const struct logged_phase *open = status_open_phase(status);
	_cleanup_free_ char *place = open ? logged_place(open) : NULL;
	enum tone t = status_tone(status->state);
	int r;

	fprintf(out, "%s%s%s%s: %s%s", tone(out, TONE_HEAD), status->name,
		tone(out, TONE_PLAIN), status->boot ? " at boot" : "", tone(out, t),
		domain_state_text(status->state));
	/* A phase that fails to begin has nothing open, one that went on has. */
	if (place && status->state != DOMAIN_IDLE && status->state != DOMAIN_PREPARED)
		fprintf(out, "%s %s",
			status->state == DOMAIN_BUSY ||
					status->state == DOMAIN_INTERRUPTED ?
				"" :
				", cut off",
			place);
	fprintf(out, "%s\n", tone(out, TONE_PLAIN));
	fprintf(out, "  config  %s\n", *status->config ? status->config : "none");
	print_owner(status, out);
	r = print_changes(host, status, out);
	print_left(host, status, out);
	print_log(status, out);
	return r;
}
