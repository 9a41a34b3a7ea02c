/*
 * inject: run the hook and let one of its system calls fail, or let it die there.
 *
 * inject [-o FILE] [-n N [-e ERRNO | -p]] PROGRAM ARGUMENT...
 *   -o  write a line for each call that counts: number, pid, name, path
 *   -n  at the N-th call: all processes of the hook die of SIGKILL before it is made
 *   -p  only the hook's first process dies, its children go on
 *   -e  the call is not made and returns ERRNO (EIO, EBUSY, ENOSPC, ENODEV)
 *
 * Counted over all processes that run the hook's executable (those that it starts other
 * programs in count until they do): what changes the host or the journal, and starts of
 * programs; of open() and mkdir() what creates something. As with strace -D, the program
 * stays the child of the caller; the tracer is a process beside it and lives as long as
 * anything that was started. A seccomp filter stops those calls only, since a stop at
 * each would make a run several times longer.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <dirent.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOOK "/etc/libvirt/hooks/qemu"

enum argument {
	FD,
	STRING,
	FD_STRING,
	NONE
};

static const struct call {
	long number;
	const char *name;
	enum argument argument;
	int anywhere; /* whatever its path is */
	int flags; /* which argument, from 1 on, has the flags of open() */
} calls[] = {
	{ SYS_write, "write", FD, 0, 0 },
	{ SYS_ftruncate, "ftruncate", FD, 0, 0 },
	{ SYS_unlink, "unlink", STRING, 0, 0 },
	{ SYS_rename, "rename", STRING, 0, 0 },
	{ SYS_mkdir, "mkdir", STRING, 0, 0 },
	{ SYS_rmdir, "rmdir", STRING, 0, 0 },
	{ SYS_fallocate, "fallocate", FD, 0, 0 },
	{ SYS_chmod, "chmod", STRING, 0, 0 },
	{ SYS_fchmod, "fchmod", FD, 0, 0 },
	{ SYS_fchmodat, "fchmodat", FD_STRING, 0, 0 },
	{ SYS_chown, "chown", STRING, 0, 0 },
	{ SYS_lchown, "lchown", STRING, 0, 0 },
	{ SYS_fchown, "fchown", FD, 0, 0 },
	{ SYS_fchownat, "fchownat", FD_STRING, 0, 0 },
	{ SYS_creat, "creat", STRING, 0, 0 },
	{ SYS_open, "open", STRING, 0, 2 },
	{ SYS_openat, "openat", FD_STRING, 0, 3 },
	{ SYS_init_module, "init_module", NONE, 1, 0 },
	{ SYS_finit_module, "finit_module", FD, 1, 0 },
	{ SYS_delete_module, "delete_module", STRING, 1, 0 },
	{ SYS_execve, "execve", STRING, 1, 0 },
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static FILE *out;
static int counted, wanted, result, first_only, first;

static int errno_of(const char *name)
{
	static const struct {
		const char *name;
		int value;
	} names[] = { { "EIO", EIO },	    { "EBUSY", EBUSY },	  { "ENOSPC", ENOSPC },
		      { "ENODEV", ENODEV }, { "ENOMEM", ENOMEM }, { "EINTR", EINTR } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].value;
	fprintf(stderr, "inject: no errno %s\n", name);
	exit(2);
}

static int runs_hook(const char *pid)
{
	char path[64], exe[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		return 0;
	exe[n] = 0;
	return strcmp(exe, HOOK) == 0;
}

static void kill_hook(void)
{
	struct dirent *d;
	DIR *dir;

	if (first_only) {
		kill(first, SIGKILL);
		return;
	}
	dir = opendir("/proc");
	while (dir && (d = readdir(dir)))
		if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && runs_hook(d->d_name))
			kill(atoi(d->d_name), SIGKILL);
	if (dir)
		closedir(dir);
}

static ssize_t path_of_fd(int pid, int fd, char path[PATH_MAX])
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", pid, fd);
	return readlink(link, path, PATH_MAX - 1);
}

static ssize_t string_at(int pid, unsigned long long where, char path[PATH_MAX])
{
	/* In two parts, as behind the string's page there may be none. */
	size_t first_part = 4096 - where % 4096;
	struct iovec here = { path, PATH_MAX - 1 };
	struct iovec there[] = {
		{ (void *)where, first_part < PATH_MAX - 1 ? first_part : PATH_MAX - 1 },
		{ (void *)(where + first_part), PATH_MAX - 1 - first_part }
	};

	return process_vm_readv(pid, &here, 1, there, first_part < PATH_MAX - 1 ? 2 : 1,
				0);
}

static void path_of(int pid, const struct call *call, const struct user_regs_struct *regs,
		    char path[PATH_MAX])
{
	ssize_t n = -1;

	if (call->argument == STRING)
		n = string_at(pid, regs->rdi, path);
	else if (call->argument == FD_STRING)
		n = string_at(pid, regs->rsi, path);
	/* An empty string with AT_EMPTY_PATH is the descriptor's own. */
	if (call->argument == FD || (call->argument == FD_STRING && (n < 1 || !*path)))
		n = path_of_fd(pid, (int)regs->rdi, path);
	path[n < 0 ? 0 : n] = 0;
}

