/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "holders.h"

/* Processes that a step ends by signals. */
struct ending {
	/* All that are still there; asked again and again. */
	int (*find)(struct run *run, void *arg, struct holder_list *ret,
		    struct error *err);
	void *arg;
	int signal; /* the first */
	int64_t kill_ms; /* so long before the deadline comes SIGKILL, if that was SIGTERM */
};

/*
 * Must the process live whatever the config says? pid 1 and its helpers, logind, the bus,
 * libvirt's daemons, guests, this program and who called it.
 */
bool process_is_spared(const struct run *run, const struct holder *holder);
/* The same by name alone: "libvirtd". */
bool process_name_is_spared(const char *name);
/*
 * Signals what FIND finds, each process once, and waits until nothing is found. At the
 * deadline -ETIMEDOUT without ERR, and those left in RET.
 */
int processes_end(struct run *run, const struct ending *ending, struct holder_list *ret,
		  struct error *err);
/* Processes whose argv[0] or executable is called one of NAMES; UID of one user, or -1. */
int processes_named(const struct run *run, const struct strv *names, int64_t uid,
		    struct holder_list *ret, struct error *err);
/* "TERM" of signal=; -EINVAL. */
int signal_number(const char *name);
