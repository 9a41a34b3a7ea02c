/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "effect.h"

/*
 * Makes the target of RECORD, which is NOW, VALUE, and reads that back: 0 also when a younger
 * claim of another domain has made it something else. RECORD is a copy that outlives the
 * journal's.
 */
int effect_change(struct run *run, const struct record *record, const char *now,
		  const char *value, struct error *err);
/* A change that no record is made of; what the journal has of the target is struck. */
int effect_set_for_good(struct run *run, const struct state_kind *kind,
			const char *target, const char *now, const char *value,
			const char *data, struct error *err);
