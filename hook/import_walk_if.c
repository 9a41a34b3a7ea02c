/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions. Most of them ask whether something is there, running or loaded before it
 * is taken away: a step looks for that itself, so they are taken as true. What remains
 * unknown is converted only where it makes no difference.
 */
#include <fnmatch.h>

#include "import.h"

/* Steps that do nothing where there is nothing to do. */
static bool is_harmless(const struct act *act)
{
	return act->key && STR_IN(act->key, "kmod.unload", "service.stop", "process.stop",
				  "framebuffer.unbind", "wait.sleep", "vtconsole.unbind",
				  "vtconsole.bind");
}

static bool has_work(const struct acts *acts, size_t from)
{
	return acts_count(acts, from, ACT_STEP) + acts_count(acts, from, ACT_LEFT) > 0;
}

/* Is each of those from MIDDLE on harmless, or among those from FROM to MIDDLE? */
static bool adds_nothing_bad(const struct acts *acts, size_t from, size_t middle)
{
	for (size_t i = middle; i < acts->n; i++) {
		bool found = acts->v[i].kind == ACT_NOTE ||
			     (acts->v[i].kind == ACT_STEP && is_harmless(&acts->v[i]));

		for (size_t k = from; k < middle && !found; k++)
			found = act_equal(&acts->v[k], &acts->v[i]);
		if (!found)
			return false;
	}
	return true;
}

/* The same for machines without systemd? */
static bool is_other_manager(const struct acts *acts, size_t from)
{
	static const char *const names[] = { "rc-service", "sv",   "dinitctl",
					     "s6-rc",	   "herd", "rc-update" };
	bool found = false;

	for (size_t i = from; i < acts->n; i++) {
		const struct act *act = &acts->v[i];
		bool is = act->kind == ACT_NOTE;

		for (size_t k = 0; act->kind == ACT_STEP &&
				   str_after(act->key, "exec.") && k < ARRAY_SIZE(names);
		     k++)
			is = is || words_have(&act->words, names[k]);
		if (!is)
			return false;
		found = true;
	}
	return found;
}

struct outcome {
	typeof(((struct import *)NULL)->go) go;
	bool failed, work;
	enum truth truth;
	size_t from;
};

static struct outcome try(struct import *im, const struct node *node)
{
	struct outcome outcome = { .from = im->acts.n };

	im->go_failed = false;
	outcome.truth = import_walk(im, node);
	outcome.go = im->go;
	outcome.failed = im->go != GO_ON && im->go_failed;
	outcome.work = has_work(&im->acts, outcome.from);
	im->go = GO_ON;
	return outcome;
}

enum truth import_take(struct import *im, const struct node *likely,
		       const struct node *other)
{
	struct outcome first = try(im, likely), second;
	struct variable *variables;
	size_t middle;

	/* A guard: what it guards against is not what the script is for. */
	if ((first.go != GO_ON && !first.work) || first.failed) {
		acts_cut(&im->acts, first.from);
		return import_walk(im, other);
	}
	middle = im->acts.n;
	variables = import_copy_variables(im);
	second = try(im, other);
	im->variables = variables;
	if (second.failed || (second.go != GO_ON && !second.work) || !second.work) {
		acts_cut(&im->acts, middle);
	} else if (first.work && is_other_manager(&im->acts, middle)) {
		acts_cut(&im->acts, middle);
		act_note(im, other, "the way of other service managers is left out");
	} else if (!adds_nothing_bad(&im->acts, first.from, middle) && first.work) {
		acts_cut(&im->acts, middle);
		act_left(im, other, "taken as the case that does not occur");
	}
	im->go = first.go;
	return first.truth;
}

/* Nothing is known: converted if both ways do the same, or nothing. */
static enum truth undecided(struct import *im, const struct node *node,
			    const struct node *yes, const struct node *no)
{
	size_t from = im->acts.n;
	struct variable *variables = import_copy_variables(im);
	struct outcome first = try(im, yes), second;
	size_t middle = im->acts.n;

	if (first.failed || (first.go != GO_ON && !first.work)) {
		acts_cut(&im->acts, from);
		im->variables = variables;
		return import_walk(im, no);
	}
	second = try(im, no);
	if (second.failed || !second.work) {
		acts_cut(&im->acts, middle);
		if (!first.work || second.failed)
			return TRUE;
	} else if (adds_nothing_bad(&im->acts, from, middle)) {
		return TRUE;
	}
	acts_cut(&im->acts, from);
	act_left(im, node, "what it depends on is known only when it runs");
	return UNKNOWN;
}

