/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last gate. libvirt unbinds managed devices in its own process, and a remove() that
 * waits for a careless process would take the daemon along, for good.
 */
#include "gate.h"
#include "group.h"
#include "holders.h"
#include "log.h"
#include "storage.h"

/* Managed hostdevs that are still on a host driver, and which. */
struct still {
	struct pci_list functions;
	struct strv drivers;
};

static void still_done(struct still *still)
{
	pci_list_done(&still->functions);
	strv_done(&still->drivers);
}

static int add_if_still(const struct host *host, const struct pci_function *fn,
			struct still *still, struct error *err)
{
	_cleanup_free_ char *driver = NULL;
	int r = state_get(host, &state_driver, fn->name, &driver, err);

	if (r < 0 || !*driver || pci_driver_is_vfio(host, fn->name, driver))
		return r < 0 ? r : 0;
	return pci_list_add(&still->functions, fn) < 0 ||
			       strv_add(&still->drivers, driver) < 0 ?
		       error_oom(err) :
		       0;
}

static int find_still(struct run *run, const struct host *host, struct still *still,
		      struct error *err)
{
	int r = 0;

	for (size_t i = 0; run->domain && i < run->domain->n_hostdevs && r == 0; i++) {
		const struct hostdev *hostdev = &run->domain->hostdevs[i];
		struct pci_function fn;

		/* One that is not there is libvirt's to refuse. */
		if (hostdev->managed && run_function(run, hostdev->name, &fn) == 0)
			r = add_if_still(host, &fn, still, err);
	}
	return r;
}

/* Those of the list that hold FUNCTION. */
static int holders_of(const struct holder_list *all, const char *function,
		      struct holder_list *ret)
{
	for (size_t i = 0; i < all->n; i++) {
		if (!streq(all->holder[i].function, function))
			continue;
		if (array_grow(&ret->holder, ret->n, sizeof(*ret->holder)) < 0)
			return -ENOMEM;
		ret->holder[ret->n++] = all->holder[i];
	}
	return 0;
}

/* Nothing is added when there is nothing in the way. */
static int look_at(const struct holder_list *all, const char *name, const char *driver,
		   struct strv *findings)
{
	_cleanup_(holder_list_done) struct holder_list list = {};
	_cleanup_free_ char *names = NULL, *cure = NULL;

	if (holders_of(all, name, &list) < 0)
		return -ENOMEM;
	if (!list.n)
		return streq(driver, "nvidia") ?
			       strv_addf(findings,
					 "%s is still on nvidia with the module loaded: "
					 "unload it in prepare/begin with kmod.unload",
					 name) :
			       0;
	names = holders_describe(&list);
	cure = holders_cure(&list);
	if (!names || !cure)
		return -ENOMEM;
	return strv_addf(findings, "%s is still on %s and held by %s: %s", name, driver,
			 names, cure);
}

/* The kernel would not even wait for a disk's users. */
static int refuse_storage(struct run *run, const struct pci_list *functions,
			  struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < functions->n && r == 0; i++)
		r = storage_refuse(run, &functions->fn[i], err);
	return r < 0 ? error_prefix(err, "libvirt would take a managed device in use") :
		       0;
}

static void log_left(const struct still *still)
{
	for (size_t i = 0; i < still->functions.n; i++)
		log_info("no step has detached %s: libvirt takes it from %s by itself",
			 still->functions.fn[i].name, still->drivers.v[i]);
}

int gate_check(struct run *run, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list holders = {};
	_cleanup_(still_done) struct still still = {};
	_cleanup_strv_ struct strv findings = {};
	_cleanup_free_ char *joined = NULL;
	struct host host = run->host;
	int r;

	host.overlay = NULL;
	r = find_still(run, &host, &still, err);
	if (r == 0)
		r = refuse_storage(run, &still.functions, err);
	if (r < 0 || !still.functions.n)
		return r;
	/* Once for all: it looks at every file that any process has open. */
	r = holders_scan(&host, &still.functions, &holders, err);
	for (size_t i = 0; i < still.functions.n && r >= 0; i++)
		r = look_at(&holders, still.functions.fn[i].name, still.drivers.v[i],
			    &findings);
	if (r < 0)
		return r == -ENOMEM ? error_oom(err) : r;
	if (!findings.n) {
		log_left(&still);
		return 0;
	}
	joined = strv_join(&findings, "; ");
	return joined ? error_set(err, -EBUSY,
				  "libvirt would hang on its managed devices: %s",
				  joined) :
			error_oom(err);
}
