/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/* Who, besides root, could change what root is about to run. */
enum trust {
	TRUST_FULL, /* nobody */
	TRUST_LOOSE, /* its owner or a group */
	TRUST_NONE, /* everybody */
};

/*
 * Judges the file or folder at PATH (not rooted) and the folders above it, as written and
 * with symlinks resolved, up to the root. The worst is returned, and its reason with the
 * command that mends it in *RET_WHY (NULL when all is well; the caller frees). Negative:
 * it cannot be looked at, see ERR.
 */
int trust_of(const struct host *host, const char *path, char **ret_why, struct error *err);
