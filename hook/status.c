/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a domain from its journal, its log and its owner. Only reads: it must
 * work while a phase hangs.
 */
#include <fcntl.h>
#include <sys/file.h>

#include "guard.h"
#include "log.h"
#include "owner.h"
#include "status.h"

const char *domain_state_text(enum domain_state state)
{
	static const char *const texts[] = {
		[DOMAIN_IDLE] = "idle",		[DOMAIN_PREPARED] = "prepared",
		[DOMAIN_PARTIAL] = "partial",	[DOMAIN_BUSY] = "busy",
		[DOMAIN_ORPHANED] = "orphaned", [DOMAIN_INTERRUPTED] = "interrupted",
	};

	return texts[state];
}

/* A phase holds its journal locked for as long as it runs. */
static bool is_locked(const struct journal *journal)
{
	_cleanup_close_ int fd =
		open(journal->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

const struct logged_phase *status_open_phase(const struct domain_status *status)
{
	const struct phase_log *log = &status->log;

	if (!log->n || log->phases[log->n - 1].result != LOGGED_CUT_OFF)
		return NULL;
	return &log->phases[log->n - 1];
}

static enum domain_state judge(const struct host *host, const struct domain_status *status)
{
	const struct journal *journal = &status->journal;

	if (status->have_journal && is_locked(journal))
		return DOMAIN_BUSY;
	if (status->have_journal && journal_has_open_records(journal)) {
		if (!owner_is_alive(host, journal))
			return DOMAIN_ORPHANED;
		return journal->phases[status->boot ? PHASE_BOOT : PHASE_PREPARE] ==
				       PHASE_STATE_COMPLETE ?
			       DOMAIN_PREPARED :
			       DOMAIN_PARTIAL;
	}
	return status_open_phase(status) ? DOMAIN_INTERRUPTED : DOMAIN_IDLE;
}

static int load_journal(const struct host *host, struct domain_status *status,
			struct error *err)
{
	_cleanup_free_ char *uuid = NULL;
	uint64_t start;
	int r = status->boot ? journal_boot_name(status->name, &uuid) :
			       journal_find_by_name(host, status->name, &uuid);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = journal_read(host, uuid, &status->journal, err);
	if (r == -ENOENT || r == -ESTALE) {
		error_done(err);
		return 0; /* removed meanwhile */
	}
	if (r < 0)
		return error_errno(err, r, "cannot read the journal of %s", status->name);
	status->have_journal = true;
	if (status->journal.owner_pid > 0 &&
	    process_start_time(host, status->journal.owner_pid, &start) == 0 &&
	    start == status->journal.owner_start)
		host_read(host, status->owner, sizeof(status->owner), "/proc/%d/comm",
			  status->journal.owner_pid);
	return 0;
}

static int load_status(const struct host *host, const char *hooks_dir, const char *domain,
		       bool boot, struct domain_status *ret, struct error *err)
{
	struct domain_status status = { .boot = boot, .journal.fd = -1 };
	int r;

	status.name = strdup(domain);
	if (!status.name)
		return error_oom(err);
	if (host_exists(host, "%s/conf.d/%s.ini", hooks_dir, domain))
		snprintf(status.config, sizeof(status.config), "%s/conf.d/%s.ini",
			 hooks_dir, domain);
	r = load_journal(host, &status, err);
	if (r == 0 && boot && !status.have_journal)
		r = -ENOENT;
	if (r == 0 && !boot)
		r = log_read(host, domain, &status.log, err);
	if (r < 0) {
		domain_status_done(&status);
		return r;
	}
	status.state = judge(host, &status);
	*ret = status;
	return 0;
}

int status_load(const struct host *host, const char *hooks_dir, const char *domain,
		struct domain_status *ret, struct error *err)
{
	return load_status(host, hooks_dir, domain, false, ret, err);
}

int status_load_boot(const struct host *host, const char *hooks_dir, const char *domain,
		     struct domain_status *ret, struct error *err)
{
	return load_status(host, hooks_dir, domain, true, ret, err);
}

static int add_name(struct strv *names, const char *name)
{
	return strv_contains(names, name) ? 0 : strv_add(names, name);
}

/* The names of the files in DIR that end with SUFFIX, without it. */
static int add_files(const struct host *host, const char *dir, const char *suffix,
		     struct strv *names)
{
	_cleanup_strv_ struct strv files = {};
	int r = 0;

	if (host_list(host, &files, "%s", dir) < 0)
		return 0;
	for (size_t i = 0; i < files.n && r == 0; i++) {
		char *file = files.v[i];

		if (!str_ends(file, suffix) || strlen(file) == strlen(suffix))
			continue;
		file[strlen(file) - strlen(suffix)] = '\0';
		r = add_name(names, file);
	}
	return r;
}

int status_domains(const struct host *host, const char *hooks_dir, struct strv *ret)
{
	_cleanup_strv_ struct strv names = {}, uuids = {};
	char dir[PATH_MAX];
	int r = journal_list(host, &uuids);

	if (r < 0 && r != -ENOENT)
		return r;
	r = 0;
	for (size_t i = 0; i < uuids.n && r == 0; i++) {
		_cleanup_(journal_done) struct journal journal = { .fd = -1 };

		if (journal_read(host, uuids.v[i], &journal, NULL) == 0 && journal.domain)
			r = add_name(&names, journal.domain);
	}
	snprintf(dir, sizeof(dir), "%s/conf.d", hooks_dir);
	if (r == 0)
		r = add_files(host, dir, ".ini", &names);
	if (r == 0)
		r = add_files(host, LOG_DIR, ".log", &names);
	if (r < 0)
		return r;
	strv_sort(&names);
	*ret = names;
	names = (struct strv){};
	return 0;
}

struct value_job {
	const struct host *host;
	const struct record *record;
};

static int read_value(void *arg, char text[GUARD_TEXT_MAX])
{
	const struct value_job *job = arg;
	_cleanup_free_ char *value = NULL;
	int r = job->record->kind->read(job->host, job->record->target, &value, NULL);

	if (r == 0)
		snprintf(text, GUARD_TEXT_MAX, "%s", value);
	return r;
}

int status_value_now(const struct host *host, const struct record *record, char **ret)
{
	struct run run = { .host = *host, .cancel_fd = -1 };
	struct value_job arg = { .host = host, .record = record };
	struct guard_job job = { .what = "read", .fn = read_value, .arg = &arg };
	char text[GUARD_TEXT_MAX] = "";
	int r;

	if (!record->kind)
		return -ENOSYS;
	r = guard_run(&run, &job, text, NULL);
	if (r < 0)
		return r;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

bool status_left_is_there(const struct host *host, const struct domain_status *status,
			  const struct journal_child *child)
{
	uint64_t now;

	return (child->left || status->state != DOMAIN_BUSY) &&
	       process_start_time(host, child->pid, &now) == 0 && now == child->start;
}

bool status_needs_attention(const struct host *host, const struct domain_status *status)
{
	for (size_t i = 0; i < status->journal.n_children; i++)
		if (status_left_is_there(host, status, &status->journal.children[i]))
			return true;
	return status->state == DOMAIN_ORPHANED || status->state == DOMAIN_INTERRUPTED;
}

void domain_status_done(struct domain_status *status)
{
	free(status->name);
	journal_done(&status->journal);
	phase_log_done(&status->log);
	*status = (struct domain_status){ .journal.fd = -1 };
}
