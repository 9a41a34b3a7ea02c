/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child's half of spawn.c: what it must look like before exec. The hook inherits
 * libvirt's pipes, lock and journal are open, and signals may be ignored: a program that
 * got any of that could hang libvirt or keep the lock.
 */

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>

#include "spawn_child.h"

static bool env_has(const struct strv *env, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], name, n) == 0 && env->v[i][n] == '=')
			return true;
	return false;
}

int spawn_env_default(struct strv *env, const char *name, const char *value)
{
	return env_has(env, name) ? 0 : strv_addf(env, "%s=%s", name, value);
}

/* What pam_systemd would have set: user units and desktop tools need the last two. */
static int env_of_user(struct strv *env, const struct user *user)
{
	char runtime[32], bus[64];
	int r;

	snprintf(runtime, sizeof(runtime), "/run/user/%u", (unsigned)user->uid);
	snprintf(bus, sizeof(bus), "unix:path=%s/bus", runtime);
	if ((r = spawn_env_default(env, "HOME", user->home)) < 0 ||
	    (r = spawn_env_default(env, "USER", user->name)) < 0 ||
	    (r = spawn_env_default(env, "LOGNAME", user->name)) < 0 ||
	    (r = spawn_env_default(env, "XDG_RUNTIME_DIR", runtime)) < 0)
		return r;
	return spawn_env_default(env, "DBUS_SESSION_BUS_ADDRESS", bus);
}

static int env_make(const struct spawn *spawn, struct child *child)
{
	int r = 0;

	for (const char *const *e = spawn->env; e && *e && r >= 0; e++)
		r = strv_add(&child->env, *e);
	if (!spawn->env && r >= 0)
		r = strv_add(&child->env, "LC_ALL=C");
	if (!spawn->env && r >= 0)
		r = strv_add(&child->env, "PATH=" SPAWN_PATH);
	if (spawn->user && r >= 0)
		r = env_of_user(&child->env, &child->user);
	return r;
}

int child_prepare(const struct host *host, const struct spawn *spawn, struct child *ret,
		  struct error *err)
{
	int r = 0;

	host_path(host, ret->path, "%s", spawn->argv[0]);
	ret->cwd = spawn->cwd ? spawn->cwd : "/";
	for (const char *const *a = spawn->argv; *a && r >= 0; a++)
		r = strv_add(&ret->argv, *a);
	if (r < 0)
		return error_oom(err);

	if (spawn->user) {
		r = user_find(host, spawn->user, &ret->user, err);
		if (r < 0)
			return r;
		r = user_groups(host, &ret->user, &ret->groups, &ret->n_groups, err);
		if (r < 0)
			return r;
		ret->switch_user = geteuid() == 0 || geteuid() != ret->user.uid;
	}
	if (env_make(spawn, ret) < 0)
		return error_oom(err);
	return 0;
}

static void __attribute__((noreturn)) fail(int fd, enum child_stage stage)
{
	struct child_failure failure = { stage, errno };
	ssize_t n = write(fd, &failure, sizeof(failure));

	_exit(n < 0 ? 126 : 127);
}

/* Out of the way first: our ends may be any number, below 4 as well. */
static int move_fds(const int fds[4])
{
	int high[4];

	for (int i = 0; i < 4; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 16);
		if (high[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	if (dup3(high[3], 3, O_CLOEXEC) < 0)
		return -1;
	/* libvirt raises RLIMIT_NOFILE to half a million: this is one close_range(2) */
	closefrom(4);
	return 0;
}

static void default_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void child_exec(const struct child *child, const int fds[4])
{
	default_signals();
	setsid();
	umask(022);
	if (move_fds(fds) < 0)
		fail(fds[3], CHILD_FILES);
	if (child->switch_user &&
	    (setgroups(child->n_groups, child->groups) < 0 ||
	     setresgid(child->user.gid, child->user.gid, child->user.gid) < 0 ||
	     setresuid(child->user.uid, child->user.uid, child->user.uid) < 0))
		fail(3, CHILD_USER);
	if (chdir(child->cwd) < 0)
		fail(3, CHILD_FOLDER);
	execve(child->path, child->argv.v, child->env.v);
	fail(3, CHILD_EXEC);
}

static int explain_exec(const struct spawn *spawn, const struct child *child, int code,
			struct error *err)
{
	const char *program = spawn->argv[0];
	struct stat st;
	bool there = stat(child->path, &st) >= 0;

	if (code == ENOENT && there)
		return error_set(
			err, -code,
			"%s cannot run: the interpreter in its first line (#!) does "
			"not exist; a carriage return at that line's end counts, too",
			program);
	if (code == ENOENT)
		return error_set(err, -code, "%s does not exist", program);
	if (code == EACCES && there && !(st.st_mode & 0111))
		return error_set(err, -code, "%s is not executable: chmod 0755 %s",
				 program, program);
	if (code == EACCES)
		return error_set(
			err, -code,
			"%s may not be run%s%s: see the permissions of its folders, "
			"a noexec mount, and AppArmor or SELinux denials",
			program, spawn->user ? " by " : "",
			spawn->user ? spawn->user : "");
	if (code == ENOEXEC)
		return error_set(
			err, -code,
			"%s is neither a program nor a script with a first line such "
			"as #!/bin/sh",
			program);
	return error_errno(err, -code, "cannot run %s", program);
}

int child_explain(const struct spawn *spawn, const struct child *child,
		  const struct child_failure *failure, struct error *err)
{
	int code = -failure->code;

	switch (failure->stage) {
	case CHILD_FILES:
		break;
	case CHILD_FOLDER:
		return error_errno(err, code, "cannot run %s in the folder %s",
				   spawn->argv[0], child->cwd);
	case CHILD_USER:
		return error_errno(err, code, "cannot become user %s to run %s",
				   spawn->user, spawn->argv[0]);
	case CHILD_EXEC:
		return explain_exec(spawn, child, failure->code, err);
	}
	return error_errno(err, code, "cannot start %s", spawn->argv[0]);
}

void child_done(struct child *child)
{
	strv_done(&child->argv);
	strv_done(&child->env);
	user_done(&child->user);
	free(child->groups);
}
