/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Kinds of plain files:
 *
 *   kind        target              values
 *   owner       path                "uid:gid:mode", the mode in octal
 *   file        /dev/shm/NAME, its  "created", "" (not there); data "uid:gid:mode size"
 *               links resolved
 */
extern const struct state_kind state_owner;
extern const struct state_kind state_file;

#define OWNERSHIP_LEN 48

struct ownership {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* 07777 */
};

/* What owner=, group= and mode= say; the others stay as they are in OWNERSHIP. */
int ownership_of_step(struct run *run, const struct step *step,
		      struct ownership *ownership, struct error *err);
/* While the config is read: is mode= possible, is there anything to do? */
int ownership_parse(const struct step *step, struct error *err);
/* "0:0:0660" in BUF; returns BUF. */
char *ownership_text(const struct ownership *ownership, char buf[OWNERSHIP_LEN]);
/* Of the file at PATH (not rooted, no symlink). */
int ownership_read(const struct host *host, const char *path, struct ownership *ret,
		   struct error *err);
