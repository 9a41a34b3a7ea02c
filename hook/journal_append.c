/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line at the end of a journal, which is on disk (in the tmpfs) before what it tells of
 * is done. And room for those that the way back will write: /run may be full by then.
 */
#include <fcntl.h>

#include "journal_format.h"

#define ROOM_FIRST (16 * 1024)

/*
 * What is struck takes less than what was written about it before, so twice that will do.
 */
static int make_room(struct journal *journal, const char *type, struct error *err)
{
	int64_t want;

	if (journal->way_back)
		return 0;
	if (!streq(type, "vfio-hook") && !streq(type, "set") && !streq(type, "baseline"))
		return 0;
	want = 2 * journal->size + ROOM_FIRST;
	if (want <= journal->room)
		return 0;
	want += ROOM_FIRST;
	if (fallocate(journal->fd, FALLOC_FL_KEEP_SIZE, 0, want) == 0)
		journal->room = want;
	else if (errno == ENOSPC || errno == EDQUOT)
		return error_errno(err, -errno,
				   "no room for the way back in the journal %s",
				   journal->path);
	return 0; /* not every file system knows this */
}

/*
 * With one write(2) behind what is there by then: another domain may hand on a claim at the
 * same time (journal_open_foreign).
 */
static int append(struct journal *journal, const char *const *fields, size_t n,
		  struct error *err)
{
	_cleanup_free_ char *line = journal_line(fields, n);
	ssize_t written;
	const char *text;

	if (!line)
		return error_oom(err);
	text = journal->size ? line : line + 1;
	do
		written = write(journal->fd, text, strlen(text));
	while (written < 0 && errno == EINTR);
	if (written > 0)
		journal->size += written;
	if (written < 0 || (size_t)written < strlen(text))
		return error_errno(err, written < 0 ? -errno : -ENOSPC,
				   "cannot write the journal %s", journal->path);
	if (!journal->in_memory)
		fdatasync(journal->fd);
	return 0;
}

int journal_add(struct journal *journal, const char *const *fields, size_t n,
		struct error *err)
{
	char *copy[12];
	int r = make_room(journal, fields[0], err);

	if (r == 0)
		r = append(journal, fields, n, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		copy[i] = (char *)(uintptr_t)fields[i]; /* journal_apply() copies */
	r = journal_apply(journal, copy, n);
	return r < 0 ? error_errno(err, r, "%s", journal->path) : 0;
}
