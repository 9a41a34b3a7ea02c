/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the made-up machine reacts. The order of tests and the error codes are the
 * kernel's (drivers/base/bus.c, dd.c, drivers/pci, drivers/tty/vt, mm/hugetlb.c).
 */
#include <dirent.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "error.h"
#include "faketree.h"
#include "faketree_react.h"
#include "kmod.h"

#define DEVICE "/sys/devices/pci0000:00/%s"
#define DRIVER "/sys/bus/pci/drivers/%s"

int __wrap_host_write(const struct host *host, const char *value, const char *fmt, ...)
	_printf_(3, 4);
int __wrap_kmod_load(const struct host *host, const char *name, const char *params,
		     int64_t deadline, struct error *err);
int __wrap_kmod_remove(const struct host *host, const char *name);
int __wrap_kmod_available(const struct host *host, const char *name, struct error *err);
int __wrap_host_open_alone(const struct host *host, const char *fmt, ...) _printf_(2, 3);
ssize_t __wrap_getxattr(const char *path, const char *name, void *value, size_t size);

static struct {
	char suffix[128];
	enum fake_failure how;
	int error;
} failure;

void fake_failure_reset(void)
{
	failure.suffix[0] = '\0';
	faketree_file("", "/.fake/writes");
}

/* Who hangs; shared, as it is the hook's children that do. */
static struct hung {
	_Atomic unsigned n;
	_Atomic bool returns;
	int pid[64];
} * hung;

static int program;

static void __attribute__((constructor)) note_program(void)
{
	program = getpid();
}

/* Whoever ends the program of tests ends this, too. */
static void hang(void)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	unsigned i = hung->n++;

	if (i < ARRAY_SIZE(hung->pid))
		hung->pid[i] = getpid();
	while (!hung->returns && kill(program, 0) == 0)
		nanosleep(&pause, NULL);
	if (!hung->returns)
		_exit(1);
}

