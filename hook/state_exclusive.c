/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kind "exclusive-cpus": CPUs that a control group sets aside for a partition further
 * down (Linux 6.7 and later), so that a guest's own group can be one while those above it
 * stay as they are. The partition ends with its group; what the groups above have set aside
 * ends here.
 */
#include "cgroup.h"
#include "cpus.h"
#include "journal.h"

#define FILE_NAME "cpuset.cpus.exclusive"

struct target {
	char group[PATH_MAX];
	struct cpu_list cpus;
};

static void target_done(struct target *target)
{
	cpu_list_done(&target->cpus);
}

/* "machine.slice 2-3": the group may have blanks in its name, the CPUs have none. */
static int target_parse(const char *text, struct target *ret, struct error *err)
{
	const char *blank = strrchr(text, ' ');
	int r;

	if (!blank || blank - text >= (int)sizeof(ret->group))
		return error_set(err, -EINVAL, "'%s' is no group and its CPUs", text);
	snprintf(ret->group, sizeof(ret->group), "%.*s", (int)(blank - text), text);
	r = cpus_add(&ret->cpus, blank + 1);
	return r < 0 ? error_errno(err, r, "%s", text) : 0;
}

static int read_cpus(const struct host *host, const char *group, struct cpu_list *ret)
{
	char text[4096];

	return parse_cpu_list(cgroup_read(host, group, FILE_NAME, text, sizeof(text)),
			      ret);
}

static int exclusive_read(const struct host *host, const char *text, char **ret,
			  struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list now = {};
	_cleanup_(target_done) struct target target = {};
	int r = target_parse(text, &target, err);

	if (r == 0 && read_cpus(host, target.group, &now) < 0)
		return error_set(err, -EIO, CGROUP "/%s/" FILE_NAME " cannot be read",
				 target.group);
	if (r < 0)
		return r;
	*ret = strdup(cpus_within(&target.cpus, &now) ? "exclusive" : "");
	return *ret ? 0 : error_oom(err);
}

static bool is_partition(const struct host *host, const char *group)
{
	char text[256];

	cgroup_read(host, group, "cpuset.cpus.partition", text, sizeof(text));
	return *text && !streq(text, "member");
}

/* Takes out of CPUS those of partitions below: another guest's by now. */
static int keep_those_below(const struct host *host, const char *group,
			    struct cpu_list *cpus)
{
	_cleanup_strv_ struct strv names = {};
	char child[PATH_MAX];
	int r = host_list(host, &names, CGROUP "/%s", group);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		_cleanup_(cpu_list_done) struct cpu_list used = {};
		struct cpu_list rest = {};

		if (snprintf(child, sizeof(child), "%s/%s", group, names.v[i]) >=
			    (int)sizeof(child) ||
		    !is_partition(host, child) || read_cpus(host, child, &used) < 0)
			continue;
		r = cpus_pick(cpus, &used, false, &rest);
		if (r == 0) {
			cpu_list_done(cpus);
			*cpus = rest;
		}
	}
	return r < 0 ? r : 0;
}

/* What the group has to set aside so that the target's CPUs are in it, or are not. */
static int wanted_text(const struct host *host, struct target *target, bool exclusive,
		       char **ret)
{
	_cleanup_(cpu_list_done) struct cpu_list now = {}, rest = {};
	_cleanup_free_ char *text = NULL, *more = NULL;
	int r = read_cpus(host, target->group, &now);

	if (r == 0 && !exclusive)
		r = keep_those_below(host, target->group, &target->cpus);
	if (r == 0)
		r = cpus_pick(&now, &target->cpus, false, &rest);
	if (r < 0)
		return r;
	text = cpus_text(&rest);
	more = cpus_text(&target->cpus);
	if (!text || !more ||
	    asprintf(ret, "%s%s%s", text, exclusive && *text ? "," : "",
		     exclusive ? more : "") < 0)
		return -ENOMEM;
	return 0;
}

/* Several guests have theirs from one slice: they take turns. */
static int exclusive_change(struct run *run, const struct record *record,
			    const char *from _unused_, const char *to, struct error *err)
{
	_cleanup_(target_done) struct target target = {};
	_cleanup_free_ char *text = NULL;
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	int r = target_parse(record->target, &target, err);

	if (r == 0)
		r = journal_lock(&run->host, run_deadline(run), &lock, err);
	if (r < 0)
		return r;
	r = wanted_text(&run->host, &target, *to, &text);
	if (r < 0) {
		text = NULL;
		return error_errno(err, r, CGROUP "/%s/" FILE_NAME, target.group);
	}
	return cgroup_put(run, target.group, FILE_NAME, text, err);
}

const struct state_kind state_exclusive = {
	.name = "exclusive-cpus",
	.shared = true,
	.read = exclusive_read,
	.change = exclusive_change,
};
