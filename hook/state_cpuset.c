/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds "partition" and "allowed-cpus": two ways to keep the host off a guest's CPUs.
 *
 * A partition (Linux 6.1 and later) takes CPUs from everything else, kernel threads
 * included, and gives all of them back when it ends. The mask that systemd writes binds
 * processes only, and the kernel refuses to clear that of a group with processes in it.
 */
#include "cgroup.h"
#include "cpus.h"
#include "systemd.h"

#define SETTLE_MS 1000

static bool overlap(const char *a, const char *b)
{
	_cleanup_(cpu_list_done) struct cpu_list x = {}, y = {}, both = {};

	return parse_cpu_list(a, &x) < 0 || parse_cpu_list(b, &y) < 0 ||
	       cpus_pick(&x, &y, true, &both) < 0 || both.n;
}

/* A slice has the controller only when it needs it: systemd adds it with the CPUs. */
static bool has_controller(const struct host *host, const char *group)
{
	char controllers[512];

	if (host_exists(host, CGROUP "/%s/cpuset.cpus.partition", group))
		return true;
	cgroup_read(host, "", "cgroup.controllers", controllers, sizeof(controllers));
	return systemd_is_running(host) && str_ends(group, ".slice") &&
	       strstr(controllers, "cpuset");
}

/* A partition's CPUs must be nobody else's by name, and in no other partition. */
bool partition_possible(const struct host *host, const char *group, const char *cpus,
			char why[256])
{
	_cleanup_(cpu_list_done) struct cpu_list wanted = {}, effective = {};
	_cleanup_strv_ struct strv siblings = {};
	char text[4096];

	*why = '\0';
	if (!has_controller(host, group)) {
		snprintf(why, 256, "there is no " CGROUP "/%s/cpuset.cpus.partition",
			 group);
		return false;
	}
	cgroup_read(host, "", "cpuset.cpus.effective", text, sizeof(text));
	if (parse_cpu_list(cpus, &wanted) < 0 || parse_cpu_list(text, &effective) < 0 ||
	    !cpus_within(&wanted, &effective)) {
		snprintf(why, 256, "another partition has some of the CPUs");
		return false;
	}
	if (host_list(host, &siblings, CGROUP) < 0)
		return true;
	for (size_t i = 0; i < siblings.n; i++) {
		if (streq(siblings.v[i], group))
			continue;
		cgroup_read(host, siblings.v[i], "cpuset.cpus", text, sizeof(text));
		if (!*text || !overlap(text, cpus))
			continue;
		snprintf(why, 256,
			 "%.100s has a mask of its own (%.60s), which may not overlap",
			 siblings.v[i], text);
		return false;
	}
	return true;
}

static int partition_read(const struct host *host, const char *target, char **ret,
			  struct error *err)
{
	char state[256], cpus[4096];

	cgroup_read(host, target, "cpuset.cpus.partition", state, sizeof(state));
	cgroup_read(host, target, "cpuset.cpus", cpus, sizeof(cpus));
	/* "root invalid (reason)" stays whole, so that it is told. */
	if (asprintf(ret, "%s%s%s", *state ? state : "member", *cpus ? " " : "", cpus) < 0)
		return error_oom(err);
	return 0;
}

/*
 * No mask any more. The kernel clears none of a group with processes in it; then at least
 * every CPU is in it.
 */
static int clear_mask(struct run *run, const char *group, struct error *err)
{
	_cleanup_error_ struct error ignored = {};
	char text[4096];
	int r;

	if (!*cgroup_read(&run->host, group, "cpuset.cpus", text, sizeof(text)))
		return 0;
	cgroup_put(run, group, "cpuset.cpus", "", &ignored);
	/* Or systemd has meanwhile taken the controller away. */
	if (!*cgroup_read(&run->host, group, "cpuset.cpus", text, sizeof(text)))
		return 0;
	cgroup_read(&run->host, "", "cpuset.cpus.effective", text, sizeof(text));
	r = cgroup_put(run, group, "cpuset.cpus", text, err);
	if (r == 0)
		run_warn(run,
			 "%s keeps a mask of all CPUs (%s) until it is started anew: the "
			 "kernel does not clear that of a group with processes",
			 group, text);
	return r;
}

struct wanted {
	const char *unit, *cpus;
};

static int has_mask(struct run *run, void *arg, struct error *err _unused_)
{
	const struct wanted *wanted = arg;
	char cpus[4096];

	return streq(cgroup_read(&run->host, wanted->unit, "cpuset.cpus", cpus,
				 sizeof(cpus)),
		     wanted->cpus);
}

/* systemd answers before it has written the mask. */
static int wait_for_mask(struct run *run, const char *unit, const char *cpus)
{
	struct wanted wanted = { unit, cpus };
	const int64_t deadline = run->deadline;
	int r;

	if (run->deadline > now_ms() + SETTLE_MS)
		run->deadline = now_ms() + SETTLE_MS;
	r = run_wait(run, has_mask, &wanted, NULL);
	run->deadline = deadline;
	return r;
}

static int set_property(struct run *run, const char *unit, const char *cpus,
			struct error *err)
{
	char property[4200];

	snprintf(property, sizeof(property), "AllowedCPUs=%s", cpus);
	return unit_set_property(&run->host, unit, property, run_deadline(run), err);
}

/*
 * systemd writes a slice's CPUs anew when a guest's scope begins in it: so it has to know
 * them, too, or the partition is left without any, and no guest can start there. Until the
 * first guest there may be no such slice; it stays, as after every guest.
 */
