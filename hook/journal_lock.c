/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of /run/vfio-hook: a domain's journal is one itself, and two stand for the host.
 */
#include <fcntl.h>
#include <sys/file.h>

#include "journal.h"
#include "journal_format.h"

#define LOCK_POLL_US 2000

int journal_flock(int fd, int64_t deadline)
{
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (now_ms() > deadline)
			return -ETIMEDOUT;
		usleep(LOCK_POLL_US);
	}
	return 0;
}

static int lock_file(const struct host *host, const char *name, int64_t deadline,
		     int *ret_fd, struct error *err)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	int r = journal_dir(host, err);

	if (r < 0)
		return r;
	host_path(host, path, STATE_DIR "/%s", name);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_errno(err, -errno, "cannot open %s", path);
	r = journal_flock(fd, deadline);
	if (r < 0)
		return error_errno(err, r, "%s is held by another vfio-hook", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int journal_lock(const struct host *host, int64_t deadline, int *ret_fd, struct error *err)
{
	return lock_file(host, "lock", deadline, ret_fd, err);
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
	_cleanup_close_ int next = -1;
	int fd, r = lock_file(host, "pages.next", deadline, &next, &reason);

	if (r >= 0)
		r = lock_file(host, "pages.lock", deadline, &fd, &reason);
	if (r == -ETIMEDOUT)
		return pages_are_held(host, err);
	if (r < 0)
		return error_set(err, r, "%s", error_text(&reason));
	if (ftruncate(fd, 0) == 0) /* for the others' messages only */
		dprintf(fd, "%s (pid %d)\n", domain, (int)getpid());
	*ret_fd = fd;
	return 0;
}
