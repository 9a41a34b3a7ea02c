/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has libvirt's daemon looked for the hook since it was put there? It looks when it starts
 * or is told to reload, and keeps whether there is one; which one, it sees at each call.
 */
#include <sys/stat.h>
#include <time.h>

#include "advice.h"
#include "caller.h"
#include "systemd.h"

const char *const advice_daemons[] = { "libvirtd", "virtqemud", NULL };

/* When process PID started, in seconds since 1970; 0: not known. */
static int64_t started_at(const struct host *host, int pid)
{
	_cleanup_free_ char *text = NULL;
	unsigned long long btime;
	uint64_t ticks;
	char *line;

	if (process_start_time(host, pid, &ticks) < 0 ||
	    host_read_all(host, &text, "/proc/stat") < 0)
		return 0;
	line = strstr(text, "\nbtime ");
	if (!line || sscanf(line, " btime %llu", &btime) != 1)
		return 0;
	return (int64_t)(btime + ticks / (uint64_t)sysconf(_SC_CLK_TCK));
}

/*
 * When the state of the daemon's unit changed last, which a reload does, too, and
 * daemon-reload does not; 0: not known.
 */
static int64_t reloaded_at(const struct host *host, int pid, const char *name)
{
	_cleanup_free_ char *main_pid = NULL, *when = NULL;
	struct tm tm = {};
	char unit[32];

	snprintf(unit, sizeof(unit), "%s.service", name);
	if (!systemd_is_running(host) ||
	    unit_property(host, unit, "MainPID", &main_pid, NULL) < 0 ||
	    atoi(main_pid) != pid ||
	    unit_property(host, unit, "StateChangeTimestamp", &when, NULL) < 0 ||
	    sscanf(when, "%*s %d-%d-%d %d:%d:%d UTC", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

static void judge_daemon(const struct host *host, int pid, const char *name,
			 const struct stat *hook, struct findings *findings)
{
	const int64_t start = started_at(host, pid), put = hook->st_ctime;
	char cure[64];

	if (start == 0 || start >= put || caller_has_called(host, pid) ||
	    reloaded_at(host, pid, name) >= put)
		return;
	snprintf(cure, sizeof(cure), "systemctl reload %s", name);
	finding_add(findings, FINDING_WARNING, cure,
		    "%s (pid %d) has run since before the hook was put there, and looks "
		    "for one only when it starts or reloads: if there was none before, it "
		    "does not call it until then (running guests do not mind a reload); a "
		    "reload by kill -HUP cannot be seen, but this ends with the next one "
		    "by systemctl, or when the hook was called",
		    name, pid);
}

unsigned advise_daemons(const struct host *host, const char *hook,
			struct findings *findings)
{
	_cleanup_strv_ struct strv pids = {};
	char path[PATH_MAX], comm[64];
	unsigned running = 0;
	struct stat st;
	/* Not what it leads to, which each update of the package writes anew. */
	const bool there = hook && lstat(host_path(host, path, "%s", hook), &st) == 0;

	if (host_list(host, &pids, "/proc") < 0)
		return 0;
	for (size_t i = 0; i < pids.n; i++) {
		int pid = atoi(pids.v[i]);

		if (pid <= 0 ||
		    host_read(host, comm, sizeof(comm), "/proc/%d/comm", pid) <= 0)
			continue;
		for (unsigned k = 0; advice_daemons[k]; k++) {
			if (!streq(comm, advice_daemons[k]))
				continue;
			running |= 1U << k;
			if (there)
				judge_daemon(host, pid, advice_daemons[k], &st, findings);
		}
	}
	return running;
}
