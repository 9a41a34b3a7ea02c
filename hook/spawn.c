/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs programs for steps and scripts. libvirt reads its hook's output until the last
 * copy of the pipe is closed, and without any timeout. So a program gets pipes of its
 * own here, and neither it nor what it leaves in the background can hold us back.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "run.h"
#include "spawn_capture.h"
#include "spawn_child.h"

#define OUTPUT_MAX (64 * 1024)
#define ERRORS_MAX (4 * 1024)
#define DEFAULT_MS 30000 /* for callers without a deadline: no wait is endless */
#define LOOK_MS 100 /* how often a run is asked whether it was cancelled */
#define FORK_MS 5000
#define FORK_PAUSE_US 50000
#define GRACE_MS 1000 /* from SIGTERM to SIGKILL, and from there to giving up */

struct process {
	pid_t pid;
	int pidfd; /* -1 before Linux 5.3: then the poll is short */
	int in, out, errors;
	const char *input;
	size_t input_left;
	struct capture output, tail;
};

static void process_done(struct process *process)
{
	closep(&process->pidfd);
	closep(&process->in);
	closep(&process->out);
	closep(&process->errors);
	free(process->output.data);
	free(process->tail.data);
}

static void close_end(int *fd)
{
	closep(fd);
	*fd = -1;
}

/* Takes what is there, but not for ever: a grandchild may write faster than we read. */
static void drain(int *fd, struct capture *capture)
{
	char buf[16 * 1024];

	for (unsigned i = 0; *fd >= 0 && i < 16; i++) {
		ssize_t n = read(*fd, buf, sizeof(buf));

		if (n > 0)
			capture_add(capture, buf, (size_t)n);
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno == EAGAIN)
			return;
		else
			close_end(fd);
	}
}

/* A program that does not read its stdin is no error. */
static void feed(struct process *process)
{
	ssize_t n = 0;

	if (process->in < 0)
		return;
	if (process->input_left > 0)
		n = write(process->in, process->input, process->input_left);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		process->input += n;
		process->input_left -= (size_t)n;
	}
	if (n < 0 || process->input_left == 0)
		close_end(&process->in);
}

/* WNOWAIT: while it is not reaped, its process group's number cannot be reused. */
static bool has_exited(const struct process *process)
{
	siginfo_t info = {};

	if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return errno != EINTR;
	return info.si_pid != 0;
}

static void serve(struct process *process, int64_t left, int64_t most)
{
	struct pollfd fds[] = {
		{ .fd = process->in, .events = POLLOUT },
		{ .fd = process->out, .events = POLLIN },
		{ .fd = process->errors, .events = POLLIN },
		{ .fd = process->pidfd, .events = POLLIN },
	};

	if (process->pidfd < 0)
		most = 20;
	if (poll(fds, ARRAY_SIZE(fds), (int)(left < most ? left : most)) <= 0)
		return;
	feed(process);
	drain(&process->out, &process->output);
	drain(&process->errors, &process->tail);
}

static void signal_group(const struct process *process, int sig)
{
	kill(-process->pid, sig);
	kill(process->pid, sig); /* it may not have its group yet */
}

/* True: it has exited. False: not even SIGKILL ended it, it sleeps in the kernel. */
static bool wait_exit(struct process *process, const struct run *run, int64_t deadline,
		      struct spawn_result *ret)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	size_t sent = 0;

	while (!has_exited(process)) {
		int64_t left = deadline - now_ms();

		if (!sent && run && run_cancelled(run, NULL) < 0) {
			ret->cancelled = true;
			left = 0;
		}
		if (left > 0) {
			serve(process, left, run ? LOOK_MS : 1000);
			continue;
		}
		if (sent == ARRAY_SIZE(signals))
			return false;
		ret->timed_out = !ret->cancelled;
		signal_group(process, signals[sent++]);
		deadline = now_ms() + GRACE_MS;
	}
	if (sent)
		signal_group(process, SIGKILL);
	return true;
}

