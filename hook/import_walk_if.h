/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "import.h"

/* What became of a part that may, or may not, be run. */
struct outcome {
	typeof(((struct import *)NULL)->go) go;
	bool failed, work;
	enum truth truth;
	size_t from;
};

/* import_variable.c: OTHER's are as likely: what differs from ours is not known. */
void import_doubt_variables(struct import *im, struct variable *other);

struct outcome walk_try(struct import *im, const struct node *node);
bool walk_has_work(const struct acts *acts, size_t from);
/* Is each of those from MIDDLE on harmless, or among those from FROM to MIDDLE? */
bool walk_adds_nothing_bad(const struct acts *acts, size_t from, size_t middle);
/* Those from MIDDLE on are done instead of those from FROM on: which units are there? */
void walk_mark_either(struct acts *acts, size_t from, size_t middle);
/* As import_take(), with how OTHER would have ended. */
enum truth walk_take(struct import *im, const struct node *likely,
		     const struct node *other, enum truth *ret_other);
/* Nothing is known: converted if both ways do the same, or nothing. */
enum truth walk_undecided(struct import *im, const struct node *node,
			  const struct node *yes, const struct node *no);
