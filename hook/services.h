/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/*
 * A service manager: what stands behind unit_target() and the like (systemd.h), one file
 * each.
 */
struct service_manager {
	const char *name;
	const char *program; /* installed without running it counts, too; or NULL */
	bool (*is_running)(const struct host *host);
	bool (*is_stopping)(const struct host *host);
	int (*target)(const struct host *host, const char *name, const char *user,
		      char **ret, struct error *err);
	int (*state)(const struct host *host, const char *target, char **ret,
		     struct error *err);
	/* As unit_is_starting(); NULL: what runs is there at once. */
	bool (*is_starting)(const struct host *host, const char *target);
	/* As unit_dependants(); NULL: a stop takes nothing along. */
	int (*dependants)(const struct host *host, const char *target, struct strv *ret,
			  struct error *err);
	/* As unit_conflicts(); NULL: a start takes nothing away. */
	int (*conflicts)(const struct host *host, const char *target, struct strv *ret,
			 struct error *err);
	/* VERB: start, stop, restart, reset-failed. */
	int (*call)(struct run *run, const char *target, const char *verb,
		    struct error *err);
};

extern const struct service_manager manager_systemd;
extern const struct service_manager manager_openrc;
extern const struct service_manager manager_runit;

/* "PROPERTY=value" lines of a unit of systemd's; the caller frees *RET. */
int systemd_show(const struct host *host, const char *target, const char *properties,
		 char **ret, struct error *err);
int systemd_dependants(const struct host *host, const char *target, struct strv *ret,
		       struct error *err);
int systemd_conflicts(const struct host *host, const char *target, struct strv *ret,
		      struct error *err);

/* NAME without ".service", after a refusal of USER: only systemd has services of users. */
int service_name(const struct service_manager *manager, const char *name,
		 const char *user, char **ret, struct error *err);
