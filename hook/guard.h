/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * For kernel calls that may never return (an unbind whose remove() waits for open
 * files): FN runs in a child that holds none of our descriptors, so that it can be left
 * behind when the deadline passes; it is then journalled, -ETIMEDOUT returned and WHAT
 * and the kernel function it sleeps in named. Otherwise FN's result, 0 or a negative
 * errno. The child is never killed: a signal makes an uninterruptible wait no shorter.
 * A way back that can have no child (pids.max, no memory) makes the call by itself.
 */
int guard_call(struct run *run, const char *what, int (*fn)(void *arg), void *arg,
	       struct error *err);

/*
 * The child that the guarded reads and writes of a call share, as a fork costs more than most
 * of them do. It comes with the first, works at one at a time, and is left behind like any
 * other when that does not return: the next one has another.
 */
struct guard_server {
	int pid, fd; /* 0: there is none */
	uint64_t start; /* process_start_time() of it; 0: not asked for yet */
	int owner; /* the process that made it: no child of that one may use it */
	int64_t since; /* now_ms() */
};

void guard_server_done(struct guard_server *server);

/* One guarded write of VALUE to PATH (not yet rooted). "" is written as a newline. */
int guard_write(struct run *run, const char *path, const char *value, struct error *err);
/* A write of VALUE to PATH, which is not yet rooted. */
struct guard_late {
	const char *path, *value;
};

#define GUARD_LATE_MAX 4

/* On the way up LATE follows what has not returned in time: see struct guard_access. */
int guard_write_late(struct run *run, const char *path, const char *value,
		     const struct guard_late *late, struct error *err);
/* One guarded read of a small file; as host_read(), which see. */
int guard_read(struct run *run, const char *path, char *buf, size_t size,
	       struct error *err);

/* The same where no phase runs: a few seconds at most. */
int guard_read_host(const struct host *host, const char *path, char *buf, size_t size,
		    struct error *err);

/* A whole file of up to 64 KiB (-EFBIG), likewise; the caller frees *RET. */
int guard_read_all_host(const struct host *host, const char *path, char **ret,
			struct error *err);

/*
 * Makes a child of ours one that may be left behind: away from the caller's session,
 * signals, lock, journal and pipes to the daemon. FD is all it keeps: its new number.
 */
int guard_isolate(int fd);

#define GUARD_TEXT_MAX 2048

/*
 * A write of VALUE to PATH, a read of it when VALUE is NULL. LATE (may be NULL; ends with no
 * path) is what the child writes by itself when its own write succeeded after we had stopped
 * waiting for it.
 */
struct guard_access {
	const struct host *host;
	const char *path, *value;
	const struct guard_late *late;
};

/*
 * guard_call() with all its parts. FN may leave a text of up to GUARD_TEXT_MAX bytes for
 * the parent.
 */
struct guard_job {
	const char *what; /* "unbind of 0000:0a:00.0 from snd_hda_intel" */
	const struct guard_access *access; /* instead of FN: for the server */
	int (*fn)(void *arg, char text[GUARD_TEXT_MAX]);
	void *arg;
	/* May wait without an end for whoever uses the device: never without a child. */
	bool waits;
	bool reads; /* changes nothing */
};

/* TEXT may be NULL. ERR is filled only when the guard itself failed (or timed out). */
int guard_run(struct run *run, const struct guard_job *job, char text[GUARD_TEXT_MAX],
	      struct error *err);
/* The same of what only reads, where no phase runs: a few seconds at most. */
int guard_run_host(const struct host *host, const struct guard_job *job,
		   char text[GUARD_TEXT_MAX], struct error *err);

/*
 * For a job that only reads, many things in turn (by ourselves where no child can be had):
 * it may take as long as it gets on, that is, as *PROGRESS (shared memory, as all that it
 * finds must be) changes. Once that stands still for PATIENCE_MS, the child is killed:
 * -ETIMEDOUT. One that only waits for a processor gets some times as long.
 */
int guard_watch(const struct guard_job *job, const _Atomic unsigned *progress,
		int64_t patience_ms);

/*
 * The begin of a run that goes on with a journal: children of one that was killed may be at
 * work still. Each gets some seconds from its start to end; whatever takes longer counts as
 * left behind.
 */
void guard_settle(struct run *run);
/*
 * The pid of a child left behind, now or by an earlier run, that still is in the kernel
 * and whose WHAT, which *RET_WHAT (may be NULL) becomes, has WORD in it; 0: there is none.
 */
int guard_left(const struct run *run, const char *word, const char **ret_what);
