/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <limits.h>

#include "util.h"

struct guard_server;
struct lock_file;
struct overlay;

/*
 * The machine we act on. Every path under /sys, /proc, /dev, /run, /etc and /var goes
 * through here, so that --root DIR moves all of them. While a plan is judged, OVERLAY
 * holds what its steps would have changed so far (state.h), else it is NULL.
 */
struct host {
	const char *root; /* "" for the real machine, else without a slash at its end */
	struct overlay *overlay;
	struct guard_server *server; /* guard.h; NULL: each guarded access has a child */
	struct lock_file *lock; /* journal.h; NULL: it is opened for each use */
};

/* FMT with the root in front, in BUF (PATH_MAX bytes); returns BUF. */
char *host_path(const struct host *host, char *buf, const char *fmt, ...) _printf_(3, 4);

/*
 * Reads a small file (sysfs, procfs) into BUF and cuts the newline at its end.
 * Returns the length, or a negative errno.
 */
int host_read(const struct host *host, char *buf, size_t size, const char *fmt, ...)
	_printf_(4, 5);
/* The whole of a file of any size up to 16 MiB, NUL-terminated; the caller frees. */
int host_read_all(const struct host *host, char **ret, const char *fmt, ...)
	_printf_(3, 4);
/* A file that holds one number. */
int host_read_u64(const struct host *host, uint64_t *ret, const char *fmt, ...)
	_printf_(3, 4);
/* One write(2) of VALUE. Never use it for what a release must put back: effect.h. */
int host_write(const struct host *host, const char *value, const char *fmt, ...)
	_printf_(3, 4);
/* The base name of what a symlink points to. */
int host_link_name(const struct host *host, char *buf, size_t size, const char *fmt, ...)
	_printf_(4, 5);
/*
 * Opens a block device for oneself (O_EXCL), and closes it again. -EBUSY: the kernel has
 * given it to somebody else already. May wait for a disk that does not answer.
 */
int host_open_alone(const struct host *host, const char *fmt, ...) _printf_(2, 3);
bool host_exists(const struct host *host, const char *fmt, ...) _printf_(2, 3);
/* The names in a directory, sorted, without those that begin with a dot. */
int host_list(const struct host *host, struct strv *ret, const char *fmt, ...)
	_printf_(3, 4);
/* The boot id of the running kernel, 36 characters and a NUL. */
int host_boot_id(const struct host *host, char buf[37]);
/*
 * What /proc/PID/stat has behind the process's name, which itself may hold anything: "S 1 …",
 * from the third field on. 0 or a negative errno.
 */
int process_stat(const struct host *host, int pid, char *buf, size_t size);
/* When process PID started, in clock ticks since boot: with PID it names a process. */
int process_start_time(const struct host *host, int pid, uint64_t *ret);
