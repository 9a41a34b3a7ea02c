/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a phase is, for the person who has started it by hand. The terminal may be the
 * desktop's that ends with it, or be stopped: what cannot be written at once is left out,
 * as nothing that is done to the host may wait for somebody who reads.
 */
#include <poll.h>
#include <sys/ioctl.h>

#include "progress.h"
#include "table.h"

#define NARROWEST 20
#define WIDTH_UNKNOWN 80

static void put(const struct progress *progress, const char *text)
{
	struct pollfd pfd = { .fd = progress->fd, .events = POLLOUT };
	ssize_t n;

	if (poll(&pfd, 1, 0) <= 0 || !(pfd.revents & POLLOUT))
		return;
	n = write(progress->fd, text, strlen(text));
	(void)n; /* nobody there any more */
}

/* The first bytes of TEXT that are at most WIDTH columns wide. */
static int fitting(const char *text, size_t width)
{
	size_t n = 0;

	for (size_t columns = 0; text[n]; n++) {
		if (((unsigned char)text[n] & 0xc0) != 0x80 && columns++ == width)
			break;
	}
	return (int)n;
}

static size_t terminal_width(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col < NARROWEST)
		return WIDTH_UNKNOWN;
	return size.ws_col;
}

/* A line that wraps cannot be taken back: it ends one column before the edge. */
static void show(struct progress *progress, const char *text)
{
	char line[sizeof(progress->shown)], whole[sizeof(line) + 16];
	int n = fitting(text, terminal_width(progress->fd) - 1);

	snprintf(line, sizeof(line), "%.*s", n, text);
	if (streq(line, progress->shown))
		return;
	snprintf(whole, sizeof(whole), "\r\033[K%s", line);
	put(progress, whole);
	memcpy(progress->shown, line, sizeof(line));
}

static void end_line(struct progress *progress, const char *colour, const char *word,
		     const char *text)
{
	char line[1024];

	if (progress->live)
		snprintf(line, sizeof(line), "\r\033[K%s%-6s\033[0m  %s\n", colour, word,
			 text);
	else
		snprintf(line, sizeof(line), "%-6s  %s\n", word, text);
	put(progress, line);
	progress->shown[0] = progress->step[0] = '\0';
}

static void tell(struct observer *observer, enum run_event event, const char *text)
{
	struct progress *progress = (struct progress *)observer;
	char line[sizeof(progress->shown)];

	switch (event) {
	case RUN_BEGINS:
		snprintf(progress->step, sizeof(progress->step),
			 "%.*s: ", (int)strcspn(text, " ="), text);
		snprintf(line, sizeof(line), "%-6s  %s", "...", text);
		if (progress->live)
			show(progress, line);
		break;
	case RUN_GOES_ON:
		snprintf(line, sizeof(line), "%-6s  %s%s", "...", progress->step, text);
		if (progress->live)
			show(progress, line);
		break;
	case RUN_DONE:
		end_line(progress, "\033[32m", "ok", text);
		break;
	case RUN_FAILED:
		end_line(progress, "\033[1;31m", "failed", text);
		break;
	case RUN_ENDS:
		if (*progress->shown)
			show(progress, "");
		break;
	}
}

void progress_init(struct progress *progress, int fd)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	*progress = (struct progress){
		.observer.tell = tell,
		.fd = fd,
		.live = isatty(fd) && !(no_color && *no_color) && term && *term &&
			!streq(term, "dumb"),
	};
}

void run_awaits_holders(struct run *run, const struct holder_list *holders)
{
	_cleanup_free_ char *names = NULL;

	if (!run->observer || !holders->n)
		return;
	names = holders_describe(holders);
	run_awaits(run, "%s", names ? names : "a process");
}
