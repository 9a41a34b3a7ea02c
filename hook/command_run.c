/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook run and undo: phases by hand.
 */
#include <signal.h>

#include "by_hand.h"
#include "log.h"
#include "owner.h"
#include "phase.h"
#include "survive.h"

/* The end of what went well: release and undo have no steps whose lines could tell it. */
static void tell_done(const struct run *run, const char *what)
{
	size_t n = 0;

	for (size_t i = 0; i < run->report.n; i++)
		n += run->report.items[i].kind == REPORT_CHANGE;
	if (n)
		printf("%s: %s: done, %zu %s\n", run->event.domain, what, n,
		       n > 1 ? "changes" : "change");
	else
		printf("%s: %s: done, nothing had to be changed\n", run->event.domain,
		       what);
}

static int do_run(const struct command_options *options, int argc, char **argv)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = CALL_NONE;
	struct progress progress;
	enum phase phase = command_phase(&command_run, argv[1]);
	int r;

	(void)argc;
	if (phase == PHASE_NONE)
		return STATUS_USAGE;
	r = by_hand_open(options, argv[0], phase, command_open, &call);
	if (r != STATUS_OK)
		return r;
	if (phase_goes_up(phase))
		(void)by_hand_has_nothing(&call);
	call.run.owner =
		1; /* as long as the machine runs: nobody else stands behind it */
	by_hand_watch(&call.run, &progress);
	if (phase == PHASE_PREPARE || !phase_goes_up(phase))
		r = by_hand_refuse_in_use(&call.run, &err);
	if (r == 0)
		r = by_hand_phase(&call.run, phase, &err);
	if (r < 0)
		return by_hand_fail(&err);
	tell_done(&call.run, phase_name(phase));
	return STATUS_OK;
}

static int run_run(const struct command_options *options, int argc, char **argv)
{
	return by_hand_survive(options, argc, argv, do_run);
}

const struct command command_run = {
	.name = "run",
	.args = "DOMAIN PHASE",
	.summary = "runs a phase by hand",
	.min_args = 2,
	.max_args = 2,
	.acts = true,
	.run = run_run,
	.help = "Does for PHASE (prepare, start, started, stopped, release, boot) what the hook\n"
		"does when libvirt calls it. Goes on when the terminal or desktop it was typed in\n"
		"ends. Refused while a guest holds the devices.",
};

static int undo_orphan(const struct host *host, const char *uuid)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	_cleanup_error_ struct error err = {};
	int r, status = STATUS_OK;

	if (journal_read(host, uuid, &journal, NULL) < 0)
		return STATUS_OK; /* meanwhile its own release came */
	log_open(host, journal.domain);
	r = owner_undo(host, uuid, NULL, &err);
	if (r == 0)
		printf("%s: put back\n", journal.domain);
	else if (r != -ENOENT)
		status = by_hand_fail(&err);
	log_close();
	return status;
}

/* Of all domains whose owner is dead: at boot after libvirtd, and by hand. */
static int undo_orphans(const struct command_options *options)
{
	struct host host = { .root = options->root };
	_cleanup_strv_ struct strv uuids = {};
	int status = STATUS_OK;
	bool any = false;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	survive_session(&host);
	if (journal_list(&host, &uuids) < 0)
		return STATUS_FAILED;
	for (size_t i = 0; i < uuids.n; i++) {
		if (owner_of_is_alive(&host, uuids.v[i]))
			continue;
		any = true;
		if (undo_orphan(&host, uuids.v[i]) != STATUS_OK)
			status = STATUS_FAILED;
	}
	if (!any)
		puts("no domain has left anything behind: nothing to put back");
	return status;
}

/* What --forget gave up, one line each. */
static void tell_given_up(const struct run *run)
{
	for (size_t i = 0; i < run->report.n; i++)
		if (run->report.items[i].kind == REPORT_WARNING)
			fprintf(stderr, "vfio-hook: %s\n", run->report.items[i].what);
}

static int do_undo(const struct command_options *options, int argc, char **argv)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = CALL_NONE;
	struct progress progress;
	int r;

	if (options->orphans && !options->boot && !options->forget && argc == 0)
		return undo_orphans(options);
	if (argc == 0 || options->orphans)
		return usage_error(&command_undo, "undo: either DOMAIN or --orphans%s",
				   argc == 0 ? " is missing" : "");
	r = by_hand_open(options, argv[0], options->boot ? PHASE_BOOT : PHASE_RELEASE,
			 command_open_domain, &call);
	if (r != STATUS_OK)
		return r;
	by_hand_watch(&call.run, &progress);
	call.run.forget = options->forget;
	r = by_hand_refuse_in_use(&call.run, &err);
	if (r == 0)
		r = by_hand_phase(&call.run, PHASE_NONE, &err);
	if (r == -ENOENT) {
		printf("%s: nothing to put back\n", argv[0]);
		return STATUS_OK;
	}
	if (r < 0)
		return by_hand_fail(&err);
	if (options->forget)
		tell_given_up(&call.run);
	tell_done(&call.run, "undo");
	return STATUS_OK;
}

static int undo_run(const struct command_options *options, int argc, char **argv)
{
	return by_hand_survive(options, argc, argv, do_undo);
}

const struct command command_undo = {
	.name = "undo",
	.args = "[--boot] [--forget] DOMAIN | --orphans",
	.summary = "puts back what the journal holds",
	.max_args = 1,
	.options = COMMAND_ORPHANS | COMMAND_BOOT | COMMAND_FORGET,
	.acts = true,
	.run = undo_run,
	.help = "Puts back everything that was changed for DOMAIN and not put back yet, newest\n"
		"first: after a crash, a failed release or a prepare by hand. Refused while a\n"
		"guest holds the devices. --boot: what its [boot/begin] changed, which no release\n"
		"puts back. --forget: what still cannot be put back is told and given up, so that\n"
		"the domain can start again. --orphans: for every domain whose daemon, QEMU and\n"
		"vfio users are all gone.",
};
