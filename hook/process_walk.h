/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/*
 * A look at every process. Who looks at the memory of one (maps, cmdline) waits for its
 * mmap lock, and behind one that hangs with it for ever; a file in a dead network file
 * system does the same. So a child looks, one for all, and a new one goes on behind the
 * process that it was stuck at.
 */
#define WALK_HUNG_MAX 8

/* Begins the memory that the child's finds are in, which outlives it. */
struct walk_memory {
	_Atomic unsigned progress; /* to be counted up while one process is looked at */
	size_t at; /* the process that it is at, in the list */
};

struct process_walk {
	const struct host *host;
	/* In the child. */
	void (*look)(struct process_walk *walk, int pid);
	void *arg;
	struct walk_memory *memory;
	int self; /* who asked */
	struct strv pids;
	int hung[WALK_HUNG_MAX]; /* those that could not be looked at */
	size_t n_hung;
	unsigned skipped; /* how many were not looked at, after so many had hung */
};

/* SIZE bytes for a struct that begins with walk_memory; NULL: none. munmap() frees. */
void *walk_memory_new(size_t size);
int process_walk(struct process_walk *walk, struct error *err);
void process_walk_done(struct process_walk *walk);
