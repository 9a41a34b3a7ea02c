/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last gate. libvirt unbinds managed devices in its own process, and a remove() that
 * waits for a careless process would take the daemon along, for good.
 */
#include "gate.h"
#include "group.h"
#include "holders.h"

/* For *RET "" when there is nothing in the way. */
static int look_at(const struct host *host, const struct pci_function *fn,
		   const char *driver, char **ret, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list list = {};
	struct pci_list one = { .fn = (struct pci_function *)(uintptr_t)fn, .n = 1 };
	_cleanup_free_ char *names = NULL, *cure = NULL;
	int r = holders_scan(host, &one, &list, err);

	if (r < 0)
		return r;
	if (list.n) {
		names = holders_describe(&list);
		cure = holders_cure(&list);
		if (!names || !cure)
			return error_oom(err);
		r = asprintf(ret, "%s is still on %s and held by %s: %s", fn->name,
			     driver, names, cure);
	} else if (streq(driver, "nvidia")) {
		r = asprintf(ret,
			     "%s is still on nvidia with the module loaded: unload it in "
			     "prepare/begin with kmod.unload",
			     fn->name);
	} else {
		return 0;
	}
	return r < 0 ? error_oom(err) : 0;
}

static int look_at_hostdev(const struct host *host, const struct pci_function *fn,
			   struct strv *findings, struct error *err)
{
	_cleanup_free_ char *driver = NULL, *finding = NULL;
	int r = state_get(host, &state_driver, fn->name, &driver, err);

	if (r < 0 || !*driver || pci_driver_is_vfio(host, fn->name, driver))
		return r < 0 ? r : 0;
	r = look_at(host, fn, driver, &finding, err);
	if (r < 0 || !finding)
		return r;
	return strv_add(findings, finding) < 0 ? error_oom(err) : 0;
}

int gate_check(struct run *run, struct error *err)
{
	_cleanup_strv_ struct strv findings = {};
	_cleanup_free_ char *joined = NULL;
	struct host host = run->host;
	int r = 0;

	host.overlay = NULL;
	for (size_t i = 0; run->domain && i < run->domain->n_hostdevs && r == 0; i++) {
		const struct hostdev *hostdev = &run->domain->hostdevs[i];
		struct pci_function fn;

		/* One that is not there is libvirt's to refuse. */
		if (hostdev->managed && run_function(run, hostdev->name, &fn) == 0)
			r = look_at_hostdev(&host, &fn, &findings, err);
	}
	if (r < 0 || !findings.n)
		return r;
	joined = strv_join(&findings, "; ");
	return joined ? error_set(err, -EBUSY,
				  "libvirt would hang on its managed devices: %s",
				  joined) :
			error_oom(err);
}
