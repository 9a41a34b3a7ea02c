/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * Does anybody still stand behind a journal: the daemon that called prepare, the
 * domain's QEMU, or whoever has a vfio file of its devices open? A doubt counts as yes,
 * and what was done at boot needs nobody.
 */
bool owner_is_alive(const struct host *host, const struct journal *journal);
/* The same by UUID; a journal that cannot be read has a live owner. */
bool owner_of_is_alive(const struct host *host, const char *uuid);
/*
 * Is the domain between the begin of its prepare and its QEMU, and the daemon alive that
 * starts it? Then it is about to get all that it has planned.
 */
bool owner_is_starting(const struct host *host, const struct journal *journal);
/*
 * The pid of the domain's QEMU, 0: it does not run. Negative: that cannot be told, as
 * something that may be it does not answer.
 */
int owner_qemu(const struct host *host, const char *uuid);
/* -EBUSY when a guest holds devices of the journal (of a boot's: a domain owns them). */
int owner_refuse_in_use(const struct host *host, const struct journal *journal,
			struct error *err);
/*
 * Puts back all that the journal of UUID holds. WAIT is the run that has to wait for it, and
 * whose time it takes, or NULL.
 */
int owner_undo(const struct host *host, const char *uuid, const struct run *wait,
	       struct error *err);
/* The functions that a journal has a baseline of. */
int journal_functions(const struct journal *journal, struct pci_list *ret);
