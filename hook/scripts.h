/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * PassthroughPOST script trees: qemu.d/DOMAIN/OPERATION/SUBOPERATION below the folder of
 * hooks is an executable, or a folder of executables.
 */

/* Has the domain's tree anything to run for the event? */
bool scripts_exist(const struct host *host, const char *hooks_dir,
		   const struct event *event);
/* … for any of PHASES, a set of PHASE_BIT? */
bool scripts_exist_in(const struct host *host, const char *hooks_dir, const char *domain,
		      unsigned phases);
/*
 * Runs the scripts of the folder or file DIR (NULL: the tree's for the run's event), each
 * with libvirt's arguments and XML. Going up the first failure ends it; coming down all
 * are run and the failures told together. While simulating they are only judged.
 */
int scripts_run(struct run *run, const char *dir, struct error *err);
