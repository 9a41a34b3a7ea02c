/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinning: what makes a guest stutter although it has CPUs of its own.
 */
#include "advice.h"
#include "cpu_set.h"

/* How many threads of one core the set has, at most. */
static unsigned threads_of(const struct host *host, const struct cpu_set *set)
{
	unsigned most = 0;

	for (unsigned cpu = 0; cpu < sizeof(set->has); cpu++) {
		struct cpu_set core = {};
		unsigned n = 0;

		if (!set->has[cpu])
			continue;
		cpu_set_add_core(host, cpu, &core);
		for (unsigned i = 0; i < sizeof(set->has); i++)
			n += core.has[i] && set->has[i];
		most = n > most ? n : most;
	}
	return most;
}

static void judge_online(const struct host *host, const struct cpu_set *guest,
			 const char *cure, struct findings *findings)
{
	struct cpu_set online = {}, missing = *guest;
	char text[1024];

	if (host_read(host, text, sizeof(text), "/sys/devices/system/cpu/online") <= 0)
		return;
	cpu_set_add(&online, text);
	cpu_set_drop(&missing, &online);
	if (cpu_set_is_empty(&missing))
		return;
	cpu_set_text(&missing, text, sizeof(text));
	finding_add(findings, FINDING_PROBLEM, cure,
		    "vcpupin names CPU %s, which this host does not have or has offline: "
		    "libvirt cannot pin to it; in <cputune>",
		    text);
}

/* AFTER: what vCPUs are pinned to once the lines above are put in. */
static void judge_emulator(const struct host *host, const struct domain *domain,
			   const struct cpu_set *guest, const struct cpu_set *after,
			   struct findings *findings)
{
	struct cpu_set emulator = {}, rest = {}, apart;
	char text[1024], cure[1100];

	if (host_read(host, text, sizeof(text), "/sys/devices/system/cpu/online") > 0)
		cpu_set_add(&rest, text);
	cpu_set_drop(&rest, after);
	cpu_set_text(&rest, text, sizeof(text));
	snprintf(cure, sizeof(cure), "<emulatorpin cpuset='%s'/>", text);
	cpu_set_add_all(&emulator, &domain->emulatorpin);
	apart = emulator;
	cpu_set_drop(&apart, guest);
	cpu_set_drop(&emulator, &apart);
	if (cpu_set_is_empty(&rest))
		return; /* all CPUs are the guest's: there is no other place */
	if (domain->emulatorpin.n == 0)
		finding_add(findings, FINDING_ADVICE, cure,
			    "the vCPUs are pinned, QEMU's own threads are not, and run on "
			    "the guest's CPUs as well; in <cputune>");
	else if (!cpu_set_is_empty(&emulator)) {
		cpu_set_text(&emulator, text, sizeof(text));
		finding_add(findings, FINDING_ADVICE, cure,
			    "emulatorpin puts QEMU's own threads on CPU %s, which vCPUs "
			    "are pinned to; in <cputune>",
			    text);
	}
}

static void judge_split(const struct host *host, const struct cpu_set *guest,
			const char *cure, struct findings *findings)
{
	struct cpu_set split = {};
	char text[1024];

	cpu_set_find_split(host, guest, &split);
	if (cpu_set_is_empty(&split))
		return;
	cpu_set_text(&split, text, sizeof(text));
	finding_add(findings, FINDING_ADVICE, cure,
		    "the guest has only one thread of some cores: the host works on CPU %s "
		    "beside it and slows it down; in <cputune>, for whole cores",
		    text);
}

static void judge_topology(const struct host *host, const struct domain *domain,
			   const struct cpu_set *guest, const struct cpu_set *after,
			   struct findings *findings)
{
	const unsigned threads = threads_of(host, after);
	const size_t vcpus = pins_vcpus(domain);
	char cure[96];

	if (threads_of(host, guest) < 2 || domain->threads >= 2 || threads < 2 ||
	    vcpus % threads)
		return;
	snprintf(cure, sizeof(cure),
		 "<topology sockets='1' dies='1' cores='%zu' threads='%u'/>",
		 vcpus / threads, threads);
	finding_add(findings, FINDING_ADVICE, cure,
		    "vCPUs are pinned to both threads of a core, but the guest is told of "
		    "cores without threads and schedules as if each were whole; in <cpu>");
}

void advise_cpus(const struct call *call, struct findings *findings)
{
	const struct domain *domain = call->run.domain;
	const struct host *host = &call->run.host;
	struct cpu_set guest = {}, after = {};
	_cleanup_free_ char *cure = NULL;

	if (!domain->vcpupin.n)
		return;
	cpu_set_add_all(&guest, &domain->vcpupin);
	cure = pins_cure(host, domain, &after);
	if (!cure) {
		findings->oom = true;
		return;
	}
	judge_online(host, &guest, cure, findings);
	if (domain->vcpus && domain->vcpupin.n < domain->vcpus)
		finding_add(findings, FINDING_ADVICE, cure,
			    "%zu of %u vCPUs are pinned: the others run anywhere, on the "
			    "pinned ones' CPUs as well; in <cputune>",
			    domain->vcpupin.n, domain->vcpus);
	judge_split(host, &guest, cure, findings);
	judge_topology(host, domain, &guest, &after, findings);
	judge_emulator(host, domain, &guest, &after, findings);
}
