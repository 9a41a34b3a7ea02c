/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kind "write": a value was written where nothing can be read back, and the record's
 * data is what the way back writes. It is written also when a crash left unknown whether
 * the first write was made.
 */
#include "guard.h"
#include "sriov.h"
#include "state.h"

static int write_read(const struct host *host, const char *target, char **ret,
		      struct error *err)
{
	return -EOPNOTSUPP;
}

static int write_change(struct run *run, const struct record *record, const char *from,
			const char *to, struct error *err)
{
	return guard_write(run, record->target, to, err);
}

static int write_undo(struct run *run, const struct record *record, const char *now,
		      struct error *err)
{
	int r = sriov_may_write(run, record->target, record->data, err);

	return r == 0 ? guard_write(run, record->target, record->data, err) : r;
}

const struct state_kind state_write = {
	.name = "write",
	.relative = true,
	.read = write_read,
	.change = write_change,
	.undo = write_undo,
};
