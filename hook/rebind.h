/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Unbinds RECORD's function from driver FROM; afterwards it has none. Should that take
 * longer than we may wait, the child left behind puts the function back to RECORD->old
 * by itself. Refuses nvidia while its module is loaded, unless RECORD->data says
 * "while-loaded".
 */
int rebind_off(struct run *run, const struct record *record, const char *from,
	       struct error *err);
/* Binds the function NAME, which has no driver, to driver TO and nothing else. */
int rebind_to(struct run *run, const char *name, const char *to, struct error *err);
/* -EBUSY while a child of ours or of an earlier run still unbinds NAME. */
int rebind_refuse_left(struct run *run, const char *name, struct error *err);
/* What driver_override was before anything was changed; "" when nothing is known. */
const char *rebind_home_override(struct run *run, const char *name);
