/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups (cgroup v2): their files, and which of them is a guest's.
 */
#include "cgroup.h"
#include "guard.h"
#include "owner.h"

const char *cgroup_read(const struct host *host, const char *group, const char *file,
			char *buf, size_t size)
{
	if (host_read(host, buf, size, CGROUP "%s%s/%s", *group ? "/" : "", group, file) <
	    0)
		*buf = '\0';
	return buf;
}

int cgroup_put(struct run *run, const char *group, const char *file, const char *value,
	       struct error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), CGROUP "/%s/%s", group, file);
	return guard_write(run, path, value, err);
}

static void cut_suffix(char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	if (n > m && streq(text + n - m, suffix))
		text[n - m] = '\0';
}

/* As systemd-machined names it, and libvirt where there is none. */
static bool is_guest(const char *group)
{
	const char *name = strrchr(group, '/');

	return name &&
	       (str_after(name, "/machine-qemu") || strstr(name, ".libvirt-qemu"));
}

int cgroup_of_guest(const struct host *host, const char *uuid, char *buf, size_t size)
{
	char text[PATH_MAX], *line = text, *end;
	int pid = owner_qemu(host, uuid);

	if (pid <= 0 || host_read(host, text, sizeof(text), "/proc/%d/cgroup", pid) < 0)
		return -ENOENT;
	while (line && !str_after(line, "0::/"))
		line = (end = strchr(line, '\n')) ? end + 1 : NULL;
	if (!line)
		return -ENOENT;
	line += strlen("0::/");
	line[strcspn(line, "\n")] = '\0';
	/* What libvirt makes in it for QEMU's own threads. */
	cut_suffix(line, "/emulator");
	cut_suffix(line, "/libvirt");
	return is_guest(line) && snprintf(buf, size, "%s", line) < (int)size ? 0 :
									       -ENOENT;
}
