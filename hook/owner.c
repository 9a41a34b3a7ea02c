/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device has one owner, and a dead owner blocks nobody: a daemon that crashed in the
 * middle of prepare never calls release (it forgets the domain).
 */
#include <sys/mman.h>

#include "holders.h"
#include "owner.h"
#include "phase.h"
#include "process_walk.h"

static bool process_is(const struct host *host, int pid, uint64_t start)
{
	uint64_t now;

	return pid > 0 && process_start_time(host, pid, &now) == 0 && now == start;
}

/* libvirt gives QEMU the domain's UUID on its command line: "-uuid", UUID. */
static bool cmdline_has_uuid(const char *cmdline, size_t len, const char *uuid)
{
	for (const char *p = cmdline; p < cmdline + len; p += strlen(p) + 1)
		if (streq(p, "-uuid") && p + 6 < cmdline + len && streq(p + 6, uuid))
			return true;
	return false;
}

/* By the name of its executable, which the kernel tells whatever the process is at. */
static bool is_qemu(const struct host *host, int pid)
{
	char exe[NAME_MAX + 1];

	return host_link_name(host, exe, sizeof(exe), "/proc/%d/exe", pid) >= 0 &&
	       (strstr(exe, "qemu") || strstr(exe, "kvm"));
}

struct qemu_search {
	struct walk_memory walk;
	int pid;
};

static void look_for_uuid(struct process_walk *walk, int pid)
{
	struct qemu_search *search = (struct qemu_search *)walk->memory;
	char cmdline[65536];
	int n;

	if (search->pid || !is_qemu(walk->host, pid))
		return;
	n = host_read(walk->host, cmdline, sizeof(cmdline), "/proc/%d/cmdline", pid);
	if (n > 0 && cmdline_has_uuid(cmdline, (size_t)n, walk->arg))
		search->pid = pid;
}

static void search_done(struct qemu_search **search)
{
	if (*search)
		munmap(*search, sizeof(**search));
}

/* A QEMU that hangs in the kernel and tells nothing may be the one. */
int owner_qemu(const struct host *host, const char *uuid)
{
	_cleanup_(search_done) struct qemu_search *search =
		walk_memory_new(sizeof(*search));
	_cleanup_(process_walk_done) struct process_walk walk = {
		.host = host, .look = look_for_uuid, .arg = (void *)(uintptr_t)uuid
	};

	if (!search)
		return -ENOMEM;
	walk.memory = &search->walk;
	if (process_walk(&walk, NULL) < 0)
		return -EIO;
	if (search->pid)
		return search->pid;
	for (size_t i = 0; i < walk.n_hung; i++)
		if (is_qemu(host, walk.hung[i]))
			return -ETIMEDOUT;
	return walk.skipped ? -ETIMEDOUT : 0;
}

int journal_functions(const struct journal *journal, struct pci_list *ret)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < journal->n_baselines; i++) {
		struct pci_function fn = {};

		snprintf(fn.name, sizeof(fn.name), "%s", journal->baselines[i].name);
		r = pci_parse_addr(fn.name, &fn.addr, NULL);
		if (r == 0)
			r = pci_list_add(ret, &fn);
	}
	return r;
}

static bool vfio_is_open(const struct host *host, const struct journal *journal)
{
	_cleanup_(holder_list_done) struct holder_list holders = {};
	_cleanup_(pci_list_done) struct pci_list functions = {};

	if (journal->n_baselines == 0)
		return false;
	if (journal_functions(journal, &functions) < 0 ||
	    holders_scan(host, &functions, &holders, NULL) < 0)
		return true;
	for (size_t i = 0; i < holders.n; i++)
		if (holders.holder[i].is_vfio)
			return true;
	return false;
}

/* What the boot took goes back only when no domain has it. */
static int refuse_owned(const struct host *host, const struct journal *boot,
			struct error *err)
{
	_cleanup_strv_ struct strv uuids = {};
	int r = journal_list(host, &uuids);

	for (size_t i = 0; r == 0 && i < uuids.n; i++) {
		_cleanup_(journal_done) struct journal other = { .fd = -1 };
		char word[SHELL_WORD_MAX];

		if (journal_is_boot(uuids.v[i]) ||
		    journal_read(host, uuids.v[i], &other, NULL) < 0)
			continue;
		for (size_t k = 0; k < boot->n_baselines; k++)
			if (journal_find_baseline(&other, boot->baselines[k].name))
				return error_set(err, -EBUSY,
						 "%s belongs to domain %s now: stop it "
						 "first, or run: vfio-hook undo %s",
						 boot->baselines[k].name, other.domain,
						 shell_word(other.domain, word,
							    sizeof(word)));
	}
	return r;
}

/* Nobody gets a device pulled from under a running guest. */
int owner_refuse_in_use(const struct host *host, const struct journal *journal,
			struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list holders = {};
	_cleanup_(pci_list_done) struct pci_list functions = {};
	_cleanup_free_ char *who = NULL;
	int r = journal_is_boot(journal->uuid) ? refuse_owned(host, journal, err) : 0;

	if (r == 0)
		r = journal_functions(journal, &functions);
	if (r < 0 || functions.n == 0)
		return r;
	r = holders_scan(host, &functions, &holders, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < holders.n; i++) {
		if (!holders.holder[i].is_vfio)
			continue;
		who = holders_describe(&holders);
		return error_set(err, -EBUSY,
				 "%s is running: %s holds its devices; stop it first",
				 journal->domain, who ? who : "a process");
	}
	return 0;
}

bool owner_is_alive(const struct host *host, const struct journal *journal)
{
	return journal_is_boot(journal->uuid) ||
	       process_is(host, journal->owner_pid, journal->owner_start) ||
	       owner_qemu(host, journal->uuid) != 0 || vfio_is_open(host, journal);
}

bool owner_is_starting(const struct host *host, const struct journal *journal)
{
	enum phase_state prepare = journal->phases[PHASE_PREPARE];

	return (prepare == PHASE_STATE_BEGUN || prepare == PHASE_STATE_COMPLETE) &&
	       journal->phases[PHASE_RELEASE] == PHASE_STATE_NONE &&
	       process_is(host, journal->owner_pid, journal->owner_start) &&
	       owner_qemu(host, journal->uuid) == 0;
}

bool owner_of_is_alive(const struct host *host, const char *uuid)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	return journal_read(host, uuid, &journal, NULL) < 0 ||
	       owner_is_alive(host, &journal);
}

int owner_undo(const struct host *host, const char *uuid, const struct run *wait,
	       struct error *err)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	struct domain domain = { .uuid = (char *)(uintptr_t)uuid };
	struct run run = { .host = { .root = host->root },
			   .domain = &domain,
			   .undo_by = wait ? wait->budget : 0,
			   .cancel_fd = -1 };
	int r = journal_read(host, uuid, &journal, err);

	if (r < 0)
		return r;
	domain.name = journal.domain;
	run.hooks_dir = HOOKS_DIR;
	event_of_phase(&run.event, domain.name, PHASE_NONE);
	r = phase_undo_orphan(&run, wait, err);
	report_done(&run.report);
	return r;
}
