/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "domain.h"
#include "host.h"

/* CPUs by number, for the advice on pinning. */
struct cpu_set {
	unsigned char has[4096]; /* the kernel's NR_CPUS is 8192 at most, libvirt's less */
};

/* Adds a list in libvirt's form ("0-7,^4"); one that cannot be read adds nothing. */
void cpu_set_add(struct cpu_set *set, const char *text);
void cpu_set_add_all(struct cpu_set *set, const struct strv *lists);
bool cpu_set_is_empty(const struct cpu_set *set);
bool cpu_set_within(const struct cpu_set *a, const struct cpu_set *b);
/* Takes the CPUs of B out of A. */
void cpu_set_drop(struct cpu_set *a, const struct cpu_set *b);
/* "0-3,8"; "" when it is empty. */
void cpu_set_text(const struct cpu_set *set, char *buf, size_t size);
/* The threads of CPU's core, itself among them. */
void cpu_set_add_core(const struct host *host, unsigned cpu, struct cpu_set *ret);
/* The other threads of the cores in SET that are not in it themselves. */
void cpu_set_find_split(const struct host *host, const struct cpu_set *set,
			struct cpu_set *ret);

/*
 * The lines by which every vCPU of the domain is pinned, and the guest has whole cores of
 * the host, as far as they differ from those of its XML; "": none do. *RET has the CPUs
 * that they and the lines that stay pin to. NULL: out of memory; the caller frees.
 */
char *pins_cure(const struct host *host, const struct domain *domain, struct cpu_set *ret);
/* How many vCPUs the domain has. */
size_t pins_vcpus(const struct domain *domain);
