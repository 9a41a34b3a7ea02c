/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owner and mode of files, and files that are made. In /dev/shm everybody may put a
 * symlink where a file was: so a file is opened without following one, and then only its
 * descriptor is used.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "ownership.h"
#include "spawn.h"
#include "spawn_child.h"

char *ownership_text(const struct ownership *ownership, char buf[OWNERSHIP_LEN])
{
	snprintf(buf, OWNERSHIP_LEN, "%u:%u:%04o", (unsigned)ownership->uid,
		 (unsigned)ownership->gid, (unsigned)ownership->mode);
	return buf;
}

static int ownership_decode(const char *text, struct ownership *ret)
{
	unsigned uid, gid, mode;

	if (sscanf(text, "%u:%u:%o", &uid, &gid, &mode) != 3 || mode > 07777)
		return -EINVAL;
	*ret = (struct ownership){ uid, gid, mode };
	return 0;
}

static int parse_mode(const char *text, mode_t *ret)
{
	size_t n = strlen(text);

	if (n < 3 || n > 4 || strspn(text, "01234567") != n)
		return -EINVAL;
	*ret = (mode_t)strtoul(text, NULL, 8);
	return 0;
}

int ownership_parse(const struct step *step, struct error *err)
{
	const char *mode = step_option(step, "mode");
	mode_t parsed;

	if (mode && parse_mode(mode, &parsed) < 0)
		return error_set(err, -EINVAL,
				 "mode=%s: write it in octal, as 0660 (owner and group read "
				 "and write)",
				 mode);
	return 0;
}

int ownership_of_step(struct run *run, const struct step *step,
		      struct ownership *ownership, struct error *err)
{
	const char *owner = step_option(step, "owner"),
		   *group = step_option(step, "group");
	const char *mode = step_option(step, "mode");
	_cleanup_(user_done) struct user user = {};
	int r = 0;

	if (owner)
		r = user_find(&run->host, owner, &user, err);
	if (r < 0)
		return r;
	if (owner)
		ownership->uid = user.uid;
	if (group)
		r = group_find(&run->host, group, &ownership->gid, err);
	if (r == 0 && mode)
		r = parse_mode(mode, &ownership->mode);
	return r;
}

/* Did the way to PATH lead over a symlink? The kernel knows where FD really is. */
static bool is_elsewhere(const struct host *host, int fd, const char *path)
{
	char self[64], real[PATH_MAX], root[PATH_MAX] = "";
	const char *below;
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, real, sizeof(real) - 1);
	if (n < 0 || (*host->root && !realpath(host->root, root)))
		return true;
	real[n] = '\0';
	below = str_after(real, root);
	return !below || !streq(below, path);
}

/*
 * A descriptor for the file itself, without access to what is in it. PATH has no symlinks:
 * a folder that has become one since it was resolved is not followed.
 */
static int open_itself(const struct host *host, const char *path, struct stat *st,
		       struct error *err)
{
	char rooted[PATH_MAX];
	_cleanup_close_ int fd = open(host_path(host, rooted, "%s", path),
				      O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, -errno, "%s", path);
	if (is_elsewhere(host, fd, path))
		return error_set(
			err, -ELOOP,
			"%s: a folder on the way has become a symlink: left alone", path);
	if (fstat(fd, st) < 0)
		return error_errno(err, -errno, "%s", path);
	return STEAL_FD(fd);
}

int ownership_read(const struct host *host, const char *path, struct ownership *ret,
		   struct error *err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	fd = open_itself(host, path, &st, err);
	if (fd < 0)
		return fd;
	*ret = (struct ownership){ st.st_uid, st.st_gid, st.st_mode & 07777 };
	return 0;
}

static int owner_read(const struct host *host, const char *target, char **ret,
		      struct error *err)
{
	struct ownership ownership;
	_cleanup_error_ struct error why = {};
	char text[OWNERSHIP_LEN] = "";
	int r = ownership_read(host, target, &ownership, &why);

	if (r < 0 && r != -ENOENT)
		return error_set(err, r, "%s", error_text(&why));
	if (r == 0)
		ownership_text(&ownership, text);
	*ret = strdup(text);
	return *ret ? 0 : error_oom(err);
}

