/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "kmod.h"
#include "run.h"

#define MODULE_NAME_LEN 64 /* the kernel allows 56 */

/* Is the module loaded, as the run sees it? Built in does not count. */
bool module_is_loaded(const struct host *host, const char *name);
/*
 * NAMES and every loaded module that depends on one of them, in an order in which they
 * can be removed.
 */
int module_unload_order(const struct host *host, const struct strv *names,
			struct strv *ret);
/* The functions that NAME's drivers have, as the run sees it. */
int module_functions(struct run *run, const char *name, struct pci_list *ret,
		     struct error *err);
