/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a journal. A line is its type and fields, separated by tabs, and ends
 * with a field "." so that a line torn by a crash is never taken for a whole one.
 */
#include "journal_format.h"

#define MAX_FIELDS 12
#define END_MARK "."

struct line_type {
	const char *name;
	size_t fields; /* without the name and the end mark */
	int (*apply)(struct journal *journal, char **field);
};

static const char *const phase_states[] = {
	[PHASE_STATE_NONE] = "none",	     [PHASE_STATE_BEGUN] = "begun",
	[PHASE_STATE_COMPLETE] = "complete", [PHASE_STATE_UNDONE] = "undone",
	[PHASE_STATE_REFUSED] = "refused",
};

static int replace(char **where, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*where);
	*where = copy;
	return 0;
}

static int apply_header(struct journal *journal, char **field)
{
	uint64_t version;

	if (parse_u64(field[0], &version) < 0 || version != JOURNAL_VERSION)
		return -EPROTO;
	if (replace(&journal->boot_id, field[1]) < 0 ||
	    replace(&journal->uuid, field[2]) < 0)
		return -ENOMEM;
	return replace(&journal->domain, field[3]);
}

static int apply_owner(struct journal *journal, char **field)
{
	uint64_t pid, start;

	if (parse_u64(field[0], &pid) < 0 || parse_u64(field[1], &start) < 0)
		return 0;
	journal->owner_pid = (int)pid;
	journal->owner_start = start;
	return 0;
}

static int apply_baseline(struct journal *journal, char **field)
{
	struct baseline b = {};
	char **member[] = {
		&b.driver,	   &b.module,	    &b.override, &b.power_control,
		&b.d3cold_allowed, &b.reset_method, &b.id
	};
	int r;

	if (journal_find_baseline(journal, field[0]))
		return 0; /* the first one counts: later ones saw our own changes */
	snprintf(b.name, sizeof(b.name), "%s", field[0]);
	for (size_t i = 0; i < ARRAY_SIZE(member); i++) {
		*member[i] = strdup(field[i + 1]);
		if (!*member[i]) {
			baseline_done(&b);
			return -ENOMEM;
		}
	}
	r = array_grow(&journal->baselines, journal->n_baselines, sizeof(b));
	if (r < 0) {
		baseline_done(&b);
		return r;
	}
	journal->baselines[journal->n_baselines++] = b;
	return 0;
}

static struct record *find_record(const struct journal *journal, const char *kind,
				  const char *target)
{
	for (size_t i = journal->n; i-- > 0;) {
		struct record *record = &journal->records[i];

		if (!record->struck && streq(record->kind_name, kind) &&
		    streq(record->target, target))
			return record;
	}
	return NULL;
}

static int new_record(struct journal *journal, char **field)
{
	struct record record = { .seq = journal->next_seq,
				 .kind = state_kind_find(field[0]) };
	uint64_t when = 0;
	int r;

	record.phase = phase_from_name(field[5]);
	if (parse_u64(field[6], &when) == 0)
		record.when = (int64_t)when;
	record.kind_name = strdup(field[0]);
	record.target = strdup(field[1]);
	record.old = strdup(field[2]);
	record.new = strdup(field[3]);
	record.data = strdup(field[4]);
	r = array_grow(&journal->records, journal->n, sizeof(record));
	if (r < 0 || !record.kind_name || !record.target || !record.old || !record.new ||
	    !record.data) {
		record_done(&record);
		return -ENOMEM;
	}
	journal->records[journal->n++] = record;
	journal->next_seq++;
	return 0;
}

static int apply_set(struct journal *journal, char **field)
{
	struct record *record = find_record(journal, field[0], field[1]);

	if (!record)
		return new_record(journal, field);
	if (replace(&record->new, field[3]) < 0)
		return -ENOMEM;
	return replace(&record->data, field[4]);
}

static int apply_old(struct journal *journal, char **field)
{
	struct record *record = find_record(journal, field[0], field[1]);

	return record ? replace(&record->old, field[2]) : 0;
}

static int apply_data(struct journal *journal, char **field)
{
	struct record *record = find_record(journal, field[0], field[1]);

	return record ? replace(&record->data, field[2]) : 0;
}

static int apply_strike(struct journal *journal, char **field)
{
	struct record *record = find_record(journal, field[0], field[1]);

	if (record)
		record->struck = true;
	return 0;
}

