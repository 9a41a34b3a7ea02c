/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds a device. An unbind of a GPU whose nodes are open may never return, and "in
 * use" helps nobody: this finds the processes by what /proc tells of their open files
 * and mappings. What it cannot see (a dma-buf in a socket's queue, a process confined by
 * another AppArmor profile) is counted or left to the module's reference count.
 */

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "holders.h"
#include "holders_nodes.h"
#include "holders_process.h"

struct scan {
	const struct host *host;
	const struct pci_list *functions;
	struct node_list nodes;
	struct holder_list list;
	int pid;
	bool denied; /* this process may not be looked at, or not at all of it */
	size_t first; /* the entries of this process begin here */
};

static void scan_done(struct scan *scan)
{
	node_list_done(&scan->nodes);
	holder_list_done(&scan->list);
}

static int found(struct scan *scan, const char *node, const char *function, bool is_vfio)
{
	struct holder_list *list = &scan->list;
	struct holder *holder;
	int r;

	for (size_t i = scan->first; i < list->n; i++)
		if (streq(list->holder[i].node, node))
			return 0;
	r = array_grow(&list->holder, list->n, sizeof(*holder));
	if (r < 0)
		return r;
	holder = &list->holder[list->n++];
	*holder = (struct holder){ .pid = scan->pid, .is_vfio = is_vfio };
	snprintf(holder->node, sizeof(holder->node), "%s", node);
	snprintf(holder->function, sizeof(holder->function), "%s", function);
	process_describe(scan->host, holder);
	return 0;
}

/*
 * A VFIO device's descriptor has no path, and libvirt may have passed it to QEMU without
 * the group's; its fdinfo names the device since Linux 6.16.
 */
static int look_at_vfio_fd(struct scan *scan, const char *fd)
{
	_cleanup_free_ char *text = NULL;
	char *line, *rest;
	const char *path, *name;

	if (host_read_all(scan->host, &text, "/proc/%d/fdinfo/%s", scan->pid, fd) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		path = str_after(line, "vfio-device-syspath:");
		name = path ? path_base(path) : "";
		if (pci_find(scan->functions, name))
			return found(scan, "its vfio device", name, true);
	}
	return 0;
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

/* AppArmor lets root list the descriptors of a process in another profile, not read them. */
static int look_at_fd(struct scan *scan, int dir, const char *fd)
{
	char target[PATH_MAX], link[PATH_MAX];
	const struct node *node;
	const char *path;
	ssize_t n = readlinkat(dir, fd, target, sizeof(target) - 1);

	if (n < 0) {
		note_denied(scan);
		return 0;
	}
	target[n] = '\0';
	if (streq(target, "anon_inode:[vfio-device]"))
		return look_at_vfio_fd(scan, fd);
	if (*target != '/')
		return 0;
	path = clean(scan->host, target);
	node = nodes_by_path(&scan->nodes, path);
	if (!node)
		node = nodes_by_device(&scan->nodes, path,
				       host_path(scan->host, link, "/proc/%d/fd/%s",
						 scan->pid, fd));
	return node ? found(scan, node->path, node->function, node->is_vfio) : 0;
}

static int scan_fds(struct scan *scan)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int r = 0;
	DIR *dir = opendir(host_path(scan->host, path, "/proc/%d/fd", scan->pid));

	if (!dir) {
		note_denied(scan);
		return 0;
	}
	while (r >= 0 && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			r = look_at_fd(scan, dirfd(dir), entry->d_name);
	closedir(dir);
	return r;
}

/* A mapping holds the device after its file was closed. */
static int scan_maps(struct scan *scan)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	char path[PATH_MAX];
	const struct node *node;
	size_t size = 0;
	char *name;
	int r = 0;

	f = fopen(host_path(scan->host, path, "/proc/%d/maps", scan->pid), "re");
	if (!f)
		note_denied(scan);
	while (f && r >= 0 && getline(&line, &size, f) >= 0) {
		name = strchr(line, '/');
		if (!name || !strstr(name, "/dev/"))
			continue;
		name[strcspn(name, "\n")] = '\0';
		node = nodes_by_path(&scan->nodes, clean(scan->host, name));
		if (node)
			r = found(scan, node->path, node->function, node->is_vfio);
	}
	return r;
}

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static void name_unreadable(struct scan *scan)
{
	char comm[64] = "?";

	host_read(scan->host, comm, sizeof(comm), "/proc/%d/comm", scan->pid);
	snprintf(scan->list.unreadable_one, sizeof(scan->list.unreadable_one),
		 "%.48s (pid %d)", comm, scan->pid);
}

