/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cpu_set.h"
#include "cpus.h"

void cpu_set_add(struct cpu_set *set, const char *text)
{
	struct cpu_list list = {};

	if (cpus_add(&list, text) < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		if (list.cpu[i] < sizeof(set->has))
			set->has[list.cpu[i]] = 1;
	cpu_list_done(&list);
}

void cpu_set_add_all(struct cpu_set *set, const struct strv *lists)
{
	for (size_t i = 0; i < lists->n; i++)
		cpu_set_add(set, lists->v[i]);
}

bool cpu_set_is_empty(const struct cpu_set *set)
{
	return memchr(set->has, 1, sizeof(set->has)) == NULL;
}

bool cpu_set_within(const struct cpu_set *a, const struct cpu_set *b)
{
	for (size_t i = 0; i < sizeof(a->has); i++)
		if (a->has[i] && !b->has[i])
			return false;
	return true;
}

void cpu_set_drop(struct cpu_set *a, const struct cpu_set *b)
{
	for (size_t i = 0; i < sizeof(a->has); i++)
		a->has[i] &= !b->has[i];
}

void cpu_set_text(const struct cpu_set *set, char *buf, size_t size)
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

void cpu_set_add_core(const struct host *host, unsigned cpu, struct cpu_set *ret)
{
	char text[256];

	ret->has[cpu] = 1;
	if (host_read(host, text, sizeof(text),
		      "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list",
		      cpu) > 0)
		cpu_set_add(ret, text);
}

void cpu_set_find_split(const struct host *host, const struct cpu_set *set,
			struct cpu_set *ret)
{
	for (unsigned cpu = 0; cpu < sizeof(set->has); cpu++)
		if (set->has[cpu])
			cpu_set_add_core(host, cpu, ret);
	cpu_set_drop(ret, set);
}
