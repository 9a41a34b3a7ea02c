/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Targets that several domains want. The claims on one target are a stack by age; its
 * value is what the youngest wants. All of these need the host-wide lock.
 */
struct claim {
	char *uuid, *domain;
	char *old, *new;
	int64_t when;
};

/* The youngest open record that another domain has of the target; -ENOENT: none. */
int claim_youngest(struct run *run, const struct state_kind *kind, const char *target,
		   struct claim *ret, struct error *err);
/*
 * Takes our record out of the stack: 1 when a younger claim took over our old value (or
 * an older one wants what is there), so that there is nothing to change; 0 when we are
 * the youngest and the old value is to be restored.
 */
int claim_leave(struct run *run, const struct record *record, struct error *err);
void claim_done(struct claim *claim);
