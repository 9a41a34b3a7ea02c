// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lap run PROGRAM...: runs it and writes the time it took, in µs, to descriptor 9.
 * lap write: writes what is on its input, "PATH VALUE" a line, and tells the time of the
 * writes alone: what the kernel takes, and nobody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static int run(char **argv)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		close(9);
		execv(argv[0], argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int write_all(void)
{
	char line[512], *value;
	int fd, failed = 0;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, ' ');
		if (!value)
			continue;
		*value++ = '\0';
		fd = open(line, O_WRONLY);
		if (fd < 0 || write(fd, value, strlen(value)) < 0) {
			fprintf(stderr, "lap: %s: %s\n", line, strerror(errno));
			failed = 1;
		}
		if (fd >= 0)
			close(fd);
	}
	return failed;
}

int main(int argc, char **argv)
{
	long long begin = now();
	int r;

	if (argc > 2 && strcmp(argv[1], "run") == 0)
		r = run(argv + 2);
	else if (argc == 2 && strcmp(argv[1], "write") == 0)
		r = write_all();
	else
		return 2;
	dprintf(9, "%lld\n", now() - begin);
	return r;
}
