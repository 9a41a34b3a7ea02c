/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May this file make root act? It is opened once and judged by its descriptor; and as
 * who may rename things in a folder may put another file in its place, the folders on
 * the way to it count as much as the file.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>

#include "ini_lines.h"

#define FILE_MAX_BYTES (1024 * 1024)

/* PATH as a word for a shell, in BUF. */
static const char *quoted(const char *path, char *buf, size_t size)
{
	size_t n = 0;

	if (strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			 "/._-+:@%,") == strlen(path))
		return path;
	buf[n++] = '\'';
	for (; *path && n + 6 < size; path++) {
		if (*path == '\'')
			n += (size_t)snprintf(buf + n, size - n, "'\\''");
		else
			buf[n++] = *path;
	}
	buf[n++] = '\'';
	buf[n] = '\0';
	return buf;
}

/*
 * Root's, or ours: who checks a config without being root acts with no more rights than
 * the file's owner has.
 */
static int check_stat(const char *path, const struct stat *st, struct error *err)
{
	const char *what = S_ISDIR(st->st_mode) ? "folder" : "file";
	char buf[PATH_MAX + 64];

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(
			err, -EPERM,
			"the %s %s belongs to uid %u, who could make root act: chown "
			"root:root %s",
			what, path, (unsigned)st->st_uid, quoted(path, buf, sizeof(buf)));
	if ((st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && st->st_gid != 0))
		return error_set(
			err, -EPERM,
			"the %s %s is writable by %s (mode %04o), who could make root "
			"act: chmod %s %s",
			what, path, st->st_mode & S_IWOTH ? "everybody" : "its group",
			(unsigned)st->st_mode & 07777,
			st->st_mode & S_IWOTH ? "go-w" : "g-w",
			quoted(path, buf, sizeof(buf)));
	return 0;
}

/*
 * All folders above the resolved PATH, from the host's root on. In a sticky one (as
 * /nix/store) nobody can replace what belongs to root; only where the file is looked up
 * by its name, others must not be able to put a new one either.
 */
static int check_folders(const struct host *host, const char *path, bool may_end_sticky,
			 struct error *err)
{
	char folder[PATH_MAX], root[PATH_MAX];
	const char *below = NULL;
	struct stat st;

	/* What lies above a --root tree (/tmp) is not part of the machine it shows. */
	if (*host->root && realpath(host->root, root))
		below = str_after(path, root);
	if (!below || *below != '/')
		below = path;
	for (const char *slash = below; slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);

		snprintf(folder, sizeof(folder), "%.*s", len > 0 ? (int)len : 1, path);
		if (stat(folder, &st) < 0)
			return error_errno(err, -errno, "cannot look at the folder %s",
					   folder);
		if ((st.st_mode & S_ISVTX) && (may_end_sticky || strchr(slash + 1, '/')))
			st.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
		if (check_stat(folder, &st, err) < 0)
			return -EPERM;
	}
	return 0;
}

/* A link in an unsafe folder could be turned to any other file of root's. */
static int check_link_folders(const struct host *host, const char *path, struct error *err)
{
	char copy[PATH_MAX], folder[PATH_MAX + 2];

	snprintf(copy, sizeof(copy), "%s", path);
	if (!realpath(dirname(copy), folder))
		return error_errno(err, -errno, "cannot resolve the folder of %s", path);
	strcat(folder, "/"); /* so that it is looked at itself, too */
	return check_folders(host, folder, false, err);
}

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
	if (check_stat(path, &st, err) < 0)
		return -EPERM;
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

static int cannot_resolve(const char *path, int code, struct error *err)
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
	char resolved[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r;

	if (!realpath(path, resolved))
		return cannot_resolve(path, -errno, err);
	/* O_NONBLOCK: a FIFO in its place must not hold up libvirt. */
	fd = open(resolved, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return cannot_resolve(path, -errno, err);
	r = check_link_folders(host, path, err);
	if (r == 0)
		r = check_folders(host, resolved, true, err);
	if (r == 0)
		r = check_file(fd, resolved, err);
	return r < 0 ? r : read_all(fd, path, ret, ret_len, err);
}
