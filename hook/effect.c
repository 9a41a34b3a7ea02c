/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes: the old value goes into the journal, then the target is changed, then read
 * back.
 */
#include "claims.h"
#include "effect_change.h"
#include "log.h"
#include "owner.h"

int effect_refuse_foreign(struct run *run, const char *target, const struct claim *claim,
			  struct error *err)
{
	char word[SHELL_WORD_MAX];

	run_cure(run, "virsh shutdown %s", shell_word(claim->domain, word, sizeof(word)));
	return run_problem(run, -EBUSY, err,
			   "%s belongs to domain %s now: stop that domain first, or, if it "
			   "is gone, run: vfio-hook undo %s",
			   target, claim->domain,
			   shell_word(claim->domain, word, sizeof(word)));
}

/* In the plan all is as the dead domain found it, since that is put back first. */
static void simulate_undo(struct run *run, const char *uuid)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	if (journal_read(&run->host, uuid, &journal, NULL) < 0)
		return;
	for (size_t i = journal.n; i-- > 0;) {
		const struct record *record = &journal.records[i];

		if (!record->struck && record->kind && !record->kind->relative &&
		    !record->kind->one_way)
			overlay_set(run->host.overlay, record->kind, record->target,
				    record->old);
	}
}

/* A dead owner's changes are put back before ours are made. */
bool effect_note_dead(struct run *run, const char *uuid, const char *domain)
{
	if (strv_contains(&run->dead, uuid))
		return true;
	if (owner_of_is_alive(&run->host, uuid))
		return false;
	run_note(run,
		 "domain %s is gone without a release: what it changed is put back first",
		 domain);
	if (strv_add(&run->dead, uuid) < 0)
		return false;
	simulate_undo(run, uuid);
	return true;
}

static bool is_dead(struct run *run, const struct claim *claim)
{
	return effect_note_dead(run, claim->uuid, claim->domain);
}

int effect_check_foreign(struct run *run, const struct state_kind *kind,
			 const char *target, struct error *err)
{
	_cleanup_(claim_done) struct claim claim = {};
	int r = claim_youngest(run, kind, target, &claim, err);

	if (r == -ENOENT || (r == 0 && run->simulate && is_dead(run, &claim)))
		return 0;
	return r < 0 ? r : effect_refuse_foreign(run, target, &claim, err);
}

/*
 * What our record's old value is: what the youngest other claim wants, since that may
 * not have come into force yet, else the value found. *AFTER is that claim's age. *FOREIGN:
 * an exclusive target of another domain, refused.
 */
static int old_value(struct run *run, const struct state_kind *kind, const char *target,
		     const char *now, char **ret, int64_t *after, bool *foreign,
		     struct error *err)
{
	_cleanup_(claim_done) struct claim claim = {};
	int r = -ENOENT;

	*foreign = false;
	*after = INT64_MIN;
	if (kind->shared || kind->exclusive)
		r = claim_youngest(run, kind, target, &claim, err);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && run->simulate && is_dead(run, &claim))
		r = -ENOENT;
	if (r == 0 && kind->exclusive) {
		*foreign = true;
		return effect_refuse_foreign(run, target, &claim, err);
	}
	if (r == 0)
		*after = claim.when;
	*ret = strdup(r == 0 ? claim.new : now);
	return *ret ? 0 : error_oom(err);
}

/* The baseline knows better than the machine what a function's driver was. */
static const char *home_value(struct run *run, const struct state_kind *kind,
			      const char *target, const char *old)
{
	const struct baseline *b = journal_find_baseline(run->journal, target);

	if (!b)
		return old;
	if (kind == &state_driver)
		return b->driver;
	return kind == &state_override ? b->override : old;
}

/*
 * As long as we have a record about it no other domain gets one: there is nobody to ask. Only
 * what the boot has is for whoever comes for it.
 */
static bool is_ours_alone(const struct run *run, const struct state_kind *kind,
			  const char *target)
{
	return kind->exclusive && !journal_is_boot(run->journal->uuid) &&
	       claim_in(run->journal, kind, target);
}

/* *DATA is what the journal keeps, in *BUF if that is not the step's own. */
static int data_to_keep(struct run *run, const struct state_kind *kind,
			const char *target, const char *value, const char **data,
			char **buf, struct error *err)
{
	if (!kind->keep)
		return 0;
	*buf = kind->keep(run->journal ? journal_find(run->journal, kind, target) : NULL,
			  value, *data);
	*data = *buf;
	return *buf ? 0 : error_oom(err);
}

