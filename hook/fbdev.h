/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"

/* A registered framebuffer, and whose memory it shows. */
struct fbdev {
	char name[16]; /* "fb0" */
	char platform[64]; /* "efi-framebuffer.0", or "": a driver's own */
	char function[PCI_ADDR_LEN]; /* "": not known, or no PCI device */
};

struct fbdev_list {
	struct fbdev *fb;
	size_t n;
};

int fbdev_list(struct run *run, struct fbdev_list *ret, struct error *err);
void fbdev_list_done(struct fbdev_list *list);

/*
 * The PCI function that the firmware framebuffer PLATFORM ("efi-framebuffer.0") lies on.
 * RANGE (may be NULL) gets the line of /proc/iomem of that memory, or "". -ENOENT.
 */
int firmware_fb_owner(struct run *run, const char *platform, char function[PCI_ADDR_LEN],
		      char range[128]);
/* Does the plan take the function: a pci.detach of ours, or libvirt for the XML? */
bool fbdev_is_planned(const struct run *run, const struct pci_list *planned,
		      const char *function);
/* Does it take the display that the firmware used at boot? */
bool fbdev_takes_boot_display(struct run *run, const struct pci_list *planned);
