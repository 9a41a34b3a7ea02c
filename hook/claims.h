/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Targets that several domains want. The claims on one target are a stack by age; its
 * value is what the youngest wants. All of these need the host-wide lock.
 */
struct claim {
	char *uuid, *domain;
	char *old, *new, *data;
	int64_t when;
};

/* The PCI function that an exclusive target is about, in BUF: its first word; else false. */
bool claim_function(const char *target, char buf[PCI_ADDR_LEN]);
/*
 * The open record that JOURNAL has of the target, or NULL. Of an exclusive kind that is one
 * of any such kind about the same PCI function: whoever has it has all of it.
 */
const struct record *claim_in(const struct journal *journal,
			      const struct state_kind *kind, const char *target);
/*
 * Another's journal could not be read (CODE, WHY). 0: it is gone, or of another boot, or the
 * kind is not exclusive; else it might have the target for its domain: an error.
 */
int claim_unread(const struct state_kind *kind, const char *target, int code,
		 const struct error *why, struct error *err);
/*
 * The youngest open record that another domain has of the target; -ENOENT: none. A journal
 * that cannot be read might have one of an exclusive target: an error that names it.
 */
int claim_youngest(struct run *run, const struct state_kind *kind, const char *target,
		   struct claim *ret, struct error *err);
/*
 * Takes our record out of the stack: 1 when a younger claim took over our old value (or
 * an older one wants what is there), so that there is nothing to change; 0 when we are
 * the youngest and the old value is to be restored.
 */
int claim_leave(struct run *run, const struct record *record, struct error *err);
/*
 * VALUE is what the target is to be for good, and we have no record: 1 when others have,
 * and the last of them leaves that value behind; 0 when nobody has.
 */
int claim_settle(struct run *run, const struct state_kind *kind, const char *target,
		 const char *value, struct error *err);
void claim_done(struct claim *claim);
