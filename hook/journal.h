/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

#include "error.h"
#include "event.h"
#include "host.h"
#include "pci.h"
#include "state.h"

/*
 * /run/vfio-hook/UUID.journal: what a domain's phases found and changed, a line each,
 * written before the change is made. It is enough by itself to put everything back:
 * config and plugins may be gone by then. Lines are tab-separated fields with \t, \n
 * and \\ escaped; a last line without its newline was torn by a crash and is ignored.
 */
#define JOURNAL_VERSION 1

struct run;

/* One target: its first old value and its latest new one. */
struct record {
	unsigned seq; /* of the first line about this target: undo goes from high to low */
	const struct state_kind *kind; /* NULL: unknown to this version */
	char *kind_name;
	char *target;
	char *old, *new;
	char *data; /* the kind's own, "" if none */
	enum phase phase; /* in which the target was first touched */
	int64_t when; /* of the first line, about now_ms(): the age of a claim */
	bool struck; /* put back, or made final by a later phase */
};

/* A PCI function before anything was changed. */
struct baseline {
	char name[PCI_ADDR_LEN];
	char *driver, *module, *override, *power_control, *d3cold_allowed, *reset_method;
	char *id; /* "10de:1e84" */
};

/* A child in a call of the kernel's that may never return (guard.h). */
struct journal_child {
	int pid;
	uint64_t start; /* process_start_time(); 0: not known */
	char *what; /* "unbind of 0000:0a:00.0 from snd_hda_intel" */
	bool left; /* nobody waits for it any more */
};

enum phase_state {
	PHASE_STATE_NONE,
	PHASE_STATE_BEGUN,
	PHASE_STATE_COMPLETE,
	PHASE_STATE_UNDONE,
	PHASE_STATE_REFUSED, /* undone, and no script of the domain's tree was started */
};

struct journal {
	int fd; /* -1: read only, or not open */
	char *path;
	char *uuid, *domain;
	char *boot_id;
	int owner_pid; /* the daemon that called the hook, or 0 */
	uint64_t owner_start;
	struct record *records;
	size_t n;
	struct baseline *baselines;
	size_t n_baselines;
	struct journal_child *children; /* of which no return is known */
	size_t n_children;
	enum phase_state phases[PHASE_NONE];
	unsigned next_seq;
	int64_t size; /* when it was read, and what we have added since */
	int64_t room; /* bytes that the file system keeps for it */
	bool in_memory; /* its file system has no disk */
	bool way_back; /* what is written now is what the room is for */
};

/* Makes /run/vfio-hook (0700) if needed; refuses a symlink or a foreign owner. */
int journal_dir(const struct host *host, struct error *err);
/* Are there any journals at all? Cheap: one readdir. */
bool journal_any(const struct host *host);
/*
 * Opens UUID's journal for appending, making it when CREATE, and reads what it holds.
 * While another vfio-hook is at work on it, it is waited for as long as the run WAIT has
 * time (NULL: not at all). -ENOENT: there is none. -ESTALE: it is from another boot (set
 * aside with a new name, then as if there were none). Other errors: ERR.
 */
int journal_open(const struct host *host, const char *uuid, const char *domain,
		 bool create, const struct run *wait, struct journal *ret,
		 struct error *err);
/* Finds the UUID of the domain's own journal by its name; the caller frees. */
int journal_find_by_name(const struct host *host, const char *domain, char **ret_uuid);
/* Reads one journal without opening it for writing. */
int journal_read(const struct host *host, const char *uuid, struct journal *ret,
		 struct error *err);
/* Reads it anew: another domain may have handed a claim on to us. */
int journal_reload(const struct host *host, struct journal *journal, struct error *err);
/*
 * Another domain's journal, to hand a claim on (journal_set_old) under the host-wide
 * lock: without the lock of its own, which its owner may hold while it waits for ours.
 */
