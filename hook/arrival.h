/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Files that are not there when the plan is made, as an earlier step makes them: a module's
 * node or parameters, a service's socket. 1: PATTERN names a file, waited for if need be as
 * long as the step has time. 0: the plan cannot know, which is noted. -ENOENT (no ERR): no
 * file, and no step above STEP that could make one. Else as run_wait().
 */
int arrival_of(struct run *run, const struct step *step, const char *pattern,
	       struct error *err);
