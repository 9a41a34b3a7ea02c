/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * After a release: did a display controller of the journal's baseline not come back to
 * its driver? Then nobody can read the log on that screen, so a line is written to the
 * console, which may be another card's, a serial line or a remote one.
 */
void picture_check(struct run *run);
