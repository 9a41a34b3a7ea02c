/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What every program of unit tests ends with. */

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#define STATUS_SKIPPED 77 /* as Meson counts it */
#define SUITE_PATIENCE 1000 /* hundredths of a second */

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

/* The child of ours with the number in NAME, or one of no process: 0. */
static inline int suite_child(const char *name, char stat[512])
{
	const char *end;
	int pid = atoi(name), parent;
	FILE *f;

	snprintf(stat, 512, "/proc/%d/stat", pid);
	f = pid > 0 ? fopen(stat, "re") : NULL;
	if (!f)
		return 0;
	stat[fread(stat, 1, 511, f)] = '\0';
	fclose(f);
	end = strrchr(stat, ')');
	return end && sscanf(end, ") %*c %d", &parent) == 1 && parent == getpid() ? pid :
										    0;
}

static inline void suite_kill_left(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char stat[512];
	int pid;

	while (dir && (entry = readdir(dir))) {
		pid = suite_child(entry->d_name, stat);
		if (pid > 0 && kill(pid, SIGKILL) == 0)
			fprintf(stderr, "left by a test, killed: %.80s\n", stat);
	}
	if (dir)
		closedir(dir);
}

/*
 * What tests have started and left comes to us, whatever its session is. Returns whether
 * there was any that did not come to its end by itself.
 */
static inline bool suite_left_any(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	unsigned tries = 0;
	int pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid > 0)
			continue;
		if (++tries > SUITE_PATIENCE)
			suite_kill_left();
		nanosleep(&pause, NULL);
	}
	return tries > SUITE_PATIENCE;
}

/* Runs TCASE, the only one of the program, and returns its exit status. */
static inline int suite_run(const char *name, TCase *tcase)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_pass_small_pids();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return suite_left_any() || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The same for tests whose config and journal must be root's. */
static inline int suite_run_as_root(const char *name, TCase *tcase)
{
	if (geteuid() == 0)
		return suite_run(name, tcase);
	fprintf(stderr, "needs root, skipped\n");
	return STATUS_SKIPPED;
}
