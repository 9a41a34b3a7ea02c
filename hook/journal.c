/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal of one domain on disk. Lives in /run on purpose: what it describes does
 * not survive a boot either.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "journal.h"
#include "journal_format.h"
#include "log.h"

#define SUFFIX ".journal"
#define BOOT_PREFIX "boot."

/* Whose folder it is decides what root will do to the host: -ENOENT when there is none. */
static int check_dir(const struct host *host, mode_t *ret_mode, struct error *err)
{
	char path[PATH_MAX];
	struct stat st;

	if (lstat(host_path(host, path, STATE_DIR), &st) < 0)
		return errno == ENOENT ? -ENOENT : error_errno(err, -errno, "%s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return error_set(err, -EPERM,
				 "%s is not a directory of root's own: remove it, somebody "
				 "else made it",
				 path);
	*ret_mode = st.st_mode;
	return 0;
}

int journal_dir(const struct host *host, struct error *err)
{
	char path[PATH_MAX];
	mode_t mode;
	int r = check_dir(host, &mode, err);

	host_path(host, path, STATE_DIR);
	if (r == -ENOENT) {
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_errno(err, -errno, "cannot make %s", path);
		r = check_dir(host, &mode, err);
	}
	if (r < 0)
		return error_errno(err, r, "%s", path);
	if ((mode & 077) && chmod(path, 0700) < 0)
		return error_errno(err, -errno, "cannot make %s private", path);
	return 0;
}

int journal_list(const struct host *host, struct strv *ret)
{
	_cleanup_strv_ struct strv names = {}, uuids = {};
	int r = host_list(host, &names, STATE_DIR);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.n; i++) {
		if (!str_ends(names.v[i], SUFFIX))
			continue;
		names.v[i][strlen(names.v[i]) - strlen(SUFFIX)] = '\0';
		r = strv_add(&uuids, names.v[i]);
		if (r < 0)
			return r;
	}
	*ret = uuids;
	uuids = (struct strv){};
	return 0;
}

bool journal_any(const struct host *host)
{
	_cleanup_strv_ struct strv uuids = {};

	return journal_list(host, &uuids) < 0 || uuids.n > 0;
}

/* Of this boot, and of the domain that the file is named after? */
static int check_header(const struct host *host, const char *uuid,
			const struct journal *journal)
{
	char boot_id[37] = "";

	host_boot_id(host, boot_id);
	return journal->boot_id && streq(journal->boot_id, boot_id) &&
			       streq(journal->uuid, uuid) ?
		       0 :
		       -ESTALE;
}

static int set_aside(struct journal *journal)
{
	_cleanup_free_ char *aside = NULL;

	if (asprintf(&aside, "%s.stale", journal->path) < 0)
		return -ENOMEM;
	log_warn("%s is from an earlier boot, or damaged: set aside as %s", journal->path,
		 aside);
	return rename(journal->path, aside) < 0 ? -errno : 0;
}

static int write_header(const struct host *host, struct journal *journal,
			const char *uuid, const char *domain, struct error *err)
{
	char boot_id[37] = "";
	const char *fields[] = { "vfio-hook", "1", boot_id, uuid, domain };

	host_boot_id(host, boot_id);
	return journal_add(journal, fields, ARRAY_SIZE(fields), err);
}

/*
 * Reads the file; -ESTALE, -EPROTO as they are found. Its size is what was found before:
 * another domain may append meanwhile.
 */
static int load(const struct host *host, const char *uuid, struct journal *journal,
		struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int64_t least = journal->size;
	int r = host_read_all(host, &text, STATE_DIR "/%s" SUFFIX, uuid);

	if (r < 0)
		return error_errno(err, r, "cannot read %s", journal->path);
	journal->size = (int64_t)strlen(text);
	/* What is behind a NUL byte would be lost: somebody has written into it. */
	if (least > journal->size)
		return error_set(
			err, -EBADMSG,
			"%s is damaged: see what it says, put that back by hand, and "
			"remove it",
			journal->path);
	r = journal_parse(journal, text);
	if (r == -EPROTO)
		return error_set(err, r,
				 "%s was written by another version of vfio-hook: run that "
				 "version's vfio-hook undo, or remove the file",
				 journal->path);
	if (r < 0)
		return error_errno(err, r, "%s", journal->path);
	return 0;
}

static int journal_init(const struct host *host, const char *uuid, struct journal *ret,
			struct error *err)
{
	char path[PATH_MAX];

	*ret = (struct journal){ .fd = -1 };
	ret->path = strdup(host_path(host, path, STATE_DIR "/%s" SUFFIX, uuid));
	return ret->path ? 0 : error_oom(err);
}

/* What was written is there for every process to come, and a reset would take it all. */
static bool is_in_memory(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 &&
	       (st.f_type == TMPFS_MAGIC || st.f_type == RAMFS_MAGIC);
}

