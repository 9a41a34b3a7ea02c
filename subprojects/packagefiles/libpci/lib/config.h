/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lib/configure would write for Linux, without ports, /dev/mem, zlib, DNS, hwdb. */
#define PCI_CONFIG_H
#define PCI_OS_LINUX
#define PCI_HAVE_PM_LINUX_SYSFS
#define PCI_HAVE_PM_LINUX_PROC
#define PCI_HAVE_LINUX_BYTEORDER_H
#define PCI_HAVE_64BIT_ADDRESS
#define PCI_PATH_PROC_BUS_PCI "/proc/bus/pci"
#define PCI_PATH_SYS_BUS_PCI "/sys/bus/pci"
#define PCI_IDS "pci.ids"
#define PCI_PATH_IDS_DIR "/usr/share/misc"
#define PCILIB_VERSION "3.9.0"
