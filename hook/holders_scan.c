/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds a device: what /proc tells of the open files and mappings of all processes.
 * What it cannot see (a dma-buf in a socket's queue, a process confined by another
 * AppArmor profile) is counted or left to the module's reference count.
 */

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "holders_nodes.h"
#include "holders_process.h"
#include "process_walk.h"

#define MAPS_BUFFER 16384
#define HOLDERS_MAX 2048 /* more help nobody: whoever ends some looks again */

/* What the child has found so far. */
struct finds {
	struct walk_memory walk;
	unsigned unreadable;
	int unreadable_one;
	size_t n;
	struct holder holder[HOLDERS_MAX];
};

struct scan {
	const struct host *host;
	const struct pci_list *functions;
	struct node_list nodes;
	struct finds *finds;
	int pid;
	bool denied; /* this process may not be looked at, or not at all of it */
	size_t first; /* the entries of this process begin here */
};

static void scan_done(struct scan *scan)
{
	node_list_done(&scan->nodes);
	if (scan->finds)
		munmap(scan->finds, sizeof(*scan->finds));
}

static void found(struct scan *scan, const char *node, const char *function, bool is_vfio)
{
	struct finds *finds = scan->finds;
	struct holder *holder;

	for (size_t i = scan->first; i < finds->n; i++)
		if (streq(finds->holder[i].node, node))
			return;
	if (finds->n == HOLDERS_MAX)
		return;
	holder = &finds->holder[finds->n];
	*holder = (struct holder){ .pid = scan->pid, .is_vfio = is_vfio };
	snprintf(holder->node, sizeof(holder->node), "%s", node);
	snprintf(holder->function, sizeof(holder->function), "%s", function);
	process_describe(scan->host, holder);
	finds->n++;
}

/*
 * A VFIO device's descriptor has no path, and libvirt may have passed it to QEMU without
 * the group's; its fdinfo names the device since Linux 6.16.
 */
static void look_at_vfio_fd(struct scan *scan, const char *fd)
{
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	const char *path, *name;

	if (host_read_all(scan->host, &text, "/proc/%d/fdinfo/%s", scan->pid, fd) < 0)
		return;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		path = str_after(line, "vfio-device-syspath:");
		name = path ? path_base(path) : "";
		if (pci_find(scan->functions, name)) {
			found(scan, "its vfio device", name, true);
			return;
		}
	}
}

/* The text of a link in /proc, without " (deleted)" and without our root. */
static const char *clean(const struct host *host, char *target)
{
	const char *below = *host->root ? str_after(target, host->root) : NULL;
	size_t n = strlen(target);

	if (str_ends(target, " (deleted)"))
		target[n - strlen(" (deleted)")] = '\0';
	return below && *below == '/' ? below : target;
}

/* After a call that failed with errno. What else fails, fails for one that ended meanwhile. */
static void note_denied(struct scan *scan)
{
	if (errno == EACCES || errno == EPERM)
		scan->denied = true;
}

/* PATH is open or mapped, and is what the link NAME in FOLDER of /proc leads to. */
static void look_at_file(struct scan *scan, const char *path, const char *folder,
			 const char *name)
{
	char link[PATH_MAX];
	const struct node *node =
		nodes_opened(&scan->nodes, path,
			     host_path(scan->host, link, "/proc/%d/%s/%s", scan->pid,
				       folder, name));

	if (node)
		found(scan, node->path, node->function, node->is_vfio);
}

/* AppArmor lets root list the descriptors of a process in another profile, not read them. */
static void look_at_fd(struct scan *scan, int dir, const char *fd)
{
	char target[PATH_MAX];
	const char *path;
	ssize_t n = readlinkat(dir, fd, target, sizeof(target) - 1);

	if (n < 0) {
		note_denied(scan);
		return;
	}
	target[n] = '\0';
	if (streq(target, "anon_inode:[vfio-device]"))
		look_at_vfio_fd(scan, fd);
	if (*target != '/')
		return;
	path = clean(scan->host, target);
	if (nodes_may_be(&scan->nodes, path))
		look_at_file(scan, path, "fd", fd);
}

static void scan_fds(struct scan *scan)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(host_path(scan->host, path, "/proc/%d/fd", scan->pid));

	if (!dir) {
		note_denied(scan);
		return;
	}
	while ((entry = readdir(dir))) {
		scan->finds->walk.progress++;
		if (*entry->d_name != '.')
			look_at_fd(scan, dirfd(dir), entry->d_name);
	}
	closedir(dir);
}

