/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is written into a journal, and what is looked up in it.
 */
#include "journal_format.h"

#define ADD(journal, err, ...)                                           \
	({                                                               \
		const char *_fields[] = { __VA_ARGS__ };                 \
		journal_add(journal, _fields, ARRAY_SIZE(_fields), err); \
	})

int journal_baseline(struct journal *journal, const struct baseline *b, struct error *err)
{
	return ADD(journal, err, "baseline", b->name, b->driver, b->module, b->override,
		   b->power_control, b->d3cold_allowed, b->reset_method, b->id);
}

int journal_record(struct journal *journal, const struct state_kind *kind,
		   const char *target, const char *old, const char *new, const char *data,
		   enum phase phase, struct error *err)
{
	return journal_claim(journal, kind, target, old, new, data, phase, INT64_MIN, err);
}

int journal_claim(struct journal *journal, const struct state_kind *kind,
		  const char *target, const char *old, const char *new, const char *data,
		  enum phase phase, int64_t after, struct error *err)
{
	const struct record *known = journal_find(journal, kind, target);
	int64_t now = now_ms();
	char when[32];

	/* Of a record that is there its line would change these two. */
	if (known && streq(known->new, new) && streq(known->data, data ? data : ""))
		return 0;
	snprintf(when, sizeof(when), "%lld", (long long)(now > after ? now : after + 1));
	return ADD(journal, err, "set", kind->name, target, old, new, data ? data : "",
		   phase_name(phase), when);
}

int journal_imagine(struct journal *journal, const struct state_kind *kind,
		    const char *target, const char *old, const char *new,
		    const char *data, enum phase phase)
{
	const char *fields[] = {
		"set", kind->name, target, old, new, data ? data : "", phase_name(phase),
		"0"
	};

	/* Reading takes its fields from a buffer, but changes none. */
	return journal_apply(journal, (char **)(uintptr_t)fields, ARRAY_SIZE(fields));
}

int journal_strike(struct journal *journal, const struct state_kind *kind,
		   const char *target, struct error *err)
{
	return ADD(journal, err, "strike", kind->name, target);
}

int journal_set_old(struct journal *journal, const struct state_kind *kind,
		    const char *target, const char *old, const char *data,
		    struct error *err)
{
	/* Its data first: without the old value that belongs to it, it means nothing. */
	int r = data ? ADD(journal, err, "data", kind->name, target, data) : 0;

	return r < 0 ? r : ADD(journal, err, "old", kind->name, target, old);
}

int journal_phase(struct journal *journal, enum phase phase, enum phase_state state,
		  struct error *err)
{
	static const char *const names[] = { "none", "begun", "complete", "undone",
					     "refused" };

	return ADD(journal, err, "phase", phase_name(phase), names[state]);
}

/* What names a process for all of a boot, as text. */
struct process_text {
	char pid[16], start[32];
};

static struct process_text process_text(int pid, uint64_t start)
{
	struct process_text text;

	snprintf(text.pid, sizeof(text.pid), "%d", pid);
	snprintf(text.start, sizeof(text.start), "%llu", (unsigned long long)start);
	return text;
}

int journal_child(struct journal *journal, int pid, uint64_t start, const char *what,
		  struct error *err)
{
	struct process_text text = process_text(pid, start);

	return ADD(journal, err, "child", text.pid, text.start, what);
}

int journal_left(struct journal *journal, int pid, uint64_t start, const char *what,
		 struct error *err)
{
	struct process_text text = process_text(pid, start);

	return ADD(journal, err, "left", text.pid, text.start, what);
}

int journal_returned(struct journal *journal, int pid, struct error *err)
{
	struct process_text text = process_text(pid, 0);

	return ADD(journal, err, "returned", text.pid);
}

int journal_owner(struct journal *journal, int pid, uint64_t start, struct error *err)
{
	struct process_text text = process_text(pid, start);

	return ADD(journal, err, "owner", text.pid, text.start);
}

struct record *journal_find(const struct journal *journal, const struct state_kind *kind,
			    const char *target)
{
	for (size_t i = journal->n; i-- > 0;) {
		struct record *record = &journal->records[i];

		if (!record->struck && record->kind == kind &&
		    streq(record->target, target))
			return record;
	}
	return NULL;
}

const struct baseline *journal_find_baseline(const struct journal *journal,
					     const char *name)
{
	for (size_t i = 0; i < journal->n_baselines; i++)
		if (streq(journal->baselines[i].name, name))
			return &journal->baselines[i];
	return NULL;
}

bool journal_has_open_records(const struct journal *journal)
{
	for (size_t i = 0; i < journal->n; i++)
		if (!journal->records[i].struck)
			return true;
	return false;
}

int journal_remove(struct journal *journal)
{
	int r = unlink(journal->path) < 0 && errno != ENOENT ? -errno : 0;

	/* An empty one says the same: there is nothing to put back. */
	if (r < 0 && journal->fd >= 0)
		r = ftruncate(journal->fd, 0) < 0 ? -errno : 0;
	return r;
}

void baseline_done(struct baseline *b)
{
	free(b->driver);
	free(b->module);
	free(b->override);
	free(b->power_control);
	free(b->d3cold_allowed);
	free(b->reset_method);
	free(b->id);
	*b = (struct baseline){};
}

int record_copy(const struct record *record, struct record *ret)
{
	struct record copy = *record;

	copy.kind_name = strdup(record->kind_name);
	copy.target = strdup(record->target);
	copy.old = strdup(record->old);
	copy.new = strdup(record->new);
	copy.data = strdup(record->data);
	if (!copy.kind_name || !copy.target || !copy.old || !copy.new || !copy.data) {
		record_done(&copy);
		return -ENOMEM;
	}
	*ret = copy;
	return 0;
}

void record_done(struct record *record)
{
	free(record->kind_name);
	free(record->target);
	free(record->old);
	free(record->new);
	free(record->data);
}

void journal_done(struct journal *journal)
{
	for (size_t i = 0; i < journal->n; i++)
		record_done(&journal->records[i]);
	for (size_t i = 0; i < journal->n_baselines; i++)
		baseline_done(&journal->baselines[i]);
	free(journal->records);
	free(journal->baselines);
	free(journal->path);
	free(journal->uuid);
	free(journal->domain);
	free(journal->boot_id);
	for (size_t i = 0; i < journal->n_children; i++)
		free(journal->children[i].what);
	free(journal->children);
	closep(&journal->fd);
	*journal = (struct journal){ .fd = -1 };
}
