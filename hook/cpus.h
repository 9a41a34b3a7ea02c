/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* Sets of CPUs, as the steps that share them out need them. */

/* "0-3,8", as the kernel writes it; the caller frees. NULL: out of memory. */
char *cpus_text(const struct cpu_list *list);
/* The CPUs of A that are in B (WANTED) or are not (!WANTED). */
int cpus_pick(const struct cpu_list *a, const struct cpu_list *b, bool wanted,
	      struct cpu_list *ret);
/* Are all CPUs of A in B? */
bool cpus_within(const struct cpu_list *a, const struct cpu_list *b);
/* Adds a list in libvirt's form ("0-7,^4") to LIST. 0, -EINVAL, -ENOMEM. */
int cpus_add(struct cpu_list *list, const char *text);
/* All online CPUs. */
int cpus_online(const struct host *host, struct cpu_list *ret, struct error *err);
/*
 * The CPUs that the domain takes from the host: TEXT, or, when that is NULL, the words
 * of the plan's cpuset.isolate, or those of the XML's <vcpupin>. What is wrong with them
 * is a problem; then *RET is empty.
 */
int cpus_taken(struct run *run, const char *text, struct cpu_list *ret, struct error *err);
