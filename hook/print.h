/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "inventory.h"
#include "json.h"
#include "run.h"

/* The plan that phase_check() left in run->report: numbered steps, each change. */
void print_plan(const struct run *run, FILE *out);
void print_plan_json(struct run *run, FILE *out);
/* The plan as "- now", "+ then" below the name of each thing that would change. */
void print_plan_diff(const struct run *run, FILE *out);
/* The plan, what is put back afterwards, and the devices with group, driver, holders. */
int print_plan_whole(struct run *run, FILE *out);
/* What would be put back afterwards, in that order. Nothing for phases that go down. */
void print_way_back(const struct run *run, FILE *out);
void print_way_back_json(const struct run *run, struct json *json);
/* "devices": those that the plan takes, with group, driver and holders. */
void print_plan_devices_json(struct run *run, struct json *json);
/* All but what is hidden. */
void print_devices_json(const struct inventory *inventory, FILE *out);
/* "holders": the processes that have the function open. */
void print_holders_json(const struct inventory *inventory, const char *function,
			struct json *json);
/* The widest name of a change of the report, for the values to stand below each other. */
int print_width(const struct report *report);
/* All mistakes of a config (or the one error where there are none), to stderr. */
void print_problems(const struct config *config, const struct error *err);
/* "steps": the table of all step types, or of the one PLUGIN. */
void print_steps(const char *plugin, FILE *out);
/* The same for programs: of all, of the one plugin WORD, or the one step. */
void print_steps_json(const char *word, FILE *out);
/* One of them with its options; -ENOENT: there is none. */
int print_step(const char *key, FILE *out);
