/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions. Most of them ask whether something is there, running or loaded before it
 * is taken away: a step looks for that itself, so they are taken as true. What remains
 * unknown is converted only where it makes no difference.
 */
#include <fnmatch.h>

#include "import_walk_if.h"

/* Steps that do nothing where there is nothing to do. */
static bool is_harmless(const struct act *act)
{
	return act->key && STR_IN(act->key, "kmod.unload", "service.stop", "process.stop",
				  "framebuffer.unbind", "wait.sleep", "vtconsole.unbind",
				  "vtconsole.bind");
}

bool walk_has_work(const struct acts *acts, size_t from)
{
	return acts_count(acts, from, ACT_STEP) + acts_count(acts, from, ACT_LEFT) > 0;
}

/* Is each of those from MIDDLE on harmless, or among those from FROM to MIDDLE? */
bool walk_adds_nothing_bad(const struct acts *acts, size_t from, size_t middle)
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

struct outcome walk_try(struct import *im, const struct node *node)
{
	struct outcome outcome = { .from = im->acts.n };

	im->go_failed = false;
	outcome.truth = import_walk(im, node);
	outcome.go = im->go;
	outcome.failed = im->go != GO_ON && im->go_failed;
	outcome.work = walk_has_work(&im->acts, outcome.from);
	im->go = GO_ON;
	return outcome;
}

void walk_mark_either(struct acts *acts, size_t from, size_t middle)
{
	bool more = false;

	for (size_t i = middle; i < acts->n; i++) {
		bool found = !act_is(&acts->v[i], "service.stop");

		for (size_t k = from; k < middle && !found; k++)
			found = act_equal(&acts->v[k], &acts->v[i]);
		more = more || !found;
	}
	for (size_t i = from; more && i < acts->n; i++)
		acts->v[i].either = act_is(&acts->v[i], "service.stop");
}

enum truth walk_take(struct import *im, const struct node *likely,
		     const struct node *other, enum truth *ret_other)
{
	struct outcome first = walk_try(im, likely), second;
	struct variable *variables;
	size_t middle;

	/* A guard: what it guards against is not what the script is for. */
	if ((first.go != GO_ON && !first.work) || first.failed) {
		acts_cut(&im->acts, first.from);
		*ret_other = import_walk(im, other);
		return *ret_other;
	}
	middle = im->acts.n;
	variables = import_copy_variables(im);
	second = walk_try(im, other);
	*ret_other = second.truth;
	im->variables = variables;
	if (second.failed || (second.go != GO_ON && !second.work) || !second.work) {
		acts_cut(&im->acts, middle);
	} else if (first.work && is_other_manager(&im->acts, middle)) {
		acts_cut(&im->acts, middle);
		act_note(im, other, "the way of other service managers is left out");
	} else if (!walk_adds_nothing_bad(&im->acts, first.from, middle) && first.work) {
		acts_cut(&im->acts, middle);
		act_left(im, other, "taken as the case that does not occur");
	} else if (first.work) {
		walk_mark_either(&im->acts, first.from, middle);
	}
	im->go = first.go;
	return first.truth;
}

enum truth import_take(struct import *im, const struct node *likely,
		       const struct node *other)
{
	enum truth ignored;

	return walk_take(im, likely, other, &ignored);
}

enum truth walk_undecided(struct import *im, const struct node *node,
			  const struct node *yes, const struct node *no)
{
	size_t from = im->acts.n;
	struct variable *variables = import_copy_variables(im), *changed;
	struct outcome first = walk_try(im, yes), second;
	size_t middle = im->acts.n;

	changed = im->variables;
	im->variables = variables;
	if (first.failed || (first.go != GO_ON && !first.work)) {
		acts_cut(&im->acts, from);
		im->in_doubt = true;
		return import_walk(im, no);
	}
	second = walk_try(im, no);
	if (second.failed)
		im->variables = changed;
	else
		import_doubt_variables(im, changed);
	if (second.failed || !second.work) {
		acts_cut(&im->acts, middle);
		if (!first.work || second.failed)
			return !no || first.truth == second.truth ? first.truth : UNKNOWN;
	} else if (walk_adds_nothing_bad(&im->acts, from, middle)) {
		walk_mark_either(&im->acts, from, middle);
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
		return walk_undecided(im, node, node->b, node->c);
	}
}

enum truth import_walk_case(struct import *im, const struct node *node)
{
	const char *subject = import_expand_text(im, node->words.v[0]);
	size_t from = im->acts.n;
	bool known = is_known(subject), domain = false;
	struct variable *before = known ? NULL : import_copy_variables(im), *changed;

	for (const struct node *item = node->first; item; item = item->next) {
		for (size_t i = 0; i < item->words.n; i++) {
			const char *pattern = import_expand_text(im, item->words.v[i]);
			enum truth truth = import_ask_domain(im, subject, "=", pattern);

			if (truth == TRUE || (known && fnmatch(pattern, subject, 0) == 0))
				return import_walk(im, item->b);
			domain = domain || truth != UNKNOWN;
		}
		if (known || domain)
			continue;
		changed = im->variables; /* each of them starts with what there was */
		im->variables = before;
		before = import_copy_variables(im);
		walk_try(im, item->b);
		import_doubt_variables(im, changed);
	}
	if (walk_has_work(&im->acts, from)) {
		acts_cut(&im->acts, from);
		act_left(im, node, "what it depends on is known only when it runs");
	}
	return TRUE;
}
