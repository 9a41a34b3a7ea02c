/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way down. Most of it only reverses the way up, which the journal does better: the
 * values found, the units that were running, the drivers that were bound.
 */
#include "desktop.h"
#include "import.h"

static bool goes_down(enum phase phase)
{
	return phase == PHASE_STOPPED || phase == PHASE_RELEASE;
}

/* Did a step going up name WORD? KEY ends in "*" for any with that beginning. */
static bool was_done(const struct import *im, const char *key, const char *word)
{
	size_t n = strcspn(key, "*");

	for (size_t i = 0; i < im->acts.n; i++) {
		const struct act *act = &im->acts.v[i];

		if (act->kind != ACT_STEP || goes_down(act->phase) ||
		    (key[n] ? strncmp(act->key, key, n) != 0 : !streq(act->key, key)))
			continue;
		if (!word || words_have(&act->words, word))
			return true;
	}
	return false;
}

/* Under its own name, or as what the alias points to. */
static bool unit_was(const struct import *im, const char *key, const char *unit)
{
	if (was_done(im, key, unit))
		return true;
	for (size_t i = 0; desktop_is_manager(unit) && i < im->acts.n; i++) {
		const struct act *act = &im->acts.v[i];

		for (size_t k = 0;
		     act_is(act, key) && !goes_down(act->phase) && k < act->words.n; k++)
			if (desktop_is_manager(act->words.v[k]) &&
			    (streq(unit, "display-manager.service") ||
			     streq(act->words.v[k], "display-manager.service")))
				return true;
	}
	return false;
}

/* Modules that are there because their card is. */
static bool is_driver(const char *module)
{
	static const char *const names[] = {
		"nvidia",  "amdgpu",	     "radeon", "nouveau", "i915", "xe",
		"snd_hda", "i2c_nvidia_gpu", "nvme",   "xhci",	  "ucsi"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_after(module, names[i]))
			return true;
	return false;
}

static bool unit_covered(const struct import *im, const struct act *act, const char *unit)
{
	if (act_is(act, "service.start"))
		return unit_was(im, "service.stop", unit);
	if (act_is(act, "service.stop"))
		return unit_was(im, "service.start", unit);
	return act_is(act, "service.restart") && unit_was(im, "service.stop", unit) &&
	       !unit_was(im, "service.restart", unit) &&
	       !unit_was(im, "service.start", unit);
}

static bool word_covered(const struct import *im, const struct act *act, const char *word)
{
	if (str_after(act->key, "service."))
		return unit_covered(im, act, word);
	if (act_is(act, "kmod.load"))
		return was_done(im, "kmod.unload", word) || is_driver(word);
	if (act_is(act, "kmod.unload"))
		return was_done(im, "kmod.load", word);
	if (act_is(act, "pci.reattach") || act_is(act, "pci.remove") ||
	    act_is(act, "pci.reset"))
		return was_done(im, "pci.detach", word);
	return false;
}

static bool covered(const struct import *im, const struct act *act)
{
	static const char *const opposites[][2] = {
		{ "vtconsole.bind", "vtconsole.unbind" },
		{ "framebuffer.bind", "framebuffer.unbind" },
		{ "hugepages.free", "hugepages.allocate" },
		{ "governor.set", "governor.set" },
		{ "epp.set", "epp.set" },
		{ "pci.rescan", "pci.detach" },
		{ "pci.power", "pci.*" },
		{ "irq.move", "irq.move" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(opposites); i++)
		if (act_is(act, opposites[i][0]))
			return was_done(im, opposites[i][1], NULL);
	if (act_is(act, "sysfs.write") || act_is(act, "sysctl.write"))
		return act->words.n > 0 && was_done(im, act->key, act->words.v[0]);
	return false;
}

static bool undone_by_program(const struct import *im, const struct act *act)
{
	for (size_t i = 0; act_is(act, "exec.run") && i < im->acts.n; i++)
		if (act_is(&im->acts.v[i], "exec.undo") &&
		    words_equal(&im->acts.v[i].words, &act->words))
			return true;
	return false;
}

/* Takes the words away that undo cares for; true: nothing is left of it. */
static bool reduce(struct import *im, struct act *act)
{
	struct words rest = { 0 };

	if (covered(im, act) || undone_by_program(im, act))
		return true;
	/* parameters of modules look like modules */
	if (act_is(act, "kmod.load") && act->words.n > 1 && strchr(act->words.v[1], '='))
		return word_covered(im, act, act->words.v[0]);
	for (size_t i = 0; i < act->words.n; i++)
		if (!word_covered(im, act, act->words.v[i]))
			words_push(&im->arena, &rest, act->words.v[i]);
	if (rest.n == 0 && act->words.n > 0)
		return true;
	if (rest.n < act->words.n)
		act->words = rest;
	return false;
}

/* A pause or message around what is gone now. */
static void drop_idle(struct import *im, enum phase phase)
{
	bool work = false;

	for (size_t i = 0; i < im->acts.n; i++)
		work = work ||
		       (im->acts.v[i].phase == phase && im->acts.v[i].kind != ACT_NOTE &&
			!act_is(&im->acts.v[i], "wait.sleep") &&
			!act_is(&im->acts.v[i], "undo"));
	for (size_t i = 0; i < im->acts.n;) {
		const struct act *act = &im->acts.v[i];

		if (act->phase == phase && !work &&
		    (act->kind == ACT_NOTE || act_is(act, "wait.sleep") ||
		     act_is(act, "undo")))
			acts_remove(&im->acts, i);
		else
			i++;
	}
}

static void reverse_phase(struct import *im, enum phase phase)
{
	const struct node *first = NULL;
	size_t at = 0;

	for (size_t i = 0; i < im->acts.n;) {
		struct act *act = &im->acts.v[i];

		if (act->phase != phase || act->kind != ACT_STEP || !reduce(im, act)) {
			i++;
			continue;
		}
		if (!first) {
			first = act->node;
			at = i;
		}
		acts_remove(&im->acts, i);
	}
	if (first && phase == PHASE_RELEASE) {
		/* what it put back by hand is put back here, before what comes next */
		acts_insert(im, at,
			    &(struct act){ .kind = ACT_STEP,
					   .phase = phase,
					   .key = "undo",
					   .node = first });
	}
	import_merge_sleeps(im);
	drop_idle(im, phase);
}

void import_reverse(struct import *im)
{
	reverse_phase(im, PHASE_STOPPED);
	reverse_phase(im, PHASE_RELEASE);
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];
		const char *why = act->kind == ACT_STEP ? act_check(im, act) : NULL;

		if (!why)
			continue;
		act->kind = ACT_LEFT;
		act->text = why;
	}
}
