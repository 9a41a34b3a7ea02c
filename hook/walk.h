/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * The steps of the phase, in the order written, with the script tree where it belongs.
 * While simulating all are walked; going up the first failure of a step without '-'
 * ends the walk; coming down none does, and ERR has the first.
 */
int walk_steps(struct run *run, struct error *err);
/* Does the phase have a step of this key? */
bool walk_has(const struct run *run, const char *key);
