/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

struct claim;

/*
 * The only way for a step to change the host.
 *
 * effect_set() makes TARGET's value VALUE: it reads the value found, journals both
 * (write-ahead), changes, and reads back. A target that has the value already is
 * claimed in the journal when its kind is shared, so that it stays so until its last
 * user leaves. DATA is the kind's own and may be NULL. While simulating, only the
 * overlay and the report change.
 */
int effect_set(struct run *run, const struct state_kind *kind, const char *target,
	       const char *value, const char *data, struct error *err);

/*
 * Puts back TARGET as the journal has it, and strikes its record: for the explicit
 * steps of the way down (pci.reattach, kmod.load of what we unloaded, …). -ENOENT: the
 * journal has no such record (nothing is reported).
 */
int effect_restore(struct run *run, const struct state_kind *kind, const char *target,
		   struct error *err);

/* Journals that the target is ours as it is, so that no other domain takes it. */
int effect_claim(struct run *run, const struct state_kind *kind, const char *target,
		 struct error *err);
/* Refuses a target of an exclusive kind that belongs to another domain by now. */
int effect_check_foreign(struct run *run, const struct state_kind *kind,
			 const char *target, struct error *err);
/* The refusal: -EBUSY by the name of the domain in CLAIM, or a problem of the plan. */
int effect_refuse_foreign(struct run *run, const char *target, const struct claim *claim,
			  struct error *err);
/* While planning: is nobody behind that journal? Then it is undone before we act. */
bool effect_note_dead(struct run *run, const char *uuid, const char *domain);

/* A change that cannot be read back or put back: noted in the report and the log. */
int effect_one_way(struct run *run, const char *what,
		   int (*act)(struct run *run, void *arg, struct error *err), void *arg,
		   struct error *err);

/*
 * Puts back all open records of PHASE (PHASE_NONE: of all), newest first. Goes on past
 * what fails; ERR then has the first failure and the number of others. Ends with the
 * comparison with the baseline, and then the desktop.
 */
int undo_all(struct run *run, enum phase phase, struct error *err);

/* Adds a change to the report and the log; NOW may be NULL: a plain action. */
void run_change(struct run *run, const char *what, const char *now, const char *then);
/*
 * The change that was reported last is one of KIND, and is, or while simulating would be, put
 * back as such. For those that do not come by effect_set().
 */
void effect_note_way_back(struct run *run, const struct state_kind *kind,
			  const char *target, const char *data);
