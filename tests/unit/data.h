/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Files of tests/unit/data: beside the test's source, or where DATA says. */

#include <libgen.h>
#include <limits.h>

#include <check.h>

#include "util.h"

static inline const char *data_path(char buf[PATH_MAX], const char *name)
{
	const char *dir = getenv("DATA");
	char source[] = __FILE__;

	if (dir)
		snprintf(buf, PATH_MAX, "%s/%s", dir, name);
	else
		snprintf(buf, PATH_MAX, "%s/data/%s", dirname(source), name);
	return buf;
}

static inline char *data_read(const char *name, size_t *ret_len)
{
	char path[PATH_MAX], *text = calloc(1, 1024 * 1024 + 1);
	_cleanup_fclose_ FILE *f = fopen(data_path(path, name), "re");

	ck_assert_msg(f && text, "cannot open %s", path);
	*ret_len = fread(text, 1, 1024 * 1024, f);
	return text;
}
