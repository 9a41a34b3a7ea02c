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

int journal_lock_pages(const struct host *host, int64_t deadline, int *ret_fd,
		       struct error *err)
{
	return lock_file(host, "pages.lock", deadline, ret_fd, err);
}
