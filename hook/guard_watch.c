/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many short looks, each of which may hang: one child for all of them.
 */
#include <signal.h>

#include "guard_child.h"

#define STARVED_MAX 8 /* times as long, for one that is ready to run */

/* It waits for nothing but a processor: starved by others, not stuck. */
static bool is_starved(int pid)
{
	const struct host real = { .root = "" };
	char stat[512];

	return process_stat(&real, pid, stat, sizeof(stat)) == 0 && *stat == 'R';
}

int guard_watch(const struct guard_job *job, const _Atomic unsigned *progress,
		int64_t patience_ms)
{
	struct guard_answer answer = { 0 };
	unsigned before, starved = 0;
	int pid, fd, r;

	pid = guard_fork(job, &fd);
	if (pid < 0)
		return guard_do(job, answer.text); /* rather so than not at all */
	guard_go(fd); /* one that is gone does not answer */
	do {
		before = *progress;
		r = guard_answer(fd, now_ms() + patience_ms, &answer);
	} while (r == -ETIMEDOUT &&
		 (*progress != before || (starved++ < STARVED_MAX && is_starved(pid))));
	/* One that not even that ends is left behind: it changes nothing any more. */
	if (r == -ETIMEDOUT)
		kill(pid, SIGKILL);
	guard_reap(pid, fd);
	return r < 0 ? r : answer.result;
}
