/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config.h"
#include "domain.h"
#include "journal.h"

struct journals;

/* What a step found or would change, for plan, log and JSON. */
enum report_kind {
	REPORT_CHANGE, /* what: now → then */
	REPORT_NOTE,
	REPORT_WARNING,
	REPORT_PROBLEM, /* the start would fail */
};

struct report_item {
	enum report_kind kind;
	const struct step *step; /* NULL: the plan as a whole */
	char *what; /* "0000:0a:00.0 driver"; or the text of a note, … */
	char *now, *then; /* of a change */
	char *cure; /* commands or lines to put in, one a line; or NULL */
	const struct state_kind *state; /* its target's; NULL: nothing puts it back */
	char *target; /* as the kind names it, where there is one */
	char *data; /* the kind's own, or NULL */
	int code; /* of a problem: the negative errno it would end with */
};

struct report {
	struct report_item *items;
	size_t n;
	char *cure; /* for the warning or problem that comes next */
	const char *clause; /* ends the text of the problem that comes next; or NULL */
};

void report_done(struct report *report);
/* "now → then", or what was done: the words of a change in plan and log. May be NULL. */
char *report_values(const char *now, const char *then);
/* Problems to the front, the worst first: what would hang or lose data. */
void report_sort(struct report *report);

/* What whoever watches a run by hand is told; the run itself prints nothing. */
enum run_event {
	RUN_BEGINS, /* a step: its line */
	RUN_GOES_ON, /* how far it is, or what is waited for; often */
	RUN_DONE, /* a step, with its time */
	RUN_FAILED, /* a step, with its time */
	RUN_ENDS, /* nothing is at work any more */
};

struct observer {
	void (*tell)(struct observer *observer, enum run_event event, const char *text);
};

/*
 * One phase of one domain on its way. SIMULATE: effects change the overlay only, and
 * problems are collected instead of ending the run.
 */
struct run {
	struct host host;
	struct event event;
	const struct domain *domain;
	const struct config *config; /* NULL: the domain has none */
	const struct journal *planned; /* while simulating a way back; else NULL */
	struct journal *journal; /* NULL while simulating */
	struct journals *journals; /* all there are, looked at once; NULL: each time */
	const char *hooks_dir; /* below the root */
	char *xml; /* for the scripts' stdin */
	size_t xml_len;
	struct pci_list pci; /* the machine when the plan was made */
	const struct step *step; /* the one at work, or NULL */
	int64_t deadline; /* of the step at work, now_ms() */
	int64_t budget; /* of the phase */
	int64_t promised; /* the budget does not end before; 0: nothing is promised */
	int64_t undo_by; /* a way back has time until then; 0: as much as is usual */
	int64_t patience; /* with one record while undoing, in ms; 0: the usual */
	bool simulate;
	bool undoing;
	bool after_refusal; /* on the way down, behind a prepare that undid itself */
	bool forget; /* undo by hand: what cannot be put back is given up */
	bool early; /* in the initramfs: nothing that it waits for will come there */
	bool put_off; /* for that reason, to when more is there */
	bool scripts_begun; /* a script of the domain's tree was started */
	struct report report;
	char *variants; /* what the kernel says of its VFIO drivers (vfio.c); NULL: not read */
	struct strv plain; /* functions that no variant of vfio-pci is for (vfio.c) */
	struct strv dead; /* UUIDs of dead owners of our targets: undone before we act */
	struct observer *observer; /* NULL: nobody watches */
	char awaited[256]; /* for the observer: what run_wait() waits for */
	int cancel_fd; /* signalfd of SIGTERM, SIGINT; -1: none */
	int caller; /* the daemon that called us and must live, or 0 */
	int owner; /* who stands behind a prepare by hand; 0: who called */
};

/* Does it change things, and not put them back? */
bool run_is_way_up(const struct run *run);
/* Was the run told to end: a signal, or the daemon is gone? Then -ECANCELED. */
int run_cancelled(const struct run *run, struct error *err);

/* Tells the observer, if there is one. */
void run_tell(struct run *run, enum run_event event, const char *fmt, ...) _printf_(3, 4);
/* What the next run_wait(), or the one at work, waits for: "x.service to stop". */
void run_awaits(struct run *run, const char *fmt, ...) _printf_(2, 3);

/* The phase's budget begins to run: timeout= of the config going up, a fixed one down. */
void run_start_clock(struct run *run);
/* The time left for what goes on now, in milliseconds, never negative. */
int64_t run_time_left(const struct run *run);
/* The earlier of the step's deadline and the phase's. */
int64_t run_deadline(const struct run *run);
/*
 * On the way down whatever comes next gets a few seconds, even when what came before has
 * used up the time of all: what was changed first (the desktop's service) comes last.
 */
void run_promise_time(struct run *run);

/*
 * Findings. run_problem() is for what makes the start fail: while simulating it is
 * collected and 0 returned, so that all are found; in a real run it fills ERR and
 * returns CODE.
 */
int run_problem(struct run *run, int code, struct error *err, const char *fmt, ...)
	_printf_(4, 5);
/* The same with the text and the cure of WHY. */
int run_problem_why(struct run *run, int code, struct error *err, const struct error *why);
/*
 * For the warning or problem that is told next: what its text says to do, as the commands
 * or lines to put in alone, one a line.
 */
void run_cure(struct run *run, const char *fmt, ...) _printf_(2, 3);
/* None for what comes next. */
void run_forget_cure(struct run *run);
/*
 * The line of the step with '-' in front, as the cure, and CLAUSE, which is kept, at the end of
 * the problem's text. Nothing, where it is marked so already.
 */
void run_cure_optional(struct run *run, const char *clause);
#define PUT_DASH "put '-' in front of the line if it is not always there"
/* STEP's line with OPTION=VALUE (VALUE is NULL: without OPTION), as the cure. */
void run_cure_option(struct run *run, const struct step *step, const char *option,
		     const char *value);
/* Is TEXT in the report already? */
bool run_said(const struct run *run, const char *text);
void run_warn(struct run *run, const char *fmt, ...) _printf_(2, 3);
void run_note(struct run *run, const char *fmt, ...) _printf_(2, 3);

/*
 * Waits until DONE(run, arg) is > 0; it is asked every few milliseconds, then less
 * often. Negative: an error, passed on. At the deadline -ETIMEDOUT without ERR: the
 * caller says what it waited for. While simulating DONE is asked once; not yet is
 * then a 0, too.
 */
int run_wait(struct run *run, int (*done)(struct run *run, void *arg, struct error *err),
	     void *arg, struct error *err);

/*
 * The functions that the words of a device step name: addresses in all forms, ids,
 * names of sets; without words every set, else the XML's PCI hostdevs. Each at most
 * once, in the order written.
 */
int run_devices(struct run *run, const struct strv *words, struct pci_list *ret,
		struct error *err);
/* Those that can be found; the step itself tells of the others. */
int run_known_devices(struct run *run, const struct strv *words, struct pci_list *ret,
		      struct error *err);
/*
 * All functions that leave the host in this start: those of the plan's pci.detach steps,
 * over the whole phase, and the XML's managed hostdevs, which libvirt detaches.
 */
int run_planned_devices(struct run *run, struct pci_list *ret, struct error *err);
/* Of these: without what only steps marked "-" take; without what only libvirt detaches. */
int run_needed_devices(struct run *run, struct pci_list *ret, struct error *err);
int run_detached_devices(struct run *run, struct pci_list *ret, struct error *err);
/* What pci.remove takes off the bus on the way up, in whatever phase. */
int run_removed_devices(struct run *run, struct pci_list *ret, struct error *err);
