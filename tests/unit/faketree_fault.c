/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults by number: the N-th of all changes of machine and journal fails, is half done,
 * or is the end of the hook. The count is shared with the children that make changes.
 */
#include <signal.h>
#include <sys/mman.h>

#include "faketree.h"
#include "faketree_react.h"

int __real_fork(void);
int __wrap_fork(void);
ssize_t __real_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);

static struct fault {
	unsigned count, at;
	enum fake_fault how;
	int error, pid;
	char path[256];
} * fault;

static bool no_forks;

void faketree_no_forks(bool none)
{
	no_forks = none;
}

int __wrap_fork(void)
{
	if (!no_forks)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

void faketree_fault(unsigned at, enum fake_fault how, int error)
{
	if (!fault)
		fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fault == MAP_FAILED)
		fake_die("no memory", "for faults");
	*fault = (struct fault){ .at = at, .how = how, .error = error, .pid = getpid() };
}

unsigned faketree_faults(const char **ret_path)
{
	if (ret_path)
		*ret_path = fault->path;
	return fault->count;
}

bool fake_fault(const char *path, int *ret)
{
	if (!fault || !fault->pid || ++fault->count != fault->at)
		return false;
	snprintf(fault->path, sizeof(fault->path), "%s", path);
	if (fault->how == FAULT_KILL) {
		if (fault->pid != getpid())
			kill(fault->pid, SIGKILL);
		raise(SIGKILL);
	}
	*ret = -fault->error;
	return true;
}

void fake_fault_done(void)
{
	no_forks = false;
	if (fault)
		*fault = (struct fault){};
}

static bool in_journal(int fd, char path[PATH_MAX])
{
	char link[64], dir[128];
	ssize_t n;

	if (!fault || !fault->pid || !*faketree_root())
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	snprintf(dir, sizeof(dir), "%s/run/vfio-hook/", faketree_root());
	return str_after(path, dir) != NULL;
}

ssize_t __wrap_write(int fd, const void *data, size_t n)
{
	char path[PATH_MAX];
	int r;

	if (!in_journal(fd, path) || !fake_fault(path, &r))
		return __real_write(fd, data, n);
	if (fault->how == FAULT_SHORT)
		return __real_write(fd, data, n / 2);
	errno = -r;
	return -1;
}

int __wrap_unlink(const char *path)
{
	int r;

	if (!str_ends(path, ".journal") || !fake_fault(path, &r))
		return __real_unlink(path);
	errno = -r;
	return -1;
}
