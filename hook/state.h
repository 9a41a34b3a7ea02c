/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/*
 * The host as steps see it: targets that have a kind, a name and a value. A value is
 * text; "" means unbound, absent, unset. Because a kind can both read and set its
 * targets, undo needs no code of the step that made a change: the journal's old value
 * is set again by the same kind.
 *
 *   kind        target                            values
 *   attr        /sys/… or /proc/… path            the file's text
 *   override    0000:0a:00.0                      driver_override; "" unset
 *   driver      0000:0a:00.0                      name of the bound driver
 *   function    0000:0a:00.0                      "present"; "" not on the bus
 *   hold        0000:0a:00.0                      "" (hold.h)
 *   bar         0000:0a:00.0 1                    size of a memory window, "256M"
 *   drm         0000:0a:00.0/drm/card0            "removed", as programs were told
 *   module      nvidia_drm                        "loaded", "builtin", ""
 *   vtcon       frame buffer device               "1", "0"; "" no such console
 *   platform    efi-framebuffer.0                 name of the bound driver
 *   unit        lightdm.service, uid@x.service    "active", "inactive"; "" unknown
 *   pages       hugepages-2048kB/node0            persistent pages (a number)
 *   partition   machine.slice                     "member", "root 2-3" (cgroup.h)
 *   allowed-cpus system.slice                     CPUs of an explicit mask; "" none
 *   exclusive-cpus machine.slice 2-3           "exclusive", "" (cgroup.h)
 *   irq         24 nvme0q1                        smp_affinity_list; "" another action
 *   session     seat0                             "open", "ended" (one way)
 *   exec        program and arguments             "run" (its undo is a program, too)
 *   write       /sys/… or /proc/… path            what was written (nothing is read)
 */
struct run;
struct record;

struct state_kind {
	const char *name;
	/* Several domains may want the same target at once; see effect.h on claims. */
	bool shared;
	/* At most one domain may have changed a target (a device has one owner). */
	bool exclusive;
	/* Cannot be put back: journalled for the report only. */
	bool one_way;
	/* Undone before all others: it decides what they will find. */
	bool undo_first;
	/* Is this target, which was OLD, put back when all else is? NULL: none is. */
	bool (*undo_last)(const struct host *host, const char *target, const char *old,
			  const char *data);
	/* OLD and NEW are no absolute values (pages, exec): undo is always asked. */
	bool relative;
	/* Undo has more to do than the value tells: asked even when that is the old one. */
	bool always_undo;
	/* No change of it can bring the machine down: the log need not be on the disk. */
	bool harmless;
	/* The target's value on the real machine; the caller frees *RET. */
	int (*read)(const struct host *host, const char *target, char **ret,
		    struct error *err);
	/*
	 * Makes the value TO; FROM is what was read. RECORD has the target and the
	 * journal's extra data. Must keep run_deadline(), must not journal.
	 */
	int (*change)(struct run *run, const struct record *record, const char *from,
		      const char *to, struct error *err);
	/*
	 * What the journal keeps as data of a target that is made VALUE with DATA, when it has
	 * KNOWN already (or NULL). The caller frees; NULL: no memory. Without it: DATA. Not for
	 * exclusive kinds.
	 */
	char *(*keep)(const struct record *known, const char *value, const char *data);
	/*
	 * The data of another domain's record, OTHERS, that takes over the old value of one
	 * with OURS. The caller frees; NULL: no memory. Without it: OTHERS stays as it is.
	 */
	char *(*inherit)(const char *ours, const char *others);
	/* The way back where it is not simply change(…, record->old); may be NULL. */
	int (*undo)(struct run *run, const struct record *record, const char *now,
		    struct error *err);
	/* Does the overlay change what TARGET reads, beyond its own value? May be NULL. */
	int (*derive)(const struct host *host, const char *target, char **value);
};

extern const struct state_kind state_attr;
extern const struct state_kind state_override;
extern const struct state_kind state_driver;
extern const struct state_kind state_function;
extern const struct state_kind state_bar;
extern const struct state_kind state_drm;
extern const struct state_kind state_module;
extern const struct state_kind state_vtcon;
extern const struct state_kind state_platform;
extern const struct state_kind state_unit;
extern const struct state_kind state_pages;
extern const struct state_kind state_session;
extern const struct state_kind state_partition;
extern const struct state_kind state_allowed_cpus;
extern const struct state_kind state_exclusive;
extern const struct state_kind state_irq;
extern const struct state_kind state_exec;
extern const struct state_kind state_write;

/* By its name in the journal; NULL: a kind of a newer version. */
const struct state_kind *state_kind_find(const char *name);

/*
 * The value of a target as the run sees it: from the overlay if a simulated effect set
 * it, else from the machine. The caller frees *RET, which is never NULL on success.
 */
int state_get(const struct host *host, const struct state_kind *kind, const char *target,
	      char **ret, struct error *err);
/* "driver 0000:0a:00.0", or the path of an attr, in BUF; returns BUF. */
char *state_describe(const struct state_kind *kind, const char *target, char *buf,
		     size_t size);
/* A value for people: "none" instead of "". */
const char *state_value_text(const char *value);
/* Is the value VALUE? False on errors, too. */
bool state_is(const struct host *host, const struct state_kind *kind, const char *target,
	      const char *value);

/* When a target that was OLD, with the journal's DATA, is put back; in a turn newest first. */
enum undo_turn {
	UNDO_EARLY,
	UNDO_IN_ORDER,
	UNDO_LATE,
	N_UNDO_TURNS
};

enum undo_turn state_undo_turn(const struct host *host, const struct state_kind *kind,
			       const char *target, const char *old, const char *data);

/* Simulated values; see struct host. */
struct overlay *overlay_new(void);
int overlay_set(struct overlay *overlay, const struct state_kind *kind,
		const char *target, const char *value);
/* NULL when no simulated effect touched the target. */
const char *overlay_get(const struct overlay *overlay, const struct state_kind *kind,
			const char *target);
/* Did one touch any target of KIND? */
bool overlay_has(const struct overlay *overlay, const struct state_kind *kind);
void overlay_free(struct overlay *overlay);
static inline void overlay_freep(struct overlay **overlay)
{
	overlay_free(*overlay);
}
