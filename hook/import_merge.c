/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of steps into one, and what a step does by itself out of the way.
 */
#include "import.h"
#include "pci.h"

static bool is(const struct act *act, const char *key)
{
	return act->kind == ACT_STEP && streq(act->key, key);
}

static void take_out(struct acts *acts, size_t i)
{
	memmove(&acts->v[i], &acts->v[i + 1], (acts->n - i - 1) * sizeof(*acts->v));
	acts->n--;
}

static void make_note(struct act *act, const char *text)
{
	act->kind = ACT_NOTE;
	act->text = text;
}

/* One name for one device, or the id. */
static void name_devices(struct import *im)
{
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		for (size_t k = 0; act->kind == ACT_STEP && str_after(act->key, "pci.") &&
				   k < act->words.n;
		     k++) {
			struct pci_addr addr;
			char text[PCI_ADDR_LEN];

			if (pci_parse_addr(act->words.v[k], &addr, NULL) == 0) {
				pci_format_addr(&addr, text);
				act->words.v[k] =
					arena_strndup(&im->arena, text, strlen(text));
			}
		}
	}
}

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

		if (!is(act, "wait.sleep"))
			continue;
		before = step_before(im, i);
		if (!before || waits_itself(before) || streq(act->words.v[0], "0"))
			make_note(act,
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
		if (is(&im->acts.v[i], "hugepages.allocate") && !pages)
			pages = &im->acts.v[i];
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		if (!is(act, "sysctl.write") || act->words.n != 2)
			continue;
		if (pages && streq(act->words.v[0], "vm.drop_caches")) {
			if (act->phase == pages->phase &&
			    !words_have(&pages->options, "drop-caches=yes"))
				words_push(&im->arena, &pages->options, "drop-caches=yes");
			make_note(act,
				  "drop_caches: hugepages.allocate does it if need be");
		} else if (pages && streq(act->words.v[0], "vm.compact_memory")) {
			make_note(act, "compact_memory: hugepages.allocate does it");
		}
	}
}

/* ---- rows */

static bool joins(const struct act *a, const struct act *b)
{
	static const char *const keys[] = { "kmod.unload",  "pci.detach",
					    "pci.reattach", "service.stop",
					    "process.stop", "pci.remove",
					    "pci.power" };

	if (!streq(a->key, b->key) || !words_equal(&a->options, &b->options))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (streq(a->key, keys[i]))
			return str_after(a->key, "kmod") || a->optional == b->optional;
	return false;
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
			take_out(&im->acts, k);
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
				take_out(&im->acts, k);
			else
				k++;
		}
	}
}

/* ---- devices */

/* A device that was taken by its address needs no id. */
static void drop_ids(struct import *im)
{
	bool addresses = false;

	for (size_t i = 0; i < im->acts.n; i++)
		if (is(&im->acts.v[i], "pci.detach"))
			addresses = addresses || strlen(im->acts.v[i].words.v[0]) > 9;
	for (size_t i = 0; addresses && i < im->acts.n; i++)
		if (is(&im->acts.v[i], "pci.detach") &&
		    strlen(im->acts.v[i].words.v[0]) <= 9)
			make_note(&im->acts.v[i],
				  "new_id: the devices are taken by their addresses");
}

/* Each device once a phase: the first time going up. */
static void drop_devices_again(struct import *im, const char *key)
{
	for (enum phase phase = 0; phase < PHASE_NONE; phase++) {
		struct words seen = { 0 };

		for (size_t i = 0; i < im->acts.n;) {
			struct act *act = &im->acts.v[i];
			struct words left = { 0 };

			if (act->phase != phase || !is(act, key)) {
				i++;
				continue;
			}
			for (size_t k = 0; k < act->words.n; k++) {
				if (!words_have(&seen, act->words.v[k])) {
					words_push(&im->arena, &seen, act->words.v[k]);
					words_push(&im->arena, &left, act->words.v[k]);
				}
			}
			act->words = left;
			if (left.n == 0)
				take_out(&im->acts, i);
			else
				i++;
		}
	}
}

