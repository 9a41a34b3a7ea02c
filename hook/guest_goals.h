/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "guest_memory.h"
#include "pages.h"

/*
 * The huge pages of a guest as goals. They point to lists of nodes in the domain, which
 * must outlive them.
 */
struct page_goals {
	struct page_goal *v; /* in the order in which they should be had */
	size_t n;
};

uint64_t guest_part_pages(const struct guest_part *part, uint64_t size);
/* Where the part's pages are to be, unless the goal says it. */
void page_goal_place_part(struct page_goal *goal, const struct guest_part *part);
/* The goal, or one with its pages too that wants the same. NULL: out of memory. */
const struct page_goal *page_goals_add(struct page_goals *goals,
				       const struct page_goal *goal);
/*
 * The pages of a part; size and place from LIKE, as far as it says them, else the part's
 * own. NAMED: the goal is to tell for whom it is.
 */
const struct page_goal *page_goals_add_part(struct page_goals *goals,
					    const struct page_goal *like,
					    const struct guest_part *part, bool named);
void page_goals_done(struct page_goals *goals);