static int set_cpus(struct run *run, const char *group, const char *cpus,
		    struct error *err)
{
	int r = 0;

	if (systemd_is_running(&run->host) && str_ends(group, ".slice")) {
		if (*cpus && !host_exists(&run->host, CGROUP "/%s", group))
			r = unit_call(run, group, "start", err);
		if (r == 0)
			r = set_property(run, group, cpus, err);
		if (r < 0 || (*cpus && wait_for_mask(run, group, cpus) == 0))
			return r;
	}
	return *cpus ? cgroup_put(run, group, "cpuset.cpus", cpus, err) :
		       clear_mask(run, group, err);
}

/* The write succeeds even if the kernel then finds the partition invalid. */
static int read_back(struct run *run, const char *group, const char *wanted,
		     struct error *err)
{
	char state[256];

	cgroup_read(&run->host, group, "cpuset.cpus.partition", state, sizeof(state));
	return streq(state, wanted) ? 0 :
				      error_set(err, -EINVAL,
						"%s cannot be a partition of its own: "
						"the kernel says '%s'",
						group, state);
}

static int partition_change(struct run *run, const struct record *record,
			    const char *from _unused_, const char *to, struct error *err)
{
	const char *cpus = strchr(to, ' '), *group = record->target;
	char state[32];
	int r;

	snprintf(state, sizeof(state), "%.*s", (int)strcspn(to, " "), to);
	cpus = cpus ? cpus + 1 : "";
	if (streq(state, "member")) {
		r = cgroup_put(run, group, "cpuset.cpus.partition", state, err);
		return r == 0 ? set_cpus(run, group, cpus, err) : r;
	}
	r = *cpus ? set_cpus(run, group, cpus, err) : 0;
	if (r == 0)
		r = cgroup_put(run, group, "cpuset.cpus.partition", state, err);
	return r == 0 ? read_back(run, group, state, err) : r;
}

/*
 * Two writes make a change; cut off between them the CPUs are those of the partition. One
 * without CPUs is what is left when somebody else has cleared them: no use to anyone.
 */
static bool is_half_way(const char *now, const char *new)
{
	const char *have = str_after(now, "member "), *wanted = strchr(new, ' ');

	return streq(now, "root") || (have && wanted && streq(have, wanted + 1));
}

/* Its group is gone, and the partition with it: systemd must not make it so again. */
static int forget_cpus(struct run *run, const struct record *record, struct error *err)
{
	const char *cpus = strchr(record->old, ' ');

	if (!systemd_is_running(&run->host) || !str_ends(record->target, ".slice"))
		return 0;
	return set_property(run, record->target, cpus ? cpus + 1 : "", err);
}

/* An invalid partition ends like a valid one. */
static int partition_undo(struct run *run, const struct record *record, const char *now,
			  struct error *err)
{
	if (!host_exists(&run->host, CGROUP "/%s/cpuset.cpus.partition", record->target))
		return forget_cpus(run, record, err);
	if (!streq(now, record->new) && !strstr(now, "invalid") &&
	    !is_half_way(now, record->new)) {
		run_warn(run,
			 "partition %s is '%s', which is not what was set (%s): left as it is",
			 record->target, now, record->new);
		return 0;
	}
	return partition_change(run, record, now, record->old, err);
}

const struct state_kind state_partition = {
	.name = "partition",
	.exclusive = true,
	.read = partition_read,
	.change = partition_change,
	.undo = partition_undo,
};

static int allowed_read(const struct host *host, const char *target, char **ret,
			struct error *err)
{
	char cpus[4096];

	*ret = strdup(cgroup_read(host, target, "cpuset.cpus", cpus, sizeof(cpus)));
	return *ret ? 0 : error_oom(err);
}

static int allowed_change(struct run *run, const struct record *record,
			  const char *from _unused_, const char *to, struct error *err)
{
	const char *unit = record->target;
	int r = set_property(run, unit, to, err);

	if (r == 0)
		r = wait_for_mask(run, unit, to);
	if (r == -ETIMEDOUT)
		return error_set(err, r,
				 "systemd took AllowedCPUs=%s for %s, but " CGROUP
				 "/%s/cpuset.cpus does not have it",
				 to, unit, unit);
	return r;
}

/*
 * Back to what systemd knew, then to what the kernel had: a mask that we could not clear
 * last time is the kernel's alone, and systemd leaves the kernel's when it forgets its own
 * (as of version 257).
 */
static int allowed_undo(struct run *run, const struct record *record, const char *now,
			struct error *err)
{
	const char *unit = record->target, *old = record->old;
	bool known = *old && !streq(record->data, ALLOWED_CPUS_UNKNOWN);
	int r;

	if (!streq(now, record->new)) {
		run_warn(run,
			 "AllowedCPUs of %s is '%s', not what was set (%s): left as it is",
			 unit, now, record->new);
		return 0;
	}
	if (known)
		return allowed_change(run, record, now, old, err);
	r = set_property(run, unit, "", err);
	if (r < 0 || wait_for_mask(run, unit, old) == 0)
		return r;
	return *old ? cgroup_put(run, unit, "cpuset.cpus", old, err) :
		      clear_mask(run, unit, err);
}

const struct state_kind state_allowed_cpus = {
	.name = "allowed-cpus",
	.shared = true,
	.read = allowed_read,
	.change = allowed_change,
	.undo = allowed_undo,
};
