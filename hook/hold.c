/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has a PCI function: one domain, from before its first change to the end of its way
 * back. All are held under one lock, so that of two who want the same ones gets them all.
 */
#include "claims.h"
#include "effect.h"
#include "hold.h"
#include "journals.h"
#include "owner.h"

static int hold_read(const struct host *host _unused_, const char *target _unused_,
		     char **ret, struct error *err)
{
	*ret = strdup("");
	return *ret ? 0 : error_oom(err);
}

static int hold_change(struct run *run _unused_, const struct record *record _unused_,
		       const char *from _unused_, const char *to _unused_,
		       struct error *err _unused_)
{
	return 0;
}

const struct state_kind state_hold = {
	.name = "hold",
	.exclusive = true,
	.read = hold_read,
	.change = hold_change,
};

/*
 * FN for each journal of another domain; a result of not 0 ends it. KIND and WHAT name
 * what it is asked for where a journal cannot be read.
 */
static int each_other(struct run *run, const struct state_kind *kind, const char *what,
		      int (*fn)(struct run *run, const struct journal *journal,
				const char *what, struct error *err),
		      struct error *err)
{
	_cleanup_(journals_done) struct journals once = {};
	const struct journals *all;
	int r = journals_look(run, &once, &all, err);

	for (size_t i = 0; r == 0 && i < all->n; i++) {
		const struct found_journal *found = &all->found[i];

		if (journal_is_boot(found->uuid) || journals_is_own(run, found))
			continue;
		r = found->code < 0 ?
			    claim_unread(kind, what, found->code, &found->why, err) :
			    fn(run, &found->journal, what, err);
	}
	return r;
}

/* Moved to VFIO since its prepare, though not by us, and not back by virsh detach-device? */
static bool guest_has_it(struct run *run, const struct journal *journal, const char *name)
{
	const struct baseline *b = journal_find_baseline(journal, name);
	_cleanup_free_ char *now = NULL;

	return b && state_driver.read(&run->host, name, &now, NULL) == 0 &&
	       pci_driver_is_vfio(&run->host, name, now) &&
	       !pci_driver_is_vfio(&run->host, name, b->driver) &&
	       owner_qemu(&run->host, journal->uuid) != 0;
}

/* Planned, but not moved by us: libvirt is about to take it for a guest, or has. */
static int refuse_libvirts(struct run *run, const struct journal *journal,
			   const char *name, struct error *err)
{
	const struct claim claim = { .domain = journal->domain };

	if (!journal_find_baseline(journal, name) && !claim_in(journal, &state_hold, name))
		return 0;
	if (!owner_is_starting(&run->host, journal) && !guest_has_it(run, journal, name))
		return 0;
	return effect_refuse_foreign(run, name, &claim, err);
}

static int refuse_planned(struct run *run, const char *name, struct error *err)
{
	return each_other(run, &state_hold, name, refuse_libvirts, err);
}

static int refuse_all_planned(struct run *run, const struct strv *fresh, struct error *err)
{
	_cleanup_(journals_done) struct journals all = {};
	int r = 0;

	if (!fresh->n)
		return 0;
	run->journals = &all;
	for (size_t i = 0; i < fresh->n && r == 0; i++)
		r = refuse_planned(run, fresh->v[i], err);
	run->journals = NULL;
	return r;
}

/* From a phase before: then it is no other's, whoever had planned it. */
static bool have_it(struct run *run, const char *name)
{
	_cleanup_(journals_done) struct journals once = {};
	const struct journals *all;
	bool have = false;

	if (run->journal)
		return claim_in(run->journal, &state_hold, name);
	if (journals_look(run, &once, &all, NULL) < 0)
		return false;
	for (size_t i = 0; i < all->n; i++)
		have |= journals_is_own(run, &all->found[i]) && !all->found[i].code &&
			claim_in(&all->found[i].journal, &state_hold, name);
	return have;
}

static int find_fresh(const struct run *run, const struct pci_list *functions,
		      struct strv *fresh)
{
	int r = 0;

	for (size_t i = 0; i < functions->n && r == 0; i++)
		if (!journal_find(run->journal, &state_hold, functions->fn[i].name))
			r = strv_add(fresh, functions->fn[i].name);
	return r;
}

/* With the lock: nothing is written before all are free. */
static int hold_locked(struct run *run, const struct strv *fresh, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < fresh->n && r == 0; i++)
		r = effect_check_foreign(run, &state_hold, fresh->v[i], err);
	for (size_t i = 0; i < fresh->n && r == 0; i++)
		r = journal_record(run->journal, &state_hold, fresh->v[i], "", "", "",
				   run->event.phase, err);
	return r;
}

