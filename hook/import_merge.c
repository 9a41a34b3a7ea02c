/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of steps into one, and what a step does by itself out of the way.
 */
#include "import.h"

static struct act *next_step(struct import *im, size_t i, size_t *ret)
{
	for (size_t k = i + 1; k < im->acts.n; k++) {
		if (im->acts.v[k].phase != im->acts.v[i].phase)
			continue;
		if (im->acts.v[k].kind == ACT_NOTE)
			continue;
		*ret = k;
		return im->acts.v[k].kind == ACT_STEP ? &im->acts.v[k] : NULL;
	}
	return NULL;
}

static struct act *step_before(struct import *im, size_t i)
{
	for (size_t k = i; k > 0; k--)
		if (im->acts.v[k - 1].phase == im->acts.v[i].phase &&
		    im->acts.v[k - 1].kind != ACT_NOTE)
			return &im->acts.v[k - 1];
	return NULL;
}

/* ---- sleep */

static bool waits_itself(const struct act *act)
{
	return act->kind == ACT_STEP && !str_after(act->key, "exec.") &&
	       !str_after(act->key, "wait.") && !str_after(act->key, "sys");
}

void import_merge_sleeps(struct import *im)
{
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];
		const struct act *before;

		if (!act_is(act, "wait.sleep"))
			continue;
		before = step_before(im, i);
		if (!before || waits_itself(before) || streq(act->words.v[0], "0"))
			act_to_note(act,
				    arena_printf(&im->arena,
						 "sleep %s is left out: steps wait for what "
						 "they need, no longer",
						 act->words.v[0]));
	}
}

/* ---- huge pages */

static void merge_pages(struct import *im)
{
	struct act *pages = NULL;

	for (size_t i = 0; i < im->acts.n; i++)
		if (act_is(&im->acts.v[i], "hugepages.allocate") && !pages)
			pages = &im->acts.v[i];
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		if (!act_is(act, "sysctl.write") || act->words.n != 2)
			continue;
		if (pages && streq(act->words.v[0], "vm.drop_caches")) {
			if (act->phase == pages->phase &&
			    !words_have(&pages->options, "drop-caches=yes"))
				words_push(&im->arena, &pages->options, "drop-caches=yes");
			act_to_note(act,
				    "drop_caches: hugepages.allocate does it if need be");
		} else if (pages && streq(act->words.v[0], "vm.compact_memory")) {
			act_to_note(act, "compact_memory: hugepages.allocate does it");
		}
	}
}

/* ---- rows */

static bool joins(const struct act *a, const struct act *b)
{
	return streq(a->key, b->key) && words_equal(&a->options, &b->options) &&
	       STR_IN(a->key, "kmod.unload", "pci.detach", "pci.reattach", "service.stop",
		      "process.stop", "pci.remove", "pci.power") &&
	       (str_after(a->key, "kmod") || a->optional == b->optional) &&
	       !(str_after(a->key, "service.") && a->optional);
}

static void join(struct import *im, struct act *a, const struct act *b)
{
	for (size_t i = 0; i < b->words.n; i++)
		if (!words_have(&a->words, b->words.v[i]))
			words_push(&im->arena, &a->words, b->words.v[i]);
	a->optional = a->optional && b->optional;
}

/* chown and chmod of one file, which touch made. */
static bool join_owner(struct import *im, struct act *a, const struct act *b)
{
	bool shm = streq(a->key, "shm.create");

	if (!streq(b->key, "file.own") || b->words.n != 1 || a->words.n != 1 ||
	    (!shm && !streq(a->key, "file.own")) ||
	    !streq(a->words.v[0], shm ? path_base(b->words.v[0]) : b->words.v[0]))
		return false;
	for (size_t i = 0; i < b->options.n; i++)
		words_push(&im->arena, &a->options, b->options.v[i]);
	return true;
}

