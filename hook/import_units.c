/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units that scripts stop if they are there: a step wants those that it names, so each of
 * them gets a step of its own, that may fail. Of display managers one is there: whichever.
 */
#include "desktop.h"
#include "import.h"

static const char any_manager[] = "display-manager.service";

static bool stops_in(const struct act *act, enum phase phase)
{
	return act->phase == phase && act_is(act, "service.stop");
}

static void count(struct import *im, enum phase phase, struct words *ret_managers,
		  struct words *ret_either)
{
	for (size_t i = 0; i < im->acts.n; i++) {
		const struct act *act = &im->acts.v[i];

		for (size_t k = 0; stops_in(act, phase) && k < act->words.n; k++) {
			const char *unit = act->words.v[k];

			if (act->options.n == 0 && desktop_is_manager(unit) &&
			    !words_have(ret_managers, unit))
				words_push(&im->arena, ret_managers, unit);
			if (act->either && !words_have(ret_either, unit))
				words_push(&im->arena, ret_either, unit);
		}
	}
}

/* Several managers: the alias in the first one's place. */
static void name_alias(struct import *im, enum phase phase)
{
	bool said = false;

	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];
		struct words words = { 0 };

		if (!stops_in(act, phase) || act->options.n > 0)
			continue;
		for (size_t k = 0; k < act->words.n; k++) {
			bool manager = desktop_is_manager(act->words.v[k]);

			if (!manager || !said)
				words_push(&im->arena, &words,
					   manager ? any_manager : act->words.v[k]);
			said = said || manager;
		}
		act->words = words;
		if (words.n == 0)
			acts_remove(&im->acts, i--);
	}
}

static void split(struct import *im, size_t i)
{
	const struct act whole = im->acts.v[i];

	for (size_t k = 0; k < whole.words.n; k++) {
		struct act one = whole;

		one.words = (struct words){ 0 };
		words_push(&im->arena, &one.words, whole.words.v[k]);
		if (k == 0)
			im->acts.v[i] = one;
		else
			acts_insert(im, i + k, &one);
	}
}

void import_merge_units(struct import *im)
{
	for (enum phase phase = 0; phase < PHASE_NONE; phase++) {
		struct words managers = { 0 }, either = { 0 };

		count(im, phase, &managers, &either);
		if (managers.n > 1)
			name_alias(im, phase);
		for (size_t i = 0; i < im->acts.n; i++) {
			struct act *act = &im->acts.v[i];
			bool manager = stops_in(act, phase) && act->words.n == 1 &&
				       desktop_is_manager(act->words.v[0]);

			if (!stops_in(act, phase))
				continue;
			/* a manager that alone is asked for is what the script is about */
			if (act->either && !(manager && (managers.n > 1 || either.n < 2)))
				act->optional = true;
			if (act->optional && act->words.n > 1)
				split(im, i);
		}
	}
}
