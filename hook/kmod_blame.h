/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* The error of the module NAME that could not be removed, as the kernel said R. */
int kmod_blame(struct run *run, const char *name, int r, struct error *err);