/* The mode last: a change of owner takes the bits for setuid and setgid away. */
static int set_ownership(int fd, const struct ownership *ownership)
{
	char self[64];

	if (fchownat(fd, "", ownership->uid, ownership->gid, AT_EMPTY_PATH) < 0)
		return -errno;
	/* fchmod(2) refuses descriptors of this kind, their name in /proc is fine. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return chmod(self, ownership->mode) < 0 ? -errno : 0;
}

static int owner_change(struct run *run, const struct record *record, const char *from,
			const char *to, struct error *err)
{
	struct ownership ownership;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = ownership_decode(to, &ownership);

	if (r < 0)
		return error_set(err, r, "%s: '%s' is no owner and mode", record->target,
				 to);
	fd = open_itself(&run->host, record->target, &st, err);
	if (fd < 0)
		return fd;
	if (S_ISLNK(st.st_mode))
		return error_set(err, -ELOOP, "%s has become a symlink: left alone",
				 record->target);
	if (S_ISREG(st.st_mode) && st.st_nlink > 1)
		return error_set(err, -EMLINK,
				 "%s has %lu names (hard links): who made them would get "
				 "the others, too: remove those first",
				 record->target, (unsigned long)st.st_nlink);
	r = set_ownership(fd, &ownership);
	return r < 0 ? error_errno(err, r, "%s: cannot set owner and mode to %s",
				   record->target, to) :
		       0;
}

/* The owner of one and the mode of the other; see set_ownership() on the upper bits. */
static bool is_between(const char *now, const char *owner, const char *mode)
{
	struct ownership n, o, m;

	return ownership_decode(now, &n) == 0 && ownership_decode(owner, &o) == 0 &&
	       ownership_decode(mode, &m) == 0 && n.uid == o.uid && n.gid == o.gid &&
	       (n.mode & 01777) == (m.mode & 01777);
}

/* Cut off between its two calls, on either way? */
static bool is_half_way(const struct record *record, const char *now)
{
	return is_between(now, record->new, record->old) ||
	       is_between(now, record->old, record->new);
}

/* What has been removed since needs no owner any more. */
static int owner_undo(struct run *run, const struct record *record, const char *now,
		      struct error *err)
{
	if (!*now) {
		run_note(run, "%s is gone, and its owner with it", record->target);
		return 0;
	}
	if (!streq(now, record->new) && !is_half_way(record, now)) {
		run_warn(run, "%s is %s, which is not what was set (%s): left as it is",
			 record->target, now, record->new);
		return 0;
	}
	return owner_change(run, record, now, record->old, err);
}

const struct state_kind state_owner = {
	.name = "owner",
	.shared = true,
	.read = owner_read,
	.change = owner_change,
	.undo = owner_undo,
};

static int file_read(const struct host *host, const char *target, char **ret,
		     struct error *err)
{
	char rooted[PATH_MAX];
	struct stat st;
	bool there = lstat(host_path(host, rooted, "%s", target), &st) == 0;

	if (!there && errno != ENOENT)
		return error_errno(err, -errno, "%s", target);
	*ret = strdup(there ? "created" : "");
	return *ret ? 0 : error_oom(err);
}

static int create(struct run *run, const char *path, const struct ownership *ownership,
		  uint64_t size, struct error *err)
{
	char rooted[PATH_MAX];
	_cleanup_close_ int fd = -1;
	int r = 0;

	fd = open(host_path(&run->host, rooted, "%s", path),
		  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, -errno, "%s: cannot create", path);
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fchown(fd, ownership->uid, ownership->gid) < 0 ||
	    fchmod(fd, ownership->mode) < 0)
		r = -errno;
	if (r < 0)
		unlink(rooted);
	return r < 0 ? error_errno(err, r, "%s: cannot set size, owner and mode", path) :
		       0;
}

static int file_change(struct run *run, const struct record *record, const char *from,
		       const char *to, struct error *err)
{
	const char *blank = strchr(record->data, ' ');
	char rooted[PATH_MAX];
	struct ownership ownership;
	uint64_t size;

	if (!*to) {
		host_path(&run->host, rooted, "%s", record->target);
		return unlink(rooted) < 0 && errno != ENOENT ?
			       error_errno(err, -errno, "%s: cannot remove",
					   record->target) :
			       0;
	}
	if (!blank || parse_u64(blank + 1, &size) < 0 ||
	    ownership_decode(record->data, &ownership) < 0)
		return error_set(err, -EINVAL, "%s: cannot tell from '%s' what to create",
				 record->target, record->data);
	return create(run, record->target, &ownership, size, err);
}

const struct state_kind state_file = {
	.name = "file",
	.shared = true,
	.read = file_read,
	.change = file_change,
};
