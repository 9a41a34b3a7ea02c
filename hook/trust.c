/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that make root act. Whoever can write one, its folder, or a folder above can become
 * root at the next start of a guest; so can who may turn a symlink on the way to it. The
 * way is gone name by name: each is opened without being followed and judged by its
 * descriptor, so that what was judged is what the next name is looked up in.
 */

#include <fcntl.h>
#include <sys/stat.h>

#include "spawn.h"
#include "trust.h"

#define LINKS_MAX 40 /* as the kernel */
#define SO_DO "who could make root act: "

struct way {
	const struct host *host;
	bool by_name;
	char root[PATH_MAX]; /* without symlinks; what lies above is not the machine's */
	char at[PATH_MAX]; /* where we are, without symlinks; "" is / */
	char rest[PATH_MAX]; /* what is still to go */
	int fd; /* of AT */
	unsigned links;
	enum trust trust;
	char *why;
};

static void way_done(struct way *way)
{
	closep(&way->fd);
	free(way->why);
}

static _printf_(3, 4) int lower(struct way *way, enum trust trust, const char *fmt, ...)
{
	char *why;
	va_list ap;

	if (trust <= way->trust)
		return 0;
	va_start(ap, fmt);
	why = str_format(fmt, ap);
	va_end(ap);
	if (!why)
		return -ENOMEM;
	free(way->why);
	way->why = why;
	way->trust = trust;
	return 0;
}

static const char *kind_text(mode_t mode)
{
	return S_ISDIR(mode) ? "folder" : "file";
}

static bool is_ours(const struct stat *st)
{
	return st->st_uid == 0 || st->st_uid == geteuid();
}

static int judge_owner(struct way *way, const char *path, const struct stat *st)
{
	char word[PATH_MAX + 64], name[64], owner[96];

	if (is_ours(st))
		return 0;
	snprintf(owner, sizeof(owner), "uid %u", (unsigned)st->st_uid);
	if (user_name(way->host, st->st_uid, name, sizeof(name)) == 0 &&
	    strspn(name, "0123456789") != strlen(name))
		snprintf(owner, sizeof(owner), "%s (uid %u)", name, (unsigned)st->st_uid);
	return lower(way, TRUST_LOOSE,
		     "the %s %s belongs to %s, " SO_DO "chown root:root %s",
		     kind_text(st->st_mode), path, owner,
		     shell_word(path, word, sizeof(word)));
}

/* Group root may write: that is how distributions ship some folders. */
static int judge_mode(struct way *way, const char *path, const struct stat *st)
{
	char word[PATH_MAX + 64];
	bool all = st->st_mode & S_IWOTH;

	if (!all && (!(st->st_mode & S_IWGRP) || st->st_gid == 0))
		return 0;
	return lower(way, all ? TRUST_NONE : TRUST_LOOSE,
		     "the %s %s is writable by %s (mode %04o), " SO_DO "chmod %s %s",
		     kind_text(st->st_mode), path, all ? "everybody" : "its group",
		     (unsigned)st->st_mode & 07777, all ? "go-w" : "g-w",
		     shell_word(path, word, sizeof(word)));
}

const char *trust_cure(const char *why)
{
	const char *words = strstr(why, SO_DO);

	return words ? words + strlen(SO_DO) : "";
}

static int judge(struct way *way, const char *path, const struct stat *st)
{
	int r = judge_mode(way, path, st);

	return r < 0 ? r : judge_owner(way, path, st);
}

/* What lies above a --root tree (/tmp) is not part of the machine that it shows. */
static bool is_above_root(const struct way *way)
{
	const char *below = str_after(way->root, way->at);

	return below && *below == '/';
}

/*
 * The folder that ENTRY, a symlink too, was found in. In a sticky one (/nix/store) others
 * cannot replace what is root's, unless the name may be missing the next time.
 */
static int judge_folder(struct way *way, const struct stat *entry, bool last)
{
	struct stat st;

	if (is_above_root(way))
		return 0;
	if (fstat(way->fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_ISVTX) && is_ours(entry) && !(last && way->by_name))
		st.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
	return judge(way, *way->at ? way->at : "/", &st);
}

static int go_to_top(struct way *way)
{
	closep(&way->fd);
	way->at[0] = '\0';
	way->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return way->fd < 0 ? -errno : 0;
}

