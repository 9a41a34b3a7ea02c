/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions: what is there (through libpci), and what sysfs says about drivers and
 * IOMMU groups. Changing anything is state_pci.c's.
 */
#include <setjmp.h>

#include <pci/pci.h>

#include "pci.h"

const struct pci_function *pci_find(const struct pci_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->fn[i].name, name))
			return &list->fn[i];
	return NULL;
}

int pci_list_add(struct pci_list *list, const struct pci_function *fn)
{
	int r = array_grow(&list->fn, list->n, sizeof(*list->fn));

	if (r < 0)
		return r;
	list->fn[list->n++] = *fn;
	return 0;
}

int pci_list_add_once(struct pci_list *list, const struct pci_function *fn)
{
	return pci_find(list, fn->name) ? 0 : pci_list_add(list, fn);
}

void pci_list_done(struct pci_list *list)
{
	free(list->fn);
	*list = (struct pci_list){ 0 };
}

/*
 * libpci reports an error by a function that must not return, has no data of ours and
 * ends the process by default. All calls into it are made below libpci_try(), which
 * this leads back to.
 */
static struct {
	jmp_buf back;
	char text[256];
} libpci_failure;

static void __attribute__((noreturn, format(printf, 1, 2))) libpci_error(char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(libpci_failure.text, sizeof(libpci_failure.text), fmt, ap);
	va_end(ap);
	longjmp(libpci_failure.back, 1);
}

static void __attribute__((format(printf, 1, 2))) libpci_quiet(_unused_ char *fmt, ...)
{
}

struct libpci_call {
	struct pci_access *access;
	const struct host *host;
	struct pci_list list;
	const struct pci_list *described;
	struct strv names;
};

/* CALL is not a variable of this frame, so that longjmp() leaves it whole. */
static int libpci_try(struct libpci_call *call, int (*fn)(struct libpci_call *call),
		      struct error *err)
{
	int r;

	call->access = pci_alloc();
	if (!call->access)
		return error_oom(err);
	call->access->error = libpci_error;
	call->access->warning = libpci_quiet;
	call->access->debug = libpci_quiet;
	if (setjmp(libpci_failure.back) == 0)
		r = fn(call);
	else
		r = error_set(err, -EIO,
			      "libpci: %s; did a device vanish just now? try again",
			      libpci_failure.text);
	pci_cleanup(call->access);
	return r;
}

static void function_init(struct pci_function *fn, const struct pci_dev *dev)
{
	*fn = (struct pci_function){
		.addr = {
			.domain = (uint32_t)dev->domain,
			.bus = dev->bus,
			.device = dev->dev,
			.function = dev->func,
		},
		.vendor = dev->vendor_id,
		.id = dev->device_id,
		.subvendor = dev->subsys_vendor_id,
		.subid = dev->subsys_id,
		.class = (uint32_t)dev->device_class << 8 | dev->prog_if,
	};
	pci_format_addr(&fn->addr, fn->name);
}

/*
 * All of it in one small file, whereas libpci reads six for it: a workstation has a hundred
 * functions. Unlike "uevent" it is read without the device's lock.
 */
static bool read_modalias(const struct host *host, struct pci_function *fn)
{
	unsigned vendor, id, subvendor, subid, base, sub, interface;
	char text[128];

	if (host_read(host, text, sizeof(text), "/sys/bus/pci/devices/%s/modalias",
		      fn->name) < 0 ||
	    sscanf(text, "pci:v%8xd%8xsv%8xsd%8xbc%2xsc%2xi%2x", &vendor, &id, &subvendor,
		   &subid, &base, &sub, &interface) != 7)
		return false;
	fn->vendor = (uint16_t)vendor;
	fn->id = (uint16_t)id;
	fn->subvendor = (uint16_t)subvendor;
	fn->subid = (uint16_t)subid;
	fn->class = base << 16 | sub << 8 | interface;
	return true;
}

