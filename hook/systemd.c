/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Units. Through systemctl(1) rather than D-Bus: it waits for its job, speaks to the
 * manager of another user (--machine=USER@), and works while the bus daemon itself does not.
 */

#include "log.h"
#include "services.h"
#include "run.h"
#include "spawn.h"
#include "spawn_child.h"
#include "state.h"
#include "systemd.h"

#define SHOW_MS 10000

/* A target taken apart. */
struct unit {
	char user[64]; /* "": the system's manager */
	const char *name;
};

struct unit_info {
	char id[256], load[32], active[32];
};

static int unit_parse(const char *target, struct unit *ret)
{
	const char *user = str_after(target, "user:"), *colon;
	size_t n;

	*ret = (struct unit){ .name = target };
	if (!user)
		return 0;
	colon = strchr(user, ':');
	n = colon ? (size_t)(colon - user) : 0;
	if (n == 0 || n >= sizeof(ret->user))
		return -EINVAL;
	memcpy(ret->user, user, n);
	ret->name = colon + 1;
	return 0;
}

bool systemd_is_running(const struct host *host)
{
	return host_exists(host, "/run/systemd/system");
}

static int systemctl(const struct host *host, const struct unit *unit, struct spawn spawn,
		     const char *const *words, struct spawn_result *ret,
		     struct error *err)
{
	const char *argv[16];
	char program[PATH_MAX], machine[80];
	size_t n = 0;

	if (spawn_find(host, "systemctl", program, sizeof(program)) < 0)
		return error_set(
			err, -ENOENT,
			"systemctl is not installed: install it, it is part of systemd");
	argv[n++] = program;
	if (*unit->user) {
		snprintf(machine, sizeof(machine), "--machine=%s@", unit->user);
		argv[n++] = "--user";
		argv[n++] = machine;
	}
	argv[n++] = "--no-ask-password";
	for (; *words && n + 3 < ARRAY_SIZE(argv); words++)
		argv[n++] = *words;
	if (unit->name) {
		argv[n++] = "--";
		argv[n++] = unit->name;
	}
	argv[n] = NULL;
	spawn.argv = argv;
	return spawn_run(host, &spawn, ret, err);
}

/* For what only looks, and is answered at once or not at all. */
static struct spawn show_spawn(void)
{
	/* Times without a zone of this host's. */
	static const char *const env[] = { "LC_ALL=C", "PATH=" SPAWN_PATH, "TZ=UTC0",
					   NULL };

	return (struct spawn){ .env = env,
			       .deadline = now_ms() + SHOW_MS,
			       .keep_output = true };
}

