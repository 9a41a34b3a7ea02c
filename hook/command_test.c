/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook test: prepare, hold, release, compare.
 */
#include <poll.h>

#include "by_hand.h"
#include "desktop.h"
#include "log.h"
#include "phase.h"

#define TEST_SECONDS 20
#define SECONDS_TO_THINK 10

/* On the terminal, and in the log for who lost it. */
static void _printf_(1, 2) tell(const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = str_format(fmt, ap);
	va_end(ap);
	if (!text)
		return;
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
	int different, r = by_hand_refuse_in_use(run, &err);

	run->owner = getpid();
	if (r == 0)
		r = by_hand_phase(run, PHASE_PREPARE, &err);
	if (r < 0)
		return by_hand_fail(&err);
	/* Nothing changed, or nothing to compare with: what was taken goes back anyway. */
	r = journal_read(&run->host, run->domain->uuid, &journal, &err);
	if (r < 0 && r != -ENOENT)
		log_warn("nothing will be compared: %s", error_text(&err));
	tell("%s: prepared; %u s from now all is put back", run->domain->name, seconds);
	hold(run, seconds);
	error_done(&err);
	r = by_hand_phase(run, PHASE_RELEASE, &err);
	different = compare(run, &journal);
	if (r < 0)
		return by_hand_fail(&err);
	tell("%s: released; %s", run->domain->name,
	     different ? "not all is as it was" : "all is as it was");
	return different ? STATUS_FAILED : STATUS_OK;
}

static int do_test(const struct command_options *options, int argc, char **argv)
{
	_cleanup_(call_done) struct call call = CALL_NONE;
	struct progress progress;
	uint64_t seconds = TEST_SECONDS;
	int r;

	if (argc > 1)
		parse_u64(argv[1], &seconds); /* it was looked at before */
	r = by_hand_open(options, argv[0], PHASE_PREPARE, command_open, &call);
	if (r != STATUS_OK)
		return r;
	if (by_hand_has_nothing(&call))
		return STATUS_FAILED;
	by_hand_watch(&call.run, &progress);
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
	_cleanup_(call_done) struct call call = CALL_NONE;
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
	return by_hand_survive(options, argc, argv, do_test);
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
