/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * May VALUE be written to PATH, if that is the number of a PCI function's virtual functions?
 * -EBUSY when somebody has one of those that would go, by name; to the step's deadline it
 * is waited for them.
 */
int sriov_may_write(struct run *run, const char *path, const char *value,
		    struct error *err);
/* -EBUSY when the function NAME has virtual functions, and by the words of WHY must not. */
int sriov_may_leave(struct run *run, const char *name, const char *why, struct error *err);