static void share_hung(void)
{
	if (!hung)
		hung = mmap(NULL, sizeof(*hung), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (hung == MAP_FAILED)
		fake_die("no memory", "for who hangs");
	/* They come to us when the hook is killed that made them. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void await_hung(bool kill_it)
{
	for (unsigned i = 0; hung && i < hung->n && i < ARRAY_SIZE(hung->pid); i++) {
		if (hung->pid[i] > 0) {
			if (kill_it)
				kill(hung->pid[i], SIGKILL);
			waitpid(hung->pid[i], NULL, 0);
		}
	}
	if (hung)
		hung->n = 0;
}

void fake_end_hung(void)
{
	await_hung(true);
}

void fake_return_hung(void)
{
	hung->returns = true;
	await_hung(false);
	hung->returns = false;
}

void faketree_fail(const char *suffix, enum fake_failure how, int error)
{
	if (how == FAKE_HANG)
		share_hung();
	snprintf(failure.suffix, sizeof(failure.suffix), "%s", suffix ? suffix : "");
	failure.how = how;
	failure.error = error;
}

static struct {
	char suffix[128], path[PATH_MAX];
} meanwhile;

/* The text waits in a file: it is a child that writes, and it does so once. */
void faketree_meanwhile(const char *suffix, const char *path, const char *text)
{
	snprintf(meanwhile.suffix, sizeof(meanwhile.suffix), "%s", suffix);
	snprintf(meanwhile.path, sizeof(meanwhile.path), "%s", path);
	faketree_file(text, "/.fake/meanwhile");
}

static void do_meanwhile(const char *path)
{
	char name[PATH_MAX], text[512];
	FILE *f;

	if (!*meanwhile.suffix || !str_ends(path, meanwhile.suffix) ||
	    !fake_exists("/.fake/meanwhile"))
		return;
	snprintf(text, sizeof(text), "%s\n", faketree_read("/.fake/meanwhile"));
	unlink(fake_path(name, "/.fake/meanwhile"));
	f = fopen(fake_path(name, "%s", meanwhile.path), "ae");
	if (!f || fputs(text, f) < 0 || fclose(f) < 0)
		fake_die("cannot add to", meanwhile.path);
}

/* A file's length, as children write too. */
unsigned faketree_writes(void)
{
	char path[PATH_MAX];
	unsigned n = 0;
	FILE *f = fopen(fake_path(path, "/.fake/writes"), "re");

	for (int c; f && (c = getc(f)) != EOF;)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static void note_write(const char *path, const char *value)
{
	char name[PATH_MAX];
	FILE *f = fopen(fake_path(name, "/.fake/writes"), "ae");

	if (!f)
		return;
	fprintf(f, "%s %.*s\n", path, (int)strcspn(value, "\n"), value);
	fclose(f);
}

static char *copy_of(char buf[256], const char *text)
{
	snprintf(buf, 256, "%s", text);
	return buf;
}

static bool owned(const char *function)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n = readlink(fake_path(path, DEVICE "/iommu_group", function), target,
			     sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return fake_exists("/.fake/owned/%s", path_base(target));
}

/* An override is the only name that may bind; without one the ids decide. */
static bool matches(const char *driver, const char *function)
{
	char override[256];

	copy_of(override, faketree_read(DEVICE "/driver_override", function));
	if (!streq(override, "(null)"))
		return streq(override, driver);
	return streq(faketree_read("/.fake/home/%s", function), driver);
}

static int bind(const char *driver, const char *function)
{
	char target[PATH_MAX];
	bool vfio = strstr(driver, "vfio") != NULL;

	if (!fake_exists(DEVICE, function) || !matches(driver, function))
		return -ENODEV;
	if (*faketree_driver_of(function))
		return -EBUSY;
	if (vfio && !fake_exists(DEVICE "/iommu_group", function))
		return -EINVAL;
	if (!vfio && owned(function))
		return -EBUSY;
	if (!vfio && fake_exists("/.fake/wedged/%s", function))
		return -EIO;
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	faketree_link(target, DEVICE "/driver", function);
	snprintf(target, sizeof(target), "../../../../devices/pci0000:00/%s", function);
	faketree_link(target, DRIVER "/%s", driver, function);
	if (vfio) /* an idle device is suspended */
		faketree_file("auto\n", DEVICE "/power/control", function);
	return 0;
}

static int unbind(const char *driver, const char *function)
{
	char path[PATH_MAX];

	if (!fake_exists(DEVICE, function) || !streq(faketree_driver_of(function), driver))
		return -ENODEV;
	unlink(fake_path(path, DEVICE "/driver", function));
	unlink(fake_path(path, DRIVER "/%s", driver, function));
	if (strstr(driver, "vfio")) /* pm_runtime_forbid(), whatever it was before */
		faketree_file("on\n", DEVICE "/power/control", function);
	return 0;
}

static int probe(const char *function)
{
	char driver[256];
	int r;

	if (!fake_exists(DEVICE, function))
		return -ENODEV;
	if (*faketree_driver_of(function))
		return 0;
	copy_of(driver, faketree_read(DEVICE "/driver_override", function));
	if (streq(driver, "(null)"))
		copy_of(driver, faketree_read("/.fake/home/%s", function));
	if (!*driver || !fake_exists(DRIVER, driver))
		return 0;
	r = bind(driver, function);
	return r == -EBUSY ? -EINVAL : 0;
}

void fake_probe(const char *function)
{
	probe(function);
}

static void for_each_entry(const char *dir, void (*fn)(const char *name, const char *arg),
			   const char *arg)
{
	char path[PATH_MAX];
	struct dirent **names = NULL;
	int n = scandir(fake_path(path, "%s", dir), &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (*names[i]->d_name != '.')
			fn(names[i]->d_name, arg);
		free(names[i]);
	}
	free(names);
}

static void probe_entry(const char *name, const char *arg _unused_)
{
	probe(name);
}

static void probe_all(void)
{
	for_each_entry("/sys/bus/pci/devices", probe_entry, NULL);
}

static int remove_function(const char *function)
{
	char driver[256], from[PATH_MAX], to[PATH_MAX];

	copy_of(driver, faketree_driver_of(function));
	if (*driver)
		unbind(driver, function);
	unlink(fake_path(from, "/sys/bus/pci/devices/%s", function));
	unlink(fake_path(from, "/.fake/wedged/%s", function));
	faketree_file("", "/.fake/removed/.keep");
	return rename(fake_path(from, DEVICE, function),
		      fake_path(to, "/.fake/removed/%s", function)) < 0 ?
		       -errno :
		       0;
}

static void found_again(const char *name, const char *arg _unused_)
{
	char from[PATH_MAX], to[PATH_MAX], target[PATH_MAX];

	if (rename(fake_path(from, "/.fake/removed/%s", name),
		   fake_path(to, DEVICE, name)) < 0)
		return;
	snprintf(target, sizeof(target), "../../../devices/pci0000:00/%s", name);
	faketree_link(target, "/sys/bus/pci/devices/%s", name);
	faketree_file("(null)\n", DEVICE "/driver_override", name); /* lost */
	probe(name);
}

static int rescan(void)
{
	for_each_entry("/.fake/removed", found_again, NULL);
	return 0;
}

struct consoles {
	int system, bound;
};

static struct consoles consoles(void)
{
	struct consoles c = { -1, -1 };

	for (int i = 0; i < 4; i++) {
		bool s = *faketree_read("/sys/class/vtconsole/vtcon%d/name", i) &&
			 faketree_read("/sys/class/vtconsole/vtcon%d/name", i)[1] == 'S';

		if (s)
			c.system = i;
		if (streq(faketree_read("/sys/class/vtconsole/vtcon%d/bind", i), "1"))
			c.bound = i;
	}
	return c;
}

/* Always succeeds. bind=1 takes only what the system's console has. */
static int vtcon(int number, const char *value)
{
	struct consoles c = consoles();
	bool on = *value == '1';

	if (number == c.system || on == (number == c.bound) || (on && c.system < 0))
		return 0;
	faketree_file(on ? "1\n" : "0\n", "/sys/class/vtconsole/vtcon%d/bind", number);
	if (c.system >= 0)
		faketree_file(on ? "0\n" : "1\n", "/sys/class/vtconsole/vtcon%d/bind",
			      c.system);
	return 0;
}

/* What became of a node's pool is counted in that of the whole machine, too. */
static void add_pages(unsigned size, const char *name, int by)
{
	char path[PATH_MAX], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%ukB/%s", size,
		 name);
	snprintf(text, sizeof(text), "%d\n", atoi(faketree_read("%s", path)) + by);
	faketree_file(text, "%s", path);
}

/* As many as there is room for; that too is a success. */
static int hugepages(const char *path, const char *value)
{
	unsigned size = 0, limit, wanted = (unsigned)strtoul(value, NULL, 10);
	char dir[PATH_MAX], text[32];
	int used;

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (sscanf(path_base(dir), "hugepages-%ukB", &size) != 1 ||
	    value[strspn(value, "0123456789\n")])
		return -EINVAL;
	limit = (unsigned)strtoul(faketree_read("/.fake/pages-%ukB", size), NULL, 10);
	used = atoi(faketree_read("%s/nr_hugepages", dir)) -
	       atoi(faketree_read("%s/free_hugepages", dir));
	if (wanted > limit)
		wanted = limit;
	if ((int)wanted < used)
		wanted = (unsigned)used;
	if (strstr(path, "/node/")) {
		const int by = (int)wanted - atoi(faketree_read("%s/nr_hugepages", dir));

		add_pages(size, "nr_hugepages", by);
		add_pages(size, "free_hugepages", by);
	}
	snprintf(text, sizeof(text), "%u\n", wanted);
	faketree_file(text, "%s/nr_hugepages", dir);
	snprintf(text, sizeof(text), "%u\n", wanted - (unsigned)used);
	faketree_file(text, "%s/free_hugepages", dir);
	return 0;
}

static int platform(const char *driver, const char *action, const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	bool bound = fake_exists("/sys/devices/platform/%s/driver", name);

	if (!fake_exists("/sys/devices/platform/%s", name) ||
	    bound != streq(action, "unbind"))
		return -ENODEV;
	if (bound) {
		unlink(fake_path(path, "/sys/devices/platform/%s/driver", name));
		fake_remove_tree(
			fake_path(path, "/sys/devices/platform/%s/graphics", name));
		return 0;
	}
	snprintf(target, sizeof(target), "../../../bus/platform/drivers/%s", driver);
	faketree_link(target, "/sys/devices/platform/%s/driver", name);
	faketree_file("", "/sys/devices/platform/%s/graphics/fb0/name", name);
	return 0;
}

static int override(const char *function, const char *value)
{
	char text[256];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(value, "\n"), value);
	faketree_file(*text ? text : "(null)", DEVICE "/driver_override", function);
	return 0;
}

/* Of the first window: its end moves, as if there were room for any. */
static int resize(const char *function, const char *value)
{
	unsigned long long first = 0;
	char text[256];

	if (*faketree_driver_of(function))
		return -EBUSY;
	sscanf(faketree_read(DEVICE "/resource", function), "%llx", &first);
	snprintf(text, sizeof(text),
		 "0x%016llx 0x%016llx 0x0000000000140204\n"
		 "0x%016x 0x%016x 0x%016x\n",
		 first, first + (1ULL << (20 + atoi(value))) - 1, 0, 0, 0);
	faketree_file(text, DEVICE "/resource", function);
	return 0;
}

/* With /.fake/no-partition each is invalid, and that is a success, too. */
static int partition(const char *path, const char *value)
{
	if (str_after(value, "root") && fake_exists("/.fake/no-partition"))
		value = "root invalid (Cpu list in cpuset.cpus not exclusive)";
	faketree_file(value, "%s", path);
	return 0;
}

/* 1: a plain file. */
static int react(const char *path, const char *value)
{
	char name[128], action[32], word[256];
	int number;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(value, "\n"), value);
	if (streq(path, "/sys/bus/pci/drivers_probe"))
		return probe(word);
	if (streq(path, "/sys/bus/pci/rescan"))
		return rescan();
	if (sscanf(path, "/sys/bus/pci/drivers/%127[^/]/%31s", name, action) == 2)
		return !fake_exists(DRIVER, name) ? -ENOENT :
		       streq(action, "unbind")	  ? unbind(name, word) :
						    bind(name, word);
	if (sscanf(path, "/sys/bus/platform/drivers/%127[^/]/%31s", name, action) == 2)
		return platform(name, action, word);
	if (sscanf(path, "/sys/bus/pci/devices/%127[^/]/%31s", name, action) == 2) {
		if (!fake_exists(DEVICE, name))
			return -ENOENT;
		if (streq(action, "driver_override"))
			return override(name, value);
		if (streq(action, "resource0_resize"))
			return resize(name, value);
		return streq(action, "remove") ? remove_function(name) : 1;
	}
	if (sscanf(path, "/sys/class/vtconsole/vtcon%d/%31s", &number, action) == 2)
		return vtcon(number, value);
	if (str_ends(path, "/cpuset.cpus.partition") && fake_exists("%s", path))
		return partition(path, word);
	return str_ends(path, "/nr_hugepages") ? hugepages(path, value) : 1;
}