/* LINE of maps: "7f0000000000-7f0000001000 rw-s 00000000 00:06 812  /dev/fb0". */
static void look_at_mapping(struct scan *scan, char *line)
{
	char *name = strchr(line, '/'), range[64];
	unsigned long start, end;
	const char *path;

	if (!name)
		return;
	name[strcspn(name, "\n")] = '\0';
	path = clean(scan->host, name);
	if (!nodes_may_be(&scan->nodes, path) ||
	    sscanf(line, "%lx-%lx", &start, &end) != 2)
		return;
	snprintf(range, sizeof(range), "%lx-%lx", start, end);
	look_at_file(scan, path, "map_files", range);
}

/* A mapping holds the device after its file was closed. */
static void scan_maps(struct scan *scan)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	char path[PATH_MAX];
	size_t size = 0;

	f = fopen(host_path(scan->host, path, "/proc/%d/maps", scan->pid), "re");
	if (!f)
		note_denied(scan);
	else /* in few reads: stdio's own buffer has room for a dozen lines */
		setvbuf(f, NULL, _IOFBF, MAPS_BUFFER);
	while (f && getline(&line, &size, f) >= 0) {
		scan->finds->walk.progress++;
		look_at_mapping(scan, line);
	}
}

/* Whoever asks is no holder, nor are those that he starts. */
static void scan_process(struct process_walk *walk, int pid)
{
	struct scan *scan = walk->arg;

	if (!process_may_hold(scan->host, pid, walk->self))
		return;
	scan->pid = pid;
	scan->denied = false;
	scan->first = scan->finds->n;
	scan_fds(scan);
	scan_maps(scan);
	if (scan->denied && scan->finds->unreadable++ == 0)
		scan->finds->unreadable_one = pid;
}

static void describe(const struct host *host, int pid, char buf[80])
{
	char comm[64] = "?";

	host_read(host, comm, sizeof(comm), "/proc/%d/comm", pid);
	snprintf(buf, 80, "%.48s (pid %d)", comm, pid);
}

static int take_unknown(const struct process_walk *walk, const struct finds *finds,
			struct holder_list *list)
{
	int one = finds->unreadable_one, r = 0;

	list->unreadable = finds->unreadable + walk->skipped;
	if (!one && walk->skipped)
		one = atoi(walk->pids.v[finds->walk.at]);
	if (one)
		describe(walk->host, one, list->unreadable_one);
	for (size_t i = 0; i < walk->n_hung && r >= 0; i++) {
		char text[80];

		describe(walk->host, walk->hung[i], text);
		r = strv_add(&list->hung, text);
	}
	return r;
}

static int take_finds(const struct finds *finds, struct holder_list *list)
{
	if (!finds->n)
		return 0;
	list->holder = calloc(finds->n, sizeof(*list->holder));
	if (!list->holder)
		return -ENOMEM;
	memcpy(list->holder, finds->holder, finds->n * sizeof(*list->holder));
	list->n = finds->n;
	return 0;
}

static int look_for(const struct host *host, const struct pci_list *functions,
		    bool blocking, struct holder_list *ret, struct error *err)
{
	_cleanup_(scan_done) struct scan scan = { .host = host, .functions = functions };
	_cleanup_(holder_list_done) struct holder_list list = {};
	_cleanup_(process_walk_done) struct process_walk walk = { .host = host,
								  .look = scan_process,
								  .arg = &scan };
	int r = nodes_find(host, functions, &scan.nodes, err);

	if (r < 0)
		return r;
	if (nodes_are_free(host, functions, &scan.nodes, blocking)) {
		*ret = list;
		return 0;
	}
	nodes_find_numbers(host, &scan.nodes);
	scan.finds = walk_memory_new(sizeof(*scan.finds));
	if (!scan.finds)
		return error_oom(err);
	walk.memory = &scan.finds->walk;
	r = process_walk(&walk, err);
	if (r < 0)
		return r;
	if (take_finds(scan.finds, &list) < 0 ||
	    take_unknown(&walk, scan.finds, &list) < 0)
		return error_oom(err);
	*ret = list;
	list = (struct holder_list){};
	return 0;
}

int holders_scan(const struct host *host, const struct pci_list *functions,
		 struct holder_list *ret, struct error *err)
{
	return look_for(host, functions, false, ret, err);
}

int holders_scan_blocking(const struct host *host, const struct pci_list *functions,
			  struct holder_list *ret, struct error *err)
{
	return look_for(host, functions, true, ret, err);
}