static int apply_phase(struct journal *journal, char **field)
{
	enum phase phase = phase_from_name(field[0]);

	if (phase == PHASE_NONE)
		return 0;
	if (phase == PHASE_PREPARE && streq(field[1], phase_states[PHASE_STATE_BEGUN]))
		for (size_t i = 0; i < ARRAY_SIZE(journal->phases); i++)
			journal->phases[i] = PHASE_STATE_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(phase_states); i++)
		if (streq(phase_states[i], field[1]))
			journal->phases[phase] = (enum phase_state)i;
	return 0;
}

static struct journal_child *find_child(struct journal *journal, uint64_t pid)
{
	for (size_t i = journal->n_children; i-- > 0;)
		if (journal->children[i].pid == (int)pid)
			return &journal->children[i];
	return NULL;
}

static int apply_returned(struct journal *journal, char **field)
{
	struct journal_child *child;
	uint64_t pid;

	if (parse_u64(field[0], &pid) < 0)
		return 0;
	child = find_child(journal, pid);
	if (!child)
		return 0;
	free(child->what);
	*child = journal->children[--journal->n_children];
	return 0;
}

/* A pid that is there already has returned unheard, or is told of once more. */
static int add_child(struct journal *journal, char **field, bool left)
{
	struct journal_child child = { .left = left };
	uint64_t pid;
	int r;

	if (parse_u64(field[0], &pid) < 0 || parse_u64(field[1], &child.start) < 0)
		return 0;
	child.pid = (int)pid;
	apply_returned(journal, field);
	child.what = strdup(field[2]);
	r = child.what ?
		    array_grow(&journal->children, journal->n_children, sizeof(child)) :
		    -ENOMEM;
	if (r < 0) {
		free(child.what);
		return r;
	}
	journal->children[journal->n_children++] = child;
	return 0;
}

static int apply_child(struct journal *journal, char **field)
{
	return add_child(journal, field, false);
}

static int apply_left(struct journal *journal, char **field)
{
	return add_child(journal, field, true);
}

static const struct line_type line_types[] = {
	{ "vfio-hook", 4, apply_header },  { "owner", 2, apply_owner },
	{ "baseline", 8, apply_baseline }, { "set", 7, apply_set },
	{ "old", 3, apply_old },	   { "strike", 2, apply_strike },
	{ "phase", 2, apply_phase },	   { "child", 3, apply_child },
	{ "left", 3, apply_left },	   { "returned", 1, apply_returned },
	{ "data", 3, apply_data },
};

int journal_apply(struct journal *journal, char **fields, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(line_types); i++)
		if (streq(line_types[i].name, fields[0]))
			return n < line_types[i].fields + 1 ?
				       0 :
				       line_types[i].apply(journal, fields + 1);
	return 0; /* a newer version's */
}

static void escape(FILE *f, const char *s)
{
	for (; *s; s++) {
		const char *which = strchr("\t\n\\", *s);

		if (which)
			fprintf(f, "\\%c", "tn\\"[which - "\t\n\\"]);
		else
			putc(*s, f);
	}
}

static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && s[1])
			s++, *to++ = *s == 't' ? '\t' : *s == 'n' ? '\n' : *s;
		else
			*to++ = *s;
	}
	*to = '\0';
}

char *journal_line(const char *const *fields, size_t n)
{
	char *line = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&line, &len);

	if (!f)
		return NULL;
	putc('\n', f);
	for (size_t i = 0; i < n; i++) {
		escape(f, fields[i]);
		putc('\t', f);
	}
	fputs(END_MARK "\n", f);
	if (fclose(f) != 0) {
		free(line);
		return NULL;
	}
	return line;
}

int journal_parse(struct journal *journal, char *text)
{
	char *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		char *fields[MAX_FIELDS], *rest = line, *field;
		size_t n = 0;
		int r;

		*end = '\0';
		while (n < MAX_FIELDS && (field = strsep(&rest, "\t")))
			fields[n++] = field;
		if (n < 2 || !streq(fields[n - 1], END_MARK))
			continue;
		for (size_t i = 0; i < n; i++)
			unescape(fields[i]);
		r = journal_apply(journal, fields, n - 1);
		if (r < 0)
			return r;
	}
	return 0;
}
