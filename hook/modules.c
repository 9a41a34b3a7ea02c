/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules as a plan sees them: what is loaded and bound after the steps so far.
 */
#include "modules.h"

#define MAX_DEPTH 16

bool module_is_loaded(const struct host *host, const char *name)
{
	return state_is(host, &state_module, name, "loaded");
}

static int add_in_order(const struct host *host, const char *name, unsigned depth,
			struct strv *ret)
{
	_cleanup_strv_ struct strv holders = {};
	int r;

	if (strv_contains(ret, name) || depth > MAX_DEPTH)
		return 0;
	r = kmod_holders(host, name, &holders);
	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < holders.n; i++) {
		r = module_is_loaded(host, holders.v[i]) ?
			    add_in_order(host, holders.v[i], depth + 1, ret) :
			    0;
		if (r < 0)
			return r;
	}
	return strv_add(ret, name);
}

int module_unload_order(const struct host *host, const struct strv *names,
			struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; i < names->n && r >= 0; i++) {
		char name[MODULE_NAME_LEN];

		kmod_normalise(names->v[i], name, sizeof(name));
		r = add_in_order(host, name, 0, ret);
	}
	return r < 0 ? r : 0;
}

/* A step before may have taken the function from the module already. */
static bool still_bound(const struct host *host, const char *name)
{
	_cleanup_free_ char *now = NULL;
	char real[64];

	if (host_link_name(host, real, sizeof(real), "/sys/bus/pci/devices/%s/driver",
			   name) < 0)
		return false;
	return state_get(host, &state_driver, name, &now, NULL) == 0 && streq(now, real);
}

int module_functions(struct run *run, const char *name, struct pci_list *ret,
		     struct error *err)
{
	_cleanup_strv_ struct strv names = {};
	int r = kmod_pci_functions(&run->host, name, &names);

	if (r < 0)
		return r == -ENOENT ?
			       0 :
			       error_errno(err, r, "cannot list the devices of module %s",
					   name);
	for (size_t i = 0; i < names.n; i++) {
		const struct pci_function *fn = pci_find(&run->pci, names.v[i]);

		if (fn && still_bound(&run->host, fn->name) && pci_list_add(ret, fn) < 0)
			return error_oom(err);
	}
	return 0;
}
