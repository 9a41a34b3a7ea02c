/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Phases on a fake tree, as the hook runs them. */

#include <check.h>

#include "hook_mode.h"
#include "phase.h"

static inline int phase_open_xml(struct call *call, const char *root,
				 const struct event *event, const char *xml,
				 struct error *err)
{
	call_init(call, root, "/etc/libvirt/hooks");
	call->run.event = *event;
	call->run.xml = strdup(xml);
	call->run.xml_len = strlen(xml);
	return call_parse_domain(call, err);
}

/*
 * Makes CALL, for EVENT of the domain that XML describes; the config is the one in the
 * tree at ROOT. To be given to call_done(), whatever comes back.
 */
static inline int phase_open(struct call *call, const char *root,
			     const struct event *event, const char *xml,
			     struct error *err)
{
	int r = phase_open_xml(call, root, event, xml, err);

	if (r == 0)
		r = call_load_config(call, err);
	return r == 0 ? call_scan(call, err) : r;
}

static inline int phase_run(struct run *run, struct error *err)
{
	return phase_goes_up(run->event.phase) ? phase_up(run, err) :
						 phase_down(run, err);
}

/* Whole, as hook mode has it; NULL when it went well, else the error's text, to be freed. */
static inline char *phase_of(const char *root, const struct event *event, const char *xml)
{
	_cleanup_error_ struct error err = {};
	struct call call;
	int r = phase_open_xml(&call, root, event, xml, &err);

	if (r == 0)
		r = hook_phase(&call, &err);
	call_done(&call);
	return r == 0 ? NULL : strdup(error_text(&err));
}

/* ERROR is what a phase came back with. */
static inline void assert_no_error(const char *error)
{
	ck_assert_msg(error == NULL, "%s", error);
}

/* It has TEXT in it; freed. */
static inline void assert_error_has(char *error, const char *text)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, text) != NULL, "%s", error);
	free(error);
}