/* governor.set for cpu0, cpu1, …: one step for all of them. */
static bool join_cpus(struct import *im, struct act *a, const struct act *b)
{
	const char *x, *y;

	if (!streq(a->key, b->key) ||
	    (!streq(a->key, "governor.set") && !streq(a->key, "epp.set")) ||
	    !words_equal(&a->words, &b->words) || a->options.n != 1 || b->options.n != 1)
		return false;
	x = str_after(a->options.v[0], "cpus=");
	y = str_after(b->options.v[0], "cpus=");
	if (!x || !y)
		return false;
	a->options.v[0] = arena_printf(&im->arena, "cpus=%s,%s", x, y);
	return true;
}

/* "cpus=0,1,2,5": "cpus=0-2,5" */
static void shorten_cpus(struct import *im, struct act *act)
{
	struct cpu_list list = { 0 };
	struct buf buf = { 0 };

	if (act->options.n != 1 || !str_after(act->options.v[0], "cpus=") ||
	    parse_cpu_list(str_after(act->options.v[0], "cpus="), &list) < 0)
		return;
	for (size_t i = 0; i < list.n; i++) {
		size_t k = i;

		while (k + 1 < list.n && list.cpu[k + 1] == list.cpu[k] + 1)
			k++;
		buf_puts(&im->arena, &buf,
			 arena_printf(&im->arena, k > i ? "%s%u-%u" : "%s%u",
				      buf.n ? "," : "cpus=", list.cpu[i], list.cpu[k]));
		i = k;
	}
	cpu_list_done(&list);
	if (buf.s)
		act->options.v[0] = buf.s;
}

static bool is_repeatable(const struct act *act)
{
	return str_after(act->key, "exec.") || str_after(act->key, "wait.") ||
	       str_after(act->key, "kmod.load") ||
	       str_after(act->key, "service.restart") ||
	       str_after(act->key, "pci.rescan");
}

static void merge_rows(struct import *im)
{
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i], *next;
		size_t k;

		if (act->kind != ACT_STEP)
			continue;
		while ((next = next_step(im, i, &k))) {
			bool same = act_equal(act, next) && !is_repeatable(act);

			if (!same && !joins(act, next) && !join_cpus(im, act, next) &&
			    !join_owner(im, act, next))
				break;
			if (!same && joins(act, next))
				join(im, act, next);
			act->optional = act->optional && next->optional;
			acts_remove(&im->acts, k);
		}
		shorten_cpus(im, act);
	}
}

/* The same again, later on: what is stopped or taken already. */
static void drop_repeats(struct import *im)
{
	for (size_t i = 0; i < im->acts.n; i++) {
		for (size_t k = i + 1; k < im->acts.n;) {
			if (act_equal(&im->acts.v[i], &im->acts.v[k]) &&
			    !is_repeatable(&im->acts.v[i]) &&
			    !str_after(im->acts.v[i].key,
				       "s")) /* services may be started between */
				acts_remove(&im->acts, k);
			else
				k++;
		}
	}
}

/* The same place in each round of a loop. */
static void drop_left_again(struct import *im)
{
	for (size_t i = 0; i < im->acts.n; i++) {
		const struct act *act = &im->acts.v[i];

		for (size_t k = im->acts.n; act->kind == ACT_LEFT && k > i + 1; k--) {
			const struct act *other = &im->acts.v[k - 1];

			if (other->kind == ACT_LEFT && other->phase == act->phase &&
			    other->node == act->node &&
			    streq(other->text ?: "", act->text ?: ""))
				acts_remove(&im->acts, k - 1);
		}
	}
}

void import_merge(struct import *im)
{
	drop_left_again(im);
	merge_pages(im);
	import_merge_devices(im);
	import_merge_sleeps(im);
	import_merge_units(im);
	merge_rows(im);
	import_order_nvidia(im);
	merge_rows(im);
	import_name_rescans(im);
	import_complete_nvidia(im);
	drop_repeats(im);
}
