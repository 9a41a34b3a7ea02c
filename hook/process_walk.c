/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All processes in turn, none of which can hold up who asks.
 */
#include <sys/mman.h>

#include "guard.h"
#include "process_walk.h"

#define PATIENCE_MS 1500 /* with a look at one process */
#define LATER_PATIENCE_MS 300 /* when one hangs, others may for the same reason */

void *walk_memory_new(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int look_at_all(void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	struct process_walk *walk = arg;
	struct walk_memory *memory = walk->memory;

	for (; memory->at < walk->pids.n; memory->at++) {
		memory->progress++;
		walk->look(walk, atoi(walk->pids.v[memory->at]));
	}
	return 0;
}

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static int find_pids(const struct host *host, struct strv *ret, struct error *err)
{
	_cleanup_strv_ struct strv names = {};
	int r = host_list(host, &names, "/proc");

	if (r < 0)
		return error_errno(err, r, "cannot read /proc to find processes");
	for (size_t i = 0; i < names.n && r >= 0; i++)
		if (is_number(names.v[i]))
			r = strv_add(ret, names.v[i]);
	return r < 0 ? error_oom(err) : 0;
}

/* The one that the child is stuck at. False: enough of them. */
static bool note_hung(struct process_walk *walk)
{
	walk->hung[walk->n_hung++] = atoi(walk->pids.v[walk->memory->at++]);
	if (walk->n_hung < WALK_HUNG_MAX)
		return true;
	walk->skipped = (unsigned)(walk->pids.n - walk->memory->at);
	return false;
}

int process_walk(struct process_walk *walk, struct error *err)
{
	const struct guard_job job = { .fn = look_at_all, .arg = walk };
	int r = find_pids(walk->host, &walk->pids, err);

	if (r < 0)
		return r;
	walk->self = getpid();
	do
		r = guard_watch(&job, &walk->memory->progress,
				walk->n_hung ? LATER_PATIENCE_MS : PATIENCE_MS);
	while (r == -ETIMEDOUT && walk->memory->at < walk->pids.n && note_hung(walk));
	if (r == -ETIMEDOUT)
		return 0;
	return r < 0 ? error_errno(err, r, "cannot look at the processes") : 0;
}

void process_walk_done(struct process_walk *walk)
{
	strv_done(&walk->pids);
}
