/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child that makes a call which may never return: away from all that is its parent's,
 * so that it can be left behind.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "guard_child.h"

#define FORK_TRIES 5
#define FORK_PAUSE_NS 20000000L
#define REAP_MS 1000

static void close_from(unsigned first)
{
	long max;

	if (close_range(first, ~0U, 0) == 0)
		return;
	/* Before Linux 5.9. */
	max = sysconf(_SC_OPEN_MAX);
	if (max < 0 || max > 65536)
		max = 65536;
	for (int fd = (int)first; fd < max; fd++)
		close(fd);
}

int guard_isolate(int fd)
{
	sigset_t none;
	int null;

	setsid();
	/*
	 * vfio's wait turns from interruptible into deaf when any signal comes. No other
	 * signal has a handler here, and no program is run.
	 */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	fd = fcntl(fd, F_DUPFD, 4);
	if (fd < 0)
		return -errno;
	null = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		if (null < 0 || dup2(null, i) < 0)
			close(i);
	if (dup2(fd, 3) < 0)
		return -errno;
	close_from(4);
	return 3;
}

size_t guard_next(int fd, int parent, char *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	/* With the parent killed meanwhile somebody may be putting things back by now. */
	return n > 0 && getppid() == parent ? (size_t)n : 0;
}

int guard_send(int fd, const struct guard_answer *answer)
{
	size_t size = offsetof(struct guard_answer, text) +
		      strnlen(answer->text, GUARD_TEXT_MAX - 1) + 1;

	return write(fd, answer, size) < 0 ? -errno : 0;
}

static void do_job(const void *arg, int fd, int parent)
{
	const struct guard_job *job = arg;
	struct guard_answer answer = { 0 };
	char go;

	if (!guard_next(fd, parent, &go, 1))
		return;
	answer.result = guard_do(job, answer.text);
	if (guard_send(fd, &answer) < 0 && answer.result >= 0 && job->access)
		guard_do_late(job->access);
}

int guard_answer(int fd, int64_t deadline, struct guard_answer *answer)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;
	ssize_t n;
	int r;

	for (;;) {
		left = deadline - now_ms();
		if (left < 0)
			left = 0;
		r = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (r > 0)
			break;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (left == 0)
			return -ETIMEDOUT;
	}
	n = read(fd, answer, sizeof(*answer));
	if (n < (ssize_t)offsetof(struct guard_answer, text))
		return -ECHILD;
	answer->text[GUARD_TEXT_MAX - 1] = '\0';
	return 0;
}

int guard_go(int fd)
{
	ssize_t n;

	do
		n = send(fd, "g", 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* A host at its limit of processes may have room again in a moment. */
static int fork_patiently(void)
{
	const struct timespec pause = { .tv_nsec = FORK_PAUSE_NS };
	int pid = fork();

	for (unsigned i = 1; i < FORK_TRIES && pid < 0; i++) {
		nanosleep(&pause, NULL);
		pid = fork();
	}
	return pid;
}

int guard_spawn(void (*main)(const void *arg, int fd, int parent), const void *arg,
		int *ret_fd)
{
	int fds[2], parent = getpid(), pid, r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = fork_patiently();
	if (pid == 0) {
		close(fds[0]);
		r = guard_isolate(fds[1]);
		if (r >= 0)
			main(arg, r, parent);
		_exit(r < 0);
	}
	r = pid < 0 ? -errno : pid;
	close(fds[1]);
	if (r < 0)
		close(fds[0]);
	else
		*ret_fd = fds[0];
	return r;
}

int guard_reap(int pid, int fd)
{
	struct pollfd p = { .fd = fd }; /* it hangs up when it is gone */
	int r, status = 0;

	shutdown(fd, SHUT_WR);
	do
		r = poll(&p, 1, REAP_MS);
	while (r < 0 && errno == EINTR);
	close(fd);
	if (r > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	return status;
}

int guard_fork(const struct guard_job *job, int *ret_fd)
{
	return guard_spawn(do_job, job, ret_fd);
}
