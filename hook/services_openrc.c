/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Services of OpenRC, by rc-service(8). Its stop takes along what needs the service, and
 * its start brings up what the service needs, as with systemd.
 */
#include "services.h"
#include "spawn.h"

#define STATUS_MS 10000

static bool openrc_is_running(const struct host *host)
{
	return host_exists(host, "/run/openrc");
}

static bool openrc_is_stopping(const struct host *host)
{
	return host_exists(host, "/run/openrc/rc.stopping");
}

static int rc_service(const struct host *host, const char *const *words,
		      struct spawn spawn, struct spawn_result *ret, struct error *err)
{
	const char *argv[6];
	char program[PATH_MAX];
	size_t n = 0;

	if (spawn_find(host, "rc-service", program, sizeof(program)) < 0)
		return error_set(
			err, -ENOENT,
			"rc-service is not installed: install it, it is part of OpenRC");
	argv[n++] = program;
	while (*words && n < ARRAY_SIZE(argv) - 1)
		argv[n++] = *words++;
	argv[n] = NULL;
	spawn.argv = argv;
	return spawn_run(host, &spawn, ret, err);
}

/* For what only looks, and is answered at once or not at all. */
static struct spawn status_spawn(void)
{
	return (struct spawn){ .deadline = now_ms() + STATUS_MS };
}

static int openrc_exists(const struct host *host, const char *name, struct error *err)
{
	const char *const words[] = { "--exists", name, NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	int r = rc_service(host, words, status_spawn(), &result, err);

	return r < 0 ? r : result.status == 0;
}

static int openrc_target(const struct host *host, const char *name, const char *user,
			 char **ret, struct error *err)
{
	_cleanup_free_ char *target = NULL;
	int r = service_name(&manager_openrc, name, user, &target, err);

	if (r == 0)
		r = openrc_exists(host, target, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, -ENOENT,
				 "OpenRC has no service %s: rc-service --list shows all",
				 target);
	*ret = STEAL(target);
	return 0;
}

static bool openrc_is_starting(const struct host *host, const char *target)
{
	return host_exists(host, "/run/openrc/starting/%s", target);
}

static int openrc_state(const struct host *host, const char *target, char **ret,
			struct error *err)
{
	const char *const words[] = { target, "status", NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	const char *value = "inactive";
	int r = rc_service(host, words, status_spawn(), &result, err);

	if (r < 0)
		return r;
	if (result.timed_out)
		return error_set(err, -ETIMEDOUT,
				 "rc-service %s status did not answer within %d s",
				 target, STATUS_MS / 1000);
	if (result.status == 0 || result.status == 8) /* started, starting */
		value = "active";
	else if (result.status == 1) { /* also what a status() of its own may say */
		r = openrc_exists(host, target, err);
		if (r < 0)
			return r;
		if (r == 0)
			value = "";
	}
	*ret = strdup(value);
	return *ret ? 0 : error_oom(err);
}

/* It lists what needs those in turn as well, and before them; who only uses it stays. */
static int openrc_dependants(const struct host *host, const char *target,
			     struct strv *ret, struct error *err)
{
	const char *const words[] = { target, "needsme", NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	struct spawn spawn = status_spawn();
	char *rest, *word;
	int r;

	spawn.keep_output = true;
	r = rc_service(host, words, spawn, &result, err);
	if (r < 0)
		return r;
	if (result.status != 0)
		return error_set(
			err, -EIO,
			"rc-service %s needsme failed (status %d): %s; run rc-update -u, "
			"which looks at all dependencies anew",
			target, result.status, result.errors);
	rest = result.output;
	while ((word = strsep(&rest, " \n")))
		if (*word && strv_add(ret, word) < 0)
			return error_oom(err);
	return 0;
}

/* Did the daemon end by itself, while OpenRC still has it for started? */
static bool openrc_is_crashed(const struct host *host, const char *target)
{
	const char *const words[] = { target, "status", NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};

	return rc_service(host, words, status_spawn(), &result, NULL) == 0 &&
	       result.status == 32;
}

static int openrc_call(struct run *run, const char *target, const char *verb,
		       struct error *err)
{
	const bool reset = streq(verb, "reset-failed");
	const char *const words[] = { target, reset ? "zap" : verb, NULL };
	struct spawn spawn = { .deadline = run_deadline(run), .run = run };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	int64_t begin = now_ms();
	int r;

	/* zap forgets what it is, and must not be used on what runs */
	if (reset && !openrc_is_crashed(&run->host, target))
		return 0;
	r = rc_service(&run->host, words, spawn, &result, err);
	if (r < 0 || result.status == 0)
		return r;
	if (result.cancelled)
		return run_cancelled(run, err);
	if (result.timed_out)
		return error_set(
			err, -ETIMEDOUT,
			"rc-service %s %s did not end within %lld s: give the step "
			"a longer timeout=, or see the service's log",
			target, verb, (long long)(spawn.deadline - begin + 500) / 1000);
	return error_set(err, -EIO, "rc-service %s %s failed (status %d): %s", target,
			 verb, result.status,
			 *result.errors ? result.errors : "see the service's log");
}

const struct service_manager manager_openrc = {
	.name = "OpenRC",
	.program = "rc-service",
	.is_running = openrc_is_running,
	.is_stopping = openrc_is_stopping,
	.target = openrc_target,
	.state = openrc_state,
	.is_starting = openrc_is_starting,
	.dependants = openrc_dependants,
	.call = openrc_call,
};
