/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What every program of unit tests ends with. */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <check.h>

#define STATUS_SKIPPED 77 /* as Meson counts it */

/* Runs TCASE, the only one of the program, and returns its exit status. */
static inline int suite_run(const char *name, TCase *tcase)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The same for tests whose config and journal must be root's. */
static inline int suite_run_as_root(const char *name, TCase *tcase)
{
	if (geteuid() == 0)
		return suite_run(name, tcase);
	fprintf(stderr, "needs root, skipped\n");
	return STATUS_SKIPPED;
}
