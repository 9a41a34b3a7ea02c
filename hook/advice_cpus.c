/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinning: what makes a guest stutter although it has CPUs of its own.
 */
#include "advice.h"

struct cpu_set {
	unsigned char has[4096]; /* the kernel's NR_CPUS is 8192 at most, libvirt's less */
};

static void add_list(struct cpu_set *set, const char *text)
{
	struct cpu_list list = {};

	if (parse_cpu_list(text, &list) < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		if (list.cpu[i] < sizeof(set->has))
			set->has[list.cpu[i]] = 1;
	cpu_list_done(&list);
}

static void add_pins(struct cpu_set *set, const struct strv *pins)
{
	for (size_t i = 0; i < pins->n; i++)
		add_list(set, pins->v[i]);
}

/* "0-3,8" of the set's CPUs; "" when it is empty. */
static void format_set(const struct cpu_set *set, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned cpu = 0; cpu < sizeof(set->has) && n < size; cpu++) {
		unsigned last = cpu;

		if (!set->has[cpu])
			continue;
		while (last + 1 < sizeof(set->has) && set->has[last + 1])
			last++;
		n += (size_t)snprintf(buf + n, size - n, "%s%u", n ? "," : "", cpu);
		if (last > cpu && n < size)
			n += (size_t)snprintf(buf + n, size - n, "-%u", last);
		cpu = last;
	}
}

static bool is_empty(const struct cpu_set *set)
{
	return memchr(set->has, 1, sizeof(set->has)) == NULL;
}

/* The other threads of the cores in SET that are not in it themselves. */
static void find_split(const struct host *host, const struct cpu_set *set,
		       struct cpu_set *ret)
{
	char text[256];

	for (unsigned cpu = 0; cpu < sizeof(set->has); cpu++)
		if (set->has[cpu] && host_read(host, text, sizeof(text),
					       "/sys/devices/system/cpu/cpu%u/topology/"
					       "thread_siblings_list",
					       cpu) > 0)
			add_list(ret, text);
	for (unsigned cpu = 0; cpu < sizeof(set->has); cpu++)
		if (set->has[cpu])
			ret->has[cpu] = 0;
}

/* Do two CPUs of the set share a core? */
static bool has_siblings(const struct host *host, const struct cpu_set *set)
{
	for (unsigned cpu = 0; cpu < sizeof(set->has); cpu++) {
		struct cpu_set core = {};
		char text[256];

		if (!set->has[cpu] || host_read(host, text, sizeof(text),
						"/sys/devices/system/cpu/cpu%u/topology/"
						"thread_siblings_list",
						cpu) <= 0)
			continue;
		add_list(&core, text);
		core.has[cpu] = 0;
		for (unsigned i = 0; i < sizeof(set->has); i++)
			if (core.has[i] && set->has[i])
				return true;
	}
	return false;
}

static void judge_online(const struct host *host, const struct cpu_set *guest,
			 struct findings *findings)
{
	struct cpu_set online = {}, missing = *guest;
	char text[1024];

	if (host_read(host, text, sizeof(text), "/sys/devices/system/cpu/online") <= 0)
		return;
	add_list(&online, text);
	for (unsigned i = 0; i < sizeof(missing.has); i++)
		if (online.has[i])
			missing.has[i] = 0;
	if (is_empty(&missing))
		return;
	format_set(&missing, text, sizeof(text));
	finding_add(findings, FINDING_PROBLEM, NULL,
		    "vcpupin names CPU %s, which this host does not have or has offline: "
		    "libvirt cannot pin to it",
		    text);
}

static void judge_emulator(const struct host *host, const struct domain *domain,
			   const struct cpu_set *guest, struct findings *findings)
{
	struct cpu_set emulator = {}, rest = {}, both = {};
	char text[1024], cure[1100];

	if (host_read(host, text, sizeof(text), "/sys/devices/system/cpu/online") > 0)
		add_list(&rest, text);
	for (unsigned i = 0; i < sizeof(rest.has); i++)
		if (guest->has[i])
			rest.has[i] = 0;
	format_set(&rest, text, sizeof(text));
	snprintf(cure, sizeof(cure), "<emulatorpin cpuset='%s'/>", text);
	add_pins(&emulator, &domain->emulatorpin);
	for (unsigned i = 0; i < sizeof(both.has); i++)
		both.has[i] = emulator.has[i] && guest->has[i];
	if (is_empty(&rest))
		return; /* all CPUs are the guest's: there is no other place */
	if (domain->emulatorpin.n == 0)
		finding_add(findings, FINDING_ADVICE, cure,
			    "the vCPUs are pinned, QEMU's own threads are not, and run on "
			    "the guest's CPUs as well; in <cputune>");
	else if (!is_empty(&both)) {
		format_set(&both, text, sizeof(text));
		finding_add(findings, FINDING_ADVICE, cure,
			    "emulatorpin puts QEMU's own threads on CPU %s, which vCPUs "
			    "are pinned to; in <cputune>",
			    text);
	}
}

void advise_cpus(const struct call *call, struct findings *findings)
{
	const struct domain *domain = call->run.domain;
	const struct host *host = &call->run.host;
	struct cpu_set guest = {}, split = {};
	char cpus[1024];

	if (!domain->vcpupin.n)
		return;
	add_pins(&guest, &domain->vcpupin);
	judge_online(host, &guest, findings);
	if (domain->vcpus && domain->vcpupin.n < domain->vcpus)
		finding_add(findings, FINDING_ADVICE, NULL,
			    "%zu of %u vCPUs are pinned: the others run anywhere, on the "
			    "pinned ones' CPUs as well",
			    domain->vcpupin.n, domain->vcpus);
	find_split(host, &guest, &split);
	if (!is_empty(&split)) {
		format_set(&split, cpus, sizeof(cpus));
		finding_add(findings, FINDING_ADVICE, NULL,
			    "the guest has only one thread of some cores: the host works "
			    "on CPU %s beside it and slows it down; pin vCPUs to these, "
			    "too (lscpu -e shows which belong together)",
			    cpus);
	}
	if (has_siblings(host, &guest) && domain->threads < 2)
		finding_add(findings, FINDING_ADVICE,
			    "<topology sockets='1' dies='1' cores='N' threads='2'/>",
			    "vCPUs are pinned to both threads of a core, but the guest is "
			    "told of cores without threads and schedules as if each were "
			    "whole; in <cpu>, with half the number of vCPUs for N");
	judge_emulator(host, domain, &guest, findings);
}
