/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "journal.h"

/* Internal to the files of the journal. */

#define STATE_DIR "/run/vfio-hook"

/*
 * One line of N fields, escaped, with its end mark and newline; the caller frees. Before it
 * stands another newline: whoever wrote last may have been cut off in its line, and the next
 * would be lost with that. An empty line says nothing.
 */
char *journal_line(const char *const *fields, size_t n);
/* Takes over every complete line of TEXT (which it changes) in order. */
int journal_parse(struct journal *journal, char *text);
/* What a line of each type does to the journal in memory. */
int journal_apply(struct journal *journal, char **fields, size_t n);
/* Writes a line (journal_append.c) and does to the journal in memory what reading it would. */
int journal_add(struct journal *journal, const char *const *fields, size_t n,
		struct error *err);
/*
 * An flock(2) of the open file PATH, for as long as the run WAIT has time and is not told
 * to end (NULL: at once or not at all). ERR then says who has it; DOMAIN whose it is.
 */
int journal_flock(const struct host *host, int fd, const char *path, const char *domain,
		  const struct run *wait, struct error *err);
