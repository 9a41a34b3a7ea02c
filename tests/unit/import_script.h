/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <check.h>

#include "import_run.h"
#include "util.h"

/*
 * The config of SCRIPT, x.sh, which is for prepare/begin unless it asks which phase it is;
 * returns how much is left over.
 */
static inline size_t import_script(const char *script, const char *domain,
				   char **ret_config)
{
	char dir[] = "/tmp/import_script.XXXXXX", path[64];
	struct import_request request = { .root = "",
					  .dir = path,
					  .domain = domain,
					  .phase = strstr(script, "$2") ? PHASE_NONE :
									  PHASE_PREPARE };
	_cleanup_error_ struct error err = {};
	size_t left = 0, len;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.sh", dir);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(script, f), 0);
	fclose(f);
	f = open_memstream(ret_config, &len);
	ck_assert_ptr_nonnull(f);
	import_run(&request, f, &left, &err);
	fclose(f);
	unlink(path);
	rmdir(dir);
	return left;
}
