/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines for <cputune>. What the XML pins stays where it can; a vCPU without a place gets
 * the other thread of a core that the guest is on, then a core that nobody has. If the
 * guest is still left with half a core, all of its vCPUs are dealt out anew, core by core.
 */
#include "cpu_set.h"

#define VCPUS_MAX 4096

/* The CPUs that may be dealt out, core by core: the guest's, then those of nobody. */
struct deal {
	const struct host *host;
	struct cpu_set online, guest;
	struct cpu_set listed;
	unsigned cpu[sizeof(((struct cpu_set *)0)->has)];
	size_t n, own; /* the first OWN are of cores that the guest is on */
};

size_t pins_vcpus(const struct domain *domain)
{
	size_t n = domain->vcpus;

	for (size_t i = 0; i < domain->pinned_vcpus.n; i++) {
		size_t id = strtoul(domain->pinned_vcpus.v[i], NULL, 10);

		if (!domain->vcpus && id < VCPUS_MAX && id >= n)
			n = id + 1;
	}
	return n < VCPUS_MAX ? n : VCPUS_MAX;
}

static const char *pin_of(const struct domain *domain, size_t vcpu)
{
	for (size_t i = 0; i < domain->pinned_vcpus.n; i++)
		if (strtoul(domain->pinned_vcpus.v[i], NULL, 10) == vcpu)
			return domain->vcpupin.v[i];
	return NULL;
}

static void list_core(struct deal *deal, unsigned cpu)
{
	struct cpu_set core = {};

	cpu_set_add_core(deal->host, cpu, &core);
	for (unsigned i = 0; i < sizeof(core.has); i++)
		if (core.has[i] && deal->online.has[i] && !deal->listed.has[i]) {
			deal->listed.has[i] = 1;
			deal->cpu[deal->n++] = i;
		}
}

/* From the guest's last CPU on and around; the first core is the host's. */
static void list_free_cores(struct deal *deal, const struct domain *domain)
{
	const unsigned last = deal->n ? deal->cpu[deal->n - 1] : 0;
	struct cpu_set taken = {}, core = {};

	cpu_set_add_core(deal->host, 0, &taken);
	cpu_set_add_all(&taken, &domain->emulatorpin);
	cpu_set_add_all(&taken, &domain->iothreadpin);
	for (unsigned i = 1; i < sizeof(taken.has); i++) {
		const unsigned cpu = (last + i) % (unsigned)sizeof(taken.has);

		core = (struct cpu_set){};
		cpu_set_add_core(deal->host, cpu, &core);
		for (unsigned k = 0; k < sizeof(core.has); k++)
			core.has[k] &= taken.has[k];
		if (deal->online.has[cpu] && cpu_set_is_empty(&core))
			list_core(deal, cpu);
	}
}

static void deal_open(const struct host *host, const struct domain *domain,
		      struct deal *deal)
{
	char text[1024];

	*deal = (struct deal){ .host = host };
	cpu_set_add_all(&deal->guest, &domain->vcpupin);
	if (host_read(host, text, sizeof(text), "/sys/devices/system/cpu/online") > 0)
		cpu_set_add(&deal->online, text);
	else
		deal->online = deal->guest;
	for (unsigned cpu = 0; cpu < sizeof(deal->guest.has); cpu++)
		if (deal->guest.has[cpu] && deal->online.has[cpu])
			list_core(deal, cpu);
	deal->own = deal->n;
	list_free_cores(deal, domain);
}

/* Where there is no CPU left: all that the guest has. */
static int add_pin(const struct deal *deal, size_t at, const struct cpu_set *set,
		   struct strv *pins)
{
	struct cpu_set all = {};
	char text[1024];

	for (size_t i = 0; i < (deal->own ? deal->own : deal->n); i++)
		all.has[deal->cpu[i]] = 1;
	if (set || at >= deal->n) {
		cpu_set_text(set ? set : &all, text, sizeof(text));
		return strv_add(pins, text);
	}
	return strv_addf(pins, "%u", deal->cpu[at]);
}

/* Only those vCPUs that have no place now. */
static int fill_gaps(const struct deal *deal, const struct domain *domain,
		     struct strv *pins)
{
	size_t at = 0;
	int r = 0;

	for (size_t i = 0; i < pins_vcpus(domain) && r == 0; i++) {
		const char *pin = pin_of(domain, i);
		struct cpu_set set = {};

		cpu_set_add(&set, pin ? pin : "");
		if (!cpu_set_is_empty(&set) && cpu_set_within(&set, &deal->online)) {
			r = strv_add(pins, pin);
			continue;
		}
		while (at < deal->n && deal->guest.has[deal->cpu[at]])
			at++;
		r = add_pin(deal, at++, NULL, pins);
	}
	return r;
}

/* The last vCPU gets all of its core, if no other is there to take the rest. */
static int deal_anew(const struct deal *deal, const struct domain *domain,
		     struct strv *pins)
{
	const size_t n = pins_vcpus(domain);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		struct cpu_set core = {}, split = {};

		if (i + 1 == n && i < deal->n) {
			cpu_set_add_core(deal->host, deal->cpu[i], &core);
			for (size_t k = 0; k < i; k++)
				split.has[deal->cpu[k]] = 1;
			cpu_set_drop(&core, &split);
			for (unsigned k = 0; k < sizeof(core.has); k++)
				core.has[k] &= deal->online.has[k];
		}
		r = add_pin(deal, i, cpu_set_is_empty(&core) ? NULL : &core, pins);
	}
	return r;
}

static int write_lines(const struct domain *domain, const struct strv *pins,
		       struct strv *lines)
{
	int r = 0;

	for (size_t i = 0; i < pins->n && r == 0; i++) {
		const char *now = pin_of(domain, i);

		if (!now || !streq(now, pins->v[i]))
			r = strv_addf(lines, "<vcpupin vcpu='%zu' cpuset='%s'/>", i,
				      pins->v[i]);
	}
	return r;
}

char *pins_cure(const struct host *host, const struct domain *domain, struct cpu_set *ret)
{
	_cleanup_strv_ struct strv pins = {}, lines = {};
	struct cpu_set split = {};
	struct deal deal;

	deal_open(host, domain, &deal);
	if (fill_gaps(&deal, domain, &pins) < 0)
		return NULL;
	*ret = (struct cpu_set){};
	cpu_set_add_all(ret, &pins);
	cpu_set_find_split(host, ret, &split);
	if (!cpu_set_is_empty(&split)) {
		strv_done(&pins);
		if (deal_anew(&deal, domain, &pins) < 0)
			return NULL;
		*ret = (struct cpu_set){};
		cpu_set_add_all(ret, &pins);
	}
	return write_lines(domain, &pins, &lines) < 0 ? NULL : strv_join(&lines, "\n");
}
