/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/* A domain's log (log.h) read back. */
struct logged_step {
	char *text; /* "kmod.unload = timeout=30s nvidia", "script /etc/…" */
	int64_t ms; /* -1: not known */
	bool done, failed;
};

enum logged_result {
	LOGGED_CUT_OFF, /* no last line: killed, crashed, reset, or at work now */
	LOGGED_DONE,
	LOGGED_FAILED,
};

struct logged_phase {
	char *when; /* "2026-01-31 12:00:00" */
	char *name; /* "prepare/begin", "undo" */
	enum logged_result result;
	int64_t ms; /* of all; -1: not known */
	char *error; /* of a failed one, else NULL */
	struct logged_step *steps;
	size_t n_steps;
};

struct phase_log {
	struct logged_phase *phases; /* oldest first */
	size_t n;
};

/* 0, also when there is no log; a line that does not fit in is passed over. */
int log_read(const struct host *host, const char *domain, struct phase_log *ret,
	     struct error *err);
/* "in prepare at kmod.unload nvidia": where a phase was cut off; the caller frees. */
char *logged_place(const struct logged_phase *phase);
/* The step that took longest, or NULL where none has a time. */
const struct logged_step *logged_slowest(const struct logged_phase *phase);
/* "kmod.unload nvidia": a step's text without its options, in BUF. */
char *logged_step_text(const struct logged_step *step, char *buf, size_t size);
void phase_log_done(struct phase_log *log);