static bool is_to_fail(const char *path, const char *value)
{
	char line[PATH_MAX + 128];

	if (!*failure.suffix)
		return false;
	snprintf(line, sizeof(line), "%s %s", path, value);
	return str_ends(path, failure.suffix) || str_ends(line, failure.suffix);
}

int __wrap_host_write(const struct host *host, const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int r = 0;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	if (!streq(host->root, faketree_root()))
		fake_die("a write outside of the tree", path);
	note_write(path, value);
	do_meanwhile(path);
	if (fake_fault(path, &r))
		return r;
	if (is_to_fail(path, value)) {
		if (failure.how != FAKE_HANG)
			return failure.how == FAKE_ERRNO ? -failure.error : 0;
		hang();
	}
	r = react(path, value);
	if (r <= 0)
		return r;
	if (!fake_exists("%s", path))
		return -ENOENT;
	faketree_file(value, "%s", path);
	return 0;
}

void faketree_module(const char *name, const char *driver)
{
	faketree_file(driver ? driver : "", "/.fake/modules/%s", name);
}

void faketree_module_use(const char *name, const char *user)
{
	char target[256];

	snprintf(target, sizeof(target), "../../%s", user);
	faketree_link(target, "/sys/module/%s/holders/%s", name, user);
}

void faketree_module_refs(const char *name, unsigned references)
{
	char text[32];

	snprintf(text, sizeof(text), "%u\n", references);
	faketree_file(text, "/sys/module/%s/refcnt", name);
}

