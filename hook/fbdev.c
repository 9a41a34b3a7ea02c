/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Framebuffers and the cards they belong to. Since Linux 6.9 a firmware framebuffer is a
 * child of its PCI device; before, only the address of its memory tells.
 */
#include <inttypes.h>

#include "fbdev.h"

#define MAX_BARS 6

/* The last PCI address among the parts of PATH. */
static bool function_in_path(const char *path, char function[PCI_ADDR_LEN])
{
	bool found = false;

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		char part[PCI_ADDR_LEN];
		size_t n = strcspn(p + 1, "/");
		struct pci_addr addr;
		bool all;

		if (n < 12 || n >= sizeof(part)) /* "0000:0a:00.0" */
			continue;
		memcpy(part, p + 1, n);
		part[n] = '\0';
		if (pci_parse_addr(part, &addr, &all) < 0 || all)
			continue;
		snprintf(function, PCI_ADDR_LEN, "%s", part);
		found = true;
	}
	return found;
}

/* What the kernel calls the memory: by the driver that has it, or by sysfb itself. */
static bool is_fb_memory(const char *owner)
{
	return STR_IN(owner, "efifb", "vesafb", "BOOTFB", "simpledrm", "simplefb",
		      "efidrm", "vesadrm") ||
	       str_after(owner, "simple-framebuffer") != NULL;
}

/* "  c0000000-c0ffffff : efifb"; *RET_OWNER points into LINE. */
static bool parse_range(const char *line, uint64_t *start, uint64_t *end,
			const char **ret_owner)
{
	int n = 0;

	if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %n", start, end, &n) != 2 || !n)
		return false;
	*ret_owner = line + n;
	return true;
}

static bool in_bars(struct run *run, const char *function, uint64_t at)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;
	unsigned bar = 0;

	if (host_read_all(&run->host, &text, "/sys/bus/pci/devices/%s/resource",
			  function) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line && bar < MAX_BARS;
	     line = strtok_r(NULL, "\n", &save), bar++) {
		uint64_t start, end;

		if (sscanf(line, "%" SCNx64 " %" SCNx64, &start, &end) == 2 &&
		    end > start && at >= start && at <= end)
			return true;
	}
	return false;
}

/* Where the picture of the boot lies. The tables change while drivers come and go. */
static bool fb_start(const char *iomem, uint64_t *ret)
{
	_cleanup_free_ char *copy = strdup(iomem);
	char *save = NULL;

	if (!copy)
		return false;
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *owner;
		uint64_t end;

		if (parse_range(line, ret, &end, &owner) && is_fb_memory(owner))
			return true;
	}
	return false;
}

/*
 * The line of the card's own region: unlike that of the driver, it stays when the
 * framebuffer is unbound, so it can be looked for again before it is bound back.
 */
static void card_range(const char *iomem, const char *function, uint64_t at,
		       char range[128])
{
	_cleanup_free_ char *copy = strdup(iomem);
	char *save = NULL;

	if (!copy)
		return;
	for (char *line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		uint64_t start, end;
		const char *owner;

		if (!parse_range(line, &start, &end, &owner) || !streq(owner, function) ||
		    at < start || at > end)
			continue;
		snprintf(range, 128, "%s", line + strspn(line, " "));
		return;
	}
}

int firmware_fb_owner(struct run *run, const char *platform, char function[PCI_ADDR_LEN],
		      char range[128])
{
	_cleanup_free_ char *iomem = NULL;
	char path[PATH_MAX], target[PATH_MAX], none[128];
	uint64_t start = 0;
	bool known = false, at;
	ssize_t n;

	if (!range)
		range = none;
	range[0] = '\0';
	n = readlink(host_path(&run->host, path, "/sys/bus/platform/devices/%s", platform),
		     target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		known = function_in_path(target, function);
	}
	if (host_read_all(&run->host, &iomem, "/proc/iomem") < 0)
		return known ? 0 : -ENOENT;
	at = fb_start(iomem, &start);
	for (size_t i = 0; i < run->pci.n && at && !known; i++) {
		known = in_bars(run, run->pci.fn[i].name, start);
		if (known)
			snprintf(function, PCI_ADDR_LEN, "%s", run->pci.fn[i].name);
	}
	if (known && at)
		card_range(iomem, function, start, range);
	return known ? 0 : -ENOENT;
}

static void find_owner(struct run *run, struct fbdev *fb)
{
	char path[PATH_MAX], real[PATH_MAX], device[NAME_MAX + 1];
	struct pci_addr addr;
	bool all;

	if (host_link_name(&run->host, device, sizeof(device),
			   "/sys/class/graphics/%s/device", fb->name) < 0)
		return;
	if (pci_parse_addr(device, &addr, &all) == 0 && !all) {
		snprintf(fb->function, sizeof(fb->function), "%.19s", device);
		return;
	}
	if (host_exists(&run->host, "/sys/bus/platform/devices/%s", device)) {
		snprintf(fb->platform, sizeof(fb->platform), "%.63s", device);
		if (firmware_fb_owner(run, fb->platform, fb->function, NULL) < 0)
			fb->function[0] = '\0';
		return;
	}
	/* Something in between, as virtio has it. */
	host_path(&run->host, path, "/sys/class/graphics/%s/device", fb->name);
	if (realpath(path, real))
		function_in_path(real, fb->function);
}

int fbdev_list(struct run *run, struct fbdev_list *ret, struct error *err)
{
	_cleanup_strv_ struct strv names = {};

	if (host_list(&run->host, &names, "/sys/class/graphics") < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		const char *number = str_after(names.v[i], "fb");
		struct fbdev fb = {};

		if (!number || *number < '0' || *number > '9') /* fbcon */
			continue;
		snprintf(fb.name, sizeof(fb.name), "%.15s", names.v[i]);
		find_owner(run, &fb);
		if (array_grow(&ret->fb, ret->n, sizeof(fb)) < 0)
			return error_oom(err);
		ret->fb[ret->n++] = fb;
	}
	return 0;
}

void fbdev_list_done(struct fbdev_list *list)
{
	free(list->fb);
	*list = (struct fbdev_list){};
}

bool fbdev_is_planned(const struct run *run, const struct pci_list *planned,
		      const char *function)
{
	if (pci_find(planned, function))
		return true;
	for (size_t i = 0; run->domain && i < run->domain->n_hostdevs; i++)
		if (streq(run->domain->hostdevs[i].name, function))
			return true;
	return false;
}

bool fbdev_takes_boot_display(struct run *run, const struct pci_list *planned)
{
	for (size_t i = 0; i < run->pci.n; i++) {
		const char *name = run->pci.fn[i].name;
		char boot[8];

		/* Only VGA controllers have the file. */
		if (fbdev_is_planned(run, planned, name) &&
		    host_read(&run->host, boot, sizeof(boot),
			      "/sys/bus/pci/devices/%s/boot_vga", name) > 0 &&
		    streq(boot, "1"))
			return true;
	}
	return false;
}
