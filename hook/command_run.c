/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook run, test and undo: phases by hand.
 */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>

#include "command.h"
#include "desktop.h"
#include "log.h"
#include "owner.h"
#include "phase.h"
#include "progress.h"
#include "survive.h"

#define TEST_SECONDS 20
#define SECONDS_TO_THINK 10

static int fail(const struct error *err)
{
	log_error("%s", error_text(err));
	fprintf(stderr, "vfio-hook: %s\n", error_text(err));
	return STATUS_FAILED;
}

static int refuse_in_use(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	if (journal_read(&run->host, run->domain->uuid, &journal, NULL) < 0)
		return 0;
	return owner_refuse_in_use(&run->host, &journal, err);
}

/* Whoever typed it sees how far it is. */
static void watch(struct run *run, struct progress *progress)
{
	progress_init(progress, STDOUT_FILENO);
	run->observer = &progress->observer;
}

static int run_phase(struct run *run, enum phase phase, struct error *err)
{
	int r;

	event_of_phase(&run->event, run->event.domain, phase);
	if (phase == PHASE_NONE)
		r = phase_undo(run, err);
	else
		r = phase_goes_up(phase) ? phase_up(run, err) : phase_down(run, err);
	run_tell(run, RUN_ENDS, "%s", "");
	return r;
}

/* OPEN: command_open, or command_open_domain where a bad config must not matter. */
static int open_for_real(const struct command_options *options, const char *domain,
			 enum phase phase, typeof(command_open) *open, struct call *call)
{
	int r = open(options, domain, phase, call);

	if (r != STATUS_OK)
		return r;
	call_take_signals(call);
	/* First: the child that writes the log would stay, and keep the session from ending. */
	survive_session(&call->run.host);
	log_open(&call->run.host, domain);
	return STATUS_OK;
}

/* The desktop that this was typed in may end as part of what it does. */
static int survive(const struct command_options *options, int argc, char **argv,
		   int (*work)(const struct command_options *options, int argc,
			       char **argv))
{
	const struct host host = { .root = options->root };
	int status = STATUS_FAILED;

	if (!survive_fork(&host, &status))
		return status;
	status = work(options, argc, argv);
	log_close();
	return status;
}

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
	_cleanup_(call_done) struct call call = {};
	struct progress progress;
	enum phase phase = command_phase(&command_run, argv[1]);
	int r;

	(void)argc;
	if (phase == PHASE_NONE)
		return STATUS_USAGE;
	r = open_for_real(options, argv[0], phase, command_open, &call);
	if (r != STATUS_OK)
		return r;
	call.run.owner =
		1; /* as long as the machine runs: nobody else stands behind it */
	watch(&call.run, &progress);
	if (phase == PHASE_PREPARE || !phase_goes_up(phase))
		r = refuse_in_use(&call.run, &err);
	if (r == 0)
		r = run_phase(&call.run, phase, &err);
	if (r < 0)
		return fail(&err);
	tell_done(&call.run, phase_name(phase));
	return STATUS_OK;
}

static int run_run(const struct command_options *options, int argc, char **argv)
{
	return survive(options, argc, argv, do_run);
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
		status = fail(&err);
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

static int do_undo(const struct command_options *options, int argc, char **argv)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = {};
	struct progress progress;
	int r;

	if (options->orphans && !options->boot && argc == 0)
		return undo_orphans(options);
	if (argc == 0 || options->orphans)
		return usage_error(&command_undo, "undo: either DOMAIN or --orphans%s",
				   argc == 0 ? " is missing" : "");
	r = open_for_real(options, argv[0], options->boot ? PHASE_BOOT : PHASE_RELEASE,
			  command_open_domain, &call);
	if (r != STATUS_OK)
		return r;
	watch(&call.run, &progress);
	r = refuse_in_use(&call.run, &err);
	if (r == 0)
		r = run_phase(&call.run, PHASE_NONE, &err);
	if (r == -ENOENT) {
		printf("%s: nothing to put back\n", argv[0]);
		return STATUS_OK;
	}
	if (r < 0)
		return fail(&err);
	tell_done(&call.run, "undo");
	return STATUS_OK;
}

static int undo_run(const struct command_options *options, int argc, char **argv)
{
	return survive(options, argc, argv, do_undo);
}

const struct command command_undo = {
	.name = "undo",
	.args = "[--boot] DOMAIN | --orphans",
	.summary = "puts back what the journal holds",
	.max_args = 1,
	.options = COMMAND_ORPHANS | COMMAND_BOOT,
	.acts = true,
	.run = undo_run,
	.help = "Puts back everything that was changed for DOMAIN and not put back yet, newest\n"
		"first: after a crash, a failed release or a prepare by hand. Refused while a\n"
		"guest holds the devices. --boot: what its [boot/begin] changed, which no release\n"
		"puts back. --orphans: for every domain whose daemon, QEMU and vfio users are all\n"
		"gone.",
};

/* On the terminal, and in the log for who lost it. */
static void _printf_(1, 2) tell(const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	puts(text);
	fflush(stdout);
	log_at(LOG_NOTICE, "%s", text);
}