void faketree_module_load(const char *name)
{
	char driver[256], target[512], keep[PATH_MAX];

	copy_of(driver, faketree_read("/.fake/modules/%s", name));
	faketree_file("live\n", "/sys/module/%s/initstate", name);
	faketree_module_refs(name, 0);
	faketree_file("", "/sys/module/%s/holders/.keep", name);
	unlink(fake_path(keep, "/sys/module/%s/holders/.keep", name));
	faketree_file("0\n", "/sys/module/%s/parameters/debug", name);
	if (!*driver)
		return;
	faketree_file("", DRIVER "/bind", driver);
	faketree_file("", DRIVER "/unbind", driver);
	snprintf(target, sizeof(target), "../../../../module/%s", name);
	faketree_link(target, DRIVER "/module", driver);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	faketree_link(target, "/sys/module/%s/drivers/pci:%s", name, driver);
	probe_all(); /* those that wait for it */
}

static void unbind_entry(const char *name, const char *driver)
{
	unbind(driver, name);
}

int __wrap_kmod_available(const struct host *host _unused_, const char *name,
			  struct error *err)
{
	char buf[64];

	kmod_normalise(name, buf, sizeof(buf));
	if (fake_exists("/.fake/modules/%s", buf))
		return 0;
	return error_set(err, -ENOENT, "module %s: there is none: install it", buf);
}

