/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a call of libvirt does: all or nothing on the way up, never giving up on the
 * way down.
 */
#include "claim.h"
#include "effect.h"
#include "gate.h"
#include "guard.h"
#include "log.h"
#include "owner.h"
#include "phase.h"
#include "walk.h"

bool phase_switched_off(const struct run *run, char *buf, size_t size)
{
	char cmdline[4096];

	if (host_exists(&run->host, "%s/disable", run->hooks_dir)) {
		snprintf(buf, size, "%s/disable", run->hooks_dir);
		return true;
	}
	if (host_exists(&run->host, "/run/vfio-hook/disable")) {
		snprintf(buf, size, "/run/vfio-hook/disable");
		return true;
	}
	if (host_read(&run->host, cmdline, sizeof(cmdline), "/proc/cmdline") < 0)
		return false;
	for (char *rest = cmdline, *word; (word = strsep(&rest, " "));)
		if (streq(word, "vfio_hook=off")) {
			snprintf(buf, size, "vfio_hook=off on the kernel command line");
			return true;
		}
	return false;
}

/* The process that called us: as long as it lives the domain is its. */
static void note_owner(struct run *run)
{
	uint64_t start = 0;
	int pid = run->owner > 0  ? run->owner :
		  run->caller > 0 ? run->caller :
				    (int)getppid();

	if (process_start_time(&run->host, pid, &start) == 0)
		journal_owner(run->journal, pid, start, NULL);
}

/* Does anything that it says matter any more? */
static bool journal_is_spent(struct run *run)
{
	return !journal_has_open_records(run->journal) && !guard_left(run, "");
}

/* Prepared, no way back was begun, and the devices are where they were put? */
static bool may_adopt(struct run *run)
{
	const struct journal *journal = run->journal;

	if (journal->phases[PHASE_PREPARE] != PHASE_STATE_COMPLETE ||
	    journal->phases[PHASE_RELEASE] != PHASE_STATE_NONE)
		return false;
	for (size_t i = 0; i < journal->n; i++) {
		const struct record *record = &journal->records[i];

		if (!record->struck && record->kind == &state_driver &&
		    !state_is(&run->host, record->kind, record->target, record->new))
			return false;
	}
	return true;
}

/*
 * A journal that is there already: complete, then it is adopted; else undone first. One
 * without open records may have been cut off while functions were compared with it.
 */
static int settle_old_journal(struct run *run, struct error *err)
{
	bool open = journal_has_open_records(run->journal);
	int r;

	if (!open && !run->journal->n_baselines)
		return 0;
	if (run->journal->phases[PHASE_PREPARE] == PHASE_STATE_NONE)
		return 0; /* of boot/begin: no domain's release undoes that */
	if (may_adopt(run)) {
		if (open)
			log_warn("%s was prepared before and never released: going on from "
				 "there",
				 run->domain->name);
		return 0;
	}
	log_warn("an earlier prepare or release of %s was cut off: putting back what is left",
		 run->domain->name);
	r = undo_all(run, PHASE_NONE, err);
	return r < 0 ? error_prefix(err, "cannot put back an earlier prepare") : 0;
}

static int open_journal(struct run *run, struct journal *journal, struct error *err)
{
	int r = journal_open(&run->host, run->domain->uuid, run->domain->name, true,
			     journal, err);

	if (r < 0)
		return r;
	run->journal = journal;
	if (run->event.phase == PHASE_BOOT)
		note_owner(run);
	if (run->event.phase != PHASE_PREPARE)
		return 0;
	r = settle_old_journal(run, err);
	/* Baselines of an earlier start may be out of date. */
	if (r == 0 && journal->n_baselines && !may_adopt(run) && journal_is_spent(run)) {
		journal_remove(journal);
		journal_done(journal);
		r = journal_open(&run->host, run->domain->uuid, run->domain->name, true,
				 journal, err);
	}
	if (r == 0)
		note_owner(run);
	else if (journal->fd < 0)
		run->journal = NULL;
	return r;
}

/* Between prepare and release it stays, empty or not: release asks whether prepare was. */
static void close_journal(struct run *run)
{
	bool over = run->event.phase == PHASE_RELEASE || run->event.phase == PHASE_NONE ||
		    run->journal->phases[PHASE_PREPARE] != PHASE_STATE_COMPLETE;

	if (over && journal_is_spent(run))
		journal_remove(run->journal);
	run->journal = NULL;
}

