/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the host off the CPUs that a guest's are pinned to: by a partition of control
 * groups where that fits, else by masks on all that systemd started.
 */
#include "cgroup.h"
#include "cpus.h"
#include "effect.h"
#include "owner.h"
#include "step.h"
#include "systemd.h"

#define SLICE "machine.slice"

static int isolate_parse(const struct step *step, struct error *err);
static int isolate_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "isolate",
		.summary = "keep the host off some of its CPUs",
		.undo = "the partition ends, or the masks found are set again; a mask that the "
			"kernel will not clear is left at all CPUs and reported",
		.args = "[CPUS]",
		.max_args = 1,
		.phases = PHASES_UP,
		.timeout_ms = 30000,
		.parse = isolate_parse,
		.apply = isolate_apply,
	},
	{}
};

const struct plugin plugin_cpuset = { .name = "cpuset", .types = types };

static int isolate_parse(const struct step *step, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list list = {};

	if (!step->words.n || (cpus_add(&list, step->words.v[0]) == 0 && list.n))
		return 0;
	return error_set(err, -EINVAL, "'%s' is no list of CPUs, like 2-7,10-15",
			 step->words.v[0]);
}

/* Are all of the pins inside of the CPUs? *RET_ANY: is there one at all? */
static bool pins_within(const struct strv *pins, const struct cpu_list *cpus)
{
	for (size_t i = 0; i < pins->n; i++) {
		_cleanup_(cpu_list_done) struct cpu_list list = {};

		if (cpus_add(&list, pins->v[i]) < 0 || !cpus_within(&list, cpus))
			return false;
	}
	return true;
}

static bool slice_is_in_use(const struct host *host)
{
	char events[256];

	return strstr(cgroup_read(host, SLICE, "cgroup.events", events, sizeof(events)),
		      "populated 1") != NULL;
}

/* In a partition every thread of a guest runs on these CPUs and no other. */
static bool is_pinned_inside(const struct domain *domain, const struct cpu_list *taken,
			     const char *cpus, char why[256])
{
	if (!domain->emulatorpin.n || !pins_within(&domain->emulatorpin, taken))
		snprintf(why, 256,
			 "the XML's <emulatorpin> does not lie inside of %.100s", cpus);
	else if (!pins_within(&domain->iothreadpin, taken))
		snprintf(why, 256, "an <iothreadpin> of the XML lies outside of %.100s",
			 cpus);
	else if (!pins_within(&domain->vcpupin, taken))
		snprintf(why, 256, "a <vcpupin> of the XML lies outside of %.100s", cpus);
	else
		return true;
	return false;
}

static bool slice_is_partition(struct run *run)
{
	_cleanup_free_ char *now = NULL;

	return state_get(&run->host, &state_partition, SLICE, &now, NULL) < 0 ||
	       !str_after(now, "member");
}

/* Before the guest has a group: that of all guests, which fits one of them only. */
static bool may_use_slice(struct run *run, const char *cpus, char why[256])
{
	if (slice_is_in_use(&run->host))
		snprintf(why, 256, "another guest runs in " SLICE "%s",
			 host_exists(&run->host,
				     CGROUP "/" SLICE "/cpuset.cpus.exclusive") ?
				 " (the step in [started/begin] would give this one a "
				 "partition of its own)" :
				 "");
	else if (slice_is_partition(run))
		snprintf(why, 256, SLICE " is a partition already");
	else
		return partition_possible(&run->host, SLICE, cpus, why);
	return false;
}

/*
 * The guest's own group, once it runs: others beside it may have theirs, and a crash
 * leaves no partition behind, as it ends with its group.
 */
