/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "util.h"

/* The phases that a config file may have sections for. */
enum phase {
	PHASE_PREPARE,
	PHASE_START,
	PHASE_STARTED,
	PHASE_STOPPED,
	PHASE_RELEASE,
	PHASE_BOOT,
	PHASE_NONE, /* any other operation: reconnect, migrate, restore, … */
};

#define PHASE_BIT(p) (1U << (p))
#define PHASES_UP                                                                       \
	(PHASE_BIT(PHASE_PREPARE) | PHASE_BIT(PHASE_START) | PHASE_BIT(PHASE_STARTED) | \
	 PHASE_BIT(PHASE_BOOT))
#define PHASES_DOWN (PHASE_BIT(PHASE_STOPPED) | PHASE_BIT(PHASE_RELEASE))
#define PHASES_ALL (PHASES_UP | PHASES_DOWN)

/* libvirt's call, in libvirt's words (docs/hooks.rst). All strings are borrowed. */
struct event {
	const char *domain;
	const char *operation;
	const char *sub_operation;
	const char *extra;
	enum phase phase;
};

/* From the four arguments that libvirt gives; missing ones are "-". */
void event_init(struct event *event, const char *domain, const char *operation,
		const char *sub_operation, const char *extra);
/* As if libvirt called for PHASE; PHASE_NONE: "undo". */
void event_of_phase(struct event *event, const char *domain, enum phase phase);
/* "prepare/begin" or, for people, "prepare"; PHASE_NONE if it is none. */
enum phase phase_from_name(const char *name);
/* "prepare/begin" */
const char *phase_name(enum phase phase);
/* prepare, start, started and boot: a failure undoes; the others put back. */
bool phase_goes_up(enum phase phase);
/* May NAME be part of a path? Not empty, ".", ".." and without a slash. */
bool domain_name_is_safe(const char *name);
