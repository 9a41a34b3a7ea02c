/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>

#include "caller.h"
#include "journal_format.h"

#define CALLED STATE_DIR "/called"

/* "PID START"; false: the process is not there. */
static bool identify(const struct host *host, int pid, char buf[64])
{
	uint64_t start;

	if (process_start_time(host, pid, &start) < 0)
		return false;
	snprintf(buf, 64, "%d %llu", pid, (unsigned long long)start);
	return true;
}

static bool is_noted(const struct host *host, const char *text)
{
	char noted[64];

	return host_read(host, noted, sizeof(noted), CALLED) > 0 && streq(text, noted);
}

bool caller_has_called(const struct host *host, int pid)
{
	char text[64];

	return identify(host, pid, text) && is_noted(host, text);
}

void caller_note(const struct host *host, int pid)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX], text[64];

	if (!identify(host, pid, text) || is_noted(host, text))
		return;
	fd = open(host_path(host, path, CALLED),
		  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || dprintf(fd, "%s\n", text) < 0)
		return;
}
