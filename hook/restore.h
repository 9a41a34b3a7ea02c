/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the explicit steps of the way down: what has a record goes back by that. */
#pragma once

#include "effect.h"

/* Sets *RET_KNOWN to whether the journal had a record of the target; then its result. */
static inline int restore_if_known(struct run *run, const struct state_kind *kind,
				   const char *target, bool *ret_known, struct error *err)
{
	int r = effect_restore(run, kind, target, err);

	/* A change that fails with ENOENT says why, a missing record says nothing. */
	*ret_known = r != -ENOENT || (err && err->msg);
	return *ret_known ? r : 0;
}
