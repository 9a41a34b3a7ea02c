/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What every program of unit tests ends with. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#define STATUS_SKIPPED 77 /* as Meson counts it */

/*
 * The processes of the fake trees have numbers below 1000. A test that was given one of
 * these itself would take such a process for its own; the kernel counts on from the last.
 */
static inline void suite_pass_small_pids(void)
{
	int pid;

	do {
		pid = fork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	} while (pid > 0 && pid < 1000);
}

/* Runs TCASE, the only one of the program, and returns its exit status. */
static inline int suite_run(const char *name, TCase *tcase)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_pass_small_pids();
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