static bool may_use_own(struct run *run, const char *cpus, char group[PATH_MAX],
			char why[256])
{
	char effective[4096];
	_cleanup_(cpu_list_done) struct cpu_list wanted = {}, free_ones = {};

	cgroup_read(&run->host, "", "cpuset.cpus.effective", effective, sizeof(effective));
	if (cgroup_of_guest(&run->host, run->domain->uuid, group, PATH_MAX) < 0)
		snprintf(why, 256, "the guest has no control group of its own");
	else if (!host_exists(&run->host, CGROUP "/%s/cpuset.cpus.exclusive", group))
		snprintf(why, 256,
			 "this kernel makes none of the guest's group (Linux 6.7 does): it "
			 "has no cpuset.cpus.exclusive");
	else if (slice_is_partition(run))
		snprintf(why, 256, SLICE " is a partition already");
	else if (parse_cpu_list(cpus, &wanted) < 0 ||
		 parse_cpu_list(effective, &free_ones) < 0 ||
		 !cpus_within(&wanted, &free_ones))
		snprintf(why, 256, "another partition has some of the CPUs");
	else
		return true;
	return false;
}

/* The guest's group and all above it, from the top, each with the CPUs. */
static int set_aside_targets(const char *group, const char *cpus, struct strv *ret)
{
	char target[PATH_MAX];
	int r = 0;

	for (size_t n = 0; r == 0 && group[n];) {
		n += strspn(group + n, "/");
		n += strcspn(group + n, "/");
		snprintf(target, sizeof(target), "%.*s %s", (int)n, group, cpus);
		r = strv_add(ret, target);
	}
	return r;
}

static int restore_known(struct run *run, const struct state_kind *kind,
			 const char *target, struct error *err)
{
	int r = effect_restore(run, kind, target, err);

	return r == -ENOENT ? 0 : r;
}

/* The kernel's own words are in a note: what follows is the masks, and this in short. */
static void note_refusal(struct run *run, const struct error *own, char why[256])
{
	run_note(run, "%s", error_text(own));
	snprintf(why, 256, "the kernel refuses it");
}

/* 1: it is one now. 0: the kernel would not have it (WHY), all is as it was. */
static int try_own(struct run *run, const char *group, const char *cpus, char why[256],
		   struct error *err)
{
	const int64_t deadline = run->deadline; /* undo has its own */
	_cleanup_strv_ struct strv targets = {};
	_cleanup_error_ struct error own = {};
	int r = set_aside_targets(group, cpus, &targets);

	for (size_t i = 0; r == 0 && i < targets.n; i++)
		r = effect_set(run, &state_exclusive, targets.v[i], "exclusive", NULL,
			       &own);
	if (r == 0)
		r = effect_set(run, &state_partition, group, "root", NULL, &own);
	if (r == 0)
		return 1;
	note_refusal(run, &own, why);
	r = restore_known(run, &state_partition, group, err);
	for (size_t i = targets.n; r == 0 && i-- > 0;)
		r = restore_known(run, &state_exclusive, targets.v[i], err);
	run->deadline = deadline;
	return r;
}

/* 1: it is one now. 0: the kernel would not have it (WHY), all is as it was. */
static int try_slice(struct run *run, const char *cpus, char why[256], struct error *err)
{
	const int64_t deadline = run->deadline; /* undo has its own */
	_cleanup_error_ struct error own = {};
	_cleanup_free_ char *value = NULL;
	int r;

	if (asprintf(&value, "root %s", cpus) < 0) {
		value = NULL;
		return error_oom(err);
	}
	r = effect_set(run, &state_partition, SLICE, value, NULL, &own);
	if (r == 0)
		return 1;
	note_refusal(run, &own, why);
	r = restore_known(run, &state_partition, SLICE, err);
	run->deadline = deadline;
	return r;
}

