/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "state.h"

/*
 * More kinds:
 *
 *   kind        target    values
 *   governor    policy0   name of the cpufreq governor
 *   epp         policy0   energy performance preference
 *
 * Their records' data is cpufreq_mode(): when it is another one on the way back, the old
 * names may mean something else and are not written.
 */
extern const struct state_kind state_governor;
extern const struct state_kind state_epp;