static int scan_process(struct scan *scan, int pid)
{
	struct holder_list *list = &scan->list;
	int r;

	scan->pid = pid;
	scan->denied = false;
	scan->first = list->n;
	r = scan_fds(scan);
	if (r >= 0)
		r = scan_maps(scan);
	if (scan->denied && list->unreadable++ == 0)
		name_unreadable(scan);
	return r;
}

int holders_scan(const struct host *host, const struct pci_list *functions,
		 struct holder_list *ret, struct error *err)
{
	_cleanup_(scan_done) struct scan scan = { .host = host, .functions = functions };
	_cleanup_strv_ struct strv pids = {};
	int r, pid;

	r = nodes_find(host, functions, &scan.nodes, err);
	if (r < 0)
		return r;
	r = host_list(host, &pids, "/proc");
	if (r < 0)
		return error_errno(err, r, "cannot read /proc to find the holders");
	for (size_t i = 0; i < pids.n; i++) {
		if (!is_number(pids.v[i]))
			continue;
		pid = atoi(pids.v[i]);
		if (process_is_ours(host, pid))
			continue;
		r = scan_process(&scan, pid);
		if (r < 0)
			return error_oom(err);
	}
	*ret = scan.list;
	scan.list = (struct holder_list){};
	return 0;
}

char *holders_describe(const struct holder_list *list)
{
	_cleanup_strv_ struct strv parts = {};
	size_t shown = 0, more = 0;
	int last = 0, r = 0;

	for (size_t i = 0; i < list->n && r >= 0; i++) {
		const struct holder *h = &list->holder[i];

		if (h->pid == last)
			continue; /* one node of each process says enough */
		last = h->pid;
		if (shown++ < 3)
			r = strv_addf(&parts, "%s (pid %d, %s, %s)", h->comm, h->pid,
				      h->user, h->node);
		else
			more++;
	}
	if (r >= 0 && more)
		r = strv_addf(&parts, "and %zu more", more);
	return r < 0 ? NULL : strv_join(&parts, ", ");
}

char *holders_unreadable(const struct holder_list *list)
{
	char *text;

	if (!list->unreadable ||
	    asprintf(&text,
		     list->unreadable > 1 ?
			     "%u processes may not be looked at, %s for one" :
			     "%u process may not be looked at, %s",
		     list->unreadable, list->unreadable_one) < 0)
		return NULL;
	return text;
}

bool holder_is_session(const struct holder *holder)
{
	return str_after(holder->unit, "session-") || str_after(holder->unit, "user@") ||
	       process_is_logind(holder);
}

/* What to do about one holder, once for all that it helps against. */
static int add_cure(struct strv *cures, const struct holder *holder)
{
	_cleanup_free_ char *cure = NULL;
	int r;

	if (holder->is_vfio)
		r = asprintf(&cure, "shut its guest down");
	else if (process_is_logind(holder))
		r = asprintf(&cure, "end the session on that seat");
	else if (holder_is_session(holder))
		r = asprintf(&cure, "end the session of %s", holder->user);
	else if (str_ends(holder->unit, ".service"))
		r = asprintf(&cure, "stop %s", holder->unit);
	else
		r = asprintf(&cure, "end %s", holder->comm);
	if (r < 0) {
		cure = NULL;
		return -ENOMEM;
	}
	return strv_contains(cures, cure) ? 0 : strv_add(cures, cure);
}

char *holders_cure(const struct holder_list *list)
{
	_cleanup_strv_ struct strv cures = {};
	_cleanup_free_ char *joined = NULL;
	char *text;

	for (size_t i = 0; i < list->n && cures.n < 3; i++)
		if (add_cure(&cures, &list->holder[i]) < 0)
			return NULL;
	joined = strv_join(&cures, " and ");
	return joined && asprintf(&text, "%s first", joined) >= 0 ? text : NULL;
}

void holder_list_done(struct holder_list *list)
{
	free(list->holder);
	*list = (struct holder_list){};
}