/* A domain that has nothing but scripts is only warned: they may be about something else. */
static int last_gate(struct run *run, struct error *err)
{
	_cleanup_error_ struct error finding = {};

	if (run->config)
		return gate_check(run, err);
	if (gate_check(run, &finding) < 0)
		log_warn("%s", error_text(&finding));
	return 0;
}

/* Puts back what this phase changed and says so behind the cause. */
static void roll_back(struct run *run, struct error *err)
{
	bool all = run->event.phase == PHASE_PREPARE || run->event.phase == PHASE_BOOT;
	_cleanup_error_ struct error undo_err = {};
	_cleanup_free_ char *cause = NULL;

	log_warn("%s failed: putting back what it changed", phase_name(run->event.phase));
	if (undo_all(run, all ? PHASE_NONE : run->event.phase, &undo_err) == 0)
		return;
	cause = strdup(error_text(err));
	if (!cause)
		return;
	error_done(err);
	error_set(err, -EIO, "%s; %s", cause, error_text(&undo_err));
}

static int act(struct run *run, struct error *err)
{
	enum phase phase = run->event.phase;
	int r = journal_phase(run->journal, phase, PHASE_STATE_BEGUN, err);

	if (r == 0 && (phase == PHASE_PREPARE || phase == PHASE_BOOT))
		r = pci_claim(run, err);
	if (r == 0)
		r = walk_steps(run, err);
	if (r == 0 && phase == PHASE_PREPARE)
		r = last_gate(run, err);
	if (r == 0)
		r = journal_phase(run->journal, phase, PHASE_STATE_COMPLETE, err);
	if (r < 0) {
		roll_back(run, err);
		journal_phase(run->journal, phase, PHASE_STATE_UNDONE, NULL);
	}
	return r;
}

/* Domains that died with targets of ours, as the check found. */
static int undo_the_dead(struct run *run, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->dead.n; i++) {
		r = owner_undo(&run->host, run->dead.v[i], err);
		if (r == -ENOENT)
			r = 0;
	}
	return r < 0 ? error_prefix(err, "cannot put back what a dead domain changed") :
		       0;
}

static int up_for_real(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	int r;

	report_done(&run->report);
	run_start_clock(run);
	r = undo_the_dead(run, err);
	if (r == 0)
		r = open_journal(run, &journal, err);
	if (r == 0)
		r = act(run, err);
	if (run->journal)
		close_journal(run);
	return r;
}

/* Would the plan move a device that is not where it should be already? */
static bool plan_moves_a_device(const struct run *run)
{
	for (size_t i = 0; i < run->report.n; i++)
		if (run->report.items[i].kind == REPORT_CHANGE &&
		    str_after(run->report.items[i].what, "driver "))
			return true;
	return false;
}

static int up_dry(struct run *run, struct error *err)
{
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];

		if (item->kind == REPORT_CHANGE)
			log_info("dry run: %s: %s → %s", item->what,
				 item->now ? state_value_text(item->now) : "",
				 item->then);
	}
	if (run->event.phase != PHASE_PREPARE)
		return 0;
	if (plan_moves_a_device(run))
		return error_set(
			err, -ECANCELED,
			"dry run: nothing changed, guest not started (dry-run = yes in "
			"%s; the plan is in the log)",
			run->config->path);
	return gate_check(run, err);
}

/* What `status` reads: a phase whose log has no such line at its end was cut off. */
static int log_end(const struct run *run, const char *phase, int64_t begin, int r,
		   const struct error *err)
{
	long long ms = (long long)(now_ms() - begin);

	if (r < 0)
		log_error("-- %s %s: failed after %lld ms: %s", run->domain->name, phase,
			  ms, error_text(err));
	else
		log_info("-- %s %s: done in %lld ms", run->domain->name, phase, ms);
	return r;
}

static int up(struct run *run, struct error *err)
{
	char why[PATH_MAX];
	int r;

	if (phase_switched_off(run, why, sizeof(why))) {
		log_warn("switched off by %s: no step is run", why);
		return run->event.phase == PHASE_PREPARE ? last_gate(run, err) : 0;
	}
	r = phase_check(run, err);
	phase_log_findings(run);
	if (run->config && run->config->dry_run)
		return r < 0 ? r : up_dry(run, err);
	if (r < 0) {
		log_error("refused, nothing was changed: %s", error_text(err));
		return r;
	}
	return up_for_real(run, err);
}

