/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log. Someone whose only screen is the GPU that was taken away has this to read and
 * nothing else, perhaps after the reset button: so what is about to be done is on the disk
 * before it is begun. A log that cannot be written never fails a phase, and a disk that
 * hangs never holds it up: a child writes, which can be left behind.
 */

#include <ctype.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "event.h"
#include "guard.h"
#include "log.h"
#include "log_file.h"

#define LOG_LINE_MAX (32 * 1024)
#define LOG_PATIENCE_MS 3000 /* with a disk, once */

/* What is asked of the writer, with its NUL, which no line has: it tells when that is done. */
#define ASK_SIZE 5
static const char SYNC[ASK_SIZE] = "sync", WRITTEN[ASK_SIZE] = "done";

static struct {
	int fd; /* a socket: the writer's other end */
	int writer; /* its pid; 0: none, or it has ended */
	unsigned asked; /* what it has not told of yet */
	bool unwritten, unsynced; /* lines were sent since it was last asked for that */
	bool stuck, hold;
	int stderr_level;
	int syslog;
	int pid; /* ours, for syslog: no child of ours has a line to log */
	char domain[256];
} log_state = { .fd = -1, .stderr_level = -1, .syslog = -1 };

static const char *level_name(int level)
{
	static const char *const names[] = { "EMERG",	"ALERT",  "CRIT", "ERROR",
					     "WARNING", "NOTICE", "INFO", "DEBUG" };

	return level >= 0 && level <= LOG_DEBUG ? names[level] : "INFO";
}

static bool is_asked(const char *packet, ssize_t n, const char ask[ASK_SIZE])
{
	return n == ASK_SIZE && memcmp(packet, ask, ASK_SIZE) == 0;
}

/*
 * A line to write, or what it is asked for, then a byte back when that is done. There is a
 * file as soon as there is a line: what is only looked for by name leaves none.
 */
static void __attribute__((noreturn))
writer_main(int fd, const struct host *host, const char *domain)
{
	char line[LOG_LINE_MAX];
	int file = -1;
	ssize_t n;

	fd = guard_isolate(fd);
	while (fd >= 0 && (n = recv(fd, line, sizeof(line), 0)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n < 0)
			continue;
		if (file < 0 && (file = log_file_open(host, domain)) < 0)
			_exit(1);
		if (is_asked(line, n, SYNC))
			fdatasync(file);
		else if (!is_asked(line, n, WRITTEN)) {
			/* one write: lines of two phases at once stay whole */
			log_file_write(file, line, (size_t)n);
			continue;
		}
		send(fd, "", 1, MSG_NOSIGNAL);
	}
	if (file >= 0)
		fdatasync(file);
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
			 log_state.pid, domain, *domain ? ": " : "", text);

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
	log_state.pid = getpid();
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
	log_state.asked = 0;
	log_state.unwritten = log_state.unsynced = false;
	log_state.stuck = false;
	reap_writer();
}

static void wait_writer(short events, int64_t ms)
{
	struct pollfd pfd = { .fd = log_state.fd, .events = events };

	if (ms > 0)
		poll(&pfd, 1, (int)ms);
}

/* Takes what the writer says; false: nothing, by now. */
static bool hear_writer(void)
{
	char byte;
	ssize_t n = recv(log_state.fd, &byte, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n == 1)
		log_state.asked--;
	else
		close_file(); /* it could not open the file */
	log_state.stuck = false;
	return true;
}

/* For how long a disk is waited for from now on; END is when that is over. */
static int64_t patience_left(int64_t end)
{
	return log_state.stuck || log_state.hold ? 0 : end - now_ms();
}

/* Once that is over, the disk counts as one that hangs. */
static bool may_wait(int64_t left)
{
	if (left <= 0 && !log_state.hold)
		log_state.stuck = true;
	return left > 0;
}

static void wait_told(void)
{
	int64_t end = now_ms() + LOG_PATIENCE_MS;

	while (log_state.fd >= 0 && log_state.asked) {
		int64_t left = patience_left(end);

		wait_writer(POLLIN, left);
		if (!hear_writer() && !may_wait(left))
			return;
	}
}

static bool is_gone(int error)
{
	return error == EPIPE || error == ECONNRESET || error == ENOTCONN ||
	       error == EBADF || error == ENOTSOCK;
}

/* Behind those that a stuck disk keeps there may be no room. False: it is lost. */
static bool send_writer(const char *what, size_t n)
{
	int64_t end = now_ms() + LOG_PATIENCE_MS;

	while (log_state.fd >= 0) {
		int64_t left = patience_left(end);

		if (send(log_state.fd, what, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n)
			return true;
		if (is_gone(errno))
			close_file();
		else if ((errno != EAGAIN && errno != EINTR) || !may_wait(left))
			return false;
		else
			wait_writer(POLLOUT, left);
	}
	return false;
}

static void ask_writer(const char ask[ASK_SIZE], bool *need)
{
	if (*need && send_writer(ask, ASK_SIZE)) {
		log_state.asked++;
		*need = log_state.unwritten = false;
	}
	wait_told();
}

void log_sync(void)
{
	ask_writer(SYNC, &log_state.unsynced);
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
	if (send_writer(line, (size_t)n))
		log_state.unwritten = log_state.unsynced = true;
}

void log_hold(bool hold)
{
	log_state.hold = hold;
}

void log_at(int level, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	text = str_format(fmt, ap);
	va_end(ap);
	if (!text)
		return;
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
	ask_writer(WRITTEN, &log_state.unwritten); /* it syncs them by itself */
	close_file();
	log_state.domain[0] = '\0';
	closep(&log_state.syslog);
	log_state.syslog = -1;
}
