/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a module, a program or a service makes cannot be foreseen: a step behind one of
 * them may name a file that is not there yet.
 */
#include "arrival.h"
#include "glob.h"
#include "step.h"

static bool makes_files(const char *key)
{
	return STR_IN(key, "exec.run", "kmod.load", "pci.rescan", "scripts.run",
		      "service.restart", "service.start", "wait.for");
}

static bool may_come(const struct run *run, const struct step *step)
{
	const struct config *config = run->config;

	for (size_t i = 0; config && i < config->n_steps; i++) {
		const struct step *above = &config->steps[i];

		if (above == step)
			return false;
		if (above->phase == step->phase && makes_files(above->key))
			return true;
	}
	return false;
}

static int is_there(struct run *run, void *arg, struct error *err)
{
	_cleanup_strv_ struct strv names = {};

	return host_glob_names(&run->host, arg, &names) < 0 ? error_oom(err) :
							      names.n > 0;
}

int arrival_of(struct run *run, const struct step *step, const char *pattern,
	       struct error *err)
{
	int r = is_there(run, (void *)(uintptr_t)pattern, err);

	if (r != 0)
		return r;
	if (!may_come(run, step))
		return -ENOENT;
	if (run->simulate) {
		run_note(run,
			 "%s is not there yet: that an earlier step makes it shows then",
			 pattern);
		return 0;
	}
	run_awaits(run, "%s", pattern);
	r = run_wait(run, is_there, (void *)(uintptr_t)pattern, err);
	if (r == 0)
		return 1;
	return r == -ETIMEDOUT ? -ENOENT : r;
}