int phase_up(struct run *run, struct error *err)
{
	const char *name = phase_name(run->event.phase);
	int64_t begin = now_ms();

	log_info("== %s %s", run->domain->name, name);
	return log_end(run, name, begin, up(run, err), err);
}

/* Steps of stopped and release run only behind a prepare that got through. */
static int down_steps(struct run *run, struct error *err)
{
	const struct config *config = run->config;
	int r;

	if (run->journal && run->journal->phases[PHASE_PREPARE] == PHASE_STATE_COMPLETE)
		return walk_steps(run, err);
	if (config && config_has_phase(config, run->event.phase))
		log_info("prepare is not behind us: the steps of %s are not run",
			 phase_name(run->event.phase));
	run->config = NULL;
	r = walk_steps(run, err); /* the script tree */
	run->config = config;
	return r;
}

static int down_journal(struct run *run, struct error *err)
{
	bool all = run->event.phase == PHASE_RELEASE ||
		   run->journal->phases[PHASE_PREPARE] != PHASE_STATE_COMPLETE;
	struct error undo_err = {};
	int r, undone = 0;

	/* Should we be cut off, the next prepare must not go on from there. */
	if (run->event.phase == PHASE_RELEASE)
		journal_phase(run->journal, PHASE_RELEASE, PHASE_STATE_BEGUN, NULL);
	r = down_steps(run, err);
	if (all)
		undone = undo_all(run, PHASE_NONE, &undo_err);
	if (undone < 0 && r < 0)
		error_done(&undo_err);
	else if (undone < 0)
		*err = undo_err;
	journal_phase(run->journal, run->event.phase, PHASE_STATE_COMPLETE, NULL);
	return r < 0 ? r : undone;
}

static int down(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	int r;

	run_start_clock(run);
	r = journal_open(&run->host, run->domain->uuid, run->domain->name, false,
			 &journal, err);
	if (r == -ENOENT || r == -ESTALE)
		return down_steps(run, err);
	if (r < 0) { /* nothing can be put back, but the scripts know their own part */
		down_steps(run, NULL);
		return r;
	}
	run->journal = &journal;
	r = down_journal(run, err);
	close_journal(run);
	return r;
}

int phase_down(struct run *run, struct error *err)
{
	const char *name = phase_name(run->event.phase);
	int64_t begin = now_ms();

	log_info("== %s %s", run->domain->name, name);
	return log_end(run, name, begin, down(run, err), err);
}

static int undo(struct run *run, bool orphan, struct error *err)
{
	int64_t begin = now_ms();
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	int r = journal_open(&run->host, run->domain->uuid, run->domain->name, false,
			     &journal, err);

	if (r < 0)
		return r == -ESTALE ? -ENOENT : r;
	/* It may have been started while we waited for its journal. */
	if (orphan && owner_is_alive(&run->host, &journal))
		return error_set(err, -EBUSY, "domain %s is alive: nothing is put back",
				 run->domain->name);
	log_info("== %s undo", run->domain->name);
	run_start_clock(run);
	run->journal = &journal;
	journal_phase(&journal, PHASE_RELEASE, PHASE_STATE_BEGUN, NULL);
	r = undo_all(run, PHASE_NONE, err);
	close_journal(run);
	return log_end(run, "undo", begin, r, err);
}

int phase_undo(struct run *run, struct error *err)
{
	return undo(run, false, err);
}

int phase_undo_orphan(struct run *run, struct error *err)
{
	return undo(run, true, err);
}

void phase_reconnect(struct run *run)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	uint64_t start = 0;

	if (journal_open_foreign(&run->host, run->domain->uuid, &journal, NULL) < 0)
		return;
	/* The daemon is a new one; from now on it stands behind the domain. */
	if (process_start_time(&run->host, getppid(), &start) == 0)
		journal_owner(&journal, getppid(), start, NULL);
	for (size_t i = 0; i < journal.n; i++) {
		const struct record *record = &journal.records[i];

		if (record->struck || record->kind != &state_driver)
			continue;
		if (!state_is(&run->host, record->kind, record->target, record->new))
			log_warn("reconnect: %s is no longer on %s", record->target,
				 record->new);
	}
}
