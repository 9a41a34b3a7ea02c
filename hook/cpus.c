/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which CPUs belong to a guest, and which are left to the host.
 */
#include "cpus.h"
#include "step.h"

char *cpus_text(const struct cpu_list *list)
{
	size_t size = list->n * 12 + 1, at = 0, last;
	char *text = malloc(size);

	if (!text)
		return NULL;
	*text = '\0';
	for (size_t i = 0; i < list->n; i = last + 1) {
		for (last = i;
		     last + 1 < list->n && list->cpu[last + 1] == list->cpu[last] + 1;)
			last++;
		at += (size_t)snprintf(text + at, size - at,
				       last > i ? "%s%u-%u" : "%s%u", i ? "," : "",
				       list->cpu[i], list->cpu[last]);
	}
	return text;
}

static int add(struct cpu_list *list, unsigned cpu)
{
	size_t i = list->n;

	if (cpu_list_contains(list, cpu))
		return 0;
	if (array_grow(&list->cpu, list->n, sizeof(*list->cpu)) < 0)
		return -ENOMEM;
	for (; i > 0 && list->cpu[i - 1] > cpu; i--)
		list->cpu[i] = list->cpu[i - 1];
	list->cpu[i] = cpu;
	list->n++;
	return 0;
}

static void drop(struct cpu_list *list, unsigned cpu)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list->cpu[i] != cpu)
			list->cpu[n++] = list->cpu[i];
	list->n = n;
}

int cpus_pick(const struct cpu_list *a, const struct cpu_list *b, bool wanted,
	      struct cpu_list *ret)
{
	struct cpu_list list = {};

	for (size_t i = 0; i < a->n; i++) {
		if (cpu_list_contains(b, a->cpu[i]) != wanted)
			continue;
		if (add(&list, a->cpu[i]) < 0) {
			cpu_list_done(&list);
			return -ENOMEM;
		}
	}
	*ret = list;
	return 0;
}

bool cpus_within(const struct cpu_list *a, const struct cpu_list *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!cpu_list_contains(b, a->cpu[i]))
			return false;
	return true;
}

/* libvirt takes them from left to right: what is behind '^' is taken out again. */
int cpus_add(struct cpu_list *list, const char *text)
{
	_cleanup_(cpu_list_done) struct cpu_list own = {};
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *word;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (word = strsep(&rest, ","))) {
		_cleanup_(cpu_list_done) struct cpu_list part = {};
		bool out;

		word += strspn(word, " \n");
		out = *word == '^';
		word[strcspn(word, " \n")] = '\0';
		r = parse_cpu_list(word + out, &part);
		for (size_t i = 0; r == 0 && i < part.n; i++) {
			if (out)
				drop(&own, part.cpu[i]);
			else
				r = add(&own, part.cpu[i]);
		}
	}
	for (size_t i = 0; r == 0 && i < own.n; i++)
		r = add(list, own.cpu[i]);
	return r;
}

int cpus_online(const struct host *host, struct cpu_list *ret, struct error *err)
{
	static const char path[] = "/sys/devices/system/cpu/online";
	_cleanup_free_ char *text = NULL;
	int r = host_read_all(host, &text, path);

	if (r >= 0) {
		text[strcspn(text, "\n")] = '\0';
		r = parse_cpu_list(text, ret);
	}
	return r < 0 ? error_errno(err, r, "%s: cannot read", path) : 0;
}

static const char *isolated_by_plan(const struct run *run)
{
	for (size_t i = 0; run->config && i < run->config->n_steps; i++) {
		const struct step *step = &run->config->steps[i];

		if (streq(step->key, "cpuset.isolate") && step->words.n)
			return step->words.v[0];
	}
	return NULL;
}

static int gather(struct run *run, const char *text, struct cpu_list *list,
		  struct error *err)
{
	const struct strv *pins = run->domain ? &run->domain->vcpupin : NULL;
	int r = 0;

	if (!text)
		text = isolated_by_plan(run);
	if (text)
		r = cpus_add(list, text);
	for (size_t i = 0; !text && pins && i < pins->n && r == 0; i++)
		r = cpus_add(list, pins->v[i]);
	if (r == -ENOMEM)
		return error_oom(err);
	if (r < 0)
		return run_problem(run, r, err,
				   "the domain's XML has a <vcpupin> with a cpuset that "
				   "cannot be read: write it as 2-7,10 (virsh edit)");
	if (!list->n)
		return run_problem(
			run, -EINVAL, err,
			"which CPUs? The step names none, and the domain's XML "
			"has no <vcpupin>: write them here, as 2-7,10, or pin the vCPUs there");
	return 0;
}

int cpus_taken(struct run *run, const char *text, struct cpu_list *ret, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list list = {}, online = {};
	_cleanup_free_ char *names = NULL;
	int r = cpus_online(&run->host, &online, err);

	if (r == 0)
		r = gather(run, text, &list, err);
	if (r < 0 || !list.n)
		return r;
	names = cpus_text(&online);
	if (!cpus_within(&list, &online))
		return run_problem(
			run, -EINVAL, err,
			"some of the CPUs are not there or not online: use those that are: %s",
			names ? names : "");
	if (list.n == online.n)
		return run_problem(
			run, -EINVAL, err,
			"no CPU would be left to the host (online: %s): take fewer, here or by the XML's <vcpupin>",
			names ? names : "");
	*ret = list;
	list = (struct cpu_list){};
	return 0;
}