static int journal_before(struct run *run, const struct state_kind *kind,
			  const char *target, const char *now, const char *value,
			  const char *data, struct error *err)
{
	_cleanup_free_ char *old = NULL, *kept = NULL;
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	int64_t after;
	bool foreign;
	int r;

	if (is_ours_alone(run, kind, target))
		return journal_record(run->journal, kind, target,
				      home_value(run, kind, target, now), value, data,
				      run->event.phase, err);
	r = journal_lock(&run->host, run_deadline(run), &lock, err);
	if (r == 0 && kind->inherit)
		r = journal_reload(&run->host, run->journal, err); /* others hand on */
	if (r == 0)
		r = old_value(run, kind, target, now, &old, &after, &foreign, err);
	if (r == 0)
		r = data_to_keep(run, kind, target, value, &data, &kept, err);
	if (r < 0)
		return r;
	return journal_claim(run->journal, kind, target,
			     home_value(run, kind, target, old), value, data,
			     run->event.phase, after, err);
}

void effect_note_way_back(struct run *run, const struct state_kind *kind,
			  const char *target, const char *data)
{
	struct report_item *item = run->report.n ? &run->report.items[run->report.n - 1] :
						   NULL;

	if (!item || item->kind != REPORT_CHANGE || kind->one_way)
		return;
	item->state = kind;
	item->target = strdup(target);
	item->data = data ? strdup(data) : NULL;
}

static int simulate(struct run *run, const struct state_kind *kind, const char *target,
		    const char *now, const char *value, const char *data,
		    struct error *err)
{
	_cleanup_free_ char *old = NULL;
	char what[PATH_MAX];
	int64_t after;
	bool foreign;
	int r = old_value(run, kind, target, now, &old, &after, &foreign, err);

	if (r < 0 || foreign)
		return r;
	state_describe(kind, target, what, sizeof(what));
	if (streq(now, value)) {
		run_note(run, "%s is %s already", what, state_value_text(value));
		return 0;
	}
	run_change(run, what, now, value);
	effect_note_way_back(run, kind, target, data);
	r = overlay_set(run->host.overlay, kind, target, value);
	return r < 0 ? error_oom(err) : 0;
}

int effect_claim(struct run *run, const struct state_kind *kind, const char *target,
		 struct error *err)
{
	_cleanup_free_ char *now = NULL;
	int r = state_get(&run->host, kind, target, &now, err);

	return r == 0 ? journal_before(run, kind, target, now, now, NULL, err) : r;
}

/*
 * A function that is on a vfio driver already is at home there, unless our baseline
 * knows better: something else bound it since.
 */
static bool was_ours_to_change(struct run *run, const struct state_kind *kind,
			       const char *target, const char *value)
{
	return kind->exclusive && !streq(home_value(run, kind, target, value), value);
}

/* Nothing is journalled in a plan, nor on the way down. */
static int set_unrecorded(struct run *run, const struct state_kind *kind,
			  const char *target, const char *now, const char *value,
			  const char *data, struct error *err)
{
	_cleanup_free_ char *kept = NULL;
	int r = data_to_keep(run, kind, target, value, &data, &kept, err);

	if (r < 0)
		return r;
	return run->simulate ?
		       simulate(run, kind, target, now, value, data, err) :
		       effect_set_for_good(run, kind, target, now, value, data, err);
}

int effect_set(struct run *run, const struct state_kind *kind, const char *target,
	       const char *value, const char *data, struct error *err)
{
	_cleanup_(record_done) struct record record = {};
	_cleanup_free_ char *now = NULL;
	const struct record *known;
	int r;

	if (state_kind_find(kind->name) != kind) /* undo could not find it again */
		return error_set(err, -EINVAL, "%s is not in the table of kinds",
				 kind->name);
	r = state_get(&run->host, kind, target, &now, err);
	if (r == -EOPNOTSUPP && kind->relative) {
		error_done(err);
		now = strdup("");
		r = now ? 0 : error_oom(err);
	}
	if (r < 0)
		return r;
	if (run->simulate || !phase_goes_up(run->event.phase))
		return set_unrecorded(run, kind, target, now, value, data, err);
	if (streq(now, value) && !kind->shared &&
	    !was_ours_to_change(run, kind, target, value))
		return 0;
	r = journal_before(run, kind, target, now, value, data, err);
	if (r < 0 || streq(now, value))
		return r;
	known = journal_find(run->journal, kind, target);
	if (!known || record_copy(known, &record) < 0)
		return error_oom(err);
	r = effect_change(run, &record, now, value, err);
	if (r == 0 && record.phase != run->event.phase && !kind->relative)
		effect_note_way_back(run, kind, target, record.data);
	return r;
}

int effect_one_way(struct run *run, const char *what,
		   int (*act)(struct run *run, void *arg, struct error *err), void *arg,
		   struct error *err)
{
	int r = 0;

	if (!run->simulate) {
		log_debug("%s: %s", run->step ? run->step->key : "undo", what);
		log_sync();
		r = act(run, arg, err);
	}
	if (r == 0)
		run_change(run, what, NULL, "done, one way");
	return r;
}
