/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* What sysfs.write and sysctl.write have in common; PATTERN is a path, maybe with globs. */
struct attributes {
	const char *pattern;
	const char *below; /* "/sys" */
	const char *value;
	const char *undo; /* of undo=, or NULL */
};

/* Can nothing be read there that could be put back? By its name alone. */
bool attribute_is_trigger(const char *path);
int attributes_check(struct run *run, const struct attributes *attributes,
		     struct error *err);
int attributes_write(struct run *run, const struct attributes *attributes,
		     struct error *err);
/* Is the path fit for a pattern: no "..", nothing that has a step of its own? */
int attributes_parse(const struct attributes *attributes, struct error *err);
