/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's call as an event. libvirt may add operations at any time and a hook must
 * let those pass, so whatever is not exactly one of our phases is PHASE_NONE.
 */
#include "event.h"

static const struct {
	const char *operation, *sub_operation, *name;
} phases[] = {
	[PHASE_PREPARE] = { "prepare", "begin", "prepare/begin" },
	[PHASE_START] = { "start", "begin", "start/begin" },
	[PHASE_STARTED] = { "started", "begin", "started/begin" },
	[PHASE_STOPPED] = { "stopped", "end", "stopped/end" },
	[PHASE_RELEASE] = { "release", "end", "release/end" },
	[PHASE_BOOT] = { "boot", "begin", "boot/begin" },
};

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

void event_init(struct event *event, const char *domain, const char *operation,
		const char *sub_operation, const char *extra)
{
	*event = (struct event){
		.domain = or_dash(domain),
		.operation = or_dash(operation),
		.sub_operation = or_dash(sub_operation),
		.extra = or_dash(extra),
		.phase = PHASE_NONE,
	};
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		if (streq(event->operation, phases[i].operation) &&
		    streq(event->sub_operation, phases[i].sub_operation))
			event->phase = (enum phase)i;
	}
}

void event_of_phase(struct event *event, const char *domain, enum phase phase)
{
	bool known = phase < PHASE_NONE;

	*event = (struct event){
		.domain = domain,
		.operation = known ? phases[phase].operation : "undo",
		.sub_operation = known ? phases[phase].sub_operation : "-",
		.extra = "-",
		.phase = phase,
	};
}

enum phase phase_from_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		if (streq(name, phases[i].name) || streq(name, phases[i].operation))
			return (enum phase)i;
	}
	return PHASE_NONE;
}

const char *phase_name(enum phase phase)
{
	return (size_t)phase < ARRAY_SIZE(phases) ? phases[phase].name : "none";
}

bool phase_goes_up(enum phase phase)
{
	return phase < PHASE_NONE && (PHASES_UP & PHASE_BIT(phase));
}

bool domain_name_is_safe(const char *name)
{
	return *name && !streq(name, ".") && !streq(name, "..") && !strchr(name, '/');
}
