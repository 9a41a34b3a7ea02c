/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/* Does PATTERN have one of * ? [ in it? */
bool glob_is_pattern(const char *pattern);
/* The paths (not rooted) that PATTERN names as they are, symlinks and all. */
int host_glob_names(const struct host *host, const char *pattern, struct strv *ret);
/* PATH with its symlinks resolved, not rooted, in BUF (PATH_MAX bytes). */
int host_resolve(const struct host *host, const char *path, char *buf, struct error *err);
/*
 * The paths (not rooted) that PATTERN names, sorted, symlinks resolved, each once. All lie
 * below BELOW ("/sys"), or -EPERM with the one that does not. None: -ENOENT.
 */
int host_glob(const struct host *host, const char *pattern, const char *below,
	      struct strv *ret, struct error *err);
