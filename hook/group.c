/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMU groups: VFIO hands out a group only when no member is on a driver that does DMA
 * for the host. Bridges (pcieport), pci-stub and the vfio drivers do not count
 * (driver_managed_dma in the kernel), nor does a function without a driver.
 */
#include "group.h"

const char *pci_class_text(const struct pci_function *fn)
{
	switch (fn->class >> 8) {
	case PCI_CLASS_AUDIO:
		return "audio";
	case PCI_CLASS_USB:
		return "USB controller";
	case PCI_CLASS_NVME:
		return "NVMe";
	}
	switch (fn->class >> 16) {
	case 0x01:
		return "storage";
	case 0x02:
		return "network";
	case PCI_BASE_DISPLAY:
		return "display";
	case 0x04:
		return "multimedia";
	case PCI_BASE_BRIDGE:
		return "bridge";
	case 0x0c:
		return "serial bus";
	}
	return "other device";
}

static int members(struct run *run, const char *group, struct strv *ret, struct error *err)
{
	int r = pci_group_members(&run->host, group, ret);

	return r < 0 ? error_errno(err, r, "cannot list the members of IOMMU group %s",
				   group) :
		       0;
}

static int expand_one(struct run *run, struct pci_list *list, const char *group,
		      struct error *err)
{
	_cleanup_strv_ struct strv names = {};
	int r = members(run, group, &names, err);

	for (size_t i = 0; i < names.n && r == 0; i++) {
		const struct pci_function *fn = pci_find(&run->pci, names.v[i]);

		if (fn && !pci_is_bridge(fn) && pci_list_add_once(list, fn) < 0)
			r = error_oom(err);
	}
	return r;
}

int group_expand(struct run *run, struct pci_list *list, struct error *err)
{
	size_t n = list->n; /* what is added shares a group with one of these */
	char group[32];
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		if (pci_group(&run->host, list->fn[i].name, group, sizeof(group)) >= 0)
			r = expand_one(run, list, group, err);
	return r;
}

static bool harmless(const struct host *host, const char *name, const char *driver)
{
	return !*driver || streq(driver, "pcieport") || streq(driver, "pci-stub") ||
	       pci_driver_is_vfio(host, name, driver);
}

static int missing_members(struct run *run, const char *group,
			   const struct pci_list *planned, struct strv *ret,
			   struct strv *ret_names, struct error *err)
{
	_cleanup_strv_ struct strv names = {};
	int r = members(run, group, &names, err);

	for (size_t i = 0; i < names.n && r == 0; i++) {
		const struct pci_function *fn = pci_find(&run->pci, names.v[i]);
		_cleanup_free_ char *driver = NULL;

		if (!fn || pci_is_bridge(fn) || pci_find(planned, fn->name))
			continue;
		r = state_get(&run->host, &state_driver, fn->name, &driver, err);
		if (r < 0 || harmless(&run->host, fn->name, driver))
			continue;
		if (strv_addf(ret, "%s (%s, on %s)", fn->name, pci_class_text(fn),
			      driver) < 0 ||
		    strv_add(ret_names, fn->name) < 0)
			r = error_oom(err);
	}
	return r;
}

static int check_one(struct run *run, const char *group, const char *name,
		     const struct pci_list *planned, struct error *err)
{
	_cleanup_strv_ struct strv missing = {}, addresses = {};
	_cleanup_free_ char *list = NULL, *words = NULL;
	int r = missing_members(run, group, planned, &missing, &addresses, err);

	if (r < 0 || !missing.n)
		return r;
	list = strv_join(&missing, ", ");
	words = strv_join(&addresses, " ");
	if (!list || !words)
		return error_oom(err);
	if (run->step && streq(run->step->key, "pci.detach"))
		run_cure_option(run, run->step, "group", "whole");
	return run_problem(
		run, -EPERM, err,
		"IOMMU group %s of %s has more that would stay with the host, and "
		"VFIO gives out whole groups only: %s; take it too with `pci.detach "
		"= group=whole …`, or add %s to the devices",
		group, name, list, words);
}

int group_check(struct run *run, const struct pci_list *functions,
		const struct pci_list *planned, struct error *err)
{
	_cleanup_strv_ struct strv done = {};
	char group[32];
	int r = 0;

	for (size_t i = 0; i < functions->n && r == 0; i++) {
		const char *name = functions->fn[i].name;

		if (pci_is_bridge(&functions->fn[i]))
			continue;
		if (pci_group(&run->host, name, group, sizeof(group)) < 0) {
			r = run_problem(
				run, -ENODEV, err,
				"%s is in no IOMMU group: enable VT-d or AMD-Vi (IOMMU) "
				"in the firmware setup and boot with intel_iommu=on "
				"(Intel)",
				name);
			continue;
		}
		if (strv_contains(&done, group))
			continue;
		if (strv_add(&done, group) < 0)
			return error_oom(err);
		r = check_one(run, group, name, planned, err);
	}
	return r;
}

static uint32_t read_hex(const struct host *host, const char *name, const char *attr)
{
	char text[32];

	if (host_read(host, text, sizeof(text), "/sys/bus/pci/devices/%s/%s", name,
		      attr) <= 0)
		return 0;
	return (uint32_t)strtoul(text, NULL, 16);
}

int run_function(const struct run *run, const char *name, struct pci_function *ret)
{
	const struct pci_function *known = pci_find(&run->pci, name);
	struct pci_function fn = {};

	if (known) {
		*ret = *known;
		return 0;
	}
	if (pci_parse_addr(name, &fn.addr, NULL) < 0 ||
	    !host_exists(&run->host, "/sys/bus/pci/devices/%s", name))
		return -ENODEV;
	snprintf(fn.name, sizeof(fn.name), "%.*s", PCI_ADDR_LEN - 1, name);
	fn.vendor = (uint16_t)read_hex(&run->host, name, "vendor");
	fn.id = (uint16_t)read_hex(&run->host, name, "device");
	fn.class = read_hex(&run->host, name, "class");
	*ret = fn;
	return 0;
}
