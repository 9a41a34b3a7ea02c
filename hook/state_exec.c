/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kind "exec": a program was run, and another undoes it. No outcome can be read back,
 * so the record is written before the start, and the undo runs whenever there is one: also
 * when the program failed, or a crash left unknown how far it came.
 */

#include "program.h"
#include "state.h"

static int exec_read(const struct host *host, const char *target, char **ret,
		     struct error *err)
{
	return -EOPNOTSUPP;
}

static int exec_part(struct run *run, const struct record *record, bool undo,
		     struct error *err)
{
	_cleanup_(program_done) struct program program = {};
	int r = program_decode(record->data ? record->data : "", undo, &program);

	if (r < 0)
		return error_errno(err, r, "the journal's program for %s cannot be read",
				   record->target);
	return program_run(run, &program, err);
}

static int exec_change(struct run *run, const struct record *record, const char *from,
		       const char *to, struct error *err)
{
	return exec_part(run, record, !streq(to, "run"), err);
}

static int exec_undo(struct run *run, const struct record *record, const char *now,
		     struct error *err)
{
	return exec_part(run, record, true, err);
}

const struct state_kind state_exec = {
	.name = "exec",
	.relative = true,
	.read = exec_read,
	.change = exec_change,
	.undo = exec_undo,
};
