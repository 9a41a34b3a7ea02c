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

/* A packet: 'r' or 'w', the path with its NUL, for 'w' the value with its NUL. */
static void serve(const void *arg, int fd, int parent)
{
	struct guard_access access = { .host = arg };
	char packet[PACKET_MAX + 2] = "";
	size_t n;

	while ((n = guard_next(fd, parent, packet, PACKET_MAX))) {
		struct guard_answer answer = { 0 };
		const struct guard_job job = { .access = &access };

		packet[n] = packet[n + 1] = '\0';
		access.path = packet + 1;
		access.value = *packet == 'w' ? access.path + strlen(access.path) + 1 :
						NULL;
		answer.result = guard_do(&job, answer.text);
		if (guard_send(fd, &answer) < 0)
			return;
	}
}

bool guard_server_takes(const struct guard_access *access)
{
	return access->host->server &&
	       strlen(access->path) + (access->value ? strlen(access->value) : 0) <
		       PACKET_MAX - 3;
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
	char op = access->value ? 'w' : 'r';
	struct iovec parts[] = {
		{ &op, 1 },
		{ (char *)access->path, strlen(access->path) + 1 },
		{ (char *)access->value, access->value ? strlen(access->value) + 1 : 0 },
	};
	const struct msghdr packet = { .msg_iov = parts, .msg_iovlen = ARRAY_SIZE(parts) };
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
