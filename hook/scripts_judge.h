/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * 0: may run; 1: refused in the plan. What everybody may write is refused going up (STRICT:
 * also what its owner or group may); coming down it runs all the same, as the host is to be
 * put back with what there is. To be asked right before a script is run.
 */
int scripts_judge(struct run *run, const char *path, bool strict, struct error *err);
void scripts_warn_of_virsh(struct run *run, const char *path);
