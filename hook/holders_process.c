/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a holder is part of: its unit or session by its control group, which is how systemd
 * itself knows, and so whether the steps before will have ended it.
 */

#include <sys/stat.h>

#include "holders_process.h"
#include "spawn.h"
#include "state.h"
#include "systemd.h"

#define PF_KTHREAD 0x00200000U /* <linux/sched.h>; since Linux 2.6.27 */

bool process_is_ours(const struct host *host, int pid)
{
	return process_is_of(host, pid, getpid());
}

/* The parent and PF_... flags of a process; 0 and 0 when they cannot be read. */
static int read_parent(const struct host *host, int pid, unsigned *flags)
{
	char stat[512];
	int parent = 0;

	*flags = 0;
	if (process_stat(host, pid, stat, sizeof(stat)) == 0)
		sscanf(stat, "%*c %d %*d %*d %*d %*d %u", &parent, flags);
	return parent;
}

bool process_is_of(const struct host *host, int pid, int self)
{
	unsigned flags;

	return pid == self || read_parent(host, pid, &flags) == self;
}

bool process_may_hold(const struct host *host, int pid, int self)
{
	unsigned flags;

	return pid != self && read_parent(host, pid, &flags) != self &&
	       !(flags & PF_KTHREAD);
}

/* The path in the unified hierarchy, or in systemd's own of cgroup v1; "" if neither. */
static void read_cgroup(const struct host *host, int pid, char *buf, size_t size)
{
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	const char *path;

	*buf = '\0';
	if (host_read_all(host, &text, "/proc/%d/cgroup", pid) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		path = str_after(line, "0::");
		if (!path && strstr(line, ":name=systemd:"))
			path = strstr(line, ":name=systemd:") + strlen(":name=systemd:");
		if (path && !streq(path, "/"))
			snprintf(buf, size, "%s", path);
	}
}

static bool is_unit(const char *name)
{
	return str_ends(name, ".service") || str_ends(name, ".scope");
}

void process_describe(const struct host *host, struct holder *holder)
{
	char cgroup[PATH_MAX], path[PATH_MAX], *rest = cgroup, *part;
	struct stat st;

	if (host_read(host, holder->comm, sizeof(holder->comm), "/proc/%d/comm",
		      holder->pid) < 0)
		strcpy(holder->comm, "?");
	strcpy(holder->user, "?");
	if (stat(host_path(host, path, "/proc/%d", holder->pid), &st) >= 0)
		user_name(host, st.st_uid, holder->user, sizeof(holder->user));
	read_cgroup(host, holder->pid, cgroup, sizeof(cgroup));
	while ((part = strsep(&rest, "/"))) {
		if (is_unit(part))
			snprintf(holder->unit, sizeof(holder->unit), "%s", part);
		if (str_after(part, "user@"))
			break;
	}
}

bool process_is_logind(const struct holder *holder)
{
	return holder->pid == 1 || streq(holder->unit, "systemd-logind.service") ||
	       streq(holder->unit, "elogind.service");
}

static bool is_stopped(const struct host *host, const char *target)
{
	const char *value = overlay_get(host->overlay, &state_unit, target);

	return value && streq(value, "inactive");
}

/* The alias that guides use; service.stop resolves it, a journal of old may not have. */
static bool is_stopped_display_manager(const struct host *host, const char *unit)
{
	char name[128];

	return host_link_name(host, name, sizeof(name),
			      "/etc/systemd/system/display-manager.service") >= 0 &&
	       streq(name, unit) && is_stopped(host, "display-manager.service");
}

static bool session_scope_ends(const struct host *host, const char *scope)
{
	const char *rest = str_after(scope, "session-");
	struct session session;
	char id[32];

	if (!rest || !str_ends(rest, ".scope"))
		return false;
	snprintf(id, sizeof(id), "%.*s", (int)(strlen(rest) - strlen(".scope")), rest);
	return session_load(host, id, &session) == 0 && session_ends(host, &session);
}

/* Of "user@1000.service". */
static int manager_uid(const char *manager, uint64_t *ret)
{
	const char *uid = str_after(manager, "user@");
	char number[16];

	snprintf(number, sizeof(number), "%.*s", (int)strcspn(uid, "."), uid);
	return parse_u64(number, ret);
}

/* The service manager of a user goes with his last session; what draws, with its own. */
static bool user_ends(const struct host *host, const char *manager)
{
	_cleanup_free_ char *text = NULL;
	struct session session;
	char *rest, *word;
	uint64_t uid;

	if (manager_uid(manager, &uid) < 0 ||
	    host_read_all(host, &text, "/run/systemd/users/%u", (unsigned)uid) < 0)
		return false;
	rest = strstr(text, "\nSESSIONS=");
	if (!rest)
		return false;
	rest += strlen("\nSESSIONS=");
	rest[strcspn(rest, "\n")] = '\0';
	while ((word = strsep(&rest, " ")))
		if (session_load(host, word, &session) == 0 &&
		    session_ends(host, &session))
			return true;
	return false;
}

/* MANAGER is whose service manager it is below, "" for the system's. */
static bool part_ends(const struct host *host, const char *part, const char *manager)
{
	char target[256];

	if (str_after(part, "openrc.")) /* OpenRC's name for a service's group */
		part = str_after(part, "openrc.");
	if (!*manager)
		return is_stopped(host, part) || is_stopped_display_manager(host, part) ||
		       session_scope_ends(host, part) ||
		       (str_after(part, "user@") && user_ends(host, part));
	snprintf(target, sizeof(target), "user:%s:%s", manager, part);
	return is_stopped(host, target);
}

bool holder_ends(const struct host *host, const struct holder *holder)
{
	char cgroup[PATH_MAX], *rest = cgroup, *part, manager[64] = "";
	uint64_t uid;

	if (!host->overlay)
		return false;
	if (process_is_logind(holder))
		return sessions_with_devices_end(host);
	read_cgroup(host, holder->pid, cgroup, sizeof(cgroup));
	while ((part = strsep(&rest, "/"))) {
		if (!*part)
			continue;
		if (part_ends(host, part, manager))
			return true;
		/* not the process' own: one with capabilities of its own looks like root's */
		if (str_after(part, "user@") && manager_uid(part, &uid) == 0)
			user_name(host, (uid_t)uid, manager, sizeof(manager));
	}
	return false;
}