static int hold(struct run *run, const struct strv *fresh, struct error *err)
{
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	_cleanup_(journals_done) struct journals all = {};
	int r = journal_lock(&run->host, run_deadline(run), &lock, err);

	if (r < 0)
		return r;
	run->journals = &all;
	r = hold_locked(run, fresh, err);
	run->journals = NULL;
	return r;
}

int hold_ask(struct run *run, const char *name, struct error *err)
{
	int r = effect_check_foreign(run, &state_hold, name, err);

	return r == 0 && !have_it(run, name) ? refuse_planned(run, name, err) : r;
}

/* Gone, and meant to be. */
static const struct record *removed_by(const struct host *host,
				       const struct journal *journal)
{
	for (size_t i = 0; i < journal->n; i++) {
		const struct record *record = &journal->records[i];

		if (!record->struck && record->kind == &state_function &&
		    !*record->new &&state_is(host, record->kind, record->target, ""))
			return record;
	}
	return NULL;
}

static int refuse_removed(struct run *run, const struct journal *journal,
			  const char *what _unused_, struct error *err)
{
	const struct record *record = removed_by(&run->host, journal);
	struct claim claim = { .domain = journal->domain };

	if (!record ||
	    (run->simulate && effect_note_dead(run, journal->uuid, journal->domain)))
		return 0;
	return effect_refuse_foreign(run, record->target, &claim, err);
}

int hold_refuse_removed(struct run *run, struct error *err)
{
	return each_other(run, &state_function, "what is off the bus", refuse_removed,
			  err);
}

static int hold_list(struct run *run, const struct pci_list *functions,
		     struct strv *fresh, struct error *err)
{
	bool ask = run->simulate || !run->journal;
	int r = ask ? 0 : find_fresh(run, functions, fresh);

	if (r < 0)
		return error_oom(err);
	if (fresh->n)
		r = hold(run, fresh, err);
	for (size_t i = 0; ask && i < functions->n && r == 0; i++)
		r = hold_ask(run, functions->fn[i].name, err);
	/* Whoever plans from here on finds our record. */
	if (r == 0)
		r = refuse_all_planned(run, fresh, err);
	for (size_t i = 0; i < fresh->n && r < 0; i++)
		hold_end(run, fresh->v[i], NULL);
	return r;
}

int hold_functions(struct run *run, const struct pci_list *functions, struct error *err)
{
	_cleanup_strv_ struct strv fresh = {};

	return hold_list(run, functions, &fresh, err);
}

int hold_function(struct run *run, const char *name, bool *ret_new, struct error *err)
{
	struct pci_function fn = {};
	const struct pci_list one = { .fn = &fn, .n = 1 };
	_cleanup_strv_ struct strv fresh = {};
	int r;

	snprintf(fn.name, sizeof(fn.name), "%s", name);
	r = hold_list(run, &one, &fresh, err);
	if (ret_new)
		*ret_new = r == 0 && fresh.n > 0;
	return r;
}

int hold_end(struct run *run, const char *name, struct error *err)
{
	if (!run->journal || !journal_find(run->journal, &state_hold, name))
		return 0;
	return journal_strike(run->journal, &state_hold, name, err);
}

int hold_finish(struct run *run, const char *name, bool held, int r, struct error *err)
{
	int ended = held ? hold_end(run, name, r < 0 ? NULL : err) : 0;

	return r < 0 ? r : ended;
}

void hold_end_all(struct run *run)
{
	/* Each strike replaces nothing but marks its record. */
	for (size_t i = 0; i < run->journal->n; i++) {
		struct record *record = &run->journal->records[i];

		/* A disk that is full must not keep a file that has nothing else to say. */
		if (record->kind == &state_hold && hold_end(run, record->target, NULL) < 0)
			record->struck = true;
	}
}

/* What it has records of, or what is not where it found it. */
static bool is_left_over(struct run *run, const struct journal *journal, const char *name)
{
	const struct baseline *b = journal_find_baseline(journal, name);

	return claim_in(journal, &state_hold, name) ||
	       (b && !state_is(&run->host, &state_driver, name, b->driver));
}

static int note_dead(struct run *run, const struct journal *journal, const char *name,
		     struct error *err _unused_)
{
	if (is_left_over(run, journal, name))
		effect_note_dead(run, journal->uuid, journal->domain);
	return 0;
}

void hold_note_dead(struct run *run, const char *name)
{
	each_other(run, &state_hold, name, note_dead, NULL);
}