/* A block device is a file that has "taken" in it while somebody has it for himself. */
void faketree_label(const char *path, const char *label)
{
	faketree_file(label, "/.fake/labels%s", path);
}

ssize_t __wrap_getxattr(const char *path, const char *name, void *value, size_t size)
{
	const char *below = str_after(path, faketree_root());
	int n;

	if (!below || !streq(name, "security.selinux") ||
	    !fake_exists("/.fake/labels%s", below)) {
		errno = ENODATA;
		return -1;
	}
	n = snprintf(value, size, "%s", faketree_read("/.fake/labels%s", below));
	return n;
}

int __wrap_host_open_alone(const struct host *host, const char *fmt, ...)
{
	char path[PATH_MAX], text[16] = "";
	va_list ap;
	int r;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	r = host_read(host, text, sizeof(text), "%s", path);
	return r < 0 ? r : streq(text, "taken") ? -EBUSY : 0;
}

int __wrap_kmod_load(const struct host *host, const char *name, const char *params,
		     int64_t deadline _unused_, struct error *err)
{
	char buf[64], value[32];
	int r = __wrap_kmod_available(host, kmod_normalise(name, buf, sizeof(buf)), err);

	note_write("load", buf);
	if (r < 0 || fake_exists("/sys/module/%s/initstate", buf))
		return r;
	if (fake_fault(buf, &r))
		return error_set(err, r, "module %s cannot be loaded", buf);
	if (streq(failure.suffix, "load"))
		return error_set(err, -failure.error, "module %s cannot be loaded", buf);
	faketree_module_load(buf);
	if (params && sscanf(params, "debug=%31s", value) == 1)
		faketree_file(value, "/sys/module/%s/parameters/debug", buf);
	return 0;
}

static void drop_holder(const char *name, const char *user)
{
	char path[PATH_MAX];

	unlink(fake_path(path, "/sys/module/%s/holders/%s", name, user));
}

/* Bound devices do not count: they lose their driver. */
int __wrap_kmod_remove(const struct host *host _unused_, const char *name)
{
	char driver[256], path[PATH_MAX], buf[64];
	int r;

	kmod_normalise(name, buf, sizeof(buf));
	note_write("remove", buf);
	if (fake_fault(buf, &r))
		return r;
	if (!fake_exists("/sys/module/%s/initstate", buf))
		return -ENOENT;
	if (streq(failure.suffix, "remove"))
		return -failure.error;
	/* rmdir() tells whether somebody depends on it */
	if (atoi(faketree_read("/sys/module/%s/refcnt", buf)) > 0 ||
	    (rmdir(fake_path(path, "/sys/module/%s/holders", buf)) < 0 &&
	     errno == ENOTEMPTY))
		return -EAGAIN;
	copy_of(driver, faketree_read("/.fake/modules/%s", buf));
	if (*driver) {
		char dir[512];

		snprintf(dir, sizeof(dir), DRIVER, driver);
		for_each_entry(dir, unbind_entry, driver);
		fake_remove_tree(fake_path(path, "%s", dir));
	}
	fake_remove_tree(fake_path(path, "/sys/module/%s", buf));
	for_each_entry("/sys/module", drop_holder, buf);
	return 0;
}
