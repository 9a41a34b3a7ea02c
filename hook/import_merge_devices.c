/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices by one name each and once, modules in an order that works, CPUs turned round.
 */
#include "import.h"
#include "pci.h"

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

/* A device that was taken by its address needs no id. */
static void drop_ids(struct import *im)
{
	bool addresses = false;

	for (size_t i = 0; i < im->acts.n; i++)
		if (act_is(&im->acts.v[i], "pci.detach"))
			addresses = addresses || strlen(im->acts.v[i].words.v[0]) > 9;
	for (size_t i = 0; addresses && i < im->acts.n; i++)
		if (act_is(&im->acts.v[i], "pci.detach") &&
		    strlen(im->acts.v[i].words.v[0]) <= 9)
			act_to_note(&im->acts.v[i],
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

			if (act->phase != phase || !act_is(act, key)) {
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
				acts_remove(&im->acts, i);
			else
				i++;
		}
	}
}

static bool is_nvidia(const struct act *act)
{
	return act_is(act, "kmod.unload") && str_after(act->words.v[0], "nvidia");
}

/* nvidia never returns from an unbind while its card is used: the module goes first. */
void import_order_nvidia(struct import *im)
{
	size_t last = im->acts.n;

	while (last > 0 && !is_nvidia(&im->acts.v[last - 1]))
		last--;
	for (size_t i = 0, end = last; last > 0 && i + 1 < end;) {
		struct act act = im->acts.v[i];

		if (!act_is(&act, "pci.detach") ||
		    act.phase != im->acts.v[last - 1].phase) {
			i++;
			continue;
		}
		memmove(&im->acts.v[i], &im->acts.v[i + 1], (last - i - 1) * sizeof(act));
		im->acts.v[last - 1] = act;
		end--;
	}
}

/* modprobe -r takes what nothing uses any more along; kmod.unload what it is told. */
void import_complete_nvidia(struct import *im)
{
	static const char *const below[] = { "nvidia_modeset", "nvidia" };
	struct act *last = NULL;
	bool has[2] = { false, false };

	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		if (!act_is(act, "kmod.unload"))
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
void import_name_rescans(struct import *im)
{
	const struct act *removed = NULL;

	for (size_t i = 0; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];

		if (act_is(act, "pci.remove"))
			removed = act;
		if (act_is(act, "pci.rescan") && removed && removed->phase == act->phase)
			act->words = removed->words;
	}
}

/* ---- CPUs */

static bool has_cpus_of_host(const struct act *act)
{
	return act_is(act, "cpuset.isolate") && !act->cpus_are_guests;
}

/* The widest list of all is the machine; what going up leaves out is the guest's. */
static void turn_cpus(struct import *im)
{
	unsigned highest = im->highest_cpu;

	for (size_t i = 0; i < im->acts.n; i++) {
		struct cpu_list list = { 0 };
		const struct act *act = &im->acts.v[i];

		if (!has_cpus_of_host(act) || parse_cpu_list(act->words.v[0], &list) < 0)
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

		if (!has_cpus_of_host(act) || parse_cpu_list(act->words.v[0], &list) < 0)
			continue;
		for (unsigned cpu = 0; cpu <= highest + 1; cpu++) {
			if (cpu <= highest && !cpu_list_contains(&list, cpu))
				continue;
			if (from < cpu)
				import_add_cpus(im, &buf, from, cpu);
			from = cpu + 1;
		}
		cpu_list_done(&list);
		act->words = (struct words){ 0 };
		if (buf.n > 0)
			words_push(&im->arena, &act->words, buf.s);
	}
}

void import_merge_devices(struct import *im)
{
	name_devices(im);
	drop_ids(im);
	drop_devices_again(im, "pci.detach");
	drop_devices_again(im, "pci.reattach");
	turn_cpus(im);
}