static int do_scan(struct libpci_call *call)
{
	static const int fields = PCI_FILL_IDENT | PCI_FILL_CLASS | PCI_FILL_CLASS_EXT |
				  PCI_FILL_SUBSYS;
	char param[] = "sysfs.path", path[PATH_MAX];
	struct pci_function fn;
	int r;

	host_path(call->host, path, "/sys/bus/pci");
	call->access->method = PCI_ACCESS_SYS_BUS_PCI;
	pci_set_param(call->access, param, path);
	pci_init(call->access);
	pci_scan_bus(call->access);
	for (struct pci_dev *dev = call->access->devices; dev; dev = dev->next) {
		function_init(&fn, dev);
		if (!read_modalias(call->host, &fn)) {
			pci_fill_info(dev, fields);
			function_init(&fn, dev);
		}
		r = pci_list_add(&call->list, &fn);
		if (r < 0)
			return r;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct pci_function *f = a, *g = b;

	return strcmp(f->name, g->name);
}

int pci_scan(const struct host *host, struct pci_list *ret, struct error *err)
{
	struct libpci_call call = { .host = host };
	int r;

	if (!host_exists(host, "/sys/bus/pci/devices")) {
		*ret = (struct pci_list){ 0 }; /* a machine without PCI */
		return 0;
	}
	r = libpci_try(&call, do_scan, err);
	if (r < 0) {
		pci_list_done(&call.list);
		return error_errno(err, r, "cannot list the PCI devices");
	}
	if (call.list.n > 1)
		qsort(call.list.fn, call.list.n, sizeof(*call.list.fn), by_name);
	*ret = call.list;
	return 0;
}

/* A static libpci knows the path of its build only; distributions differ. */
static char *find_pci_ids(const struct host *host)
{
	static const char *const paths[] = { "/usr/share/hwdata/pci.ids",
					     "/usr/share/misc/pci.ids",
					     "/usr/share/pci.ids" };

	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (access(host_path(host, path, "%s", paths[i]), R_OK) == 0)
			return strdup(path);
	/* A copy of another machine's /sys needs none of its own. */
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (access(paths[i], R_OK) == 0)
			return strdup(paths[i]);
	return NULL;
}

/* Without PCI_LOOKUP_NETWORK: never a DNS query. */
static int do_describe(struct libpci_call *call)
{
	char *ids = find_pci_ids(call->host), buf[256], *name;
	int r = 0;

	if (ids)
		pci_set_name_list_path(call->access, ids, 1);
	for (size_t i = 0; i < call->described->n && r >= 0; i++) {
		const struct pci_function *fn = &call->described->fn[i];

		name = pci_lookup_name(call->access, buf, (int)sizeof(buf),
				       PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE,
				       (int)fn->vendor, (int)fn->id);
		r = strv_add(&call->names, name ? name : "");
	}
	return r;
}

int pci_describe_all(const struct host *host, const struct pci_list *list,
		     struct strv *ret, struct error *err)
{
	struct libpci_call call = { .host = host, .described = list };
	int r = libpci_try(&call, do_describe, err);

	if (r < 0) {
		strv_done(&call.names);
		return error_errno(err, r, "cannot read pci.ids");
	}
	*ret = call.names;
	return 0;
}

char *pci_describe(const struct host *host, const struct pci_function *fn)
{
	struct pci_list list = { .fn = (struct pci_function *)(uintptr_t)fn, .n = 1 };
	_cleanup_strv_ struct strv names = {};
	char id[16];

	if (pci_describe_all(host, &list, &names, NULL) == 0 && *names.v[0])
		return STEAL(names.v[0]);
	snprintf(id, sizeof(id), "%04x:%04x", (unsigned)fn->vendor, (unsigned)fn->id);
	return strdup(id);
}

int pci_group(const struct host *host, const char *name, char *buf, size_t size)
{
	int r = host_link_name(host, buf, size, "/sys/bus/pci/devices/%s/iommu_group",
			       name);

	return r < 0 ? r : 0;
}

int pci_group_members(const struct host *host, const char *group, struct strv *ret)
{
	return host_list(host, ret, "/sys/kernel/iommu_groups/%s/devices", group);
}

int pci_driver_module(const struct host *host, const char *driver, char *buf, size_t size)
{
	int r = host_link_name(host, buf, size, "/sys/bus/pci/drivers/%s/module", driver);

	return r < 0 ? r : 0;
}

bool pci_driver_is_vfio(const struct host *host, const char *name, const char *driver)
{
	char buf[128];

	if (!driver[0])
		return false;
	if (streq(driver, "vfio-pci"))
		return true;
	/* libvirt's test for variants, and what it can be known by when nothing is bound. */
	if (host_exists(host, "/sys/bus/pci/devices/%s/vfio-dev", name) &&
	    host_link_name(host, buf, sizeof(buf), "/sys/bus/pci/devices/%s/driver",
			   name) >= 0 &&
	    streq(buf, driver))
		return true;
	return pci_driver_module(host, driver, buf, sizeof(buf)) == 0 &&
	       strstr(buf, "vfio");
}

bool pci_is_bridge(const struct pci_function *fn)
{
	return fn->class >> 16 == PCI_BASE_BRIDGE;
}
