/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which service manager this host has: the one that runs, else the first that is installed.
 */
#include "services.h"
#include "spawn.h"
#include "systemd.h"

static const struct service_manager *const managers[] = {
	&manager_systemd,
	&manager_openrc,
	&manager_runit,
};

static const struct service_manager *find_manager(const struct host *host)
{
	char program[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
		if (managers[i]->is_running(host))
			return managers[i];
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++)
		if (managers[i]->program &&
		    spawn_find(host, managers[i]->program, program, sizeof(program)) == 0)
			return managers[i];
	return NULL;
}

static int need_manager(const struct host *host, const char *name,
			const struct service_manager **ret, struct error *err)
{
	*ret = find_manager(host);
	if (*ret)
		return 0;
	return error_set(
		err, -EOPNOTSUPP,
		"%s: neither systemd (/run/systemd/system), OpenRC (rc-service) nor "
		"runit (sv) is here: use exec.run and exec.undo with your init's own "
		"command",
		name);
}

int unit_target(const struct host *host, const char *unit, const char *user, char **ret,
		struct error *err)
{
	const struct service_manager *manager;
	int r = need_manager(host, unit, &manager, err);

	return r < 0 ? r : manager->target(host, unit, user, ret, err);
}

int unit_state(const struct host *host, const char *target, char **ret, struct error *err)
{
	const struct service_manager *manager;
	int r = need_manager(host, target, &manager, err);

	return r < 0 ? r : manager->state(host, target, ret, err);
}

bool unit_is_starting(const struct host *host, const char *target)
{
	const struct service_manager *manager;

	return need_manager(host, target, &manager, NULL) >= 0 && manager->is_starting &&
	       manager->is_starting(host, target);
}

int unit_dependants(const struct host *host, const char *target, struct strv *ret,
		    struct error *err)
{
	const struct service_manager *manager;
	int r = need_manager(host, target, &manager, err);

	return r < 0 || !manager->dependants ?
		       r :
		       manager->dependants(host, target, ret, err);
}

int unit_conflicts(const struct host *host, const char *target, struct strv *ret,
		   struct error *err)
{
	const struct service_manager *manager;
	int r = need_manager(host, target, &manager, err);

	return r < 0 || !manager->conflicts ? r :
					      manager->conflicts(host, target, ret, err);
}

int unit_call(struct run *run, const char *target, const char *verb, struct error *err)
{
	const struct service_manager *manager;
	int r = need_manager(&run->host, target, &manager, err);

	return r < 0 ? r : manager->call(run, target, verb, err);
}

bool system_is_stopping(const struct host *host)
{
	const struct service_manager *manager = find_manager(host);

	return manager && manager->is_stopping(host);
}

int service_name(const struct service_manager *manager, const char *name,
		 const char *user, char **ret, struct error *err)
{
	size_t n = strlen(name);

	if (user)
		return error_set(
			err, -EOPNOTSUPP,
			"%s: services of users (user=, seat=) are systemd's; this host "
			"has %s, whose services are the system's: leave user= and seat= out",
			name, manager->name);
	if (!n || strchr(name, '/') || *name == '-' || *name == '.')
		return error_set(err, -EINVAL, "'%s' is not the name of a service", name);
	if (str_ends(name, ".service")) /* a config that was made for systemd */
		n -= strlen(".service");
	*ret = strndup(name, n);
	return *ret ? 0 : error_oom(err);
}
