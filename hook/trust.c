/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that make root act. Whoever can write a script, its folder, or a folder above can
 * become root at the next start of a guest.
 */

#include <stdarg.h>
#include <sys/stat.h>

#include "spawn.h"
#include "trust.h"

struct verdict {
	const struct host *host;
	enum trust trust;
	char *why;
};

static _printf_(3, 4) int lower(struct verdict *verdict, enum trust trust,
				const char *fmt, ...)
{
	char *why;
	va_list ap;
	int n;

	if (trust <= verdict->trust)
		return 0;
	va_start(ap, fmt);
	n = vasprintf(&why, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	free(verdict->why);
	verdict->why = why;
	verdict->trust = trust;
	return 0;
}

/*
 * Group root may write: that is how distributions ship some folders. With STICKY_OK, who
 * may write to a sticky folder cannot replace the entry that was judged before (/nix/store
 * is such a one).
 */
static int judge(struct verdict *verdict, const char *path, bool sticky_ok)
{
	char owner[64];
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (sticky_ok && (st.st_mode & S_ISVTX))
		st.st_mode &= ~(mode_t)(S_IWOTH | S_IWGRP);
	if (st.st_mode & S_IWOTH)
		return lower(verdict, TRUST_NONE,
			     "everybody may write to %s: chmod o-w %s", path, path);
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		user_name(verdict->host, st.st_uid, owner, sizeof(owner));
		return lower(verdict, TRUST_LOOSE,
			     "%s belongs to %s, not to root: chown root %s", path, owner,
			     path);
	}
	if ((st.st_mode & S_IWGRP) && st.st_gid != 0)
		return lower(verdict, TRUST_LOOSE,
			     "a group may write to %s: chmod g-w %s", path, path);
	return 0;
}

/* PATH and each folder above it that is longer than the root's ROOT_LEN. */
static int walk_up(struct verdict *verdict, char *path, size_t root_len)
{
	bool sticky_ok = false;
	struct stat st;
	int r = 0;

	while (r >= 0 && strlen(path) > root_len && *path) {
		char *slash;

		r = judge(verdict, path, sticky_ok);
		sticky_ok = lstat(path, &st) >= 0 && !S_ISLNK(st.st_mode);
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			break;
		while (slash > path && *slash == '/')
			*slash-- = '\0';
	}
	return r;
}

int trust_of(const struct host *host, const char *path, char **ret_why, struct error *err)
{
	_cleanup_free_ char *real = NULL, *root = NULL;
	struct verdict verdict = { .host = host };
	char rooted[PATH_MAX];
	const char *below;
	int r;

	host_path(host, rooted, "%s", path);
	real = realpath(rooted, NULL);
	if (!real)
		return error_errno(err, -errno, "%s", rooted);
	root = *host->root ? realpath(host->root, NULL) : strdup("");
	if (!root)
		return error_errno(err, -errno, "%s", host->root);
	below = str_after(real, root);

	r = walk_up(&verdict, rooted, strlen(host->root));
	if (r >= 0)
		r = walk_up(&verdict, real, below && *below == '/' ? strlen(root) : 0);
	if (r < 0) {
		free(verdict.why);
		return error_errno(err, r, "%s", path);
	}
	*ret_why = verdict.why;
	return (int)verdict.trust;
}
