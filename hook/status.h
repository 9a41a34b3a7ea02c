/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "journal.h"
#include "log_read.h"

enum domain_state {
	DOMAIN_IDLE, /* nothing of it is changed */
	DOMAIN_PREPARED, /* changed, by a prepare that got through; somebody stands behind */
	DOMAIN_PARTIAL, /* changed by less: a failed undo, a prepare by hand */
	DOMAIN_BUSY, /* a phase runs at this moment */
	DOMAIN_ORPHANED, /* changed, and everybody who stood behind it is gone */
	DOMAIN_INTERRUPTED, /* its last phase never ended; nothing is changed now */
};

/* What there is to know of a domain without its XML; BOOT: of its [boot/begin] only. */
struct domain_status {
	char *name;
	bool boot;
	char config[PATH_MAX]; /* "": it has none */
	enum domain_state state;
	bool have_journal;
	struct journal journal;
	char owner[64]; /* name of the daemon's process, "" when that is gone */
	struct phase_log log;
};

int status_load(const struct host *host, const char *hooks_dir, const char *domain,
		struct domain_status *ret, struct error *err);
/* The same of what it changed at boot; -ENOENT: nothing. */
int status_load_boot(const struct host *host, const char *hooks_dir, const char *domain,
		     struct domain_status *ret, struct error *err);
/* Every domain that has a config, a journal or a log; -EACCES: the journals are root's. */
int status_domains(const struct host *host, const char *hooks_dir, struct strv *ret);
const char *domain_state_text(enum domain_state state);
/* Has anybody to do something about it? */
bool status_needs_attention(const struct host *host, const struct domain_status *status);
/* The phase that was cut off, or is at work; NULL: none. */
const struct logged_phase *status_open_phase(const struct domain_status *status);
/*
 * The record's value now; the caller frees. -ETIMEDOUT: the kernel does not answer, since
 * another process hangs with the device's lock held.
 */
int status_value_now(const struct host *host, const struct record *record, char **ret);
/* Does the child still sit in the kernel, and nobody waits for it? */
bool status_left_is_there(const struct host *host, const struct domain_status *status,
			  const struct journal_child *child);
void domain_status_done(struct domain_status *status);
