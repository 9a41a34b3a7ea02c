/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the machine, below --root. The reads and writes here are single system
 * calls where sysfs wants them to be: a value is one read(2) and one write(2).
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "host.h"

#define READ_ALL_MAX (16U << 20)

_printf_(3, 0) static int host_vpath(const struct host *host, char *buf, const char *fmt,
				     va_list ap)
{
	int n = snprintf(buf, PATH_MAX, "%s", host->root), m;

	m = vsnprintf(buf + n, (size_t)(PATH_MAX - n), fmt, ap);
	return m < 0 || m >= PATH_MAX - n ? -ENAMETOOLONG : 0;
}

char *host_path(const struct host *host, char *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	host_vpath(host, buf, fmt, ap);
	va_end(ap);
	return buf;
}

/* Where nothing but files and folders is, and no link leads elsewhere. */
static bool in_sysfs(const struct host *host, const char *path)
{
	return str_after(path + strlen(host->root), "/sys/") && !strstr(path, "/../");
}

/*
 * Opens FMT for reading; the path is in PATH afterwards. Nothing waits for who would write
 * to a pipe, and nothing is read from a device.
 */
_printf_(3, 0) static int host_vopen(const struct host *host, char *path, const char *fmt,
				     va_list ap)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = host_vpath(host, path, fmt, ap);

	if (r < 0)
		return r;
	fd = open(path, flags | O_NONBLOCK);
	if (fd < 0 && errno == EWOULDBLOCK) /* somebody has a lease on the file */
		fd = open(path, flags);
	if (fd < 0)
		return -errno;
	if (in_sysfs(host, path))
		return STEAL_FD(fd);
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ? STEAL_FD(fd) : -EINVAL;
}

static ssize_t read_retry(int fd, void *buf, size_t size)
{
	ssize_t n;

	do
		n = read(fd, buf, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int host_read(const struct host *host, char *buf, size_t size, const char *fmt, ...)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	ssize_t n;
	va_list ap;

	va_start(ap, fmt);
	fd = host_vopen(host, path, fmt, ap);
	va_end(ap);
	if (fd < 0)
		return fd;
	n = read_retry(fd, buf, size - 1);
	if (n < 0)
		return (int)n;
	buf[n] = '\0';
	if (n && buf[n - 1] == '\n')
		buf[--n] = '\0';
	return (int)n;
}

int host_read_all(const struct host *host, char **ret, const char *fmt, ...)
{
	_cleanup_free_ char *buf = NULL;
	_cleanup_close_ int fd = -1;
	size_t len = 0, room = 0;
	char path[PATH_MAX];
	ssize_t n;
	va_list ap;

	va_start(ap, fmt);
	fd = host_vopen(host, path, fmt, ap);
	va_end(ap);
	if (fd < 0)
		return fd;
	do {
		if (room - len < 4096) {
			char *p = realloc(buf, room = room ? room * 2 : 8192);

			if (!p)
				return -ENOMEM;
			buf = p;
		}
		if (len > READ_ALL_MAX)
			return -EFBIG;
		n = read_retry(fd, buf + len, room - len - 1);
		if (n < 0)
			return (int)n;
		len += (size_t)n;
	} while (n > 0);
	buf[len] = '\0';
	*ret = STEAL(buf);
	return 0;
}

int host_read_u64(const struct host *host, uint64_t *ret, const char *fmt, ...)
{
	char path[PATH_MAX], text[64];
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (r < 0 || r >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r = host_read(host, text, sizeof(text), "%s", path);
	return r < 0 ? r : parse_u64(text, ret);
}

int host_write(const struct host *host, const char *value, const char *fmt, ...)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	ssize_t n;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = host_vpath(host, path, fmt, ap);
	va_end(ap);
	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_TRUNC);
	if (fd < 0)
		return -errno;
	do
		n = write(fd, value, strlen(value));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int host_link_name(const struct host *host, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = host_vpath(host, path, fmt, ap);
	va_end(ap);
	if (r < 0)
		return r;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	r = snprintf(buf, size, "%s", path_base(target));
	return r < (int)size ? 0 : -ENAMETOOLONG;
}

int host_open_alone(const struct host *host, const char *fmt, ...)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = host_vpath(host, path, fmt, ap);
	va_end(ap);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : 0;
}

bool host_exists(const struct host *host, const char *fmt, ...)
{
	char path[PATH_MAX];
	struct stat st;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = host_vpath(host, path, fmt, ap);
	va_end(ap);
	return r == 0 && stat(path, &st) == 0;
}

static int add_names(struct strv *names, const char *entries, size_t size)
{
	const struct dirent64 *entry;
	int r = 0;

	for (size_t at = 0; at < size && r >= 0; at += entry->d_reclen) {
		entry = (const void *)(entries + at);
		if (entry->d_name[0] != '.')
			r = strv_add(names, entry->d_name);
	}
	return r;
}

/* opendir(3) would look at each folder once more, and a start lists dozens. */
int host_list(const struct host *host, struct strv *ret, const char *fmt, ...)
{
	_Alignas(struct dirent64) char entries[16384];
	_cleanup_strv_ struct strv names = {};
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;
	int r;

	va_start(ap, fmt);
	r = host_vpath(host, path, fmt, ap);
	va_end(ap);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while ((n = getdents64(fd, entries, sizeof(entries))) > 0) {
		r = add_names(&names, entries, (size_t)n);
		if (r < 0)
			return r;
	}
	if (n < 0 && errno != ENOENT) /* it was removed meanwhile */
		return -errno;
	strv_sort(&names);
	*ret = names;
	names = (struct strv){};
	return 0;
}

int host_boot_id(const struct host *host, char buf[37])
{
	int r = host_read(host, buf, 37, "/proc/sys/kernel/random/boot_id");

	return r < 0 ? r : 0;
}

int process_stat(const struct host *host, int pid, char *buf, size_t size)
{
	int r = host_read(host, buf, size, "/proc/%d/stat", pid);
	const char *end;

	if (r < 0)
		return r;
	end = strrchr(buf, ')');
	if (!end || end[1] != ' ')
		return -EINVAL;
	memmove(buf, end + 2, strlen(end + 2) + 1);
	return 0;
}

int process_start_time(const struct host *host, int pid, uint64_t *ret)
{
	char stat[1024], *p = stat;
	int r = process_stat(host, pid, stat, sizeof(stat));

	if (r < 0)
		return r;
	for (int field = 3; p && field < 22; field++) {
		p = strchr(p, ' ');
		p += p != NULL;
	}
	if (!p)
		return -EINVAL;
	*ret = strtoull(p, NULL, 10);
	return 0;
}