static int mask_unit(struct run *run, const char *unit, const struct cpu_list *taken,
		     struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list base = {}, rest = {};
	_cleanup_free_ char *mask = NULL, *text = NULL, *known = NULL;
	char effective[4096];
	int r = state_get(&run->host, &state_allowed_cpus, unit, &mask, err);

	if (r == 0)
		r = unit_property(&run->host, unit, "AllowedCPUs", &known, err);
	if (r < 0)
		return r;
	/* Not "all": CPUs of another domain's partition would break that. */
	cgroup_read(&run->host, "", "cpuset.cpus.effective", effective, sizeof(effective));
	if (parse_cpu_list(*mask ? mask : effective, &base) < 0 ||
	    (!base.n && cpus_online(&run->host, &base, err) < 0))
		return error_set(err, -EIO,
				 "%s: cpuset.cpus has no list of CPUs ('%s'): leave "
				 "cpuset.isolate out",
				 unit, *mask ? mask : effective);
	if (cpus_pick(&base, taken, false, &rest) < 0 || !(text = cpus_text(&rest)))
		return error_oom(err);
	if (!rest.n)
		return run_problem(
			run, -EINVAL, err,
			"no CPU would be left to %s, which has %s: take fewer from "
			"the host, here or by the XML's <vcpupin>",
			unit, *mask ? mask : effective);
	return effect_set(run, &state_allowed_cpus, unit, text,
			  *known ? NULL : ALLOWED_CPUS_UNKNOWN, err);
}

static int mask_all(struct run *run, const struct cpu_list *taken, const char *why,
		    struct error *err)
{
	static const char *const units[] = { "system.slice", "user.slice", "init.scope" };
	char controllers[512];
	int r = 0;

	if (!systemd_is_running(&run->host))
		return run_problem(run, -EOPNOTSUPP, err,
				   "no partition: %s; and no masks either, as this host was "
				   "not booted with systemd: leave this line out",
				   why);
	cgroup_read(&run->host, "", "cgroup.controllers", controllers,
		    sizeof(controllers));
	if (!strstr(controllers, "cpuset"))
		return run_problem(
			run, -EOPNOTSUPP, err,
			"cgroup v2 at " CGROUP " has no cpuset controller: it "
			"is v1, or switched off on the kernel's command line "
			"(cgroup_disable=): boot with v2, or leave this line out");
	run_note(run, "no partition, as %s: AllowedCPUs of what systemd started instead",
		 why);
	for (size_t i = 0; i < ARRAY_SIZE(units) && r == 0; i++)
		if (host_exists(&run->host, CGROUP "/%s", units[i]))
			r = mask_unit(run, units[i], taken, err);
	return r;
}

/* 1: a partition. 0: none, and WHY. */
static int isolate(struct run *run, const struct cpu_list *taken, const char *cpus,
		   char why[256], struct error *err)
{
	char group[PATH_MAX];

	if (!is_pinned_inside(run->domain, taken, cpus, why))
		return 0;
	if (run->event.phase == PHASE_STARTED && may_use_own(run, cpus, group, why))
		return try_own(run, group, cpus, why, err);
	if (run->event.phase != PHASE_STARTED && may_use_slice(run, cpus, why))
		return try_slice(run, cpus, why, err);
	return 0;
}

static int isolate_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list taken = {};
	_cleanup_free_ char *cpus = NULL;
	char why[256] = "";
	int r = cpus_taken(run, step->words.n ? step->words.v[0] : NULL, &taken, err);

	if (r < 0 || !taken.n)
		return r;
	cpus = cpus_text(&taken);
	if (!cpus)
		return error_oom(err);
	if (!pins_within(&run->domain->vcpupin, &taken))
		run_warn(run,
			 "a <vcpupin> of the domain's XML lies outside of %s: the host runs "
			 "on these CPUs, too",
			 cpus);
	if (run->simulate && run->event.phase == PHASE_STARTED &&
	    owner_qemu(&run->host, run->domain->uuid) == 0) {
		run_note(run,
			 "a partition or AllowedCPUs: that shows when the guest runs");
		return 0;
	}
	r = isolate(run, &taken, cpus, why, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return mask_all(run, &taken, why, err);
}
