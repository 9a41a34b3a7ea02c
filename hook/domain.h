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
	char *nodeset; /* guest NUMA nodes, or NULL: all others */
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
	uint64_t memory; /* bytes: <memory> */
	bool hugepages;
	struct page_request *pages;
	size_t n_pages;
	unsigned vcpus, threads; /* of <vcpu>, and <topology threads=>; 0: not said */
	struct domain_features features;
	bool balloon; /* a <memballoon> other than none */
	struct strv vcpupin; /* the cpuset of each <vcpupin> */
	struct strv emulatorpin;
	struct strv iothreadpin;
	unsigned n_other_hostdevs; /* usb, scsi, mdev: left alone */
};

/* Parses XML of LEN bytes. 0; -EINVAL with line and column in ERR; -ENOMEM. */
int domain_parse(const char *xml, size_t len, struct domain *ret, struct error *err);
void domain_done(struct domain *domain);
