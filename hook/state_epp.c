/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cpufreq policy's governor and its energy performance preference. They are no plain
 * attributes since the one changes the other: under the governor performance a driver
 * in active mode refuses every preference but its own, and amd_pstate forgets the one
 * that was set before. So the governor goes back first: governor.set records the
 * preference before the governor, and the way back runs from new to old.
 */
#include "cpufreq.h"
#include "guard.h"
#include "state_epp.h"

#define GOVERNOR "scaling_governor"
#define EPP "energy_performance_preference"

static int governor_read(const struct host *host, const char *target, char **ret,
			 struct error *err);
static int governor_change(struct run *run, const struct record *record, const char *from,
			   const char *to, struct error *err);
static int governor_undo(struct run *run, const struct record *record, const char *now,
			 struct error *err);
static int epp_read(const struct host *host, const char *target, char **ret,
		    struct error *err);
static int epp_change(struct run *run, const struct record *record, const char *from,
		      const char *to, struct error *err);
static int epp_undo(struct run *run, const struct record *record, const char *now,
		    struct error *err);

const struct state_kind state_governor = {
	.name = "governor",
	.shared = true,
	.harmless = true,
	.read = governor_read,
	.change = governor_change,
	.undo = governor_undo,
};

const struct state_kind state_epp = {
	.name = "epp",
	.shared = true,
	.harmless = true,
	.read = epp_read,
	.change = epp_change,
	.undo = epp_undo,
};

static int policy_read(const struct host *host, const char *policy, const char *attr,
		       char **ret, struct error *err)
{
	char text[128];
	int r;

	if (!str_after(policy, "policy") || strchr(policy, '/'))
		return error_set(err, -EINVAL, "%s is no cpufreq policy", policy);
	r = host_read(host, text, sizeof(text), CPUFREQ_DIR "/%s/%s", policy, attr);
	if (r == -EBUSY)
		return error_set(err, r, "%s: all CPUs of it are offline", policy);
	if (r < 0)
		return error_errno(err, r, "cannot read " CPUFREQ_DIR "/%s/%s", policy,
				   attr);
	*ret = strdup(text);
	return *ret ? 0 : error_oom(err);
}

static int policy_write(struct run *run, const char *policy, const char *attr,
			const char *value, struct error *err)
{
	char path[256];

	snprintf(path, sizeof(path), CPUFREQ_DIR "/%s/%s", policy, attr);
	return guard_write(run, path, value, err);
}

/* Says so when the policy has come under another driver, or the same in another mode. */
static bool mode_changed(struct run *run, const struct record *record, const char *what)
{
	char mode[64];

	if (!record->data || !*record->data ||
	    streq(record->data, cpufreq_mode(&run->host, record->target, mode)))
		return false;
	run_warn(run,
		 "the %s of %s is left as it is: the driver was '%s' and is '%s' now",
		 what, record->target, record->data, mode);
	return true;
}

static int governor_read(const struct host *host, const char *target, char **ret,
			 struct error *err)
{
	return policy_read(host, target, GOVERNOR, ret, err);
}

static int governor_change(struct run *run, const struct record *record,
			   const char *from _unused_, const char *to, struct error *err)
{
	return policy_write(run, record->target, GOVERNOR, to, err);
}

static int governor_undo(struct run *run, const struct record *record, const char *now,
			 struct error *err)
{
	if (mode_changed(run, record, "governor"))
		return 0;
	if (!streq(now, record->new)) {
		run_warn(run,
			 "the governor of %s is %s, not %s as was set: left as it is",
			 record->target, now, record->new);
		return 0;
	}
	return governor_change(run, record, now, record->old, err);
}

static int epp_read(const struct host *host, const char *target, char **ret,
		    struct error *err)
{
	return policy_read(host, target, EPP, ret, err);
}

static int epp_change(struct run *run, const struct record *record,
		      const char *from _unused_, const char *to, struct error *err)
{
	int r = policy_write(run, record->target, EPP, to, err);

	if (r == -EBUSY)
		return error_prefix(err,
				    "the governor performance allows no preference but its "
				    "own");
	return r;
}

/* "performance" may be what the governor of that name left behind, see above. */
static int epp_undo(struct run *run, const struct record *record, const char *now,
		    struct error *err)
{
	if (mode_changed(run, record, "energy preference"))
		return 0;
	if (!streq(now, record->new) && !streq(now, "performance")) {
		run_warn(run,
			 "the energy preference of %s is %s, not %s as was set: left as it is",
			 record->target, now, record->new);
		return 0;
	}
	return epp_change(run, record, now, record->old, err);
}
