/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a module stays: who has it in use, by name.
 */
#include "holders.h"
#include "kmod.h"
#include "kmod_blame.h"

/* Adds what must be unloaded before NAME, outermost first. */
static void unload_order(const struct host *host, const char *name, struct strv *ret)
{
	_cleanup_strv_ struct strv holders = { 0 };

	kmod_holders(host, name, &holders);
	for (size_t i = 0; i < holders.n; i++) {
		unload_order(host, holders.v[i], ret);
		if (!strv_contains(ret, holders.v[i]))
			strv_add(ret, holders.v[i]);
	}
}

static int functions_of(const struct host *host, const char *name, struct pci_list *ret)
{
	_cleanup_strv_ struct strv names = { 0 };
	int r = kmod_pci_functions(host, name, &names);

	for (size_t i = 0; i < names.n && r == 0; i++) {
		struct pci_function fn = { .name = "" };

		if (pci_parse_addr(names.v[i], &fn.addr, NULL) < 0)
			continue;
		pci_format_addr(&fn.addr, fn.name);
		r = pci_list_add(ret, &fn);
	}
	return r;
}

/* Names the processes that keep NAME in use, and the unit to stop when it is known. */
static int blame_processes(struct run *run, const char *name, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list list = { 0 };
	_cleanup_(pci_list_done) struct pci_list functions = { 0 };
	_cleanup_error_ struct error ignored = { 0 };
	_cleanup_free_ char *who = NULL, *unseen = NULL;

	if (functions_of(&run->host, name, &functions) < 0 || !functions.n ||
	    holders_scan(&run->host, &functions, &list, &ignored) < 0)
		return -ENOENT;
	unseen = holders_unreadable(&list);
	if (!list.n && unseen)
		return error_set(err, -EBUSY,
				 "%s is in use, by whom is not known, as %s (AppArmor? "
				 "vfio-hook check tells)",
				 name, unseen);
	if (!list.n)
		return -ENOENT;
	who = holders_describe(&list);
	if (!who)
		return -ENOMEM;
	if (str_ends(list.holder[0].unit, ".service"))
		return error_set(err, -EBUSY, "%s is held by %s: stop %s first", name,
				 who, list.holder[0].unit);
	return error_set(err, -EBUSY, "%s is held by %s: end %s first", name, who,
			 str_ends(list.holder[0].unit, ".scope") ? "its session" : "it");
}

static int in_use(struct run *run, const char *name, struct error *err)
{
	_cleanup_free_ char *commas = NULL, *blanks = NULL;
	_cleanup_strv_ struct strv order = { 0 };
	int count;

	unload_order(&run->host, name, &order);
	if (order.n) {
		commas = strv_join(&order, ", ");
		blanks = strv_join(&order, " ");
		if (!commas || !blanks)
			return error_oom(err);
		return error_set(err, -EBUSY,
				 "%s is in use by %s; unload %s first: kmod.unload = %s %s",
				 name, commas, order.n > 1 ? "them" : "it", blanks, name);
	}
	if (blame_processes(run, name, err) == -EBUSY)
		return -EBUSY;
	count = kmod_refcount(&run->host, name);
	return error_set(
		err, -EBUSY,
		"%s is in use (reference count %d) and no process with one of its"
		" nodes open is found: a mapping, a dma-buf or the console may hold"
		" it (vtconsole.unbind lets go of the console)",
		name, count < 0 ? 0 : count);
}

int kmod_blame(struct run *run, const char *name, int r, struct error *err)
{
	switch (r) {
	case -EAGAIN:
		return in_use(run, name, err);
	case -EBUSY:
		return error_set(err, r,
				 "%s cannot be unloaded: it is being loaded or unloaded, or"
				 " was built without a way out",
				 name);
	case -EPERM:
		return error_set(err, r,
				 "%s cannot be unloaded: the kernel lets nobody do so"
				 " (kernel.modules_disabled=1, or a missing capability)",
				 name);
	default:
		return error_errno(err, r, "%s cannot be unloaded", name);
	}
}
