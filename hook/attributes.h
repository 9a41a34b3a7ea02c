/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "step.h"

/*
 * sysfs.write and sysctl.write: files that the config names itself, maybe with globs, and
 * the value they get. Which of the two it is decides where they are and how they are named.
 */
extern const struct option_spec attributes_options[];
/* Is the path fit for a pattern: no "..", nothing that has a step of its own? */
int attributes_parse(const struct step *step, struct error *err);
int attributes_check(struct run *run, const struct step *step, struct error *err);
int attributes_write(struct run *run, const struct step *step, struct error *err);
