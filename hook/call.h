/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guard.h"

/* One call of the hook, or of the command for people: all that it was told. */
struct call {
	struct run run;
	struct domain domain;
	struct config config;
	struct guard_server server;
	struct lock_file lock;
	char hooks_dir[PATH_MAX];
};

/* What call_done() may be given where call_init() was not reached. */
#define CALL_NONE                                  \
	{                                          \
		.run.cancel_fd = -1, .lock.fd = -1 \
	}

void call_init(struct call *call, const char *root, const char *hooks_dir);
/* Has the domain a config, or scripts for this event? Cheap. */
bool call_has_files(const struct call *call);
/* Has it a journal, by its UUID or, where there is no XML, by its name? */
bool call_has_journal(const struct call *call);
/* Reads FD to its end (16 MiB at most) as the domain's XML. */
int call_read_xml(struct call *call, int fd, struct error *err);
/* The XML libvirt keeps of the domain. */
int call_read_stored_xml(struct call *call, struct error *err);
/*
 * Takes the domain from the XML. Where it cannot be read, on the way down the domain
 * is that of the journal with its name, so that a release still works.
 */
int call_parse_domain(struct call *call, struct error *err);
/* Takes no more than the UUID from an XML that broke off somewhere behind it. */
int call_torn_domain(struct call *call);
/*
 * Loads conf.d/DOMAIN.ini. 0, also when there is none (run.config is NULL then); on
 * mistakes -EINVAL, with the first in ERR and all in config.problems.
 */
int call_load_config(struct call *call, struct error *err);
/* Scans the PCI devices for the plan. */
int call_scan(struct call *call, struct error *err);
/*
 * From now on SIGTERM and SIGINT end a way up in good order, and no way down; a dead
 * reader or terminal ends nothing, and our children can be waited for.
 */
void call_take_signals(struct call *call);
void call_done(struct call *call);
