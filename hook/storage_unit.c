/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd's names for the units of mounts and swaps.
 */
#include <ctype.h>

#include "storage.h"

void storage_unit(const char *path, const char *type, char *buf, size_t size)
{
	size_t n = 0;

	path += strspn(path, "/");
	if (!*path)
		n = (size_t)snprintf(buf, size, "-");
	for (bool first = true; *path && n < size; path++, first = false) {
		if (*path == '/')
			n += (size_t)snprintf(buf + n, size - n, "-");
		else if (isalnum((unsigned char)*path) || strchr(":_", *path) ||
			 (*path == '.' && !first))
			n += (size_t)snprintf(buf + n, size - n, "%c", *path);
		else
			n += (size_t)snprintf(buf + n, size - n, "\\x%02x",
					      (unsigned char)*path);
	}
	if (n < size)
		snprintf(buf + n, size - n, ".%s", type);
}
