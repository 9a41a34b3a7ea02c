/*
 * hold: open files, say so, and keep them: the stand-in for an X server, a
 * sound server, a compute job. Copied under other names it has them in comm,
 * argv[0] and exe.
 *
 * hold [-i] [-m] [-n] [-q] [-u] [-d ADDRESS] [-N NODE] [-F MIB] [-H PAGES] [-l FROZEN]
 *      [-s SECONDS] [-p PIDFILE] FILE...
 *   -i  ignore SIGTERM and SIGHUP
 *   -m  map each file and close it (a holder that /proc/PID/fd does not show)
 *   -q  leave each file in the queue of a socket and close it: nothing in /proc
 *       tells who has it
 *   -d  FILE is /dev/vfio/GROUP: make a container, as QEMU does, and open the
 *       group's PCI device, too
 *   -H  have so many huge pages, as a guest's memory
 *   -l  map the file FROZEN, of a file system that was frozen, write to it in a thread and
 *       unmap it in another: until it is thawed nobody can look at this process' memory
 *   -n  none of the files has to be there
 *   -N  its memory comes from this NUMA node and no other, as libvirt binds a cell
 *   -F  fragment memory: take so many MiB, keep every eighth page and lock it, so
 *       that it is moved only where vm.compact_unevictable_allowed lets it
 *   -u  as a compositor: close all at the kernel's uevent of a removed DRM card,
 *       open all again when one was added
 *   -p  write the pid there once everything is open
 *   -s  leave after so many seconds
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/mempolicy.h>
#include <linux/netlink.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fds[64], container = -1, device = -1, may_lack;

static int open_all(char **names, int count)
{
	for (int i = 0; i < count && i < 64; i++) {
		fds[i] = open(names[i], O_RDWR | O_NONBLOCK);
		if (fds[i] < 0)
			fds[i] = open(names[i], O_RDONLY | O_NONBLOCK);
		if (fds[i] < 0 && !may_lack) {
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

static int open_device(const char *address)
{
	container = open("/dev/vfio/vfio", O_RDWR);
	if (container < 0 || ioctl(fds[0], VFIO_GROUP_SET_CONTAINER, &container) < 0 ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) < 0) {
		perror("hold: vfio container");
		return -1;
	}
	device = ioctl(fds[0], VFIO_GROUP_GET_DEVICE_FD, address);
	if (device < 0)
		perror("hold: vfio device");
	return device;
}

static int queue(int s, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1,
			     .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(s, &msg, 0) < 0 ? -1 : close(fd);
}

static int queue_all(int count)
{
	int s[2], bad = socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0;

	for (int i = 0; !bad && i < count && i < 64; i++)
		bad = queue(s[0], fds[i]) < 0;
	if (!bad && device >= 0)
		bad = queue(s[0], container) < 0 || queue(s[0], device) < 0;
	if (bad)
		perror("hold: queue");
	return bad ? -1 : 0;
}

static int have_pages(int pages)
{
	size_t size = (size_t)pages << 21;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (p == MAP_FAILED) {
		perror("hold: huge pages");
		return -1;
	}
	for (size_t i = 0; i < size; i += 1 << 21)
		p[i] = 1;
	return 0;
}

static int bind_memory(int node)
{
	unsigned long nodes = 1UL << node;

	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8 * sizeof(nodes)) == 0)
		return 0;
	perror("hold: node");
	return -1;
}

static int fragment(int mib)
{
	size_t size = (size_t)mib << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, size, MADV_NOHUGEPAGE)) {
		perror("hold: memory");
		return -1;
	}
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	for (size_t i = 0; i + 32768 <= size; i += 32768)
		if (madvise(p + i + 4096, 7 * 4096, MADV_DONTNEED))
			return -1;
	if (mlock2(p, size, MLOCK_ONFAULT)) {
		perror("hold: mlock");
		return -1;
	}
	return 0;
}

static char *frozen;

static void *write_frozen(void *arg)
{
	*frozen = 1;
	return arg;
}

static void *unmap_frozen(void *arg)
{
	munmap(frozen, 4096);
	return arg;
}

/* The writer sleeps with the lock in hand, and behind who wants all of it all others wait. */
static int lock_memory(const char *path)
{
	pthread_t writer, unmapper;
	int fd = open(path, O_RDWR);

	frozen = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (frozen == MAP_FAILED || pthread_create(&writer, NULL, write_frozen, NULL) ||
	    usleep(200000) || pthread_create(&unmapper, NULL, unmap_frozen, NULL)) {
		perror("hold: memory lock");
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int opt, map = 0, uevents = 0, seconds = 0, in_queue = 0, pages = 0, fragments = 0, node = -1;
	const char *pidfile = NULL, *address = NULL, *lock = NULL;

	while ((opt = getopt(argc, argv, "d:F:H:il:mnN:qup:s:")) != -1) {
		switch (opt) {
		case 'i':
			signal(SIGTERM, SIG_IGN);
			signal(SIGHUP, SIG_IGN);
			break;
		case 'd':
			address = optarg;
			break;
		case 'F':
			fragments = atoi(optarg);
			break;
		case 'H':
			pages = atoi(optarg);
			break;
		case 'l':
			lock = optarg;
			break;
		case 'N':
			node = atoi(optarg);
			break;
		case 'n':
			may_lack = 1;
			break;
		case 'q':
			in_queue = 1;
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
	if (open_all(argv + optind, argc - optind) || (address && open_device(address) < 0) ||
	    (in_queue && queue_all(argc - optind)))
		return 1;
	for (int i = 0; map && i < argc - optind && i < 64; i++) {
		if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fds[i], 0) == MAP_FAILED) {
			fprintf(stderr, "hold: mmap %s: %s\n", argv[optind + i], strerror(errno));
			return 1;
		}
		close(fds[i]);
	}
	if ((node >= 0 && bind_memory(node)) || (pages && have_pages(pages)) || (fragments && fragment(fragments)))
		return 1;
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
	if (lock && lock_memory(lock))
		return 1;
	if (seconds)
		alarm(seconds);
	if (uevents)
		follow_uevents(argv + optind, argc - optind);
	for (;;)
		pause();
}
