/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which nodes in /dev belong to a PCI function. sysfs tells for all drivers but nvidia's,
 * whose nodes are no device-model devices: /proc/driver/nvidia has their numbers.
 */

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holders_nodes.h"
#include "storage.h"

#define SYS_PCI "/sys/bus/pci/devices"

/* While the nodes of one function are gathered. */
struct search {
	const struct host *host;
	const char *function;
	struct strv files; /* in its folder of sysfs: spares a look for what is not there */
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
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(node.path, sizeof(node.path), fmt, ap);
	va_end(ap);
	if (search->error < 0 || n < 0 || (size_t)n >= sizeof(node.path) ||
	    has_path(search->list, node.path))
		return;
	node.is_vfio = str_after(node.path, "/dev/vfio/") != NULL;
	node.hold = hold_of(node.path);
	search->error = array_grow(&search->list->node, search->list->n, sizeof(node));
	if (search->error >= 0)
		search->list->node[search->list->n++] = node;
}

/* Adds DEV/NAME for each of NAMES that begins with one of PREFIXES, which NULL ends. */
static void add_each(struct search *search, const struct strv *names,
		     const char *const *prefixes, const char *dev)
{
	for (; *prefixes; prefixes++)
		for (size_t i = 0; i < names->n; i++)
			if (str_after(names->v[i], *prefixes))
				add(search, "%s/%s", dev, names->v[i]);
}

/* What there is in FOLDER of the function's; nothing, where it has none. */
static void list_folder(const struct search *search, const char *folder, struct strv *ret)
{
	if (strv_contains(&search->files, folder))
		host_list(search->host, ret, SYS_PCI "/%s/%s", search->function, folder);
}

/* A connector has its DDC bus and its AUX and CEC channels as children. */
static void add_connectors(struct search *search, const char *card)
{
	static const char *const kinds[] = { "i2c-", "drm_dp_aux", "cec", NULL };
	_cleanup_strv_ struct strv names = {};

	host_list(search->host, &names, SYS_PCI "/%s/drm/%s", search->function, card);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_strv_ struct strv channels = {};

		if (str_after(names.v[i], card) &&
		    host_list(search->host, &channels, SYS_PCI "/%s/drm/%s/%s",
			      search->function, card, names.v[i]) >= 0)
			add_each(search, &channels, kinds, "/dev");
	}
}

static void add_drm(struct search *search)
{
	static const char *const all[] = { "", NULL };
	_cleanup_strv_ struct strv names = {};

	list_folder(search, "drm", &names);
	add_each(search, &names, all, "/dev/dri");
	for (size_t i = 0; i < names.n; i++)
		if (str_after(names.v[i], "card"))
			add_connectors(search, names.v[i]);
}

static void add_framebuffers(struct search *search)
{
	static const char *const kinds[] = { "fb", NULL };
	_cleanup_strv_ struct strv names = {};

	list_folder(search, "graphics", &names);
	add_each(search, &names, kinds, "/dev");
}

static void add_sound(struct search *search)
{
	static const char *const kinds[] = { "control", "hw", "midi", "pcm", NULL };
	_cleanup_strv_ struct strv cards = {};

	list_folder(search, "sound", &cards);
	for (size_t i = 0; i < cards.n; i++) {
		_cleanup_strv_ struct strv names = {};

		if (host_list(search->host, &names, SYS_PCI "/%s/sound/%s",
			      search->function, cards.v[i]) >= 0)
			add_each(search, &names, kinds, "/dev/snd");
	}
}

static void add_i2c(struct search *search)
{
	static const char *const kinds[] = { "i2c-", NULL };

	add_each(search, &search->files, kinds, "/dev");
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

static void add_of_driver(struct search *search)
{
	char driver[64];

	if (host_link_name(search->host, driver, sizeof(driver), SYS_PCI "/%s/driver",
			   search->function) < 0)
		return;
	if (streq(driver, "nvidia"))
		add_nvidia(search);
	if (streq(driver, "amdgpu"))
		add(search, "/dev/kfd");
}

static void add_vfio(struct search *search)
{
	static const char *const kinds[] = { "vfio", NULL };
	_cleanup_strv_ struct strv names = {};
	char group[32];

	list_folder(search, "vfio-dev", &names);
	add_each(search, &names, kinds, "/dev/vfio/devices");
	if (pci_group(search->host, search->function, group, sizeof(group)) >= 0) {
		add(search, "/dev/vfio/%s", group);
		add(search, "/dev/vfio/noiommu-%s", group);
	}
}

/* A guest may have a disk as it is, which is no mount and no claim. */
static void add_disks(struct search *search, const struct pci_function *fn)
{
	_cleanup_strv_ struct strv disks = {};

	if (storage_disks(search->host, fn, &disks) < 0)
		search->error = -ENOMEM;
	for (size_t i = 0; i < disks.n; i++)
		add(search, "/dev/%s", disks.v[i]);
}

static void add_function(struct search *search, const struct pci_function *fn)
{
	search->function = fn->name;
	host_list(search->host, &search->files, SYS_PCI "/%s", fn->name);
	add_drm(search);
	add_framebuffers(search);
	add_sound(search);
	add_i2c(search);
	add_of_driver(search);
	add_disks(search, fn);
	add_vfio(search);
	strv_done(&search->files);
}

int nodes_find(const struct host *host, const struct pci_list *functions,
	       struct node_list *ret, struct error *err)
{
	struct node_list list = {};
	struct search search = { .host = host, .list = &list };

	for (size_t i = 0; i < functions->n; i++)
		add_function(&search, &functions->fn[i]);
	if (search.error < 0) {
		node_list_done(&list);
		return error_oom(err);
	}
	*ret = list;
	return 0;
}

void nodes_find_numbers(const struct host *host, struct node_list *list)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < list->n; i++)
		(void)device_number(host_path(host, path, "%s", list->node[i].path),
				    &list->node[i].rdev);
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
