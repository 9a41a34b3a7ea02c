/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nodes in /dev belong to a PCI function. sysfs tells for all drivers but nvidia's,
 * whose nodes are no device-model devices: /proc/driver/nvidia has their numbers.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holders_nodes.h"
#include "kmod.h"
#include "storage.h"

#define SYS_PCI "/sys/bus/pci/devices"

/* While the nodes of one function are gathered. */
struct search {
	const struct host *host;
	const char *function;
	struct node_list *list;
	int error; /* the first; later finds are then no-ops */
};

/*
 * The i2c bus of a DP AUX channel belongs to a module of helpers, so the driver's count knows
 * nothing of it, and i2c_del_adapter() waits until it is closed. nvidia's nodes stand for all
 * its cards.
 */
static enum node_hold hold_of(const char *path)
{
	static const char *const counted[] = { "/dev/dri/", "/dev/snd/", "/dev/fb",
					       "/dev/kfd" };
	static const char *const harmless[] = { "/dev/drm_dp_aux", "/dev/cec" };

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		if (str_after(path, counted[i]))
			return NODE_COUNTED;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (str_after(path, harmless[i]))
			return NODE_HARMLESS;
	return str_after(path, "/dev/vfio/") && !str_after(path, "/dev/vfio/devices/") ?
		       NODE_HARMLESS :
		       NODE_UNCOUNTED;
}

/* 0 in RET: of no character device. What a file server would have to be asked, is not. */
static int device_number(const char *path, uint64_t *ret)
{
	struct statx st;

	*ret = 0;
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
		return -errno;
	if (S_ISCHR(st.stx_mode))
		*ret = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	return 0;
}

static bool has_path(const struct node_list *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (streq(list->node[i].path, path))
			return true;
	return false;
}