static int reap(const struct process *process)
{
	int status;

	while (waitpid(process->pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Both ends of the three pipes of a program, and the one that reports a failed exec. */
struct pipes {
	int fd[4][2];
};

static void pipes_done(struct pipes *pipes)
{
	for (size_t i = 0; i < 4; i++) {
		closep(&pipes->fd[i][0]);
		closep(&pipes->fd[i][1]);
	}
}

static int pipes_open(struct pipes *pipes, bool with_input)
{
	for (size_t i = 0; i < 4; i++) {
		if (i == 0 && !with_input) {
			pipes->fd[0][0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
			if (pipes->fd[0][0] < 0)
				return -errno;
		} else if (pipe2(pipes->fd[i], O_CLOEXEC) < 0) {
			return -errno;
		}
	}
	return 0;
}

/* A host at its limit of processes may have room again: a way back waits for that. */
static pid_t fork_until(int64_t deadline)
{
	int64_t last = now_ms() + FORK_MS;
	pid_t pid = fork();

	while (pid < 0 && now_ms() < (last < deadline ? last : deadline)) {
		usleep(FORK_PAUSE_US);
		pid = fork();
	}
	return pid;
}

static int start(const struct spawn *spawn, const struct child *image,
		 struct pipes *pipes, struct process *process, int64_t deadline,
		 struct error *err)
{
	int child_ends[4] = { pipes->fd[0][0], pipes->fd[1][1], pipes->fd[2][1],
			      pipes->fd[3][1] };

	if (capture_init(&process->output, spawn->keep_output ? OUTPUT_MAX : 0, false) <
		    0 ||
	    capture_init(&process->tail, ERRORS_MAX, true) < 0)
		return error_oom(err);
	process->pid = fork_until(deadline);
	if (process->pid < 0)
		return error_errno(err, -errno, "cannot start %s: fork", spawn->argv[0]);
	if (process->pid == 0)
		child_exec(image, child_ends);

	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	process->in = STEAL_FD(pipes->fd[0][1]);
	process->out = STEAL_FD(pipes->fd[1][0]);
	process->errors = STEAL_FD(pipes->fd[2][0]);
	process->input = spawn->input;
	process->input_left = spawn->input_len;
	for (size_t i = 0; i < 4; i++)
		close_end(&pipes->fd[i][i == 0 ? 0 : 1]);
	if (process->in >= 0)
		nonblocking(process->in);
	nonblocking(process->out);
	nonblocking(process->errors);
	nonblocking(pipes->fd[3][0]);
	return 0;
}

static void finish(struct process *process, struct spawn_result *ret)
{
	size_t n;

	drain(&process->out, &process->output);
	drain(&process->errors, &process->tail);
	ret->output = capture_steal(&process->output);
	ret->errors = capture_steal(&process->tail);
	for (n = strlen(ret->errors); n > 0 && ret->errors[n - 1] == '\n'; n--)
		ret->errors[n - 1] = '\0';
}

int spawn_run(const struct host *host, const struct spawn *spawn,
	      struct spawn_result *ret, struct error *err)
{
	_cleanup_(pipes_done) struct pipes pipes = {
		{ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } }
	};
	_cleanup_(process_done) struct process process = { 0, -1, -1, -1, -1 };
	_cleanup_(child_done) struct child image = {};
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	struct spawn_result result = { .status = -1 };
	struct child_failure failure;
	int64_t deadline = spawn->deadline > 0 ? spawn->deadline : now_ms() + DEFAULT_MS;
	int r;

	if (deadline <= now_ms())
		return error_set(err, -ETIMEDOUT, "no time is left to run %s",
				 spawn->argv[0]);
	r = child_prepare(host, spawn, &image, err);
	if (r < 0)
		return r;
	r = pipes_open(&pipes, spawn->input != NULL);
	if (r < 0)
		return error_errno(err, r, "cannot start %s: pipe", spawn->argv[0]);
	r = start(spawn, &image, &pipes, &process, deadline, err);
	if (r < 0)
		return r;

	sigaction(SIGPIPE, &ignore, &before);
	if (wait_exit(&process, spawn->run, deadline, &result))
		result.status = reap(&process);
	sigaction(SIGPIPE, &before, NULL);

	if (read(pipes.fd[3][0], &failure, sizeof(failure)) == (ssize_t)sizeof(failure))
		return child_explain(spawn, &image, &failure, err);
	finish(&process, &result);
	*ret = result;
	return 0;
}

void spawn_result_done(struct spawn_result *result)
{
	free(result->output);
	free(result->errors);
	result->output = result->errors = NULL;
}

int spawn_find(const struct host *host, const char *name, char *buf, size_t size)
{
	static const char *const folders[] = {
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
		"/usr/bin",	   "/sbin",	     "/bin",
	};
	char path[PATH_MAX];
	struct stat st;

	if (!*name || strchr(name, '/'))
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		host_path(host, path, "%s/%s", folders[i], name);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
			continue;
		if ((size_t)snprintf(buf, size, "%s/%s", folders[i], name) >= size)
			return -ENAMETOOLONG;
		return 0;
	}
	return -ENOENT;
}
