/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual functions (SR-IOV). A new number takes away all that there are, and the write
 * waits in the kernel, for as long as it takes and with the physical function locked, until
 * a guest has let go of its own. So nobody may have one.
 */
#include "effect.h"
#include "preflight.h"
#include "sriov.h"

static int virtual_functions(const struct host *host, const char *folder,
			     struct pci_list *ret)
{
	_cleanup_strv_ struct strv names = {};
	int r = host_list(host, &names, "%s", folder);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		struct pci_function fn = {};

		if (!str_after(names.v[i], "virtfn") ||
		    host_link_name(host, fn.name, sizeof(fn.name), "%s/%s", folder,
				   names.v[i]) < 0)
			continue;
		r = pci_parse_addr(fn.name, &fn.addr, NULL);
		if (r == 0)
			r = pci_list_add(ret, &fn);
	}
	return r < 0 ? r : 0;
}

int sriov_may_write(struct run *run, const char *path, const char *value,
		    struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	const char *name = strrchr(path, '/');
	char folder[PATH_MAX], now[32], physical[64], what[128];
	int r;

	if (!name || !streq(name, "/sriov_numvfs") ||
	    host_read(&run->host, now, sizeof(now), "%s", path) < 0 || streq(now, value))
		return 0;
	snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path);
	r = virtual_functions(&run->host, folder, &functions);
	if (r < 0)
		return error_errno(err, r, "%s: its virtual functions cannot be listed",
				   folder);
	for (size_t i = 0; r == 0 && i < functions.n; i++)
		r = effect_check_foreign(run, &state_driver, functions.fn[i].name, err);
	if (r < 0 || !functions.n)
		return r;
	if (host_link_name(&run->host, physical, sizeof(physical),
			   "/sys/bus/pci/devices/%s/physfn", functions.fn[0].name) < 0)
		snprintf(physical, sizeof(physical), "its device");
	snprintf(what, sizeof(what), "a virtual function of %s", physical);
	return run->simulate ? preflight_holders(run, &functions, what, err) :
			       preflight_wait_unheld(run, &functions, what, err);
}

int sriov_may_leave(struct run *run, const char *name, const char *why, struct error *err)
{
	uint64_t n = 0;

	if (host_read_u64(&run->host, &n, "/sys/bus/pci/devices/%s/sriov_numvfs", name) <
		    0 ||
	    n == 0)
		return 0;
	run_cure(run, "echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs", name);
	return run_problem(run, -EBUSY, err,
			   "%s has %llu virtual functions (SR-IOV), and %s: write 0 to its "
			   "sriov_numvfs first",
			   name, (unsigned long long)n, why);
}
