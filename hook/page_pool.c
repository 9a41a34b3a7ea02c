/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's pools of huge pages: their names, their counts, and the write that may take
 * long.
 */
#include <inttypes.h>
#include <signal.h>
#include <sys/time.h>

#include "guard.h"
#include "pages.h"

#define STOP_MARGIN_MS 200

const char *page_pool_target(const struct page_pool *pool, char buf[PAGE_POOL_LEN])
{
	unsigned long long kib = pool->size / 1024;

	if (pool->node < 0)
		snprintf(buf, PAGE_POOL_LEN, "hugepages-%llukB/all", kib);
	else
		snprintf(buf, PAGE_POOL_LEN, "hugepages-%llukB/node%d", kib, pool->node);
	return buf;
}

int page_pool_parse(const char *target, struct page_pool *ret)
{
	char again[PAGE_POOL_LEN], where[16];
	struct page_pool pool = { .node = -1 };
	uint64_t kib;

	if (sscanf(target, "hugepages-%" SCNu64 "kB/%15s", &kib, where) != 2)
		return -EINVAL;
	pool.size = kib * 1024;
	if (!streq(where, "all") && sscanf(where, "node%d", &pool.node) != 1)
		return -EINVAL;
	if (!streq(page_pool_target(&pool, again), target))
		return -EINVAL;
	*ret = pool;
	return 0;
}

static const char *pool_dir(const struct page_pool *pool, char buf[PATH_MAX])
{
	unsigned long long kib = pool->size / 1024;

	if (pool->node < 0)
		snprintf(buf, PATH_MAX, "/sys/kernel/mm/hugepages/hugepages-%llukB", kib);
	else
		snprintf(buf, PATH_MAX,
			 "/sys/devices/system/node/node%d/hugepages/hugepages-%llukB",
			 pool->node, kib);
	return buf;
}

bool page_pool_exists(const struct host *host, const struct page_pool *pool)
{
	char dir[PATH_MAX];

	return host_exists(host, "%s/nr_hugepages", pool_dir(pool, dir));
}

/* Reservations are counted for the whole machine only: a node's may be any of them. */
static int pool_reserved(const struct host *host, const struct page_pool *pool,
			 uint64_t *ret)
{
	struct page_pool all = { .size = pool->size, .node = -1 };
	char dir[PATH_MAX];

	return host_read_u64(host, ret, "%s/resv_hugepages", pool_dir(&all, dir));
}

int page_pool_read(const struct host *host, const struct page_pool *pool,
		   struct page_counts *ret, struct error *err)
{
	uint64_t nr, surplus, free_pages, reserved;
	char dir[PATH_MAX];
	int r;

	pool_dir(pool, dir);
	r = host_read_u64(host, &nr, "%s/nr_hugepages", dir);
	if (r >= 0)
		r = host_read_u64(host, &surplus, "%s/surplus_hugepages", dir);
	if (r >= 0)
		r = host_read_u64(host, &free_pages, "%s/free_hugepages", dir);
	if (r >= 0)
		r = pool_reserved(host, pool, &reserved);
	if (r < 0)
		return error_errno(err, r, "hugepages: cannot read %s", dir);
	/* sysfs counts the surplus in, /proc/sys/vm/nr_hugepages does not */
	*ret = (struct page_counts){
		.persistent = nr > surplus ? nr - surplus : 0,
		.free = free_pages,
		.reserved = reserved,
	};
	return 0;
}

struct pool_write {
	const struct host *host;
	const char *dir;
	uint64_t value;
	int64_t deadline;
};

static void on_alarm(int sig _unused_)
{
}

/*
 * Any pending signal ends the kernel's loop after the page it works on, and the write
 * then returns as if all had been done: so an alarm keeps the deadline, and the child
 * need not be left behind.
 */
static int write_until(void *arg)
{
	const struct pool_write *write = arg;
	const struct sigaction action = { .sa_handler = on_alarm };
	int64_t left = write->deadline - now_ms() - STOP_MARGIN_MS;
	struct itimerval timer = {};
	char value[24];
	sigset_t set;
	int r;

	if (left < STOP_MARGIN_MS)
		left = STOP_MARGIN_MS;
	timer.it_value.tv_sec = left / 1000;
	timer.it_value.tv_usec = left % 1000 * 1000;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	if (sigaction(SIGALRM, &action, NULL) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &set, NULL) < 0 ||
	    setitimer(ITIMER_REAL, &timer, NULL) < 0)
		return -errno;
	snprintf(value, sizeof(value), "%" PRIu64, write->value);
	r = host_write(write->host, value, "%s/nr_hugepages", write->dir);
	timer = (struct itimerval){};
	setitimer(ITIMER_REAL, &timer, NULL);
	return r;
}

int page_pool_set(struct run *run, const struct page_pool *pool, uint64_t value,
		  struct error *err)
{
	char dir[PATH_MAX], what[PAGE_POOL_LEN + 32], target[PAGE_POOL_LEN];
	struct pool_write write = {
		.host = &run->host,
		.dir = pool_dir(pool, dir),
		.value = value,
		.deadline = run_deadline(run),
	};
	int r;

	snprintf(what, sizeof(what), "%s: setting %" PRIu64 " pages",
		 page_pool_target(pool, target), value);
	r = guard_call(run, what, write_until, &write, err);
	if (r == -EINVAL) /* gigantic pages without CONFIG_CONTIG_ALLOC */
		return error_set(
			err, r,
			"%s: the kernel cannot make such pages while it runs: boot with "
			"hugepagesz= and hugepages= on its command line",
			target);
	return r < 0 ? error_errno(err, r, "%s", what) : r;
}
