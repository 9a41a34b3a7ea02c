/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way up: all or nothing.
 */
#include "claim.h"
#include "effect.h"
#include "gate.h"
#include "guard.h"
#include "log.h"
#include "owner.h"
#include "phase.h"
#include "phase_journal.h"
#include "picture.h"
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

/* Also one that cannot be read: who wrote it wants more than scripts. */
static bool has_config(const struct run *run)
{
	return run->config || host_exists(&run->host, "%s/conf.d/%s.ini", run->hooks_dir,
					  run->event.domain);
}

/* A domain that has nothing but scripts is only warned: they may be about something else. */
static int last_gate(struct run *run, struct error *err)
{
	_cleanup_error_ struct error finding = {};

	if (has_config(run))
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
	picture_check(run);
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
		journal_phase(run->journal, phase,
			      run->scripts_begun ? PHASE_STATE_UNDONE :
						   PHASE_STATE_REFUSED,
			      NULL);
	}
	return r;
}

/* Domains that died with targets of ours, as the check found. */
static int undo_the_dead(struct run *run, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < run->dead.n; i++) {
		r = owner_undo(&run->host, run->dead.v[i], run, err);
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
	run->deadline = run->budget; /* which began with the check */
	r = undo_the_dead(run, err);
	if (r < 0)
		phase_note_refusal(run);
	else
		r = phase_open_journal(run, &journal, err);
	if (r == 0)
		r = act(run, err);
	if (run->journal)
		phase_close_journal(run);
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
		_cleanup_free_ char *values = NULL;

		if (item->kind != REPORT_CHANGE)
			continue;
		values = report_values(item->now, item->then);
		log_info("dry run: %s: %s", item->what, values ? values : item->then);
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

/* What an earlier prepare was cut off in hides what is there from the check. */
static int settle(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	int r;

	if (!phase_was_cut_off(run))
		return 0;
	run_start_clock(run);
	r = phase_open_journal(run, &journal, err);
	if (run->journal)
		phase_close_journal(run);
	report_done(&run->report);
	pci_list_done(&run->pci);
	return r == 0 ? pci_scan(&run->host, &run->pci, err) : r;
}

static int check(struct run *run, struct error *err)
{
	bool dry = run->config && run->config->dry_run;
	int r = dry ? 0 : settle(run, err);

	if (r == 0)
		r = phase_check(run, err);
	phase_log_findings(run);
	return r;
}

static int up(struct run *run, struct error *err)
{
	char why[PATH_MAX], word[SHELL_WORD_MAX];
	int r;

	if (phase_switched_off(run, why, sizeof(why))) {
		log_warn("switched off by %s: no step is run", why);
		phase_note_refusal(run);
		return run->event.phase == PHASE_PREPARE ? last_gate(run, err) : 0;
	}
	if (phase_was_done_at_boot(run)) {
		log_info("done before; to do it again, first run: vfio-hook undo --boot %s",
			 shell_word(run->domain->name, word, sizeof(word)));
		return 0;
	}
	r = check(run, err);
	if (r == 0 && !(run->config && run->config->dry_run))
		return up_for_real(run, err);
	phase_note_refusal(run);
	if (r == 0)
		return up_dry(run, err);
	log_error("refused, nothing was changed: %s", error_text(err));
	return r;
}

int phase_up(struct run *run, struct error *err)
{
	const char *name = phase_name(run->event.phase);
	int64_t begin = now_ms();

	log_info("== %s %s", run->domain->name, name);
	return phase_log_end(run, name, begin, up(run, err), err);
}
