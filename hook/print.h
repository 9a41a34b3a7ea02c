/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* The plan that phase_check() left in run->report: numbered steps, each change. */
void print_plan(const struct run *run, FILE *out);
void print_plan_json(const struct run *run, FILE *out);
/* All mistakes of a config (or the one error where there are none), to stderr. */
void print_problems(const struct config *config, const struct error *err);
/* "steps": the table of all step types, or one of them with its options. */
void print_steps(FILE *out);
int print_step(const char *key, FILE *out);