int journal_open_foreign(const struct host *host, const char *uuid, struct journal *ret,
			 struct error *err);
/* UUIDs of all journals. */
int journal_list(const struct host *host, struct strv *ret);
/*
 * What [boot/begin] changed is in a journal of its own, with the name of the config in
 * the place of a UUID: no release undoes it, nobody has to stand behind it, and its
 * devices are for any domain that comes for them. The caller frees *RET.
 */
int journal_boot_name(const char *domain, char **ret);
bool journal_is_boot(const char *uuid);

/* Each of these is on disk (in the tmpfs) when it returns. */
int journal_baseline(struct journal *journal, const struct baseline *baseline,
		     struct error *err);
int journal_record(struct journal *journal, const struct state_kind *kind,
		   const char *target, const char *old, const char *new, const char *data,
		   enum phase phase, struct error *err);
/*
 * The same of a target on which others have claims: it is the youngest, as the youngest of
 * those is of AFTER. Clocks do not tell that of two in one millisecond.
 */
int journal_claim(struct journal *journal, const struct state_kind *kind,
		  const char *target, const char *old, const char *new, const char *data,
		  enum phase phase, int64_t after, struct error *err);
int journal_strike(struct journal *journal, const struct state_kind *kind,
		   const char *target, struct error *err);
/*
 * Gives a record of another domain a new old value (a claim moves on), and new data unless
 * that is NULL.
 */
int journal_set_old(struct journal *journal, const struct state_kind *kind,
		    const char *target, const char *old, const char *data,
		    struct error *err);
int journal_phase(struct journal *journal, enum phase phase, enum phase_state state,
		  struct error *err);
/* A child is about to make its call; it has returned; it is left behind in it. */
int journal_child(struct journal *journal, int pid, uint64_t start, const char *what,
		  struct error *err);
int journal_returned(struct journal *journal, int pid, struct error *err);
int journal_left(struct journal *journal, int pid, uint64_t start, const char *what,
		 struct error *err);
int journal_owner(struct journal *journal, int pid, uint64_t start, struct error *err);
/* The same as journal_record() in memory only: for a plan, which writes nothing. */
int journal_imagine(struct journal *journal, const struct state_kind *kind,
		    const char *target, const char *old, const char *new,
		    const char *data, enum phase phase);
struct record *journal_find(const struct journal *journal, const struct state_kind *kind,
			    const char *target);
const struct baseline *journal_find_baseline(const struct journal *journal,
					     const char *name);
/* Does anything wait to be put back? */
bool journal_has_open_records(const struct journal *journal);
/* Removes the file, or empties it: nothing is left to put back. */
int journal_remove(struct journal *journal);
void journal_done(struct journal *journal);
void baseline_done(struct baseline *baseline);
/* A record that outlives what the journal does to its own. */
int record_copy(const struct record *record, struct record *ret);
void record_done(struct record *record);

/* A file in /run/vfio-hook that stands for a lock, open. */
struct lock_file {
	int fd; /* -1: it is not */
	dev_t dev;
	ino_t ino;
	bool held;
};

/* The host-wide lock, taken; {}: it is not. */
struct journal_lock {
	struct lock_file *kept; /* the host's */
	int fd; /* if it keeps none */
	bool taken;
};

/*
 * The host-wide lock for claims and bookkeeping; never held over a wait. Its file may stay
 * open from one use to the next (struct host), and is looked at each time: who has taken it
 * away has locked nobody out.
 */
int journal_lock(const struct host *host, int64_t deadline, struct journal_lock *ret,
		 struct error *err);
void journal_unlock(struct journal_lock *lock);
/*
 * A pool of huge pages only takes absolute numbers, so that two who change it must take
 * turns for as long as the kernel needs: they do so here, and hold up nobody else. DOMAIN
 * is named to those who wait in vain.
 */
int journal_lock_pages(const struct host *host, const char *domain, int64_t deadline,
		       int *ret_fd, struct error *err);
