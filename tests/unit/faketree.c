/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building the made-up machine; how it reacts to writes is in faketree_react.c.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "faketree.h"
#include "faketree_react.h"

#define DEVICES "/sys/devices/pci0000:00/"

static char root[64];

void fake_die(const char *what, const char *path)
{
	fprintf(stderr, "faketree: %s %s: %s\n", what, path, strerror(errno));
	abort();
}

char *fake_path(char buf[PATH_MAX], const char *fmt, ...)
{
	char name[PATH_MAX - 64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	snprintf(buf, PATH_MAX, "%s%s", root, name);
	return buf;
}

static void make_dirs(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
}

void faketree_file(const char *text, const char *fmt, ...)
{
	char name[PATH_MAX - 64], path[PATH_MAX];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	make_dirs(fake_path(path, "%s", name));
	f = fopen(path, "we");
	if (!f)
		fake_die("cannot write", path);
	fputs(text, f);
	fclose(f);
}

int faketree_stuck(const char *path)
{
	char rooted[PATH_MAX];
	int fd = open(fake_path(rooted, "%s", path), O_RDWR | O_CLOEXEC);

	signal(SIGIO, SIG_IGN);
	if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		fake_die("no lease on", path);
	return fd;
}

void faketree_link(const char *target, const char *fmt, ...)
{
	char name[PATH_MAX - 64], path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	make_dirs(fake_path(path, "%s", name));
	unlink(path);
	if (symlink(target, path) < 0)
		fake_die("cannot link", path);
}

const char *faketree_read(const char *fmt, ...)
{
	static char text[4096];
	char name[PATH_MAX - 64], path[PATH_MAX];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	f = fopen(fake_path(path, "%s", name), "re");
	text[0] = '\0';
	if (!f)
		return text;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

bool fake_exists(const char *fmt, ...)
{
	char name[PATH_MAX - 64], path[PATH_MAX];
	struct stat st;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return lstat(fake_path(path, "%s", name), &st) == 0;
}

const char *faketree_driver_of(const char *function)
{
	static char driver[128];
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlink(fake_path(path, DEVICES "%s/driver", function), target,
			     sizeof(target) - 1);

	target[n > 0 ? n : 0] = '\0';
	snprintf(driver, sizeof(driver), "%.127s", n > 0 ? path_base(target) : "");
	return driver;
}

static int remove_one(const char *path, const struct stat *st _unused_, int type _unused_,
		      struct FTW *ftw _unused_)
{
	return remove(path);
}

void fake_remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *faketree_root(void)
{
	return root;
}

void faketree_new(struct host *host)
{
	static const char *const dirs[] = {
		"/sys/bus/pci/devices/",
		"/sys/bus/pci/drivers/",
		"/sys/block/",
		"/sys/class/block/",
		"/sys/bus/platform/devices/",
		"/sys/class/graphics/",
		"/sys/kernel/iommu_groups/",
		"/sys/class/vtconsole/",
		"/sys/module/",
		DEVICES,
		"/proc/",
		"/dev/",
		"/run/",
		"/etc/",
		"/var/log/",
		"/.fake/",
	};
	char path[PATH_MAX];

	snprintf(root, sizeof(root), "%s/faketree-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(root))
		fake_die("cannot make", root);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		make_dirs(fake_path(path, "%s", dirs[i]));
	faketree_file("", "/sys/bus/pci/drivers_probe");
	faketree_file("", "/sys/bus/pci/rescan");
	faketree_file("", "/proc/swaps");
	faketree_file("", "/proc/modules");
	faketree_file("", "/proc/iomem");
	mkdir(fake_path(path, "/proc/self"), 0755);
	faketree_file("", "/proc/self/mountinfo");
	faketree_file("root:x:0:0::/root:/bin/sh\n", "/etc/passwd");
	faketree_file("12345678-1234-1234-1234-123456789abc\n",
		      "/proc/sys/kernel/random/boot_id");
	faketree_module("vfio_iommu_type1", NULL);
	faketree_module("vfio_pci", "vfio-pci");
	faketree_module_load("vfio_iommu_type1");
	faketree_module_load("vfio_pci");
	*host = (struct host){ .root = root };
	fake_failure_reset();
}

void faketree_free(void)
{
	if (*root) {
		fake_assert_cures();
		fake_remove_tree(root);
	}
	root[0] = '\0';
	fake_fault_done();
	fake_end_hung();
}

/* What libpci reads, if it wants to: the first 64 bytes of config space. */
static void write_config(const char *name, unsigned vendor, unsigned device,
			 unsigned class)
{
	unsigned char config[64] = {
		[0] = vendor & 0xff,  [1] = vendor >> 8,       [2] = device & 0xff,
		[3] = device >> 8,    [9] = class & 0xff,      [10] = (class >> 8) & 0xff,
		[11] = (class >> 16), [14] = class >> 16 == 6,
	};
	char path[PATH_MAX];
	FILE *f;

	f = fopen(fake_path(path, DEVICES "%s/config", name), "we");
	if (!f || fwrite(config, sizeof(config), 1, f) != 1)
		fake_die("cannot write", path);
	fclose(f);
}

static void write_number(const char *name, const char *attr, unsigned digits,
			 unsigned value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%0*x\n", (int)digits, value);
	faketree_file(text, DEVICES "%s/%s", name, attr);
}

static void write_modalias(const char *name, unsigned vendor, unsigned device,
			   unsigned code)
{
	char text[64];

	snprintf(text, sizeof(text), "pci:v%08Xd%08Xsv%08Xsd00000001bc%02Xsc%02Xi%02X\n",
		 vendor, device, vendor, code >> 16, code >> 8 & 0xff, code & 0xff);
	faketree_file(text, DEVICES "%s/modalias", name);
}

static void write_group(const char *name, const char *group)
{
	char target[128];

	snprintf(target, sizeof(target), "../../../kernel/iommu_groups/%s", group);
	faketree_link(target, DEVICES "%s/iommu_group", name);
	snprintf(target, sizeof(target), "../../../../devices/pci0000:00/%s", name);
	faketree_link(target, "/sys/kernel/iommu_groups/%s/devices/%s", group, name);
}

void faketree_pci(const char *name, const char *id, const char *class, const char *home,
		  const char *group)
{
	unsigned vendor = 0, device = 0, code = (unsigned)strtoul(class, NULL, 16);
	char target[128];

	if (sscanf(id, "%x:%x", &vendor, &device) != 2)
		fake_die("no id", id);
	write_number(name, "vendor", 4, vendor);
	write_number(name, "device", 4, device);
	write_number(name, "subsystem_vendor", 4, vendor);
	write_number(name, "subsystem_device", 4, 1);
	write_number(name, "class", 6, code);
	write_number(name, "revision", 2, 1);
	write_config(name, vendor, device, code);
	write_modalias(name, vendor, device, code);
	faketree_file("(null)\n", DEVICES "%s/driver_override", name);
	faketree_file("auto\n", DEVICES "%s/power/control", name);
	faketree_file("1\n", DEVICES "%s/d3cold_allowed", name);
	faketree_file("flr bus\n", DEVICES "%s/reset_method", name);
	faketree_file("", DEVICES "%s/remove", name);
	faketree_file("0\n", DEVICES "%s/irq", name);
	faketree_file("0x0000000000000000 0x0000000000000000 0x0000000000000000\n",
		      DEVICES "%s/resource", name);
	if (code >> 8 == 0x0300)
		faketree_file("1\n", DEVICES "%s/boot_vga", name);
	snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", name);
	faketree_link(target, "/sys/bus/pci/devices/%s", name);
	if (group)
		write_group(name, group);
	if (home)
		faketree_file(home, "/.fake/home/%s", name);
	fake_probe(name);
}

void faketree_disk(const char *disk, const char *function)
{
	char target[256];

	snprintf(target, sizeof(target), "../devices/pci0000:00/%s/block/%s", function,
		 disk);
	faketree_link(target, "/sys/block/%s", disk);
	snprintf(target, sizeof(target), "../../devices/pci0000:00/%s/block/%s", function,
		 disk);
	faketree_link(target, "/sys/class/block/%s", disk);
}

void faketree_group_owned(const char *group, bool owned)
{
	char path[PATH_MAX];

	if (owned)
		faketree_file("", "/.fake/owned/%s", group);
	else
		unlink(fake_path(path, "/.fake/owned/%s", group));
}

void faketree_wedge(const char *function)
{
	faketree_file("", "/.fake/wedged/%s", function);
}

void faketree_vtcon(unsigned number, const char *name, bool bound)
{
	char text[128];

	snprintf(text, sizeof(text), "%s\n", name);
	faketree_file(text, "/sys/class/vtconsole/vtcon%u/name", number);
	faketree_file(bound ? "1\n" : "0\n", "/sys/class/vtconsole/vtcon%u/bind", number);
}

void faketree_hugepages(unsigned size_kb, unsigned pages, unsigned limit)
{
	static const char *const dirs[] = { "/sys/kernel/mm/hugepages",
					    "/sys/devices/system/node/node0/hugepages" };
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		snprintf(text, sizeof(text), "%u\n", pages);
		faketree_file(text, "%s/hugepages-%ukB/nr_hugepages", dirs[i], size_kb);
		faketree_file(text, "%s/hugepages-%ukB/free_hugepages", dirs[i], size_kb);
		faketree_file("0\n", "%s/hugepages-%ukB/surplus_hugepages", dirs[i],
			      size_kb);
	}
	faketree_file("0\n", "%s/hugepages-%ukB/resv_hugepages", dirs[0], size_kb);
	snprintf(text, sizeof(text), "%u\n", limit);
	faketree_file(text, "/.fake/pages-%ukB", size_kb);
}

void faketree_platform(const char *name, const char *driver)
{
	char target[128];

	faketree_file("", "/sys/devices/platform/%s/graphics/fb0/name", name);
	snprintf(target, sizeof(target), "../../../devices/platform/%s", name);
	faketree_link(target, "/sys/bus/platform/devices/%s", name);
	faketree_file("", "/sys/bus/platform/drivers/%s/bind", driver);
	faketree_file("", "/sys/bus/platform/drivers/%s/unbind", driver);
	snprintf(target, sizeof(target), "../../../bus/platform/drivers/%s", driver);
	faketree_link(target, "/sys/devices/platform/%s/driver", name);
}

void faketree_program(const char *name, const char *text)
{
	_cleanup_free_ char *script = NULL;
	char path[PATH_MAX];

	if (asprintf(&script, "#!/bin/sh\nR='%s'\n%s", faketree_root(), text) < 0)
		fake_die("no memory for", name);
	faketree_file(script, "/usr/sbin/%s", name);
	if (chmod(fake_path(path, "/usr/sbin/%s", name), 0755) < 0)
		fake_die("cannot make a program of", name);
}

static bool has_node(const char *device, const char *name)
{
	static const char *const places[] = { "drm", "graphics", "sound/card0",
					      "sound/card1", "sound/card2" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(fake_path(path, "/sys/bus/pci/devices/%s/%s/%s", device,
				     places[i], name),
			   F_OK) == 0)
			return true;
	return false;
}

/* An open file of a card's node is a reference to its driver's module, and QEMU has both of
 * VFIO's files. */
static void count_open(const char *node, int by)
{
	char path[PATH_MAX], module[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(fake_path(path, "/sys/bus/pci/devices"));

	if (strncmp(node, "/dev/vfio/", strlen("/dev/vfio/")) == 0 &&
	    access(fake_path(module, "/sys/module/vfio_pci/refcnt"), F_OK) == 0)
		faketree_module_refs("vfio_pci",
				     (unsigned)(by +
						atoi(faketree_read(
							"/sys/module/vfio_pci/refcnt"))));
	while (dir && (entry = readdir(dir))) {
		fake_path(path, "/sys/bus/pci/devices/%s/driver/module", entry->d_name);
		if (!has_node(entry->d_name, strrchr(node, '/') + 1) ||
		    !realpath(path, module))
			continue;
		by += atoi(faketree_read("%s/refcnt", module + strlen(root)));
		faketree_module_refs(strrchr(module, '/') + 1, (unsigned)by);
		break;
	}
	if (dir)
		closedir(dir);
}

void faketree_process(int pid, const char *comm, const char *unit, const char *node)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "%d (%s) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d\n", pid, comm, pid);
	faketree_file(line, "/proc/%d/stat", pid);
	snprintf(line, sizeof(line), "%s\n", comm);
	faketree_file(line, "/proc/%d/comm", pid);
	snprintf(line, sizeof(line), "0::/system.slice/%s\n", unit);
	faketree_file(line, "/proc/%d/cgroup", pid);
	faketree_file("", "/proc/%d/maps", pid);
	if (!node)
		return;
	faketree_link(node, "/proc/%d/fd/7", pid);
	count_open(node, 1);
}

void faketree_process_gone(int pid)
{
	char path[PATH_MAX], node[PATH_MAX];
	ssize_t n =
		readlink(fake_path(path, "/proc/%d/fd/7", pid), node, sizeof(node) - 1);

	node[n > 0 ? n : 0] = '\0';
	if (n > 0)
		count_open(node, -1);
	fake_remove_tree(fake_path(path, "/proc/%d", pid));
}

static struct strv lines; /* of the snapshot under way: nftw() passes nothing on */

static int snapshot_one(const char *path, const struct stat *st _unused_, int type,
			struct FTW *ftw _unused_)
{
	char target[PATH_MAX];
	const char *name = path + strlen(root);
	ssize_t n;

	if (type == FTW_SL) {
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		return strv_addf(&lines, "%s -> %s", name, target);
	}
	if (type == FTW_F && !str_ends(name, "/config") && !str_ends(name, "/refcnt"))
		return strv_addf(&lines, "%s: %s", name, faketree_read("%s", name));
	return 0;
}

char *faketree_snapshot(void)
{
	char path[PATH_MAX], *text;

	lines = (struct strv){};
	nftw(fake_path(path, "/sys"), snapshot_one, 16, FTW_PHYS);
	strv_sort(&lines);
	text = strv_join(&lines, "\n");
	strv_done(&lines);
	return text;
}
