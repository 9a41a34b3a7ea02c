/*
 * hold: open files, say so, and keep them: the stand-in for an X server, a
 * sound server, a compute job. Copied under other names it has them in comm,
 * argv[0] and exe.
 *
 * hold [-i] [-m] [-u] [-s SECONDS] [-p PIDFILE] FILE...
 *   -i  ignore SIGTERM and SIGHUP
 *   -m  map each file and close it (a holder that /proc/PID/fd does not show)
 *   -u  as a compositor: close all at the kernel's uevent of a removed DRM card,
 *       open all again when one was added
 *   -p  write the pid there once everything is open
 *   -s  leave after so many seconds
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static int fds[64];

static int open_all(char **names, int count)
{
	for (int i = 0; i < count && i < 64; i++) {
		fds[i] = open(names[i], O_RDWR | O_NONBLOCK);
		if (fds[i] < 0)
			fds[i] = open(names[i], O_RDONLY | O_NONBLOCK);
		if (fds[i] < 0) {
			fprintf(stderr, "hold: %s: %s\n", names[i], strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* The message is ACTION@DEVPATH and NAME=VALUE strings, each with its NUL. */
static void follow_uevents(char **names, int count)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int s = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	char text[8192];
	ssize_t n;
	int holding = 1;

	if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof(address))) {
		perror("hold: uevents");
		exit(1);
	}
	for (;;) {
		n = recv(s, text, sizeof(text) - 1, 0);
		if (n <= 0)
			continue;
		text[n] = 0;
		if (!strstr(text, "/drm/card"))
			continue;
		if (holding && !strncmp(text, "remove@", 7)) {
			for (int i = 0; i < count && i < 64; i++)
				close(fds[i]);
			holding = 0;
		} else if (!holding && !strncmp(text, "add@", 4)) {
			holding = !open_all(names, count);
		}
	}
}

int main(int argc, char **argv)
{
	int opt, map = 0, uevents = 0, seconds = 0;
	const char *pidfile = NULL;

	while ((opt = getopt(argc, argv, "imup:s:")) != -1) {
		switch (opt) {
		case 'i':
			signal(SIGTERM, SIG_IGN);
			signal(SIGHUP, SIG_IGN);
			break;
		case 'm':
			map = 1;
			break;
		case 'u':
			uevents = 1;
			break;
		case 'p':
			pidfile = optarg;
			break;
		case 's':
			seconds = atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (open_all(argv + optind, argc - optind))
		return 1;
	for (int i = 0; map && i < argc - optind && i < 64; i++) {
		if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fds[i], 0) == MAP_FAILED) {
			fprintf(stderr, "hold: mmap %s: %s\n", argv[optind + i], strerror(errno));
			return 1;
		}
		close(fds[i]);
	}
	if (pidfile) {
		char part[4096];
		FILE *f;

		snprintf(part, sizeof(part), "%s.part", pidfile);
		f = fopen(part, "w");
		if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f) || rename(part, pidfile)) {
			perror("hold: pidfile");
			return 1;
		}
	}
	if (seconds)
		alarm(seconds);
	if (uevents)
		follow_uevents(argv + optind, argc - optind);
	for (;;)
		pause();
}
