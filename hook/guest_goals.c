/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the parts of a guest's memory to goals: so many pages of a size in a place. Parts
 * that want the same are one goal.
 */
#include "cpus.h"
#include "guest_goals.h"

uint64_t guest_part_pages(const struct guest_part *part, uint64_t size)
{
	return part->bytes / size + (part->bytes % size != 0);
}

void page_goal_place_part(struct page_goal *goal, const struct guest_part *part)
{
	if (goal->nodes)
		return;
	goal->nodes = part->nodes;
	goal->only = guest_part_is_bound(part);
}

static bool same_nodes(const struct cpu_list *a, const struct cpu_list *b)
{
	return a && b ? cpus_within(a, b) && cpus_within(b, a) : a == b;
}

/*
 * Large pages are hard to get, so they come first; and what is bound to few nodes must
 * have its pages before others look for theirs there.
 */
static bool comes_before(const struct page_goal *a, const struct page_goal *b)
{
	if (a->size != b->size)
		return a->size > b->size;
	if (a->only && b->only)
		return a->nodes->n < b->nodes->n;
	return a->only && !b->only;
}

static void add_name(struct page_goal *goal, const char *name)
{
	size_t at = strlen(goal->who);

	if (*name)
		snprintf(goal->who + at, sizeof(goal->who) - at, "%s%s", at ? ", " : "",
			 name);
}

const struct page_goal *page_goals_add(struct page_goals *goals,
				       const struct page_goal *goal)
{
	size_t at;

	for (size_t i = 0; i < goals->n; i++) {
		struct page_goal *old = &goals->v[i];

		if (old->size != goal->size || old->only != goal->only ||
		    !same_nodes(old->nodes, goal->nodes))
			continue;
		old->pages += goal->pages;
		add_name(old, goal->who);
		return old;
	}
	if (array_grow(&goals->v, goals->n, sizeof(*goals->v)) < 0)
		return NULL;
	for (at = goals->n++; at > 0 && comes_before(goal, &goals->v[at - 1]); at--)
		goals->v[at] = goals->v[at - 1];
	goals->v[at] = *goal;
	return &goals->v[at];
}

const struct page_goal *page_goals_add_part(struct page_goals *goals,
					    const struct page_goal *like,
					    const struct guest_part *part, bool named)
{
	struct page_goal goal = *like;

	if (!goal.size)
		goal.size = part->page_size;
	page_goal_place_part(&goal, part);
	goal.pages = guest_part_pages(part, goal.size);
	if (named)
		add_name(&goal, part->name);
	return page_goals_add(goals, &goal);
}

void page_goals_done(struct page_goals *goals)
{
	free(goals->v);
	*goals = (struct page_goals){};
}
