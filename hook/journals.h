/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* A domain's journal as it was found, or why it could not be read. */
struct found_journal {
	char *uuid;
	struct journal journal;
	int code; /* 0, or a negative errno, with WHY */
	struct error why;
};

/*
 * The journals of all domains, as they were at the first question; ours as well, if it is
 * not open (RUN->journal). A plan has one such picture (RUN->journals), and so has whoever has
 * several questions while nothing may change: with the host-wide lock. Else each question gets
 * one of its own.
 */
struct journals {
	struct found_journal *found;
	size_t n;
	bool read;
};

/*
 * RUN's own picture, or ONCE where it has none; read when it was not yet. They are root's: the
 * plan of an ordinary user is told so, once, and goes on without.
 */
int journals_look(struct run *run, struct journals *once, const struct journals **ret,
		  struct error *err);
/* Is it RUN's own domain's? */
bool journals_is_own(const struct run *run, const struct found_journal *found);
void journals_done(struct journals *journals);
