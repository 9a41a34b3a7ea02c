/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/*
 * Files that make root act, whatever they are: configs, scripts, programs. Root's own,
 * or ours: who is not root acts with no more rights than he has.
 */

/* Who, besides root, could change what root is about to do. */
enum trust {
	TRUST_FULL, /* nobody */
	TRUST_LOOSE, /* its owner or a group */
	TRUST_NONE, /* everybody */
};

/*
 * Judges the file or folder at PATH (not rooted), each folder on the way to it, up to the
 * root, and each symlink and what is on its way. The worst is returned, and its reason with
 * the command that mends it in *RET_WHY (NULL when all is well; the caller frees).
 * Negative: it cannot be looked at, see ERR.
 */
int trust_of(const struct host *host, const char *path, char **ret_why, struct error *err);
/* The command in such a reason, or "". */
const char *trust_cure(const char *why);
/*
 * The same for FULL, which has the root in front already, as the name of a file that may be
 * put there: then a sticky folder where everybody may write is no place for it. *RET_FD is
 * an O_PATH descriptor of what was judged. No text in ERR.
 */
int trust_open(const struct host *host, const char *full, int *ret_fd, char **ret_why);
