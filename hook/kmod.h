/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

/*
 * Kernel modules through libkmod. Each call makes a context of its own: libkmod caches
 * paths, and depmod or a kernel update may run while a guest does.
 */
enum kmod_state {
	KMOD_ABSENT,
	KMOD_LIVE,
	KMOD_BUILTIN,
	KMOD_BUSY, /* coming or going */
};

/* NAME with every '-' made '_', as the kernel names modules; returns BUF. */
char *kmod_normalise(const char *name, char *buf, size_t size);
/* Where the running kernel's modules are, not yet rooted: "/lib/modules/6.1.0-1-amd64". */
void kmod_modules_dir(const struct host *host, char buf[PATH_MAX]);
enum kmod_state kmod_state_of(const struct host *host, const char *name);
/* Can the running kernel load NAME (file there, or built in)? 0, -ENOENT, ERR says more. */
int kmod_available(const struct host *host, const char *name, struct error *err);
/* Has NAME an `install` command in modprobe.d, so that modprobe(8) must load it? */
bool kmod_has_install_command(const struct host *host, const char *name);
/*
 * Adds to RET the modules that have an alias which matches ALIAS ("vfio_pci:v00008086..."),
 * whatever modprobe.d says. None: also where depmod has made no index.
 */
int kmod_aliased(const struct host *host, const char *alias, struct strv *ret);
/* One delete_module(2), nothing else: 0 or a negative errno (-EAGAIN: in use). */
int kmod_remove(const struct host *host, const char *name);
/*
 * Loads NAME as modprobe would: dependencies, softdeps, options of modprobe.d and
 * PARAMS (may be NULL, blank-separated). An install command that is not done at DEADLINE
 * (now_ms()) is ended: -ETIMEDOUT. 0 or a negative errno with ERR filled.
 */
int kmod_load(const struct host *host, const char *name, const char *params,
	      int64_t deadline, struct error *err);
/*
 * What loading NAME would insert now: dependencies and softdeps that are neither loaded
 * nor built in, in load order, and NAME itself. For steps that journal each of them.
 */
int kmod_load_order(const struct host *host, const char *name, struct strv *ret);
/* Names of the modules that depend on NAME now. */
int kmod_holders(const struct host *host, const char *name, struct strv *ret);
/* The module's reference count; -ENOENT when it is not loaded. */
int kmod_refcount(const struct host *host, const char *name);
/* "name=value" of each readable parameter of the loaded module NAME, sorted. */
int kmod_parameters(const struct host *host, const char *name, struct strv *ret);
/* The PCI functions bound to the drivers of module NAME. */
int kmod_pci_functions(const struct host *host, const char *name, struct strv *ret);
