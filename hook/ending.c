/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending processes by signals. A pid may have gone to another process between the look
 * and the signal: so the signal goes through a pidfd, taken before the process is looked
 * at again.
 */
#include <fnmatch.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "effect.h"
#include "ending.h"
#include "holders_process.h"
#include "log.h"
#include "process_walk.h"

int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = { { "TERM", SIGTERM },
		      { "KILL", SIGKILL },
		      { "INT", SIGINT },
		      { "HUP", SIGHUP },
		      { "QUIT", SIGQUIT } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (streq(known[i].name, name))
			return known[i].number;
	return -EINVAL;
}

bool process_name_is_spared(const char *name)
{
	/* As in comm, too, which is cut to 15 characters. */
	static const char *const patterns[] = {
		"init",	  "systemd",  "systemd-*", "(sd-*",  "elogind*", "openrc*",
		"runit*", "runsv*",   "s6-*",	   "dbus-*", "libvirtd", "virt*d",
		"qemu-*", "qemu-kvm", "qemu",	   "kvm",    "vfio-hook"
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return false;
}

bool process_is_spared(const struct run *run, const struct holder *holder)
{
	return holder->pid <= 1 || holder->pid == getppid() ||
	       holder->pid == run->caller || holder->is_vfio ||
	       process_is_ours(&run->host, holder->pid) || process_is_logind(holder) ||
	       process_name_is_spared(holder->comm);
}

static const char *argv0_name(const struct host *host, int pid, char *buf, size_t size)
{
	const char *name;

	if (host_read(host, buf, size, "/proc/%d/cmdline", pid) <= 0)
		return ""; /* a thread of the kernel, or a zombie */
	name = path_base(buf);
	return *name == '-' ? name + 1 : name; /* a login shell */
}

/* Its executable has the name; that the kernel tells whatever the process is at. */
static bool exe_is_named(const struct host *host, int pid, const struct strv *names)
{
	char exe[NAME_MAX + 32] = "";

	if (host_link_name(host, exe, sizeof(exe), "/proc/%d/exe", pid) < 0)
		return false;
	if (str_ends(exe, " (deleted)"))
		exe[strlen(exe) - strlen(" (deleted)")] = '\0';
	return strv_contains(names, exe);
}

static bool is_named(const struct host *host, int pid, const struct strv *names)
{
	char buf[4096];
	const char *argv0 = argv0_name(host, pid, buf, sizeof(buf));

	return *argv0 && (strv_contains(names, argv0) || exe_is_named(host, pid, names));
}

#define NAMED_MAX 1024

struct named {
	struct walk_memory walk;
	size_t n;
	int pid[NAMED_MAX];
};

static void look_at_name(struct process_walk *walk, int pid)
{
	struct named *named = (struct named *)walk->memory;

	if (named->n < NAMED_MAX && is_named(walk->host, pid, walk->arg))
		named->pid[named->n++] = pid;
}

static bool belongs_to(const struct host *host, int pid, int64_t uid)
{
	char path[PATH_MAX];
	struct stat st;

	return uid < 0 || (stat(host_path(host, path, "/proc/%d", pid), &st) == 0 &&
			   st.st_uid == uid);
}

static int add_named(const struct run *run, int pid, int64_t uid, struct holder_list *list)
{
	struct holder holder = { .pid = pid };

	if (!belongs_to(&run->host, pid, uid))
		return 0;
	process_describe(&run->host, &holder);
	if (process_is_spared(run, &holder))
		return 0;
	if (array_grow(&list->holder, list->n, sizeof(holder)) < 0)
		return -ENOMEM;
	list->holder[list->n++] = holder;
	return 0;
}

static void named_done(struct named **named)
{
	if (*named)
		munmap(*named, sizeof(**named));
}

int processes_named(const struct run *run, const struct strv *names, int64_t uid,
		    struct holder_list *ret, struct error *err)
{
	_cleanup_(named_done) struct named *named = walk_memory_new(sizeof(*named));
	_cleanup_(holder_list_done) struct holder_list found = {};
	_cleanup_(process_walk_done) struct process_walk walk = {
		.host = &run->host,
		.look = look_at_name,
		.arg = (void *)(uintptr_t)names,
		.memory = named ? &named->walk : NULL
	};
	int r = named ? process_walk(&walk, err) : error_oom(err);

	for (size_t i = 0; r == 0 && i < named->n; i++)
		r = add_named(run, named->pid[i], uid, &found);
	for (size_t i = 0; r == 0 && i < walk.n_hung; i++)
		if (exe_is_named(&run->host, walk.hung[i], names))
			r = add_named(run, walk.hung[i], uid, &found);
	if (r < 0)
		return r == -ENOMEM ? error_oom(err) : r;
	*ret = found;
	found = (struct holder_list){};
	return 0;
}

/* A process that was signalled, and how. */
struct signalled {
	int pid;
	uint64_t start;
	int signal;
};

struct work {
	const struct ending *ending;
	struct signalled *signalled;
	size_t n;
	struct holder_list last;
};

static void work_done(struct work *work)
{
	free(work->signalled);
	holder_list_done(&work->last);
}

/* The entry of a process; a pid that was given anew begins anew. NULL: no memory. */
static struct signalled *entry_of(struct work *work, int pid, uint64_t start)
{
	for (size_t i = 0; i < work->n; i++)
		if (work->signalled[i].pid == pid && work->signalled[i].start == start)
			return &work->signalled[i];
	if (array_grow(&work->signalled, work->n, sizeof(*work->signalled)) < 0)
		return NULL;
	work->signalled[work->n] = (struct signalled){ .pid = pid, .start = start };
	return &work->signalled[work->n++];
}

static int send_signal(struct run *run, const struct holder *holder, uint64_t start,
		       int signal)
{
	_cleanup_close_ int fd = -1;
	uint64_t now;

	fd = (int)syscall(SYS_pidfd_open, holder->pid, 0);
	if (fd < 0 && errno != ENOSYS)
		return -errno;
	if (process_start_time(&run->host, holder->pid, &now) < 0 || now != start)
		return -ESRCH;
	if (fd < 0) /* before Linux 5.3 */
		return kill(holder->pid, signal) < 0 ? -errno : 0;
	return syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0 ? -errno : 0;
}

static int signal_one(struct run *run, struct work *work, const struct holder *holder,
		      struct error *err)
{
	int wanted = work->ending->signal, r;
	struct signalled *entry;
	char what[256];
	uint64_t start;

	if (wanted == SIGTERM && run_time_left(run) <= work->ending->kill_ms)
		wanted = SIGKILL;
	if (process_start_time(&run->host, holder->pid, &start) < 0)
		return 0; /* it is gone */
	entry = entry_of(work, holder->pid, start);
	if (!entry)
		return error_oom(err);
	if (entry->signal == wanted)
		return 0;
	entry->signal = wanted;
	r = send_signal(run, holder, start, wanted);
	if (r == -ESRCH)
		return 0;
	snprintf(what, sizeof(what), "%s (pid %d, %s)", holder->comm, holder->pid,
		 holder->user);
	if (r < 0)
		return error_errno(err, r, "cannot send %s SIG%s", what,
				   sigabbrev_np(wanted));
	snprintf(what + strlen(what), sizeof(what) - strlen(what), " got SIG%s",
		 sigabbrev_np(wanted));
	run_change(run, what, NULL, "one way");
	return 0;
}

static int end_them(struct run *run, void *arg, struct error *err)
{
	struct work *work = arg;
	int r, last = 0;

	holder_list_done(&work->last);
	r = work->ending->find(run, work->ending->arg, &work->last, err);
	for (size_t i = 0; r >= 0 && i < work->last.n; i++) {
		const struct holder *holder = &work->last.holder[i];

		if (holder->pid != last && !process_is_spared(run, holder))
			r = signal_one(run, work, holder, err);
		last = holder->pid;
	}
	return r < 0 ? r : work->last.n == 0;
}

int processes_end(struct run *run, const struct ending *ending, struct holder_list *ret,
		  struct error *err)
{
	_cleanup_(work_done) struct work work = { .ending = ending };
	int r;

	if (*run->host.root)
		return error_set(err, -EOPNOTSUPP,
				 "with --root no process is signalled: they are this "
				 "machine's");
	r = run_wait(run, end_them, &work, err);
	if (r == -ETIMEDOUT) {
		*ret = work.last;
		work.last = (struct holder_list){};
	}
	return r;
}
