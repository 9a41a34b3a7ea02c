/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "state.h"

/*
 * CPUs of control groups (cgroup v2).
 *
 * The kind "partition" is a group below the root, "machine.slice": "member", or "root"
 * and its CPUs ("root 2-3"), which nobody outside may use then; a cpuset.cpus of an
 * ordinary member is behind it, too ("member 0-3"). A group deeper down has no CPUs of its
 * own then ("root"): they are what the kind "exclusive-cpus" has set aside for it, in it and
 * in each group above. Of "machine.slice 2-3" that is "exclusive" or "". The kind
 * "allowed-cpus" is the explicit mask of a unit of systemd's, "" for none.
 */
/* Data of "allowed-cpus": the mask found is the kernel's alone, systemd has none. */
#define ALLOWED_CPUS_UNKNOWN "unknown to systemd"
#define CGROUP "/sys/fs/cgroup"

/* Can the group become a partition with these CPUs, as far as can be told beforehand? */
bool partition_possible(const struct host *host, const char *group, const char *cpus,
			char why[256]);
/* One small file of a group; "" when it is not there. */
const char *cgroup_read(const struct host *host, const char *group, const char *file,
			char *buf, size_t size);
/* Writes one of them, by a child. */
int cgroup_put(struct run *run, const char *group, const char *file, const char *value,
	       struct error *err);
/* The group that is made for the running guest UUID alone. -ENOENT: there is none. */
int cgroup_of_guest(const struct host *host, const char *uuid, char *buf, size_t size);
