/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping the host awake: few passed-through devices survive a suspend under a guest.
 */
#include "effect.h"
#include "spawn.h"
#include "state_inhibitor.h"
#include "step.h"
#include "systemd.h"

static int inhibit_check(struct run *run, const struct step *step, struct error *err);
static int inhibit_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "inhibit",
		.summary = "keep the host from going to sleep while the guest runs",
		.undo = "lets it sleep again",
		.phases = PHASES_UP,
		.timeout_ms = 15000,
		.check = inhibit_check,
		.apply = inhibit_apply,
	},
	{}
};

const struct plugin plugin_sleep = { .name = "sleep", .types = types };

static int inhibit_check(struct run *run, const struct step *step, struct error *err)
{
	static const char *const programs[] = { "systemd-run", "systemd-inhibit" };
	char path[PATH_MAX];

	if (!systemd_is_running(&run->host))
		return run_problem(
			run, -EOPNOTSUPP, err,
			"sleep.inhibit needs systemd and its logind: use exec.run "
			"and exec.undo with your desktop's own command");
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		if (spawn_find(&run->host, programs[i], path, sizeof(path)) == 0)
			continue;
		run_cure_optional(run, ", or " PUT_DASH);
		return run_problem(run, -ENOENT, err,
				   "%s is not installed: it is part of systemd",
				   programs[i]);
	}
	return 0;
}

static int inhibit_apply(struct run *run, const struct step *step, struct error *err)
{
	char unit[128];

	if (run->simulate && !systemd_is_running(&run->host))
		return 0; /* the check has told */
	snprintf(unit, sizeof(unit), "vfio-hook-inhibit-%.64s.service", run->domain->uuid);
	return effect_set(run, &state_inhibitor, unit, "active", run->domain->name, err);
}
