/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* A process that has a node of one of our devices open or mapped. */
struct holder {
	int pid;
	char comm[64];
	char user[64];
	char node[128]; /* "/dev/dri/card0" */
	char function[PCI_ADDR_LEN];
	char unit[128]; /* "lightdm.service", "session-2.scope"; "" unknown */
	bool is_vfio; /* holds /dev/vfio/N or a vfio device fd */
};

struct holder_list {
	struct holder *holder;
	size_t n;
	unsigned unreadable; /* processes that /proc would not tell us about */
	char unreadable_one[80]; /* the first of them: "Xorg (pid 812)" */
	struct strv hung; /* likewise: those whose memory cannot be looked at */
};

/*
 * One scan of /proc (fd and maps) for all nodes of FUNCTIONS: DRM, nvidia, sound, frame
 * buffer, i2c, vfio. One entry for each process and node. A process that hangs in the
 * kernel holds it up for a second or two at most.
 */
int holders_scan(const struct host *host, const struct pci_list *functions,
		 struct holder_list *ret, struct error *err);
/*
 * The same for who is about to unbind them: it matters only whom an unbind would wait for, so
 * no process is looked at where the kernel's counts tell that there is none.
 */
int holders_scan_blocking(const struct host *host, const struct pci_list *functions,
			  struct holder_list *ret, struct error *err);
/* "Xorg (pid 812, root, /dev/dri/card0)", up to three, then "and N more". */
char *holders_describe(const struct holder_list *list);
/* Are there any that may hold what they like? */
bool holders_are_unknown(const struct holder_list *list);
/*
 * "2 processes may not be looked at, Xorg (pid 812) for one", and those that hang; NULL: all
 * could, or no memory.
 */
char *holders_unreadable(const struct holder_list *list);
/*
 * Is it part of somebody's session, so that only the session's end helps? logind and pid 1
 * count, which hold nodes on behalf of sessions and must never be stopped.
 */
bool holder_is_session(const struct holder *holder);
/* "stop lightdm.service first": what to do about them; the caller frees. */
char *holders_cure(const struct holder_list *list);
/* The steps that do that, one a line, "" where none does; the caller frees. */
char *holders_cure_lines(const struct holder_list *list);
/*
 * Will the process be gone when the plan so far has run: its unit is stopped, its
 * session ended in the overlay?
 */
bool holder_ends(const struct host *host, const struct holder *holder);
void holder_list_done(struct holder_list *list);
