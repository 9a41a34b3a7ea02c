/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* The names of all display managers, the alias of whichever it is first; NULL: no more. */
const char *desktop_manager(size_t i);
/* Is UNIT, with or without ".service", a display manager by its name? */
bool desktop_is_manager(const char *unit);
/* The same, or by this machine's alias. */
bool desktop_is_manager_here(const struct host *host, const char *unit);
/*
 * After phase_check(): the first step that would end a desktop which is up now, NULL when
 * none does.
 */
const struct step *desktop_end(const struct run *run);
/* What whoever tries that should know, for people: one line, without the step. */
extern const char desktop_end_advice[];
