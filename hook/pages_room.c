/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host can spare, of the whole machine or of some of its nodes. The kernel's
 * allocator goes on down to its watermarks, so that a pool too large ends in the OOM
 * killer.
 */
#include <inttypes.h>

#include "pages.h"

#define RESERVE_BYTES (256ULL << 20) /* left to the host, or 1/20 of its memory */

const char *pages_amount(uint64_t bytes, char buf[32])
{
	uint64_t tenths = (bytes >> 20) * 10 / 1024;

	if (bytes < 1ULL << 20)
		snprintf(buf, 32, "%" PRIu64 " KiB", bytes >> 10);
	else if (bytes < 1ULL << 30)
		snprintf(buf, 32, "%" PRIu64 " MiB", bytes >> 20);
	else if (tenths % 10 == 0)
		snprintf(buf, 32, "%" PRIu64 " GiB", tenths / 10);
	else
		snprintf(buf, 32, "%" PRIu64 ".%" PRIu64 " GiB", tenths / 10, tenths % 10);
	return buf;
}

/* "KEY:   123 kB" anywhere in TEXT, in bytes; 0 when it is not there. */
static uint64_t meminfo(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; (p = strstr(p, key)); p += n)
		if (p[n] == ':' && (p == text || p[-1] == '\n' || p[-1] == ' '))
			return strtoull(p + n + 1, NULL, 10) * 1024;
	return 0;
}

int pages_default_size(const struct host *host, uint64_t *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = host_read_all(host, &text, "/proc/meminfo");
	uint64_t size;

	if (r < 0)
		return error_errno(err, r, "cannot read /proc/meminfo");
	size = meminfo(text, "Hugepagesize");
	if (!size)
		return error_set(err, -ENODEV,
				 "hugepages: this kernel has none: leave this line out");
	*ret = size;
	return 0;
}

/* A node's meminfo has no MemAvailable: what can be had at once, or dropped. */
static int node_available(const struct host *host, unsigned node, uint64_t *ret,
			  struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = host_read_all(host, &text, "/sys/devices/system/node/node%u/meminfo",
			      node);

	if (r < 0)
		return error_errno(err, r, "hugepages: no NUMA node %u", node);
	*ret = meminfo(text, "MemFree") + meminfo(text, "Active(file)") +
	       meminfo(text, "Inactive(file)") + meminfo(text, "SReclaimable");
	return 0;
}

int pages_nodes(const struct host *host, struct cpu_list *ret, struct error *err)
{
	_cleanup_(cpu_list_done) struct cpu_list nodes = {}, all = {};
	_cleanup_free_ char *text = NULL;
	uint64_t available;

	if (host_read_all(host, &text, "/sys/devices/system/node/online") >= 0) {
		text[strcspn(text, "\n")] = '\0';
		if (parse_cpu_list(text, &all) == -ENOMEM)
			return error_oom(err);
	}
	for (size_t i = 0; i < all.n; i++) {
		if (node_available(host, all.cpu[i], &available, NULL) < 0 || !available)
			continue;
		if (array_grow(&nodes.cpu, nodes.n, sizeof(*nodes.cpu)) < 0)
			return error_oom(err);
		nodes.cpu[nodes.n++] = all.cpu[i];
	}
	*ret = (struct cpu_list){ STEAL(nodes.cpu), nodes.n };
	return 0;
}

int pages_room(const struct host *host, const struct cpu_list *nodes,
	       struct page_room *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct page_room m = {};
	uint64_t node, sum = 0;
	int r = host_read_all(host, &text, "/proc/meminfo");

	if (r < 0)
		return error_errno(err, r, "cannot read /proc/meminfo");
	m.available = meminfo(text, "MemAvailable");
	m.reserve = meminfo(text, "MemTotal") / 20;
	if (m.reserve < RESERVE_BYTES)
		m.reserve = RESERVE_BYTES;
	for (size_t i = 0; nodes && i < nodes->n; i++, sum += node) {
		r = node_available(host, nodes->cpu[i], &node, err);
		if (r < 0)
			return r;
	}
	if (nodes && sum < m.available)
		m.available = sum;
	m.room = m.available > m.reserve ? m.available - m.reserve : 0;
	*ret = m;
	return 0;
}
