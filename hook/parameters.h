/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Makes the parameters of the loaded module TARGET those of DATA, "name=value" of each,
 * joined by blanks (kmod_parameters()). What cannot be written is noted in the report.
 */
void parameters_restore(struct run *run, const char *target, const char *data);
