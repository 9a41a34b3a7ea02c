/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* Makes what KIND has of the function NAME the VALUE that it had, and reads it back. */
int baseline_set(struct run *run, const struct state_kind *kind, const char *name,
		 const char *value, struct error *err);
/* Driver and override of the function as they were, unless somebody else has it. */
int baseline_bring_home(struct run *run, const struct baseline *b, struct error *err);
