/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Phases on a fake tree, as the hook runs them. */

#include "call.h"
#include "phase.h"

/*
 * Makes CALL, for EVENT of the domain that XML describes; the config is the one in the
 * tree at ROOT. To be given to call_done(), whatever comes back.
 */
static inline int phase_open(struct call *call, const char *root,
			     const struct event *event, const char *xml,
			     struct error *err)
{
	int r;

	call_init(call, root, "/etc/libvirt/hooks");
	call->run.event = *event;
	call->run.xml = strdup(xml);
	call->run.xml_len = strlen(xml);
	r = call_parse_domain(call, err);
	if (r == 0)
		r = call_load_config(call, err);
	return r == 0 ? call_scan(call, err) : r;
}

static inline int phase_run(struct run *run, struct error *err)
{
	return phase_goes_up(run->event.phase) ? phase_up(run, err) :
						 phase_down(run, err);
}

/* Both; NULL when it went well, else the error's text, for the caller to free. */
static inline char *phase_of(const char *root, const struct event *event, const char *xml)
{
	_cleanup_error_ struct error err = {};
	struct call call;
	int r = phase_open(&call, root, event, xml, &err);

	if (r == 0)
		r = phase_run(&call.run, &err);
	call_done(&call);
	return r == 0 ? NULL : strdup(error_text(&err));
}
