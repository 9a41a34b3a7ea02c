/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kinds of targets there are, and the overlay on which plans are judged.
 */
#include "cpufreq.h"
#include "hold.h"
#include "ownership.h"
#include "state.h"
#include "state_epp.h"
#include "state_inhibitor.h"

static const struct state_kind *const kinds[] = {
	&state_attr,	     &state_override,  &state_driver,	 &state_module,
	&state_vtcon,	     &state_platform,  &state_unit,	 &state_session,
	&state_pages,	     &state_exec,      &state_epp,	 &state_governor,
	&state_function,     &state_bar,       &state_drm,	 &state_partition,
	&state_allowed_cpus, &state_irq,       &state_write,	 &state_owner,
	&state_file,	     &state_inhibitor, &state_exclusive, &state_hold,
};

struct overlay_value {
	const struct state_kind *kind;
	char *target, *value;
};

struct overlay {
	struct overlay_value *values;
	size_t n;
};

const struct state_kind *state_kind_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

enum undo_turn state_undo_turn(const struct host *host, const struct state_kind *kind,
			       const char *target, const char *old, const char *data)
{
	if (kind && kind->undo_first)
		return UNDO_EARLY;
	return kind && kind->undo_last && kind->undo_last(host, target, old, data ?: "") ?
		       UNDO_LATE :
		       UNDO_IN_ORDER;
}

static struct overlay_value *overlay_find(const struct overlay *overlay,
					  const struct state_kind *kind,
					  const char *target)
{
	for (size_t i = 0; i < overlay->n; i++)
		if (overlay->values[i].kind == kind &&
		    streq(overlay->values[i].target, target))
			return &overlay->values[i];
	return NULL;
}

struct overlay *overlay_new(void)
{
	return calloc(1, sizeof(struct overlay));
}

int overlay_set(struct overlay *overlay, const struct state_kind *kind,
		const char *target, const char *value)
{
	struct overlay_value *v = overlay_find(overlay, kind, target);
	_cleanup_free_ char *copy = strdup(value), *name = NULL;
	int r;

	if (!copy)
		return -ENOMEM;
	if (!v) {
		name = strdup(target);
		if (!name)
			return -ENOMEM;
		r = array_grow(&overlay->values, overlay->n, sizeof(*overlay->values));
		if (r < 0)
			return r;
		v = &overlay->values[overlay->n++];
		*v = (struct overlay_value){ .kind = kind, .target = STEAL(name) };
	}
	free(v->value);
	v->value = STEAL(copy);
	return 0;
}

const char *overlay_get(const struct overlay *overlay, const struct state_kind *kind,
			const char *target)
{
	const struct overlay_value *v = overlay ? overlay_find(overlay, kind, target) :
						  NULL;

	return v ? v->value : NULL;
}

bool overlay_has(const struct overlay *overlay, const struct state_kind *kind)
{
	for (size_t i = 0; overlay && i < overlay->n; i++)
		if (overlay->values[i].kind == kind)
			return true;
	return false;
}

void overlay_free(struct overlay *overlay)
{
	if (!overlay)
		return;
	for (size_t i = 0; i < overlay->n; i++) {
		free(overlay->values[i].target);
		free(overlay->values[i].value);
	}
	free(overlay->values);
	free(overlay);
}

int state_get(const struct host *host, const struct state_kind *kind, const char *target,
	      char **ret, struct error *err)
{
	const char *simulated = overlay_get(host->overlay, kind, target);
	_cleanup_free_ char *value = NULL;
	int r;

	if (simulated) {
		value = strdup(simulated);
		if (!value)
			return error_oom(err);
	} else {
		r = kind->read(host, target, &value, err);
		if (r < 0)
			return r;
	}
	if (host->overlay && kind->derive) {
		r = kind->derive(host, target, &value);
		if (r < 0)
			return error_errno(err, r, "%s", target);
	}
	*ret = STEAL(value);
	return 0;
}

char *state_describe(const struct state_kind *kind, const char *target, char *buf,
		     size_t size)
{
	if (kind == &state_attr)
		snprintf(buf, size, "%s", target);
	else
		snprintf(buf, size, "%s %s", kind->name, target);
	return buf;
}

const char *state_value_text(const char *value)
{
	return *value ? value : "none";
}

bool state_is(const struct host *host, const struct state_kind *kind, const char *target,
	      const char *value)
{
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *now = NULL;

	return state_get(host, kind, target, &now, &err) == 0 && streq(now, value);
}