/* mkdir() and open(O_CREAT) of what is there: no change. */
static int makes_nothing(const struct call *call, const char *path)
{
	return (call->number == SYS_mkdir || call->flags) && access(path, F_OK) == 0;
}

static int is_ours(const char *path)
{
	static const char *const below[] = { "/sys/", "/proc/", "/dev/",
					     "/run/vfio-hook" };

	if (strcmp(path, "/dev/null") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		if (strncmp(path, below[i], strlen(below[i])) == 0)
			return 1;
	return 0;
}

static void at_call(int pid)
{
	const struct call *call = NULL;
	struct user_regs_struct regs;
	char text[16], path[PATH_MAX];

	snprintf(text, sizeof(text), "%d", pid);
	if (!runs_hook(text) || ptrace(PTRACE_GETREGS, pid, 0, &regs))
		return;
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].number == (long)regs.orig_rax)
			call = &calls[i];
	if (!call)
		return;
	path_of(pid, call, &regs, path);
	if (makes_nothing(call, path) || (!call->anywhere && !is_ours(path)))
		return;
	counted++;
	if (out) {
		fprintf(out, "%d %d %s %s\n", counted, pid, call->name, path);
		fflush(out);
	}
	if (counted != wanted)
		return;
	if (!result) {
		kill_hook();
		return;
	}
	regs.orig_rax = -1ULL;
	regs.rax = (unsigned long long)-result;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}

static void trace(void)
{
	int pid, status, event, sig;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid < 0 || !WIFSTOPPED(status))
			continue;
		event = status >> 16;
		sig = WSTOPSIG(status);
		if (event == PTRACE_EVENT_SECCOMP)
			at_call(pid);
		if (event == PTRACE_EVENT_STOP && sig != SIGTRAP)
			ptrace(PTRACE_LISTEN, pid, 0, 0);
		else
			ptrace(PTRACE_CONT, pid, 0, event ? 0 : sig);
	}
}

static int start_tracer(const char *file)
{
	long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		       PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
	int fds[2], pid;
	char c;

	first = getpid();
	if (pipe(fds))
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		close(fds[1]);
		c = 'x';
		if (read(fds[0], &c, 1) != 1 || c != 'g')
			return -1;
		close(fds[0]);
		return 0;
	}
	/* Nobody's child and in nobody's way, with none of the hook's pipes. */
	if (fork())
		_exit(0);
	setsid();
	for (int i = 0; i < 64; i++)
		if (i != fds[1])
			close(i);
	out = file ? fopen(file, "we") : NULL;
	if (ptrace(PTRACE_SEIZE, first, 0, options) == 0 && write(fds[1], "g", 1) == 1) {
		close(fds[1]);
		trace();
	}
	_exit(0);
}

static struct sock_filter statement(unsigned code, unsigned k)
{
	return (struct sock_filter)BPF_STMT((unsigned short)code, k);
}

static struct sock_filter jump(unsigned code, unsigned k, size_t yes, size_t no)
{
	return (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | BPF_K | code), k,
					    (unsigned char)yes, (unsigned char)no);
}

/* Five instructions a call: is it this one, and if it opens, does it create? */
static int stop_at_calls(void)
{
	const unsigned load = BPF_LD | BPF_W | BPF_ABS,
		       number = offsetof(struct seccomp_data, nr);
	struct sock_filter filter[CALLS * 5 + 2];
	struct sock_fprog program = { .filter = filter };
	size_t n = 0;

	filter[n++] = statement(load, number);
	for (size_t i = 0; i < CALLS; i++) {
		unsigned flags =
			offsetof(struct seccomp_data, args) + 8 * (calls[i].flags - 1);

		filter[n++] = jump(BPF_JEQ, (unsigned)calls[i].number, 0,
				   calls[i].flags ? 4 : 1);
		if (calls[i].flags) {
			filter[n++] = statement(load, flags);
			filter[n++] = jump(BPF_JSET, O_CREAT, 0, 1);
		}
		filter[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
		if (calls[i].flags)
			filter[n++] = statement(load, number);
	}
	filter[n++] = statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	const char *file = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "+o:n:e:p")) != -1) {
		switch (opt) {
		case 'o':
			file = optarg;
			break;
		case 'n':
			wanted = atoi(optarg);
			break;
		case 'e':
			result = errno_of(optarg);
			break;
		case 'p':
			first_only = 1;
			break;
		default:
			return 2;
		}
	}
	if (optind == argc)
		return 2;
	if (start_tracer(file) || stop_at_calls()) {
		perror("inject");
		return 127;
	}
	execvp(argv[optind], argv + optind);
	perror(argv[optind]);
	return 127;
}
