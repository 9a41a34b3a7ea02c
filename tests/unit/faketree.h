/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine made of files, which reacts to writes as sysfs does: a write to `unbind`
 * takes the `driver` link away, one to `bind` sets it if driver_override allows, a
 * module that is loaded finds its devices, hugepages run out.
 *
 * A program is linked with it and with
 *	-Wl,--wrap=host_write,--wrap=kmod_load,--wrap=kmod_remove,--wrap=kmod_available
 *	-Wl,--wrap=write,--wrap=unlink,--wrap=host_open_alone,--wrap=fork,--wrap=run_problem
 *	-Wl,--wrap=run_problem_why
 * so that the reaction is there when the write returns, in forked children too. One tree
 * at a time; every function ends the program when it fails.
 */
#pragma once

#include "host.h"

enum fake_failure {
	FAKE_ERRNO, /* the write fails */
	FAKE_SILENT, /* it succeeds and does nothing */
	FAKE_HANG, /* it does not return, as an unbind of a GPU in use */
};

/* Makes an empty machine with a PCI bus, vfio-pci registered; *HOST gets its root. */
void faketree_new(struct host *host);
/* Ends the program when a problem was reported that no cure was told for. */
void faketree_free(void);
const char *faketree_root(void);

/* Files and links, their directories are made. Paths are those of the machine. */
void faketree_file(const char *text, const char *fmt, ...) _printf_(2, 3);
void faketree_link(const char *target, const char *fmt, ...) _printf_(2, 3);
/*
 * A file that nobody else gets open, for less than a minute, until the descriptor is closed: we
 * have a lease on it, and are deaf to the signal that asks for it.
 */
int faketree_stuck(const char *path);
/* The text without its last newline, in a buffer that the next call uses again. */
const char *faketree_read(const char *fmt, ...) _printf_(1, 2);
/* The driver of a function, "" if none; the same buffer. */
const char *faketree_driver_of(const char *function);
/* Every file of /sys with its text and every link, sorted: to compare before and after. */
char *faketree_snapshot(void);

/* A module that can be loaded, with the PCI driver it brings (or NULL). */
void faketree_module(const char *name, const char *driver);
/* USER depends on NAME while both are loaded. */
void faketree_module_use(const char *name, const char *user);
/* Loads it, as for the state at the start; further references are open files. It has a
 * parameter debug, which is 0 then, or as a step loads it with. */
void faketree_module_load(const char *name);
void faketree_module_refs(const char *name, unsigned references);

/*
 * A function: ID "10de:1e84", CLASS "030000", HOME the driver that binds it by its ids
 * (or NULL) and has it now if it is registered, GROUP its IOMMU group (or NULL).
 */
void faketree_pci(const char *name, const char *id, const char *class, const char *home,
		  const char *group);
/* A disk below a function, without any file of its own. */
void faketree_disk(const char *disk, const char *function);
/* A group that a guest owns: native drivers cannot bind in it. */
void faketree_group_owned(const char *group, bool owned);
/* Every probe but vfio's fails with EIO, until the function is removed and rescanned. */
void faketree_wedge(const char *function);
/* NAME as in "(M) frame buffer device". */
void faketree_vtcon(unsigned number, const char *name, bool bound);
/* Pool of SIZE kB pages with room for LIMIT. */
void faketree_hugepages(unsigned size_kb, unsigned pages, unsigned limit);
/* "efi-framebuffer.0" on driver DRIVER, alive. */
void faketree_platform(const char *name, const char *driver);
/* A program in /usr/sbin: TEXT for sh, with the root of the tree as $R. */
void faketree_program(const char *name, const char *text);
/* A file's SELinux label, which a host without SELinux may not set. */
void faketree_label(const char *path, const char *label);
/* A process with NODE open. */
void faketree_process(int pid, const char *comm, const char *unit, const char *node);
void faketree_process_gone(int pid);

/* Writes to paths that end with SUFFIX fail from now on, or writes of VALUE where it ends
 * with "PATH VALUE"; "load" and "remove" are those of modules; NULL: no write any more. */
void faketree_fail(const char *suffix, enum fake_failure how, int error);
/* How many writes, loads and removals there were; /.fake/writes has them all. */
unsigned faketree_writes(void);

/* What another does just then: the first write to a path that ends with SUFFIX adds TEXT to
 * the file PATH before it is made. */
void faketree_meanwhile(const char *suffix, const char *path, const char *text);

/* From now on no process can be made, as with pids.max reached; or again. */
void faketree_no_forks(bool none);

enum fake_fault {
	FAULT_ERRNO,
	FAULT_SHORT, /* half a line of the journal; other changes fail */
	FAULT_KILL, /* the process that called faketree_fault(), and the one at work */
};

/* The AT-th change from now on (0: none), of host or journal, has the fault. */
void faketree_fault(unsigned at, enum fake_fault how, int error);
/* How many changes there were since; the one that had the fault. */
unsigned faketree_faults(const char **ret_path);
