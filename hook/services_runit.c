/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services of runit, by sv(8), which knows their folder (/etc/service, /var/service) and
 * waits until the service is up or down.
 */
#include <sys/stat.h>

#include "services.h"
#include "spawn.h"

#define STATUS_MS 10000

/* What runit(8) looks at in /etc/runit is a symlink to one of these, as /etc is read-only. */
static const char *const stopit[] = { "/run/runit.stopit", "/run/runit/stopit" };

static bool runit_is_running(const struct host *host)
{
	return host_exists(host, "/run/runit") || host_exists(host, "%s", stopit[0]);
}

/* runit goes to its stage 3 when that file is executable. */
static bool runit_is_stopping(const struct host *host)
{
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(stopit); i++)
		if (stat(host_path(host, path, "%s", stopit[i]), &st) == 0 &&
		    (st.st_mode & S_IXUSR))
			return true;
	return false;
}

/* sv ends by itself a moment before the deadline of SPAWN. */
static int sv(const struct host *host, const char *verb, const char *name,
	      struct spawn spawn, struct spawn_result *ret, struct error *err)
{
	int64_t seconds = (spawn.deadline - now_ms()) / 1000;
	char program[PATH_MAX], wait[24];
	const char *const argv[] = { program, "-w", wait, verb, name, NULL };

	if (spawn_find(host, "sv", program, sizeof(program)) < 0)
		return error_set(err, -ENOENT,
				 "sv is not installed: install it, it is part of runit");
	snprintf(wait, sizeof(wait), "%lld", (long long)(seconds > 1 ? seconds : 1));
	spawn.argv = argv;
	spawn.deadline += 1500;
	spawn.keep_output = true;
	return spawn_run(host, &spawn, ret, err);
}

/* "run: x: (pid 7) 4s", "down: x: 1s, normally up", "fail: x: unable to …" */
static int runit_state(const struct host *host, const char *target, char **ret,
		       struct error *err)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	const char *value = "";
	int r = sv(host, "status", target,
		   (struct spawn){ .deadline = now_ms() + STATUS_MS }, &result, err);

	if (r < 0)
		return r;
	if (result.timed_out)
		return error_set(err, -ETIMEDOUT,
				 "sv status %s did not answer within %d s", target,
				 STATUS_MS / 1000);
	if (str_after(result.output, "run:"))
		value = "active";
	else if (str_after(result.output, "down:") || str_after(result.output, "finish:"))
		value = "inactive";
	*ret = strdup(value);
	return *ret ? 0 : error_oom(err);
}

static int runit_target(const struct host *host, const char *name, const char *user,
			char **ret, struct error *err)
{
	_cleanup_free_ char *target = NULL, *state = NULL;
	int r = service_name(&manager_runit, name, user, &target, err);

	if (r == 0)
		r = runit_state(host, target, &state, err);
	if (r < 0)
		return r;
	if (!*state)
		return error_set(err, -ENOENT,
				 "runit does not supervise a service %s: see sv status %s",
				 target, target);
	*ret = STEAL(target);
	return 0;
}

/*
 * runit goes on with what it was asked for: a service that does not end now is down the
 * next time it does. So the verb that asks for what was asked for before.
 */
static const char *wanted(const struct host *host, const char *target)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};

	if (sv(host, "status", target, (struct spawn){ .deadline = now_ms() + STATUS_MS },
	       &result, NULL) < 0)
		return NULL;
	if (str_after(result.output, "run:"))
		return strstr(result.output, ", want down") ? "once" : "up";
	return strstr(result.output, ", want up") ? "up" : "down";
}

static void want_again(const struct host *host, const char *target, const char *verb)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};

	if (verb)
		sv(host, verb, target, (struct spawn){ .deadline = now_ms() + STATUS_MS },
		   &result, NULL);
}

static int runit_call(struct run *run, const char *target, const char *verb,
		      struct error *err)
{
	struct spawn spawn = { .deadline = run_deadline(run), .run = run };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	const char *why, *before;
	int r;

	if (streq(verb, "reset-failed")) /* runit tries for ever */
		return 0;
	before = wanted(&run->host, target);
	r = sv(&run->host, verb, target, spawn, &result, err);
	if (r < 0 || result.status == 0)
		return r;
	want_again(&run->host, target, before);
	if (result.cancelled)
		return run_cancelled(run, err);
	why = *result.errors ? result.errors : result.output;
	return error_set(err, result.timed_out ? -ETIMEDOUT : -EIO,
			 "sv %s %s failed (status %d): %.*s", verb, target, result.status,
			 (int)strcspn(why, "\n"), why);
}

const struct service_manager manager_runit = {
	.name = "runit",
	.program = "sv",
	.is_running = runit_is_running,
	.is_stopping = runit_is_stopping,
	.target = runit_target,
	.state = runit_state,
	.call = runit_call,
};