/* Behind a symlink its target is gone first. */
static int follow(struct way *way, int link)
{
	char target[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(link, "", target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (++way->links > LINKS_MAX)
		return -ELOOP;
	if ((size_t)snprintf(rest, sizeof(rest), "%s/%s", target, way->rest) >=
	    sizeof(rest))
		return -ENAMETOOLONG;
	strcpy(way->rest, rest);
	return *target == '/' ? go_to_top(way) : 0;
}

static int go_up(struct way *way)
{
	int fd = openat(way->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *slash = strrchr(way->at, '/');

	if (fd < 0)
		return -errno;
	closep(&way->fd);
	way->fd = fd;
	if (slash)
		*slash = '\0';
	return 0;
}

static int enter(struct way *way, const char *name, int *fd)
{
	size_t n = strlen(way->at);

	if ((size_t)snprintf(way->at + n, sizeof(way->at) - n, "/%s", name) >=
	    sizeof(way->at) - n)
		return -ENAMETOOLONG;
	closep(&way->fd);
	way->fd = *fd;
	*fd = -1;
	return 0;
}

static int look_up(struct way *way, const char *name, bool last)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	fd = openat(way->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = judge_folder(way, &st, last);
	if (r < 0 || !S_ISLNK(st.st_mode))
		return r < 0 ? r : enter(way, name, &fd);
	if (last)
		way->by_name =
			false; /* that was the name; now comes what it stands for */
	return follow(way, fd);
}

/* One name of the way that is left: 1, or 0 at its end. */
static int go_on(struct way *way)
{
	char *start = way->rest + strspn(way->rest, "/"), name[NAME_MAX + 1];
	size_t n = strcspn(start, "/");
	bool last;
	int r;

	if (!n)
		return 0;
	if (n > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, n);
	name[n] = '\0';
	last = !start[n + strspn(start + n, "/")];
	memmove(way->rest, start + n, strlen(start + n) + 1);
	if (streq(name, "."))
		return 1;
	r = streq(name, "..") ? go_up(way) : look_up(way, name, last);
	return r < 0 ? r : 1;
}

/* What is still to go: FULL, behind the working folder when it is relative. */
static int set_rest(struct way *way, const char *full)
{
	char cwd[PATH_MAX] = "";
	int n;

	if (*full != '/' && !getcwd(cwd, sizeof(cwd)))
		return -errno;
	n = snprintf(way->rest, sizeof(way->rest), "%s%s%s", cwd, *cwd ? "/" : "", full);
	return n >= (int)sizeof(way->rest) ? -ENAMETOOLONG : 0;
}

/* From the root of the machine, or of what stands for it. */
static int begin(struct way *way, const char *full)
{
	const char *below = *way->host->root ? str_after(full, way->host->root) : NULL;
	bool is_below = below && *below == '/';
	int r = set_rest(way, is_below ? below : full);

	if (r < 0)
		return r;
	if (*way->host->root && !realpath(way->host->root, way->root))
		return -errno;
	if (!is_below)
		return go_to_top(way);
	strcpy(way->at, way->root);
	way->fd = open(way->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return way->fd < 0 ? -errno : 0;
}

static int go(struct way *way, const char *full)
{
	struct stat st;
	int r = begin(way, full);

	if (r < 0)
		return r;
	do
		r = go_on(way);
	while (r > 0);
	if (r < 0)
		return r;
	if (fstat(way->fd, &st) < 0)
		return -errno;
	return judge(way, *way->at ? way->at : "/", &st);
}

int trust_open(const struct host *host, const char *full, int *ret_fd, char **ret_why)
{
	_cleanup_(way_done) struct way way = { .host = host, .by_name = true, .fd = -1 };
	int r = go(&way, full);

	if (r < 0)
		return r;
	*ret_fd = way.fd;
	way.fd = -1;
	*ret_why = STEAL(way.why);
	return (int)way.trust;
}

int trust_of(const struct host *host, const char *path, char **ret_why, struct error *err)
{
	_cleanup_(way_done) struct way way = { .host = host, .fd = -1 };
	char full[PATH_MAX];
	int r = go(&way, host_path(host, full, "%s", path));

	if (r < 0)
		return error_errno(err, r, "%s", full);
	*ret_why = STEAL(way.why);
	return (int)way.trust;
}
