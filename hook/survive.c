/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going on when the desktop ends that a command was typed in. Three things would end it,
 * too: the terminal's SIGHUP, sudo, which passes the session's SIGTERM on to its child, and
 * logind, which kills what is left in the session's control group.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "holders_process.h"
#include "log.h"
#include "spawn.h"
#include "survive.h"
#include "systemd.h"

#define MOVE_MS 5000
#define LOOK_MS 10

static bool in_session(const struct host *host)
{
	struct holder self = { .pid = getpid() };

	process_describe(host, &self);
	return holder_is_session(&self);
}

static bool has_terminal(void)
{
	return isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
}

static int status_of(int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	fprintf(stderr,
		"vfio-hook: killed by signal %d: vfio-hook status tells what is left, "
		"vfio-hook undo puts it back\n",
		WTERMSIG(wait_status));
	return 1;
}

/* Until WORKER ends. SIGCHLD and SIGINT are blocked. */
static int wait_in_front(pid_t worker, const sigset_t *set)
{
	int status, signal;

	for (;;) {
		if (waitpid(worker, &status, WNOHANG) == worker)
			return status_of(status);
		if (sigwait(set, &signal) == 0 && signal == SIGINT)
			kill(worker, SIGINT);
	}
}

bool survive_fork(const struct host *host, int *status)
{
	sigset_t set, old;
	pid_t pid;

	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (*host->root || !(has_terminal() || in_session(host))) {
		setsid();
		return true;
	}
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &old);
	pid = fork();
	if (pid > 0) {
		*status = wait_in_front(pid, &set);
		return false;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	setsid(); /* also after a fork that failed: then the work is done here */
	return true;
}

/* systemd makes the scope and moves us into it; a moment later that is done. */
static int take_scope(const struct host *host, struct error *err)
{
	const int64_t deadline = now_ms() + MOVE_MS;
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	char program[PATH_MAX], unit[48], pid[16];
	const char *const argv[] = { program,
				     "--quiet",
				     "call",
				     "org.freedesktop.systemd1",
				     "/org/freedesktop/systemd1",
				     "org.freedesktop.systemd1.Manager",
				     "StartTransientUnit",
				     "ssa(sv)a(sa(sv))",
				     unit,
				     "fail",
				     "4",
				     "Description",
				     "s",
				     "vfio-hook, typed in a session that may end",
				     "Slice",
				     "s",
				     "system.slice",
				     "CollectMode",
				     "s",
				     "inactive-or-failed",
				     "PIDs",
				     "au",
				     "1",
				     pid,
				     "0",
				     NULL };
	int r;

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(unit, sizeof(unit), "vfio-hook-%s.scope", pid);
	if (spawn_find(host, "busctl", program, sizeof(program)) < 0)
		return error_set(err, -ENOENT, "busctl is not installed");
	r = spawn_run(host, &(struct spawn){ .argv = argv, .deadline = deadline },
		      &result, err);
	if (r < 0)
		return r;
	if (result.status != 0)
		return error_set(err, -EIO, "systemd gives no scope: %s",
				 result.timed_out ? "it does not answer" : result.errors);
	while (in_session(host)) {
		if (now_ms() >= deadline)
			return error_set(err, -ETIMEDOUT,
					 "systemd has not moved us to %s", unit);
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000000 }, NULL);
	}
	return 0;
}

/* Of cgroup v2, and of v1 with systemd or elogind. 0, or the last errno. */
static int take_topmost_groups(const struct host *host)
{
	static const char *const groups[] = { "", "/unified", "/systemd", "/elogind" };
	int r, bad = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		r = host_write(host, "0", "/sys/fs/cgroup%s/cgroup.procs", groups[i]);
		if (r < 0 && r != -ENOENT)
			bad = r;
	}
	return bad;
}

void survive_session(const struct host *host)
{
	_cleanup_error_ struct error err = {};
	int r;

	if (*host->root)
		return;
	if (systemd_is_running(host)) {
		if (!in_session(host) || take_scope(host, &err) == 0)
			return;
		log_info("no scope of our own, so the topmost control group: %s",
			 error_text(&err));
	}
	r = take_topmost_groups(host);
	if (r < 0)
		log_warn("this ends when the session does that it was typed in: its control "
			 "group cannot be left: %s",
			 strerror(-r));
}
