/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a config file, if it may make root act. It is opened once; what was judged is what
 * is read.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "ini_lines.h"
#include "trust.h"

#define FILE_MAX_BYTES (1024 * 1024)

static int check_file(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, -errno, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EPERM,
				 "%s is no regular file: put the config there as "
				 "one, or as a symlink to one",
				 path);
	if (st.st_size > FILE_MAX_BYTES)
		return error_set(err, -EFBIG,
				 "%s has %lld bytes, a config file at most %d: is "
				 "this the right file?",
				 path, (long long)st.st_size, FILE_MAX_BYTES);
	return 0;
}

static int read_all(int fd, const char *path, char **ret, size_t *ret_len,
		    struct error *err)
{
	_cleanup_free_ char *text = malloc(FILE_MAX_BYTES + 1);
	size_t len = 0;

	if (!text)
		return error_oom(err);
	while (len <= FILE_MAX_BYTES) {
		ssize_t n = read(fd, text + len, FILE_MAX_BYTES + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "cannot read %s", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (len > FILE_MAX_BYTES)
		return error_set(err, -EFBIG, "%s has more than %d bytes", path,
				 FILE_MAX_BYTES);
	*ret = STEAL(text);
	*ret_len = len;
	return 0;
}

static int cannot_open(const char *path, int code, struct error *err)
{
	struct stat st;

	if (code != -ENOENT && code != -ENOTDIR)
		return error_errno(err, code, "cannot open %s", path);
	/* To run a guest without its steps because a link broke would be no service. */
	if (lstat(path, &st) == 0)
		return error_set(err, -ENOLINK,
				 "%s is a symlink to a file that is not there: "
				 "mend or remove it",
				 path);
	return -ENOENT;
}

int config_read_file(const struct host *host, const char *path, char **ret,
		     size_t *ret_len, struct error *err)
{
	_cleanup_close_ int judged = -1, fd = -1;
	_cleanup_free_ char *why = NULL;
	char self[64];
	int r = trust_open(host, path, &judged, &why);

	if (r < 0)
		return cannot_open(path, r, err);
	if (r != TRUST_FULL)
		return error_set(err, -EPERM, "%s", why);
	r = check_file(judged, path, err);
	if (r < 0)
		return r;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", judged);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return error_errno(err, -errno, "cannot open %s", path);
	return read_all(fd, path, ret, ret_len, err);
}
