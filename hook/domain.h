/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "pci.h"

/* <hostdev> or <interface type='hostdev'> with a PCI source. */
struct hostdev {
	struct pci_addr addr;
	char name[PCI_ADDR_LEN];
	bool managed;
	char *model; /* <driver name='vfio' model='…'/>, or NULL */
};

/* <page size= unit= nodeset=/> below <memoryBacking><hugepages>. */
struct page_request {
	uint64_t size; /* bytes; 0: the host's default size */
	bool has_cells;
	struct cpu_list cells; /* HAS_CELLS: for these cells; else for all others */
};

/* How strictly memory is bound to nodes of the host. */
enum memory_mode {
	MEMORY_STRICT, /* nowhere else; what libvirt takes when none is said */
	MEMORY_RESTRICTIVE, /* so too, but by a cgroup */
	MEMORY_PREFERRED, /* there first */
	MEMORY_INTERLEAVE, /* there in turn */
};

/* <memory> or <memnode> of <numatune>. */
struct memory_policy {
	bool is_set;
	enum memory_mode mode;
	struct cpu_list nodes; /* of the host; none: numad will tell */
};

/* <cell> of <cpu><numa>, with its <memnode>. */
struct guest_cell {
	bool is_set;
	uint64_t memory; /* bytes */
	struct memory_policy policy;
};

/* <memory model=> of <devices>. */
struct memory_device {
	char *model; /* "dimm" */
	uint64_t size,
		requested; /* bytes; REQUESTED of a virtio-mem: plugged at the start */
	uint64_t page_size; /* bytes; 0: as its cell */
	int cell; /* -1: not said */
	struct cpu_list nodes; /* of the host: <nodemask>; none: as its cell */
};

enum domain_cpu {
	DOMAIN_CPU_DEFAULT, /* nothing said: QEMU's own model, which has little */
	DOMAIN_CPU_CUSTOM,
	DOMAIN_CPU_HOST_MODEL,
	DOMAIN_CPU_PASSTHROUGH, /* host-passthrough, or maximum */
};

/* What <cpu> and <features> tell the guest of the machine it is on. */
struct domain_features {
	bool kvm; /* <domain type='kvm'>: not emulated */
	enum domain_cpu cpu;
	bool topoext; /* required, or forced */
	bool kvm_hidden;
	bool hyperv; /* any of Hyper-V's enlightenments is on */
	bool vendor_id; /* … and its name is another than its own */
};

/* What libvirt's domain XML says that matters to us. */
struct domain {
	char *name;
	char *uuid; /* in small letters */
	struct hostdev *hostdevs;
	size_t n_hostdevs;
	uint64_t memory; /* bytes: <memory>, the sizes of memory devices included */
	uint64_t max_memory; /* bytes: what may be plugged in later; 0: nothing */
	bool hugepages;
	struct page_request *pages;
	size_t n_pages;
	struct guest_cell *cells; /* by their ids */
	size_t n_cells;
	struct memory_policy policy; /* of <numatune>, for what has none of its own */
	struct memory_device *memory_devices;
	size_t n_memory_devices;
	unsigned vcpus, threads; /* of <vcpu>, and <topology threads=>; 0: not said */
	struct domain_features features;
	bool balloon; /* a <memballoon> other than none */
	struct strv vcpupin; /* the cpuset of each <vcpupin> */
	struct strv pinned_vcpus; /* and its vcpu, in the same order */
	struct strv emulatorpin;
	struct strv iothreadpin;
	unsigned n_other_hostdevs; /* usb, scsi, mdev: left alone */
};

/* Parses XML of LEN bytes. 0; -EINVAL with line and column in ERR; -ENOMEM. */
int domain_parse(const char *xml, size_t len, struct domain *ret, struct error *err);
/* Does its XML have the PCI hostdev NAME? */
bool domain_has_device(const struct domain *domain, const char *name);
void domain_done(struct domain *domain);
