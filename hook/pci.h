/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "host.h"

#define PCI_ADDR_LEN 20 /* "00000000:0a:00.0" and some */

struct pci_addr {
	uint32_t domain;
	uint8_t bus, device, function;
};

/* One PCI function as it was when the machine was scanned. */
struct pci_function {
	char name[PCI_ADDR_LEN]; /* "0000:0a:00.0", the name in sysfs */
	struct pci_addr addr;
	uint16_t vendor, id, subvendor, subid;
	uint32_t class; /* 24 bits, 0x030000 for a VGA controller */
};

struct pci_list {
	struct pci_function *fn;
	size_t n;
};

#define PCI_CLASS_VGA 0x0300
#define PCI_CLASS_AUDIO 0x0403
#define PCI_CLASS_USB 0x0c03
#define PCI_CLASS_NVME 0x0108
#define PCI_BASE_BRIDGE 0x06
#define PCI_BASE_DISPLAY 0x03
#define PCI_BASE_MULTIMEDIA 0x04

/*
 * "0000:0a:00.0", "0a:00.0" (domain 0) or libvirt's "pci_0000_0a_00_0"; with FUNCTION
 * "*", as in "0a:00.*", *RET_ALL is true and the function 0. 0 or -EINVAL.
 */
int pci_parse_addr(const char *s, struct pci_addr *ret, bool *ret_all);
/* "10de:1e84"; 0 or -EINVAL. */
int pci_parse_id(const char *s, uint16_t *ret_vendor, uint16_t *ret_device);
bool pci_same_slot(const struct pci_addr *a, const struct pci_addr *b);
void pci_format_addr(const struct pci_addr *addr, char buf[PCI_ADDR_LEN]);

/*
 * All functions of the machine, through libpci. For planning only: libpci gives up by
 * exit() when a device vanishes under it; that is turned into an error here.
 */
int pci_scan(const struct host *host, struct pci_list *ret, struct error *err);
const struct pci_function *pci_find(const struct pci_list *list, const char *name);
int pci_list_add(struct pci_list *list, const struct pci_function *fn);
/* Unless it is there already. */
int pci_list_add_once(struct pci_list *list, const struct pci_function *fn);
void pci_list_done(struct pci_list *list);

/* "NVIDIA Corporation TU104 [GeForce RTX 2070 SUPER]" from pci.ids; the caller frees. */
char *pci_describe(const struct host *host, const struct pci_function *fn);
/* The same of each in LIST, in its order, with pci.ids read once. */
int pci_describe_all(const struct host *host, const struct pci_list *list,
		     struct strv *ret, struct error *err);

/* The function's IOMMU group as text in BUF; -ENOENT: no IOMMU. */
int pci_group(const struct host *host, const char *name, char *buf, size_t size);
/* The names of all functions in GROUP. */
int pci_group_members(const struct host *host, const char *group, struct strv *ret);
/* Is the driver bound to NAME one that serves VFIO (vfio-pci or a variant of it)? */
bool pci_driver_is_vfio(const struct host *host, const char *name, const char *driver);
/* The module of a registered PCI driver; -ENOENT when built in or not registered. */
int pci_driver_module(const struct host *host, const char *driver, char *buf, size_t size);
/* Must the function leave its host driver for the group to be used by VFIO? */
bool pci_is_bridge(const struct pci_function *fn);
