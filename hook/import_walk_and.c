/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A && B, A || B.
 */
#include "import_walk_if.h"

enum truth import_combine(enum truth a, enum truth b, bool and)
{
	static const enum truth order_and[] = { FALSE, ABSENT, UNKNOWN, PRESENT, TRUE };
	static const enum truth order_or[] = { TRUE, PRESENT, UNKNOWN, ABSENT, FALSE };
	const enum truth *order = and? order_and : order_or;

	for (size_t i = 0; i < ARRAY_SIZE(order_and); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return UNKNOWN;
}

/* LEFT is not certain: B is done all the same, or left over, and counts with it. */
static enum truth walk_right(struct import *im, const struct node *node, enum truth left)
{
	bool and = node->kind == NODE_AND;
	enum truth right = UNKNOWN;

	if (left == UNKNOWN)
		right = walk_undecided(im, node, node->b, NULL);
	else if ((left == PRESENT) == and)
		right = import_take(im, node->b, NULL);
	else
		walk_take(im, NULL, node->b, &right);
	return import_combine(left, right, and);
}

static bool is_among(const struct acts *acts, size_t from, size_t to,
		     const struct act *act)
{
	for (size_t i = from; i < to; i++)
		if (act_equal(&acts->v[i], act))
			return true;
	return false;
}

/* Both are done, and neither has to work; what is there twice, once. */
static void do_both(struct import *im, size_t from, size_t middle)
{
	struct acts *acts = &im->acts;

	for (size_t i = middle; i < acts->n;)
		if (is_among(acts, from, middle, &acts->v[i]))
			acts_remove(acts, i);
		else
			i++;
	walk_mark_either(acts, from, middle);
	for (size_t i = from; acts->n > middle && i < acts->n; i++)
		acts->v[i].optional = acts->v[i].kind == ACT_STEP && !acts->v[i].either;
}

/* A || B with steps in A: B is for their failure. */
static enum truth walk_failure(struct import *im, const struct node *node, size_t from)
{
	size_t middle = im->acts.n;
	struct outcome outcome = walk_try(im, node->b);

	if (outcome.go == GO_ON && !outcome.work) {
		for (size_t i = from; i < middle; i++)
			im->acts.v[i].optional = true;
		acts_cut(&im->acts, middle);
	} else if (outcome.go != GO_ON) {
		acts_cut(&im->acts, middle);
	} else if (walk_adds_nothing_bad(&im->acts, from, middle)) {
		do_both(im, from, middle);
	} else {
		acts_cut(&im->acts, middle);
		act_left(im, node->b, "only done if what stands before it fails");
	}
	return TRUE;
}

enum truth import_walk_and_or(struct import *im, const struct node *node)
{
	bool and = node->kind == NODE_AND;
	size_t from = im->acts.n;
	enum truth truth = import_walk(im, node->a);

	if (!and&&walk_has_work(&im->acts, from))
		return walk_failure(im, node, from);
	if (truth == TRUE || truth == FALSE)
		return (truth == TRUE) == and? import_walk(im, node->b) : truth;
	return walk_right(im, node, truth);
}