/* Is every target of the journal's records as it was found? Told line by line. */
static int compare(struct run *run, const struct journal *before)
{
	int different = 0;

	for (size_t i = 0; i < before->n; i++) {
		const struct record *record = &before->records[i];
		_cleanup_free_ char *now = NULL;

		if (record->struck || !record->kind || record->kind->one_way ||
		    record->kind->read(&run->host, record->target, &now, NULL) < 0)
			continue;
		if (streq(now, record->old))
			continue;
		tell("  different: %s %s: was %s, is %s", record->kind->name,
		     record->target, state_value_text(record->old),
		     state_value_text(now));
		different++;
	}
	return different;
}

/* Up to SECONDS, or until somebody wants an end. */
static void hold(const struct run *run, unsigned seconds)
{
	struct pollfd pfd = { .fd = run->cancel_fd, .events = POLLIN };

	while (poll(&pfd, 1, (int)seconds * 1000) < 0 && errno == EINTR)
		;
}

static int test_phases(struct run *run, unsigned seconds)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	_cleanup_error_ struct error err = {};
	int different, r = refuse_in_use(run, &err);

	run->owner = getpid();
	if (r == 0)
		r = run_phase(run, PHASE_PREPARE, &err);
	if (r < 0)
		return fail(&err);
	/* Nothing changed, or nothing to compare with: what was taken goes back anyway. */
	r = journal_read(&run->host, run->domain->uuid, &journal, &err);
	if (r < 0 && r != -ENOENT)
		log_warn("nothing will be compared: %s", error_text(&err));
	tell("%s: prepared; %u s from now all is put back", run->domain->name, seconds);
	hold(run, seconds);
	error_done(&err);
	r = run_phase(run, PHASE_RELEASE, &err);
	different = compare(run, &journal);
	if (r < 0)
		return fail(&err);
	tell("%s: released; %s", run->domain->name,
	     different ? "not all is as it was" : "all is as it was");
	return different ? STATUS_FAILED : STATUS_OK;
}

static int do_test(const struct command_options *options, int argc, char **argv)
{
	_cleanup_(call_done) struct call call = {};
	struct progress progress;
	uint64_t seconds = TEST_SECONDS;
	int r;

	if (argc > 1)
		parse_u64(argv[1], &seconds); /* it was looked at before */
	r = open_for_real(options, argv[0], PHASE_PREPARE, command_open, &call);
	if (r != STATUS_OK)
		return r;
	watch(&call.run, &progress);
	return test_phases(&call.run, (unsigned)seconds);
}

/* Nothing is opened and nothing begun yet: whoever reads this may still stop. */
static void warn_of_end(const struct run *run, const struct step *end)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	char typed[128];

	fprintf(stderr,
		"%s: %s (line %u) ends the desktop of this host: %s.\nCtrl-C stops now; "
		"Enter goes on, as does waiting for %d s. The log: /var/log/vfio-hook/%s.log\n",
		run->domain->name, end->key, end->line, desktop_end_advice,
		SECONDS_TO_THINK, run->domain->name);
	/* What was typed is for us, not for the shell that comes after. */
	if (poll(&pfd, 1, SECONDS_TO_THINK * 1000) > 0)
		(void)!read(STDIN_FILENO, typed, sizeof(typed));
}

/* A plan that would be refused ends nothing. What is wrong is told when it is run. */
static int warn_person(const struct command_options *options, const char *domain)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = {};
	const struct step *end;
	int r;

	r = command_open(options, domain, PHASE_PREPARE, &call);
	if (r != STATUS_OK || phase_check(&call.run, &err) < 0)
		return r;
	end = desktop_end(&call.run);
	if (end)
		warn_of_end(&call.run, end);
	return STATUS_OK;
}

static int test_run(const struct command_options *options, int argc, char **argv)
{
	uint64_t seconds;
	int r;

	if (argc > 1 && (parse_u64(argv[1], &seconds) < 0 || seconds > 3600))
		return usage_error(&command_test, "%s is no number of seconds up to 3600",
				   argv[1]);
	r = isatty(STDIN_FILENO) && isatty(STDERR_FILENO) ?
		    warn_person(options, argv[0]) :
		    STATUS_OK;
	if (r != STATUS_OK)
		return r;
	return survive(options, argc, argv, do_test);
}

const struct command command_test = {
	.name = "test",
	.args = "DOMAIN [SECONDS]",
	.summary = "prepare, hold, release, compare: the first thing to run",
	.min_args = 1,
	.max_args = 2,
	.acts = true,
	.run = test_run,
	.help = "Runs prepare, holds for SECONDS (default: 20), runs release and compares each\n"
		"thing that was changed with what it was before. Where that ends the desktop, it\n"
		"says so first and leaves you 10 seconds for Ctrl-C: best done by ssh from another\n"
		"machine. It goes on when the desktop it was typed in ends; the log is\n"
		"/var/log/vfio-hook/DOMAIN.log.",
};
