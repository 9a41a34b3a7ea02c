/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* All that is known beforehand to make a kmod.unload fail, reported as problems. */
int unload_check(struct run *run, const struct step *step, struct error *err);
