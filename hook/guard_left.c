/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children in calls that may never return: the journal knows of each before it begins, so
 * that a later run does, too, whatever becomes of this one.
 */
#include <sys/wait.h>
#include <time.h>

#include "guard_child.h"

#define CUT_OFF_MS 10000 /* from its start, for the child of a run that was cut off */

uint64_t guard_start_time(const struct host *host, int pid)
{
	uint64_t start = 0;

	return process_start_time(host, pid, &start) < 0 ? 0 : start;
}

/* The kernel function that PID sleeps in, or "". */
static void sleeps_in(const struct host *host, int pid, char *buf, size_t size)
{
	char stack[4096], *p;

	if (host_read(host, buf, size, "/proc/%d/wchan", pid) > 0 && !streq(buf, "0"))
		return;
	buf[0] = '\0';
	/* "[<0>] azx_remove+0x1c/0x30 [snd_hda_intel]", innermost first */
	if (host_read(host, stack, sizeof(stack), "/proc/%d/stack", pid) <= 0)
		return;
	p = strchr(stack, ']');
	if (!p)
		return;
	p += 1 + strspn(p + 1, " ");
	snprintf(buf, size, "%.*s", (int)strcspn(p, "+\n "), p);
}

int guard_leave(struct run *run, const struct guard_job *job, int pid, int64_t since,
		struct error *err)
{
	long long waited = (long long)(now_ms() - since + 500) / 1000;
	char function[128];

	sleeps_in(&run->host, pid, function, sizeof(function));
	error_set(err, -ETIMEDOUT,
		  "%s has not returned from the kernel after %lld s%s%s%s: %s; process %d"
		  " %s",
		  job->what, waited, function[0] ? " (in " : "", function,
		  function[0] ? ")" : "",
		  job->waits ? "end what still uses it" : "look into dmesg for why", pid,
		  job->waits ? "waits on for the last user" :
			       "stays in there until it returns");
	if (run->journal)
		/* The timeout is what the user must read about, not this. */
		journal_left(run->journal, pid, guard_start_time(&run->host, pid),
			     job->what, NULL);
	return -ETIMEDOUT;
}

int guard_begin(struct run *run, const struct guard_job *job, int pid, uint64_t start,
		struct error *err)
{
	bool down = !run_is_way_up(run);
	int r = journal_child(run->journal, pid, start, job->what, down ? NULL : err);

	return down ? 0 : r;
}

/* One of our own that has ended stays a zombie until it is asked for. */
static bool is_alive(const struct host *host, const struct journal_child *child)
{
	return waitpid(child->pid, NULL, WNOHANG) != child->pid && child->start &&
	       guard_start_time(host, child->pid) == child->start;
}

int guard_left(const struct run *run, const char *word, const char **ret_what)
{
	for (size_t i = 0; run->journal && i < run->journal->n_children; i++) {
		const struct journal_child *child = &run->journal->children[i];

		if (!strstr(child->what, word) || !is_alive(&run->host, child))
			continue;
		if (ret_what)
			*ret_what = child->what;
		return child->pid;
	}
	return 0;
}

static bool is_young(const struct journal_child *child)
{
	struct timespec now = { 0 };
	long ticks = sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &now);
	return ticks > 0 && now.tv_sec * 1000 + now.tv_nsec / 1000000 <
				    (int64_t)child->start * 1000 / ticks + CUT_OFF_MS;
}

/* Of the children that nobody has given up, is none at work that may end in a moment? */
static int none_is_young(struct run *run, _unused_ void *arg, _unused_ struct error *err)
{
	for (size_t i = 0; i < run->journal->n_children; i++) {
		const struct journal_child *child = &run->journal->children[i];

		if (!child->left && is_young(child) && is_alive(&run->host, child))
			return 0;
	}
	return 1;
}

void guard_settle(struct run *run)
{
	int64_t deadline = run->deadline;

	if (!run->journal->n_children)
		return;
	run->deadline = now_ms() + CUT_OFF_MS;
	run_wait(run, none_is_young, NULL, NULL);
	run->deadline = deadline;
}
