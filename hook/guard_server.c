/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child that the guarded reads and writes of one call share.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include "guard_child.h"

#define PACKET_MAX 8192
/* guard_settle() judges what a child is at by the age of the child. */
#define SERVES_MS 3000

/* The string at *P, behind which *P is then; END is the packet's. */
static const char *next_string(const char **p, const char *end)
{
	const char *string = *p < end ? *p : NULL;

	if (string)
		*p += strlen(string) + 1;
	return string;
}

/*
 * A packet: 'r' or 'w', the path with its NUL, for 'w' the value with its NUL, then the same of
 * each write that is to follow late.
 */
static void unpack(const char *packet, const char *end, struct guard_access *access,
		   struct guard_late late[GUARD_LATE_MAX + 1])
{
	const char *p = packet + 1;
	unsigned n = 0;

	access->path = next_string(&p, end);
	access->value = *packet == 'w' ? next_string(&p, end) : NULL;
	while (n < GUARD_LATE_MAX && (late[n].path = next_string(&p, end)) &&
	       (late[n].value = next_string(&p, end)))
		n++;
	late[n].path = NULL;
	access->late = late;
}

static void serve(const void *arg, int fd, int parent)
{
	struct guard_late late[GUARD_LATE_MAX + 1];
	struct guard_access access = { .host = arg };
	char packet[PACKET_MAX + 2] = "";
	size_t n;

	while ((n = guard_next(fd, parent, packet, PACKET_MAX))) {
		struct guard_answer answer = { 0 };
		const struct guard_job job = { .access = &access };

		packet[n] = packet[n + 1] = '\0';
		unpack(packet, packet + n, &access, late);
		answer.result = guard_do(&job, answer.text);
		if (guard_send(fd, &answer) < 0) {
			if (answer.result >= 0)
				guard_do_late(&access);
			return;
		}
	}
}

#define PARTS_MAX (3 + 2 * GUARD_LATE_MAX)

static struct iovec string_part(const char *string)
{
	return (struct iovec){ (char *)(uintptr_t)string, strlen(string) + 1 };
}

/* The packet's parts: how many. *RET_SIZE is that of all. */
static size_t pack(const struct guard_access *access, struct iovec parts[PARTS_MAX],
		   size_t *ret_size)
{
	const struct guard_late *late = access->late;
	size_t n = 0;

	parts[n++] = (struct iovec){ (char *)(uintptr_t)(access->value ? "w" : "r"), 1 };
	parts[n++] = string_part(access->path);
	if (access->value)
		parts[n++] = string_part(access->value);
	for (; late && late->path && n + 2 <= PARTS_MAX; late++) {
		parts[n++] = string_part(late->path);
		parts[n++] = string_part(late->value);
	}
	*ret_size = 0;
	for (size_t i = 0; i < n; i++)
		*ret_size += parts[i].iov_len;
	return n;
}

bool guard_server_takes(const struct guard_access *access)
{
	struct iovec parts[PARTS_MAX];
	size_t size;

	pack(access, parts, &size);
	return access->host->server && size < PACKET_MAX;
}

int guard_server_start(struct guard_server *server, const struct host *host, int *ret_fd)
{
	int pid;

	if (server->pid && server->owner != getpid())
		*server = (struct guard_server){ 0 }; /* its end was not ours to keep */
	if (server->pid && now_ms() - server->since > SERVES_MS)
		guard_server_done(server);
	if (!server->pid) {
		pid = guard_spawn(serve, host, &server->fd);
		if (pid < 0)
			return pid;
		server->pid = pid;
		server->owner = getpid();
		server->since = now_ms();
	}
	*ret_fd = server->fd;
	return server->pid;
}

int guard_server_ask(int fd, const struct guard_access *access)
{
	struct iovec parts[PARTS_MAX];
	size_t size;
	const struct msghdr packet = { .msg_iov = parts,
				       .msg_iovlen = pack(access, parts, &size) };
	ssize_t n;

	do
		n = sendmsg(fd, &packet, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

void guard_server_done(struct guard_server *server)
{
	if (server->pid && server->owner == getpid())
		guard_reap(server->pid, server->fd); /* it waits for nothing else */
	*server = (struct guard_server){ 0 };
}