static bool is_stopping(const struct host *host)
{
	static const char *const words[] = { "is-system-running", NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	_cleanup_error_ struct error err = {};

	return systemctl(host, &(struct unit){ .name = NULL }, show_spawn(), words,
			 &result, &err) == 0 &&
	       str_after(result.output, "stopping");
}

static void take_property(const char *line, const char *name, char *buf, size_t size)
{
	const char *value = str_after(line, name);

	if (value && *value == '=')
		snprintf(buf, size, "%s", value + 1);
}

static int show(const struct host *host, const struct unit *unit, const char *properties,
		char **ret, struct error *err)
{
	const char *const words[] = { "show", "-p", properties, NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	int r = systemctl(host, unit, show_spawn(), words, &result, err);

	if (r < 0)
		return r;
	if (result.timed_out)
		return error_set(
			err, -ETIMEDOUT,
			"%s: systemctl show did not answer within %d s: is systemd or "
			"its bus overloaded?",
			unit->name, SHOW_MS / 1000);
	if (result.status != 0 || !*result.output)
		return error_set(err, -EIO, "%s: systemctl show failed: %s", unit->name,
				 *result.errors ? result.errors : "no answer");
	*ret = STEAL(result.output);
	return 0;
}

static int unit_show(const struct host *host, const struct unit *unit,
		     struct unit_info *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	int r;

	*ret = (struct unit_info){ .id = "" };
	r = show(host, unit, "Id,LoadState,ActiveState", &text, err);
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		take_property(line, "Id", ret->id, sizeof(ret->id));
		take_property(line, "LoadState", ret->load, sizeof(ret->load));
		take_property(line, "ActiveState", ret->active, sizeof(ret->active));
	}
	return *ret->load && *ret->active ?
		       0 :
		       error_set(err, -EIO, "%s: systemctl show failed: no answer",
				 unit->name);
}

static bool has_suffix(const char *unit)
{
	static const char *const suffixes[] = { ".service", ".socket",	 ".target",
						".timer",   ".path",	 ".mount",
						".swap",    ".scope",	 ".slice",
						".device",  ".automount" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (str_ends(unit, suffixes[i]))
			return true;
	return false;
}

static int systemd_target(const struct host *host, const char *name, const char *user,
			  char **ret, struct error *err)
{
	_cleanup_free_ char *target = NULL, *full = NULL;
	_cleanup_(user_done) struct user known = {};
	struct unit_info info;
	struct unit unit;
	char like[512];
	int r;

	if (user) {
		r = user_find(host, user, &known, err);
		if (r < 0)
			return r;
	}
	if (asprintf(&full, "%s%s%s%s%s", user ? "user:" : "", user ? user : "",
		     user ? ":" : "", name, has_suffix(name) ? "" : ".service") < 0) {
		full = NULL;
		return error_oom(err);
	}
	r = unit_parse(full, &unit);
	if (r < 0)
		return error_set(err, r, "%s: not the name of a user: '%s'", name, user);
	if (unit_is_out_of_reach(host, full)) {
		*ret = STEAL(full);
		return 0;
	}
	r = unit_show(host, &unit, &info, err);
	if (r < 0)
		return r;
	if (streq(info.load, "not-found"))
		return error_set(err, -ENOENT, "there is no unit %s%s%s%s", unit.name,
				 user ? " of user " : "", user ? user : "",
				 unit_suggest(host, unit.name, user, like, sizeof(like)));
	if (asprintf(&target, "%s%s%s%s", user ? "user:" : "", user ? user : "",
		     user ? ":" : "", *info.id ? info.id : unit.name) < 0) {
		target = NULL;
		return error_oom(err);
	}
	*ret = STEAL(target);
	return 0;
}

bool unit_is_out_of_reach(const struct host *host, const char *target)
{
	_cleanup_(user_done) struct user user = {};
	_cleanup_error_ struct error err = {};
	struct unit unit;

	if (unit_parse(target, &unit) < 0 || !*unit.user ||
	    user_find(host, unit.user, &user, &err) < 0)
		return false;
	return !host_exists(host, "/run/user/%u/systemd", (unsigned)user.uid);
}

static int systemd_state(const struct host *host, const char *target, char **ret,
			 struct error *err)
{
	const char *value = "inactive";
	struct unit_info info;
	struct unit unit;
	int r;

	if (unit_parse(target, &unit) < 0)
		return error_set(err, -EINVAL, "%s is not the name of a unit", target);
	if (!unit_is_out_of_reach(host, target)) {
		r = unit_show(host, &unit, &info, err);
		if (r < 0)
			return r;
		if (streq(info.load, "not-found") && streq(info.active, "inactive"))
			value = "";
		else if (streq(info.active, "active") ||
			 streq(info.active, "activating") ||
			 streq(info.active, "reloading") ||
			 streq(info.active, "refreshing"))
			value = "active";
	}
	*ret = strdup(value);
	return *ret ? 0 : error_oom(err);
}

static bool systemd_is_starting(const struct host *host, const char *target)
{
	struct unit_info info;
	struct unit unit;

	return unit_parse(target, &unit) >= 0 &&
	       unit_show(host, &unit, &info, NULL) >= 0 &&
	       streq(info.active, "activating");
}

int systemd_show(const struct host *host, const char *target, const char *properties,
		 char **ret, struct error *err)
{
	struct unit unit;

	if (unit_parse(target, &unit) < 0)
		return error_set(err, -EINVAL, "%s is not the name of a unit", target);
	return show(host, &unit, properties, ret, err);
}

static int systemd_call(struct run *run, const char *target, const char *verb,
			struct error *err)
{
	struct spawn spawn = { .deadline = run_deadline(run), .run = run };
	const char *const words[] = { verb, NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	int64_t begin = now_ms();
	struct unit unit;
	int r;

	if (unit_parse(target, &unit) < 0)
		return error_set(err, -EINVAL, "%s is not the name of a unit", target);
	r = systemctl(&run->host, &unit, spawn, words, &result, err);
	if (r < 0)
		return r;
	if (result.cancelled)
		return run_cancelled(run, err);
	if (result.status == 0)
		return 0;
	if (result.timed_out)
		return error_set(
			err, -ETIMEDOUT,
			"systemctl %s %s did not end within %lld s: give the step a "
			"longer timeout=, or see: journalctl -u %s",
			verb, unit.name, (long long)(spawn.deadline - begin + 500) / 1000,
			unit.name);
	return error_set(err, -EIO, "systemctl %s %s failed (status %d): %s", verb,
			 unit.name, result.status,
			 *result.errors ? result.errors : "see journalctl for why");
}

int unit_property(const struct host *host, const char *unit, const char *name, char **ret,
		  struct error *err)
{
	_cleanup_free_ char *text = NULL;
	const char *value;
	int r = show(host, &(struct unit){ .name = unit }, name, &text, err);

	if (r < 0)
		return r;
	value = str_after(text, name);
	if (!value || *value != '=')
		return error_set(err, -EIO, "systemctl show -p %s %s failed: no answer",
				 name, unit);
	*ret = strndup(value + 1, strcspn(value + 1, "\n"));
	return *ret ? 0 : error_oom(err);
}

int unit_set_property(const struct host *host, const char *unit, const char *property,
		      int64_t deadline, struct error *err)
{
	const char *const words[] = { "set-property", "--runtime", "--",
				      unit,	      property,	   NULL };
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	int r = systemctl(host, &(struct unit){ .name = NULL },
			  (struct spawn){ .deadline = deadline }, words, &result, err);

	if (r < 0 || result.status == 0)
		return r;
	return error_set(err, result.timed_out ? -ETIMEDOUT : -EIO,
			 "systemctl set-property %s %s failed: %s", unit, property,
			 *result.errors ? result.errors : "see journalctl for why");
}

const struct service_manager manager_systemd = {
	.name = "systemd",
	.is_running = systemd_is_running,
	.is_stopping = is_stopping,
	.target = systemd_target,
	.state = systemd_state,
	.is_starting = systemd_is_starting,
	.dependants = systemd_dependants,
	.conflicts = systemd_conflicts,
	.call = systemd_call,
};