static bool is_nvidia(const struct act *act)
{
	return is(act, "kmod.unload") && str_after(act->words.v[0], "nvidia");
}

/* nvidia never returns from an unbind while its card is used: the module goes first. */
static void order_nvidia(struct import *im)
{
	size_t last = im->acts.n;

	while (last > 0 && !is_nvidia(&im->acts.v[last - 1]))
		last--;
	for (size_t i = 0, end = last; last > 0 && i + 1 < end;) {
		struct act act = im->acts.v[i];

		if (!is(&act, "pci.detach") || act.phase != im->acts.v[last - 1].phase) {
			i++;
			continue;
		}
		memmove(&im->acts.v[i], &im->acts.v[i + 1], (last - i - 1) * sizeof(act));
		im->acts.v[last - 1] = act;
		end--;
	}
}

/* modprobe -r takes what nothing uses any more along; kmod.unload what it is told. */
static void complete_nvidia(struct import *im)
{
	static const char *const below[] = { "nvidia_modeset", "nvidia" };
	struct act *last = NULL;
	bool has[2] = { false, false };

	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		if (!is(act, "kmod.unload"))
			continue;
		for (size_t k = 0; k < 2; k++)
			has[k] = has[k] || words_have(&act->words, below[k]);
		if (words_have(&act->words, "nvidia_drm") ||
		    words_have(&act->words, "nvidia_uvm"))
			last = act;
	}
	for (size_t k = 0; last && k < 2; k++)
		if (!has[k] && (k == 1 || !has[1]))
			words_push(&im->arena, &last->words, below[k]);
}

/* What was removed is what a rescan has to find. */
static void name_rescans(struct import *im)
{
	const struct act *removed = NULL;

	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		if (is(act, "pci.remove"))
			removed = act;
		if (is(act, "pci.rescan") && removed && removed->phase == act->phase)
			act->words = removed->words;
	}
}

/* ---- CPUs */

/* The widest list of all is the machine; what going up leaves out is the guest's. */
static void turn_cpus(struct import *im)
{
	unsigned highest = im->highest_cpu;

	for (size_t i = 0; i < im->acts.n; i++) {
		struct cpu_list list = { 0 };
		const struct act *act = &im->acts.v[i];

		if (!is(act, "cpuset.isolate") ||
		    parse_cpu_list(act->words.v[0], &list) < 0)
			continue;
		for (size_t k = 0; k < list.n; k++)
			highest = list.cpu[k] > highest ? list.cpu[k] : highest;
		cpu_list_done(&list);
	}
	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];
		struct cpu_list list = { 0 };
		struct buf buf = { 0 };
		unsigned from = 0;

		if (!is(act, "cpuset.isolate") ||
		    parse_cpu_list(act->words.v[0], &list) < 0)
			continue;
		for (unsigned cpu = 0; cpu <= highest + 1; cpu++) {
			if (cpu <= highest && !cpu_list_contains(&list, cpu))
				continue;
			if (from < cpu)
				buf_puts(&im->arena, &buf,
					 arena_printf(&im->arena,
						      cpu - from > 1 ? "%s%u-%u" : "%s%u",
						      buf.n ? "," : "", from, cpu - 1));
			from = cpu + 1;
		}
		cpu_list_done(&list);
		act->words = (struct words){ 0 };
		if (buf.n > 0)
			words_push(&im->arena, &act->words, buf.s);
	}
}

void import_merge(struct import *im)
{
	name_devices(im);
	merge_pages(im);
	drop_ids(im);
	drop_devices_again(im, "pci.detach");
	drop_devices_again(im, "pci.reattach");
	turn_cpus(im);
	import_merge_sleeps(im);
	merge_rows(im);
	order_nvidia(im);
	merge_rows(im);
	name_rescans(im);
	complete_nvidia(im);
	drop_repeats(im);
}
