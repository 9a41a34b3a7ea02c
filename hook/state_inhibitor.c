/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that suspends under a guest with a passed-through device loses both. The lock is
 * held by systemd-inhibit(1) in a unit of its own: a child of ours would keep libvirt's
 * pipes open and end with its cgroup. The lid is locked by name, as logind by default
 * (LidSwitchIgnoreInhibited=yes) lets it pass a lock of sleep.
 */
#include "run.h"
#include "spawn.h"
#include "state_inhibitor.h"
#include "systemd.h"

#define WHAT "--what=sleep:idle:handle-lid-switch"

static int inhibitor_read(const struct host *host, const char *target, char **ret,
			  struct error *err)
{
	_cleanup_free_ char *state = NULL;
	int r = unit_state(host, target, &state, err);

	if (r < 0)
		return r;
	*ret = strdup(streq(state, "active") ? "active" : "");
	return *ret ? 0 : error_oom(err);
}

static int run_it(struct run *run, const char *unit, const char *guest, struct error *err)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	char program[PATH_MAX], unit_option[256], why[512], description[320];
	const char *const argv[] = {
		program,	   unit_option, description,	   "--collect",
		"--quiet",	   "--",	"systemd-inhibit", WHAT,
		"--who=vfio-hook", why,		"--mode=block",	   "sleep",
		"infinity",	   NULL
	};
	int r;

	if (spawn_find(&run->host, "systemd-run", program, sizeof(program)) < 0)
		return error_set(
			err, -ENOENT,
			"systemd-run is not installed: install it, it is part of systemd");
	snprintf(unit_option, sizeof(unit_option), "--unit=%s", unit);
	snprintf(why, sizeof(why), "--why=The guest %.200s is running (%.200s)", guest,
		 unit);
	snprintf(description, sizeof(description),
		 "--description=Keeps the host awake for the guest %.200s", guest);
	r = spawn_run(&run->host,
		      &(struct spawn){
			      .argv = argv, .deadline = run_deadline(run), .run = run },
		      &result, err);
	if (r < 0 || result.status == 0)
		return r;
	return error_set(err, result.timed_out ? -ETIMEDOUT : -EIO,
			 "systemd-run --unit=%s failed (status %d): %s", unit,
			 result.status,
			 *result.errors ? result.errors : "see journalctl");
}

/*
 * Does logind hold the lock, and not only another guest's? It notes each in a file "N",
 * with a FIFO "N.ref" beside it; ours has the unit's name in its WHY.
 */
static int is_held(struct run *run, void *arg, struct error *err)
{
	_cleanup_strv_ struct strv locks = {};
	const char *unit = arg;

	host_list(&run->host, &locks, "/run/systemd/inhibit");
	for (size_t i = 0; i < locks.n; i++) {
		_cleanup_free_ char *text = NULL;

		if (!str_ends(locks.v[i], ".ref") &&
		    host_read_all(&run->host, &text, "/run/systemd/inhibit/%s",
				  locks.v[i]) == 0 &&
		    strstr(text, "WHO=vfio-hook") && strstr(text, unit))
			return 1;
	}
	if (!state_is(&run->host, &state_inhibitor, unit, "active"))
		return error_set(
			err, -EIO,
			"systemd-inhibit ended at once: does systemd-logind run? see "
			"journalctl -u %s",
			unit);
	return 0;
}

static int inhibitor_change(struct run *run, const struct record *record,
			    const char *from, const char *to, struct error *err)
{
	int r;

	if (!*to)
		return unit_call(run, record->target, "stop", err);
	r = run_it(run, record->target, record->data, err);
	if (r == 0)
		r = run_wait(run, is_held, record->target, err);
	return r == -ETIMEDOUT ?
		       error_set(err, r, "logind has not taken the lock of %s in time",
				 record->target) :
		       r;
}

const struct state_kind state_inhibitor = {
	.name = "inhibitor",
	.read = inhibitor_read,
	.change = inhibitor_change,
};
