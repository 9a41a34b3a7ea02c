/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log. Someone whose only screen is the GPU that was taken away has this to read and
 * nothing else, perhaps after the reset button: so every line is on the disk before the
 * next step begins. A log that cannot be written never fails a phase, and a disk that
 * hangs never holds it up: a child writes, which can be left behind.
 */

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "event.h"
#include "guard.h"
#include "log.h"

#define LOG_PHASES 20
#define LOG_KEEP_MAX (4 * 1024 * 1024)
#define LOG_LINE_MAX (32 * 1024)
#define LOG_PATIENCE_MS 3000 /* with a disk, once */

static struct {
	int fd; /* a socket: the writer's other end */
	int writer; /* its pid; 0: none, or it has ended */
	unsigned unwritten; /* lines that it has not told of yet */
	bool stuck, hold;
	int stderr_level;
	int syslog;
	char domain[256];
} log_state = { .fd = -1, .stderr_level = -1, .syslog = -1 };

static const char *level_name(int level)
{
	static const char *const names[] = { "EMERG",	"ALERT",  "CRIT", "ERROR",
					     "WARNING", "NOTICE", "INFO", "DEBUG" };

	return level >= 0 && level <= LOG_DEBUG ? names[level] : "INFO";
}

static bool write_all(int fd, const char *data, size_t n)
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
	ok = write_all(fd, text, strlen(text)) && fsync(fd) == 0;
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

static int open_file(const struct host *host, const char *domain)
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

/* A line from the socket, then a byte back when it is on the disk. */
static void __attribute__((noreturn))
writer_main(int fd, const struct host *host, const char *domain)
{
	char line[LOG_LINE_MAX];
	int file;
	ssize_t n;

	fd = guard_isolate(fd);
	file = fd < 0 ? -1 : open_file(host, domain);
	if (file < 0)
		_exit(1);
	while ((n = recv(fd, line, sizeof(line), 0)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		/* one write: lines of two phases at once stay whole */
		if (n > 0 && write_all(file, line, (size_t)n))
			fdatasync(file);
		if (n > 0)
			send(fd, "", 1, MSG_NOSIGNAL);
	}
	_exit(0);
}

static void reap_writer(void)
{
	if (log_state.writer > 0 && waitpid(log_state.writer, NULL, WNOHANG) != 0)
		log_state.writer = 0;
}

static int start_writer(const struct host *host, const char *domain)
{
	int fds[2], pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		writer_main(fds[1], host, domain);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -1;
	}
	log_state.writer = pid;
	return fds[0];
}

/*
 * Not syslog(3), whose send waits as long as the daemon does not read: journald may be
 * stopped, or the very thing that waits for a disk that we are about to give back.
 */
static int open_syslog(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void log_to_syslog(int level, const char *text)
{
	_cleanup_free_ char *line = NULL;
	const char *domain = log_state.domain;
	int n = asprintf(&line, "<%d>vfio-hook[%d]: %s%s%s", LOG_DAEMON | level,
			 (int)getpid(), domain, *domain ? ": " : "", text);

	if (n < 0) {
		line = NULL;
		return;
	}
	/* One that does not fit into the daemon's queue is lost; the file has it. */
	(void)!send(log_state.syslog, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void log_open(const struct host *host, const char *domain)
{
	log_close();
	if (!*host->root)
		log_state.syslog = open_syslog();
	if (!domain)
		return;
	snprintf(log_state.domain, sizeof(log_state.domain), "%s", domain);
	if (domain_name_is_safe(domain))
		log_state.fd = start_writer(host, domain);
}

void log_set_stderr(int level)
{
	log_state.stderr_level = level;
}

static void close_file(void)
{
	closep(&log_state.fd); /* the writer ends with that */
	log_state.fd = -1;
	log_state.unwritten = 0;
	log_state.stuck = false;
	reap_writer();
}

/* Takes what the writer says; false: it has nothing to say within that time. */
static bool hear_writer(int64_t ms)
{
	struct pollfd pfd = { .fd = log_state.fd, .events = POLLIN };
	char byte;

	if (poll(&pfd, 1, (int)ms) <= 0)
		return false;
	if (recv(log_state.fd, &byte, 1, MSG_DONTWAIT) == 1)
		log_state.unwritten--;
	else
		close_file(); /* it could not open the file */
	return true;
}

static void wait_written(void)
{
	int64_t end = now_ms() + LOG_PATIENCE_MS;

	while (log_state.fd >= 0 && log_state.unwritten) {
		int64_t left = log_state.stuck || log_state.hold ? 0 : end - now_ms();

		if (left > 0 ? hear_writer(left) : hear_writer(0))
			continue;
		if (log_state.hold || log_state.stuck)
			return;
		log_state.stuck = left <= 0;
	}
	log_state.stuck = false;
}

static void log_to_file(int level, const char *text)
{
	_cleanup_free_ char *line = NULL;
	struct timespec now;
	struct tm tm;
	char when[32], zone[8];
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!localtime_r(&now.tv_sec, &tm))
		return;
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	n = asprintf(&line, "%s.%03ld%s %s %s\n", when, now.tv_nsec / 1000000, zone,
		     level_name(level), text);
	if (n < 0) {
		line = NULL;
		return;
	}
	if (n > LOG_LINE_MAX)
		line[(n = LOG_LINE_MAX) - 1] = '\n';
	/* One that does not fit behind those that a stuck disk keeps is lost. */
	if (send(log_state.fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n)
		log_state.unwritten++;
	wait_written();
}

void log_hold(bool hold)
{
	log_state.hold = hold;
}

void log_at(int level, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	int saved = errno, n;
	va_list ap;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	/* one line each: domain names and programs' output are not ours */
	for (char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = ' ';

	if (log_state.fd >= 0)
		log_to_file(level, text);
	if (log_state.syslog >= 0)
		log_to_syslog(level, text);
	if (level <= log_state.stderr_level)
		fprintf(stderr, "%s\n", text);
	errno = saved;
}

void log_close(void)
{
	close_file();
	log_state.domain[0] = '\0';
	closep(&log_state.syslog);
	log_state.syslog = -1;
}
