/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of /run/vfio-hook: a domain's journal is one itself, and two stand for the host.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "journal_format.h"
#include "run.h"

#define LOCK_POLL_US 2000

/* The process that has the lock of the open file, as the kernel tells; 0: not known. */
static int lock_holder(const struct host *host, int fd)
{
	_cleanup_free_ char *text = NULL;
	unsigned long long inode;
	unsigned maj, min;
	struct stat st;
	char *rest, *line;
	int pid;

	if (fstat(fd, &st) < 0 || host_read_all(host, &text, "/proc/locks") < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		/* "2: FLOCK  ADVISORY  WRITE 812 00:19:1187 0 EOF" */
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &maj, &min,
			   &inode) == 4 &&
		    inode == st.st_ino && maj == major(st.st_dev) &&
		    min == minor(st.st_dev))
			return pid > 0 ? pid : 0;
	return 0;
}

static bool is_stopped(const struct host *host, int pid)
{
	char stat[512];

	return process_stat(host, pid, stat, sizeof(stat)) == 0 && *stat == 'T';
}

static void describe_holder(const struct host *host, int fd, char *buf, size_t size)
{
	int pid = lock_holder(host, fd);

	if (!pid)
		snprintf(buf, size, "another vfio-hook");
	else if (is_stopped(host, pid))
		snprintf(buf, size, "vfio-hook (pid %d, stopped: kill -CONT %d)", pid,
			 pid);
	else
		snprintf(buf, size, "vfio-hook (pid %d)", pid);
}

/* Until DEADLINE, but no longer than WAIT (may be NULL) is cancelled. */
static int take(int fd, int64_t deadline, const struct run *wait, struct error *err)
{
	int r;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (now_ms() > deadline)
			return -ETIMEDOUT;
		r = wait ? run_cancelled(wait, err) : 0;
		if (r < 0)
			return r;
		usleep(LOCK_POLL_US);
	}
	return 0;
}

int journal_flock(const struct host *host, int fd, const char *path, const char *domain,
		  const struct run *wait, struct error *err)
{
	int64_t begin = now_ms();
	char holder[128];
	int r = take(fd, wait ? run_deadline(wait) : begin, wait, err);

	if (r != -ETIMEDOUT)
		return r < 0 ? error_errno(err, r, "cannot lock %s", path) : 0;
	describe_holder(host, fd, holder, sizeof(holder));
	return error_set(err, r,
			 "domain %s: %s is at work on it and holds %s; it was waited for "
			 "for %lld s",
			 domain, holder, path,
			 (long long)(now_ms() - begin + 500) / 1000);
}

static int lock_open(const struct host *host, const char *path, struct lock_file *file,
		     struct error *err)
{
	struct stat st;
	int r = journal_dir(host, err);

	if (r < 0)
		return r;
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return error_errno(err, -errno, "cannot open %s", path);
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	return 0;
}

/* -EAGAIN: it is not what others will find there, so that it locks nobody out. */
static int lock_take(const struct host *host, const char *path,
		     const struct lock_file *file, int64_t deadline, struct error *err)
{
	char holder[128];
	struct stat now;
	int r = take(file->fd, deadline, NULL, err);

	if (r == -ETIMEDOUT) {
		describe_holder(host, file->fd, holder, sizeof(holder));
		return error_set(err, r, "%s is held by %s, and time is up", path, holder);
	}
	if (r < 0)
		return error_errno(err, r, "cannot lock %s", path);
	return stat(path, &now) == 0 && file->ino == now.st_ino &&
			       file->dev == now.st_dev ?
		       0 :
		       -EAGAIN;
}

static int lock_file(const struct host *host, const char *name, int64_t deadline,
		     struct lock_file *file, struct error *err)
{
	char path[PATH_MAX];
	int r;

	host_path(host, path, STATE_DIR "/%s", name);
	do {
		r = file->fd < 0 ? lock_open(host, path, file, err) : 0;
		if (r == 0)
			r = lock_take(host, path, file, deadline, err);
		if (r < 0) {
			closep(&file->fd);
			file->fd = -1;
		}
	} while (r == -EAGAIN);
	return r;
}

int journal_lock(const struct host *host, int64_t deadline, struct journal_lock *ret,
		 struct error *err)
{
	struct lock_file once = { .fd = -1 }, *file = host->lock ? host->lock : &once;
	int r;

	if (file->held)
		return error_set(err, -EDEADLK, STATE_DIR "/lock is held by ourselves");
	r = lock_file(host, "lock", deadline, file, err);
	if (r < 0)
		return r;
	file->held = true;
	*ret = (struct journal_lock){ .kept = host->lock, .fd = file->fd, .taken = true };
	return 0;
}

void journal_unlock(struct journal_lock *lock)
{
	if (!lock->taken)
		return;
	if (lock->kept) {
		flock(lock->fd, LOCK_UN);
		lock->kept->held = false;
	} else {
		close(lock->fd);
	}
	*lock = (struct journal_lock){};
}

static int pages_are_held(const struct host *host, struct error *err)
{
	char who[256] = "";

	(void)host_read(host, who, sizeof(who), STATE_DIR "/pages.lock");
	return error_set(err, -ETIMEDOUT,
			 "hugepages: %s is moving huge pages, and was not done in time: "
			 "try again, or with a longer timeout=",
			 *who ? who : "another vfio-hook");
}

/*
 * Who has the lock wants it again at once, for its next slice, and would get it before
 * anybody who looks now and then. So there is a second one, for the one who is next.
 */
int journal_lock_pages(const struct host *host, const char *domain, int64_t deadline,
		       int *ret_fd, struct error *err)
{
	_cleanup_error_ struct error reason = {};
	struct lock_file next = { .fd = -1 }, lock = { .fd = -1 };
	int r = lock_file(host, "pages.next", deadline, &next, &reason);

	if (r >= 0)
		r = lock_file(host, "pages.lock", deadline, &lock, &reason);
	closep(&next.fd);
	if (r == -ETIMEDOUT)
		return pages_are_held(host, err);
	if (r < 0)
		return error_set(err, r, "%s", error_text(&reason));
	if (ftruncate(lock.fd, 0) == 0) /* for the others' messages only */
		dprintf(lock.fd, "%s (pid %d)\n", domain, (int)getpid());
	*ret_fd = lock.fd;
	return 0;
}