/* "if ! STEP; then …": the way of a step that fails. */
static bool is_failure(const struct import *im, size_t from, enum truth truth)
{
	return truth == FALSE && acts_count(&im->acts, from, ACT_STEP) > 0;
}

enum truth import_walk_if(struct import *im, const struct node *node)
{
	size_t from = im->acts.n, left = acts_count(&im->acts, 0, ACT_LEFT);
	enum truth truth = import_walk(im, node->a);

	if (acts_count(&im->acts, 0, ACT_LEFT) > left) {
		/* the condition itself is not understood: show the whole of it */
		acts_cut(&im->acts, from);
		act_left(im, node, "its condition is not understood");
		return UNKNOWN;
	}
	if (is_failure(im, from, truth))
		return import_take(im, node->c, node->b);
	if (truth == TRUE && acts_count(&im->acts, from, ACT_STEP) > 0)
		return import_take(im, node->b, node->c);
	switch (truth) {
	case TRUE:
		return import_walk(im, node->b);
	case FALSE:
		return import_walk(im, node->c);
	case PRESENT:
		return import_take(im, node->b, node->c);
	case ABSENT:
		return import_take(im, node->c, node->b);
	default:
		return undecided(im, node, node->b, node->c);
	}
}

static enum truth both(enum truth a, enum truth b)
{
	if (a == FALSE || b == FALSE)
		return FALSE;
	if (a == ABSENT || b == ABSENT)
		return ABSENT;
	if (a == UNKNOWN || b == UNKNOWN)
		return UNKNOWN;
	return a == PRESENT || b == PRESENT ? PRESENT : TRUE;
}

static enum truth walk_and(struct import *im, const struct node *node)
{
	enum truth truth = import_walk(im, node->a);

	switch (truth) {
	case TRUE:
		return import_walk(im, node->b);
	case FALSE:
		return FALSE;
	case PRESENT:
		return both(truth, import_take(im, node->b, NULL));
	case ABSENT:
		return both(truth, import_take(im, NULL, node->b));
	default:
		return undecided(im, node, node->b, NULL);
	}
}

/* A || B with steps in A: B is for their failure. */
static enum truth walk_failure(struct import *im, const struct node *node, size_t from)
{
	size_t middle = im->acts.n;
	struct outcome outcome = try(im, node->b);

	if (outcome.go == GO_ON && !outcome.work) {
		for (size_t i = from; i < middle; i++)
			im->acts.v[i].optional = true;
		acts_cut(&im->acts, middle);
	} else if (outcome.go != GO_ON || adds_nothing_bad(&im->acts, from, middle)) {
		acts_cut(&im->acts, middle);
	} else {
		acts_cut(&im->acts, middle);
		act_left(im, node->b, "only done if what stands before it fails");
	}
	return TRUE;
}

enum truth import_walk_and_or(struct import *im, const struct node *node)
{
	size_t from = im->acts.n;
	enum truth truth;

	if (node->kind == NODE_AND)
		return walk_and(im, node);
	truth = import_walk(im, node->a);
	if (has_work(&im->acts, from))
		return walk_failure(im, node, from);
	switch (truth) {
	case TRUE:
		return TRUE;
	case FALSE:
		return import_walk(im, node->b);
	case PRESENT:
		import_take(im, NULL, node->b);
		return PRESENT;
	case ABSENT:
		return import_take(im, node->b, NULL);
	default:
		return undecided(im, node, node->b, NULL);
	}
}

enum truth import_walk_case(struct import *im, const struct node *node)
{
	const char *subject = import_expand_text(im, node->words.v[0]);
	size_t from = im->acts.n;

	for (const struct node *item = node->first; item; item = item->next) {
		for (size_t i = 0; is_known(subject) && i < item->words.n; i++) {
			const char *pattern = import_expand_text(im, item->words.v[i]);

			if (import_is_the_domain(im, subject, pattern) ||
			    fnmatch(pattern, subject, 0) == 0)
				return import_walk(im, item->b);
		}
		if (!is_known(subject))
			try(im, item->b);
	}
	if (has_work(&im->acts, from)) {
		acts_cut(&im->acts, from);
		act_left(im, node, "what it depends on is known only when it runs");
	}
	return TRUE;
}