static _printf_(2, 3) void add(struct search *search, const char *fmt, ...)
{
	struct node node = { .function = search->function };
	char path[PATH_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(node.path, sizeof(node.path), fmt, ap);
	va_end(ap);
	if (search->error < 0 || n < 0 || (size_t)n >= sizeof(node.path) ||
	    has_path(search->list, node.path))
		return;
	(void)device_number(host_path(search->host, path, "%s", node.path), &node.rdev);
	node.is_vfio = str_after(node.path, "/dev/vfio/") != NULL;
	node.hold = hold_of(node.path);
	search->error = array_grow(&search->list->node, search->list->n, sizeof(node));
	if (search->error >= 0)
		search->list->node[search->list->n++] = node;
}

/* Adds DEV/NAME for each NAME in the folder below the function that begins with PREFIX. */
static void add_each(struct search *search, const char *folder, const char *prefix,
		     const char *dev)
{
	_cleanup_strv_ struct strv names = {};

	if (host_list(search->host, &names, SYS_PCI "/%s%s", search->function, folder) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (str_after(names.v[i], prefix))
			add(search, "%s/%s", dev, names.v[i]);
}

/* A connector has its DDC bus and its AUX and CEC channels as children. */
static void add_connectors(struct search *search, const char *card)
{
	_cleanup_strv_ struct strv names = {};
	char folder[512];

	if (host_list(search->host, &names, SYS_PCI "/%s/drm/%s", search->function,
		      card) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		if (!str_after(names.v[i], card))
			continue;
		snprintf(folder, sizeof(folder), "/drm/%s/%s", card, names.v[i]);
		add_each(search, folder, "i2c-", "/dev");
		add_each(search, folder, "drm_dp_aux", "/dev");
		add_each(search, folder, "cec", "/dev");
	}
}

static void add_drm(struct search *search)
{
	_cleanup_strv_ struct strv names = {};

	add_each(search, "/drm", "", "/dev/dri");
	if (host_list(search->host, &names, SYS_PCI "/%s/drm", search->function) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (str_after(names.v[i], "card"))
			add_connectors(search, names.v[i]);
}

static void add_sound(struct search *search)
{
	static const char *const kinds[] = { "control", "hw", "midi", "pcm" };
	_cleanup_strv_ struct strv cards = {};
	char folder[512];

	if (host_list(search->host, &cards, SYS_PCI "/%s/sound", search->function) < 0)
		return;
	for (size_t i = 0; i < cards.n; i++) {
		snprintf(folder, sizeof(folder), "/sound/%s", cards.v[i]);
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
			add_each(search, folder, kinds[k], "/dev/snd");
	}
}

/* One for each MIG capability, and for each IMEX channel. */
static void add_nvidia_folder(struct search *search, const char *folder)
{
	_cleanup_strv_ struct strv names = {};

	if (host_list(search->host, &names, "%s", folder) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		add(search, "%s/%s", folder, names.v[i]);
}

/* The card's own node, and those that stand for all cards: each keeps the module in use. */
static void add_nvidia(struct search *search)
{
	_cleanup_free_ char *text = NULL;
	const char *minor;
	unsigned number;

	if (host_read_all(search->host, &text, "/proc/driver/nvidia/gpus/%s/information",
			  search->function) >= 0) {
		minor = strstr(text, "Device Minor:");
		if (minor && sscanf(minor, "Device Minor: %u", &number) == 1)
			add(search, "/dev/nvidia%u", number);
	}
	add(search, "/dev/nvidiactl");
	add(search, "/dev/nvidia-modeset");
	add(search, "/dev/nvidia-uvm");
	add(search, "/dev/nvidia-uvm-tools");
	add_nvidia_folder(search, "/dev/nvidia-caps");
	add_nvidia_folder(search, "/dev/nvidia-caps-imex-channels");
}

/* FUNCTION's driver in BUF; false: it has none. */
static bool has_driver(const struct host *host, const char *function, char buf[64])
{
	return host_link_name(host, buf, 64, SYS_PCI "/%s/driver", function) >= 0;
}

static void add_of_driver(struct search *search)
{
	char driver[64];

	if (!has_driver(search->host, search->function, driver))
		return;
	if (streq(driver, "nvidia"))
		add_nvidia(search);
	if (streq(driver, "amdgpu"))
		add(search, "/dev/kfd");
}

static void add_vfio(struct search *search)
{
	char group[32];

	add_each(search, "/vfio-dev", "vfio", "/dev/vfio/devices");
	if (host_link_name(search->host, group, sizeof(group), SYS_PCI "/%s/iommu_group",
			   search->function) >= 0) {
		add(search, "/dev/vfio/%s", group);
		add(search, "/dev/vfio/noiommu-%s", group);
	}
}

/* A guest may have a disk as it is, which is no mount and no claim. */
static void add_disks(struct search *search)
{
	_cleanup_strv_ struct strv disks = {};

	if (storage_disks(search->host, search->function, &disks) < 0)
		search->error = -ENOMEM;
	for (size_t i = 0; i < disks.n; i++)
		add(search, "/dev/%s", disks.v[i]);
}

int nodes_find(const struct host *host, const struct pci_list *functions,
	       struct node_list *ret, struct error *err)
{
	struct node_list list = {};
	struct search search = { .host = host, .list = &list };

	for (size_t i = 0; i < functions->n; i++) {
		search.function = functions->fn[i].name;
		add_drm(&search);
		add_each(&search, "/graphics", "fb", "/dev");
		add_sound(&search);
		add_each(&search, "", "i2c-", "/dev");
		add_of_driver(&search);
		add_disks(&search);
		add_vfio(&search);
	}
	if (search.error < 0) {
		node_list_done(&list);
		return error_oom(err);
	}
	*ret = list;
	return 0;
}

/* Nobody can have opened what the kernel offers no file for. */
static bool is_there(const struct host *host, const struct node *node)
{
	if (str_after(node->path, "/dev/i2c-"))
		return host_exists(host, "/sys/class/i2c-dev/%s", path_base(node->path));
	return !node->is_vfio || node->rdev;
}

/* A driver that is built in counts nobody. */
static bool driver_is_free(const struct host *host, const char *driver)
{
	char module[64];

	return pci_driver_module(host, driver, module, sizeof(module)) == 0 &&
	       kmod_refcount(host, module) == 0;
}

static bool is_free(const struct host *host, const struct node *node, bool blocking)
{
	char driver[64];

	if (!is_there(host, node))
		return true;
	if (node->hold != NODE_COUNTED)
		return node->hold == NODE_HARMLESS && blocking;
	return !has_driver(host, node->function, driver) || driver_is_free(host, driver);
}

/* libvirt may have passed QEMU a device's descriptor without its group's. */
static bool vfio_is_free(const struct host *host, const char *function, bool blocking)
{
	char driver[64];

	return !has_driver(host, function, driver) ||
	       !pci_driver_is_vfio(host, function, driver) ||
	       (blocking && driver_is_free(host, driver));
}

bool nodes_are_free(const struct host *host, const struct pci_list *functions,
		    const struct node_list *nodes, bool blocking)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (!is_free(host, &nodes->node[i], blocking))
			return false;
	for (size_t i = 0; i < functions->n; i++)
		if (!vfio_is_free(host, functions->fn[i].name, blocking))
			return false;
	return true;
}

/* Do the names differ in their numbers only: "pcmC0D3p", "pcmC1D3p"? */
static bool is_of_kind(const char *a, const char *b)
{
	static const char digits[] = "0123456789";
	size_t letters = 0;

	if (streq(a, b))
		return true;
	for (;; a++, b++, letters++) {
		a += strspn(a, digits);
		b += strspn(b, digits);
		if (*a != *b || !*a)
			return *a == *b && letters;
	}
}

bool nodes_may_be(const struct node_list *list, const char *path)
{
	for (size_t i = 0; i < list->n; i++)
		if (is_of_kind(path_base(list->node[i].path), path_base(path)))
			return true;
	return false;
}

const struct node *nodes_opened(const struct node_list *list, const char *path,
				const char *link)
{
	uint64_t rdev;
	const bool known = device_number(link, &rdev) == 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct node *node = &list->node[i];

		if (node->rdev && known ? node->rdev == rdev : streq(node->path, path))
			return node;
	}
	return NULL;
}

void node_list_done(struct node_list *list)
{
	free(list->node);
	*list = (struct node_list){};
}
