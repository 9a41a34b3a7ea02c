/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands that run phases by hand have in common.
 */
#include "by_hand.h"
#include "log.h"
#include "owner.h"
#include "phase.h"
#include "scripts.h"
#include "survive.h"

int by_hand_fail(const struct error *err)
{
	log_error("%s", error_text(err));
	fprintf(stderr, "vfio-hook: %s\n", error_text(err));
	return STATUS_FAILED;
}

int by_hand_refuse_in_use(struct run *run, struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	if (journal_read(&run->host, run->domain->uuid, &journal, NULL) < 0)
		return 0;
	return owner_refuse_in_use(&run->host, &journal, err);
}

void by_hand_watch(struct run *run, struct progress *progress)
{
	progress_init(progress, STDOUT_FILENO);
	run->observer = &progress->observer;
}

int by_hand_phase(struct run *run, enum phase phase, struct error *err)
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

int by_hand_open(const struct command_options *options, const char *domain,
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

int by_hand_survive(const struct command_options *options, int argc, char **argv,
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

bool by_hand_has_nothing(const struct call *call)
{
	const struct run *run = &call->run;
	char word[SHELL_WORD_MAX];

	if (run->config ||
	    scripts_exist_in(&run->host, call->hooks_dir, run->event.domain, PHASES_ALL))
		return false;
	fprintf(stderr,
		"vfio-hook: %s has no config (%s/conf.d/%s.ini): there is nothing to do for "
		"it; make one with: vfio-hook init --write %s\n",
		run->event.domain, call->hooks_dir, run->event.domain,
		shell_word(run->event.domain, word, sizeof(word)));
	return true;
}
