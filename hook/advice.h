/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "call.h"
#include "inventory.h"
#include "json.h"

/* What `check` has to say, beyond the plan of prepare. */
enum finding_level {
	FINDING_ADVICE, /* it would go better otherwise */
	FINDING_WARNING, /* it may fail, or something is not as it should be */
	FINDING_PROBLEM, /* a start would fail, or not do what it should */
};

struct finding {
	enum finding_level level;
	char *where; /* "win10.ini:12", or NULL */
	char *text; /* what, and why it matters */
	char *cure; /* commands or lines to put in, one a line; or NULL */
};

struct findings {
	struct finding *items;
	size_t n;
	bool oom; /* something is missing */
};

/* CURE may be NULL. Lack of memory is noted in FINDINGS. */
void finding_add(struct findings *findings, enum finding_level level, const char *cure,
		 const char *fmt, ...) _printf_(4, 5);
enum finding_level findings_worst(const struct findings *findings);
/* The worst first. */
void findings_print(const struct findings *findings, FILE *out);
void findings_print_json(const struct findings *findings, struct json *json);
void findings_done(struct findings *findings);

/* The hook as libvirt finds and runs it, and what confines it. */
void advise_install(const struct host *host, const char *hooks_dir,
		    struct findings *findings);
/* Those that call the hook; ends with NULL. */
extern const char *const advice_daemons[];
/* Will they, or must they look for it first (NULL: none)? A bit for each that runs. */
unsigned advise_daemons(const struct host *host, const char *hook,
			struct findings *findings);
/* IOMMU, vfio modules, locks on modules. */
void advise_host(const struct host *host, struct findings *findings);
/*
 * Whether systemd runs [boot/begin] of the file CONFIG, whose path holds the root already; an
 * initramfs may have a copy of it besides, or alone.
 */
void advise_boot(const struct host *host, const char *config, struct findings *findings);
/* Scripts for one of libvirt's phases; these or a config. */
bool advice_has_scripts(const struct host *host, const char *dir, const char *domain);
bool advice_has_files(const struct call *call);
/* The domain has no config of its own; or its files have no domain, as WHY says. */
void advise_no_config(const struct call *call, struct findings *findings);
void advise_no_domain(const struct call *call, const struct error *why,
		      struct findings *findings);
/* What XML and config disagree on, for prepare; the run has been scanned. */
void advise_devices(struct call *call, const struct inventory *inventory,
		    struct findings *findings);
/* What of it the next guest finds, where the kernel cannot reset ITEM by itself. */
void advise_reset(const struct inventory *inventory, const struct run *run,
		  const struct inventory_item *item, const struct pci_list *planned,
		  struct findings *findings);
/* The lines for a <hostdev> of the function. */
void advice_hostdev_xml(const struct pci_addr *addr, char *buf, size_t size);
/* Why devices of the XML share their groups with others. */
void advise_acs(const struct call *call, const struct inventory *inventory,
		struct findings *findings);
/* What the guest is told of its CPU and its hypervisor. */
void advise_guest(const struct call *call, const struct inventory *inventory,
		  struct findings *findings);
void advise_memory(struct call *call, struct findings *findings);
void advise_cpus(const struct call *call, struct findings *findings);
/* These for a domain; not ALL: nothing, where it would be advice alone. */
void advise_domain(struct call *call, bool all, struct findings *findings);
