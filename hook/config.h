/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "event.h"
#include "host.h"
#include "step.h"

/* One address of a named set in [devices], as written: resolved while planning. */
struct device_ref {
	char *word; /* "0000:0a:00.*" */
	char *id; /* "10de:1e84" of id=, or NULL */
	unsigned line;
};

struct device_set {
	char *name;
	struct device_ref *refs;
	size_t n;
};

struct config {
	char *path; /* as in error texts */
	bool dry_run;
	bool headless; /* the host may be left without a picture */
	int64_t timeout_ms;
	struct device_set *sets;
	size_t n_sets;
	struct step *steps; /* of all phases, in file order; step.phase tells which */
	size_t n_steps;
	unsigned phases; /* PHASE_BIT of each section that is there, even if empty */
	struct strv problems; /* "FILE:LINE: …", every one */
};

/*
 * Reads the file at PATH (already below the root). Returns 0, -ENOENT when there is no
 * file, -EINVAL when RET->problems is not empty, -EPERM when the file is not safe (its
 * owner or mode; then ERR says which chmod or chown mends it). RET is always valid to
 * pass to config_done().
 */
int config_load(const struct host *host, const char *path, struct config *ret,
		struct error *err);
/* The keys of [domain], as options are described; ends with an empty one. */
const struct option_spec *config_domain_keys(void);
bool config_has_phase(const struct config *config, enum phase phase);
const struct device_set *config_find_set(const struct config *config, const char *name);
void config_done(struct config *config);

/*
 * Splits TEXT as sh does with quotes and backslash and no expansion at all. 0; -EINVAL
 * with the reason in ERR (unclosed quote, …); -ENOMEM.
 */
int words_split(const char *text, struct strv *ret, struct error *err);
