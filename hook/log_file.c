/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a domain's log: it keeps the last phases, and is opened so that neither a
 * symlink nor a pipe in its place does any harm.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "log.h"
#include "log_file.h"

#define LOG_PHASES 20
#define LOG_KEEP_MAX (4 * 1024 * 1024)

bool log_file_write(int fd, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, data, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		data += written;
		n -= (size_t)written;
	}
	return true;
}

/* The end of the file, at most LOG_KEEP_MAX, beginning with a whole line. */
static char *read_end(int fd)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;
	off_t from;
	ssize_t n;
	char *line;

	if (fstat(fd, &st) < 0 || st.st_size == 0)
		return NULL;
	from = st.st_size > LOG_KEEP_MAX ? st.st_size - LOG_KEEP_MAX : 0;
	text = malloc((size_t)(st.st_size - from) + 1);
	if (!text)
		return NULL;
	n = pread(fd, text, (size_t)(st.st_size - from), from);
	if (n < 0)
		return NULL;
	text[n] = '\0';
	if (from > 0) {
		line = strchr(text, '\n');
		return strdup(line ? line + 1 : "");
	}
	return STEAL(text);
}

const char *log_text_of(const char *line)
{
	for (int blanks = 0; blanks < 2; blanks++) {
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	return line;
}

/* Where the last KEEP phases of TEXT begin; TEXT itself when there are no more. */
static const char *last_phases(const char *text, unsigned keep)
{
	const char *begin[LOG_PHASES];
	const char *line = text, *end;
	unsigned n = 0;

	for (; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		if (str_after(log_text_of(line), LOG_PHASE_BEGIN))
			begin[n++ % keep] = line;
	}
	return n > keep ? begin[n % keep] : text;
}

static void replace_file(const char *path, const char *text)
{
	char temporary[PATH_MAX];
	int fd;
	bool ok;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.tmp", path) >=
	    sizeof(temporary))
		return;
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	ok = log_file_write(fd, text, strlen(text)) && fsync(fd) == 0;
	close(fd);
	if (!ok || rename(temporary, path) < 0)
		unlink(temporary);
}

/* Room for the phase that begins now. */
static void trim(const char *path)
{
	_cleanup_close_ int fd =
		open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	const char *rest;

	if (fd < 0)
		return;
	text = read_end(fd);
	if (!text)
		return;
	rest = last_phases(text, LOG_PHASES - 1);
	if (rest != text || lseek(fd, 0, SEEK_END) > LOG_KEEP_MAX)
		replace_file(path, rest);
}

int log_file_open(const struct host *host, const char *domain)
{
	char path[PATH_MAX], dir[PATH_MAX];

	if (strlen(domain) > NAME_MAX - strlen(".log.tmp"))
		return -1;
	mkdir(host_path(host, dir, "/var"), 0755);
	mkdir(host_path(host, dir, "/var/log"), 0755);
	mkdir(host_path(host, dir, LOG_DIR), 0755);
	host_path(host, path, LOG_DIR "/%s.log", domain);
	trim(path);
	return open(path,
		    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
		    0640);
}
