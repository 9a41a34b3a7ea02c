/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where, among the steps of the way down, the rest is put back. Without this line that
 * is at the end of release.
 */
#include "effect.h"
#include "step.h"

static int undo_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "",
		.summary = "put back here all that the journal holds",
		.undo = "none: it is the undo",
		.phases = PHASES_DOWN,
		.apply = undo_apply,
	},
	{}
};

extern const struct plugin plugin_undo;
const struct plugin plugin_undo = { .name = "undo", .types = types };

static int undo_apply(struct run *run, const struct step *step _unused_, struct error *err)
{
	return undo_all(run, PHASE_NONE, err);
}