static int open_and_load(const struct host *host, const char *uuid, const char *domain,
			 bool create, const struct run *wait, struct journal *journal,
			 struct error *err)
{
	int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
	struct stat st, now;
	int r;

	journal->fd = open(journal->path, flags, 0600);
	if (journal->fd < 0)
		return errno == ENOENT ?
			       -ENOENT :
			       error_errno(err, -errno, "cannot open %s", journal->path);
	r = journal_flock(host, journal->fd, journal->path, domain, wait, err);
	if (r < 0)
		return r;
	journal->in_memory = is_in_memory(journal->fd);
	/* Whoever held the lock may have removed or renamed the file as the last thing. */
	if (fstat(journal->fd, &st) < 0 || stat(journal->path, &now) < 0 ||
	    st.st_ino != now.st_ino || st.st_dev != now.st_dev)
		return -EAGAIN;
	journal->size = st.st_size;
	r = st.st_size ? load(host, uuid, journal, err) : 0;
	if (r < 0)
		return r;
	if (journal->uuid || journal->n > 0)
		return check_header(host, uuid,
				    journal); /* without a header: of no boot */
	/* New, or its writer came no further. */
	r = create ? write_header(host, journal, uuid, domain, err) : -ENOENT;
	if (r < 0)
		journal_remove(journal);
	return r;
}

int journal_open(const struct host *host, const char *uuid, const char *domain,
		 bool create, const struct run *wait, struct journal *ret,
		 struct error *err)
{
	struct journal journal;
	mode_t mode;
	int r = create ? journal_dir(host, err) : check_dir(host, &mode, err);

	if (r < 0)
		return r;
	for (int tries = 0; tries < 8; tries++) {
		r = journal_init(host, uuid, &journal, err);
		if (r < 0)
			return r;
		r = open_and_load(host, uuid, domain, create, wait, &journal, err);
		if (r == 0) {
			*ret = journal;
			return 0;
		}
		if (r == -ESTALE && set_aside(&journal) == 0)
			r = create ? -EAGAIN : -ESTALE;
		journal_done(&journal);
		if (r != -EAGAIN)
			return r;
	}
	return error_set(err, -EAGAIN, "the journal of %s keeps changing", domain);
}

int journal_read(const struct host *host, const char *uuid, struct journal *ret,
		 struct error *err)
{
	struct journal journal;
	mode_t mode;
	int r = journal_init(host, uuid, &journal, err);

	if (r < 0)
		return r;
	r = check_dir(host, &mode, err);
	if (r == 0)
		r = load(host, uuid, &journal, err);
	if (r == 0)
		r = check_header(host, uuid, &journal);
	if (r < 0) {
		journal_done(&journal);
		return r;
	}
	*ret = journal;
	return 0;
}

int journal_reload(const struct host *host, struct journal *journal, struct error *err)
{
	struct journal fresh;
	int r = journal_init(host, journal->uuid, &fresh, err);

	if (r < 0)
		return r;
	r = load(host, journal->uuid, &fresh, err);
	if (r == 0) {
		fresh.fd = journal->fd;
		fresh.room = journal->room;
		fresh.in_memory = journal->in_memory;
		fresh.way_back = journal->way_back;
		journal->fd = -1;
	}
	if (r < 0) {
		journal_done(&fresh);
		return r;
	}
	journal_done(journal);
	*journal = fresh;
	return 0;
}

int journal_open_foreign(const struct host *host, const char *uuid, struct journal *ret,
			 struct error *err)
{
	struct journal journal;
	int r = journal_read(host, uuid, &journal, err);

	if (r < 0)
		return r;
	journal.fd = open(journal.path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	if (journal.fd < 0) {
		r = error_errno(err, -errno, "cannot open %s", journal.path);
		journal_done(&journal);
		return r;
	}
	*ret = journal;
	return 0;
}

int journal_boot_name(const char *domain, char **ret)
{
	return asprintf(ret, BOOT_PREFIX "%s", domain) < 0 ? -ENOMEM : 0;
}

bool journal_is_boot(const char *uuid)
{
	return str_after(uuid, BOOT_PREFIX);
}

int journal_find_by_name(const struct host *host, const char *domain, char **ret_uuid)
{
	_cleanup_strv_ struct strv uuids = {};
	int r = journal_list(host, &uuids);

	if (r < 0)
		return r;
	for (size_t i = 0; i < uuids.n; i++) {
		_cleanup_(journal_done) struct journal journal = { .fd = -1 };
		_cleanup_error_ struct error err = {};

		if (journal_is_boot(uuids.v[i]) ||
		    journal_read(host, uuids.v[i], &journal, &err) < 0 ||
		    !journal.domain || !streq(journal.domain, domain))
			continue;
		*ret_uuid = STEAL(uuids.v[i]);
		return 0;
	}
	return -ENOENT;
}
