/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many huge pages a guest still lacks, and how many the host can spare. The kernel's
 * allocator goes on down to its watermarks, so that a pool too large ends in the OOM
 * killer; and pages that are free now may be promised to a guest that starts as well.
 */
#include <inttypes.h>

#include "effect.h"
#include "log.h"
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
		return error_set(err, -ENODEV, "hugepages: this kernel has none");
	*ret = size;
	return 0;
}

/* A node's meminfo has no MemAvailable: what can be had at once, or dropped. */
static int node_available(const struct host *host, int node, uint64_t *ret,
			  struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = host_read_all(host, &text, "/sys/devices/system/node/node%d/meminfo",
			      node);

	if (r < 0)
		return error_errno(err, r, "hugepages: no NUMA node %d", node);
	*ret = meminfo(text, "MemFree") + meminfo(text, "Active(file)") +
	       meminfo(text, "Inactive(file)") + meminfo(text, "SReclaimable");
	return 0;
}

int pages_room(const struct host *host, const struct page_pool *pool,
	       struct page_room *ret, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	struct page_room m = {};
	uint64_t node = 0;
	int r = host_read_all(host, &text, "/proc/meminfo");

	if (r < 0)
		return error_errno(err, r, "cannot read /proc/meminfo");
	m.available = meminfo(text, "MemAvailable");
	m.reserve = meminfo(text, "MemTotal") / 20;
	if (m.reserve < RESERVE_BYTES)
		m.reserve = RESERVE_BYTES;
	if (pool->node >= 0) {
		r = node_available(host, pool->node, &node, err);
		if (r < 0)
			return r;
		if (node < m.available)
			m.available = node;
	}
	m.room = m.available > m.reserve ? m.available - m.reserve : 0;
	*ret = m;
	return 0;
}

/* Pages that JOURNAL's domain was given of POOL, or counts on, in whatever pool it is. */
static uint64_t journal_pages(const struct host *host, const struct journal *journal,
			      const struct page_pool *pool)
{
	uint64_t shares = 0, taken = 0;

	for (size_t i = 0; i < journal->n; i++) {
		const struct record *record = &journal->records[i];
		struct page_counts counts;
		struct page_share s;
		struct page_pool p;

		if (record->struck || record->kind != &state_pages ||
		    page_pool_parse(record->target, &p) < 0 || p.size != pool->size)
			continue;
		if (p.node >= 0 && pool->node >= 0 && p.node != pool->node)
			continue;
		if (page_pool_read(host, &p, &counts, NULL) < 0)
			continue;
		s = page_share_of(record, counts.persistent);
		shares += s.share;
		taken += s.taken;
	}
	return shares > taken ? shares : taken;
}

/*
 * Free pages that are promised: to domains whose QEMU is not up yet. From then on the
 * kernel knows: a running guest's pages are in use or reserved.
 */
static int pages_promised(const struct run *run, const struct page_pool *pool,
			  uint64_t *ret, struct error *err)
{
	const char *own = run->journal ? run->journal->uuid :
			  run->domain  ? run->domain->uuid :
					 NULL;
	_cleanup_strv_ struct strv uuids = {};
	char boot_id[37] = "";
	uint64_t sum = 0;
	int r = journal_list(&run->host, &uuids);

	if (r < 0)
		return error_errno(err, r, "cannot list the journals");
	(void)host_boot_id(&run->host, boot_id);
	for (size_t i = 0; i < uuids.n; i++) {
		_cleanup_(journal_done) struct journal other = { .fd = -1 };

		if (own && streq(uuids.v[i], own))
			continue;
		if (journal_is_boot(uuids.v[i]))
			continue; /* for whoever asks first */
		if (journal_read(&run->host, uuids.v[i], &other, NULL) < 0)
			continue; /* its own domain will say so */
		if (other.boot_id && !streq(other.boot_id, boot_id))
			continue;
		if (other.phases[PHASE_STARTED] != PHASE_STATE_COMPLETE)
			sum += journal_pages(&run->host, &other, pool);
	}
	*ret = sum;
	return 0;
}

/* In the overlay: what earlier steps of the plan took of the pool. */
static const char *taken_name(const struct page_pool *pool, char buf[PAGE_POOL_LEN])
{
	char target[PAGE_POOL_LEN];

	page_pool_target(pool, target);
	snprintf(buf, PAGE_POOL_LEN, "%.40s taken", target);
	return buf;
}

static uint64_t overlay_number(const struct run *run, const char *name, uint64_t def)
{
	const char *text = overlay_get(run->host.overlay, &state_pages, name);
	uint64_t value;

	return text && parse_u64(text, &value) == 0 ? value : def;
}

static int overlay_set_number(struct run *run, const char *name, uint64_t value,
			      struct error *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	if (overlay_set(run->host.overlay, &state_pages, name, text) < 0)
		return error_oom(err);
	return 0;
}

static int pages_need(struct run *run, const struct page_goal *goal,
		      const struct page_counts *counts, uint64_t taken, uint64_t *ret,
		      struct error *err)
{
	uint64_t promised = 0, away, usable;
	int r = pages_promised(run, &goal->pool, &promised, err);

	if (r < 0)
		return r;
	away = counts->reserved + promised + taken;
	usable = counts->free > away ? counts->free - away : 0;
	log_debug("hugepages: %" PRIu64 " free, %" PRIu64 " reserved, %" PRIu64
		  " promised to others, %" PRIu64 " taken",
		  counts->free, counts->reserved, promised, taken);
	*ret = goal->pages > usable ? goal->pages - usable : 0;
	return 0;
}

static struct page_share own_share(const struct run *run, const struct page_pool *pool,
				   uint64_t found)
{
	char target[PAGE_POOL_LEN];
	struct page_share share;

	page_pool_target(pool, target);
	share = page_share_of(journal_find(run->journal, &state_pages, target), found);
	/* what a prepare without a release got waits for this one */
	if (share.by != getpid())
		share.taken = 0;
	share.from = share.to = found;
	share.by = getpid();
	return share;
}

/* As pages_claim(), in the overlay. */
static int claim_simulated(struct run *run, const struct page_goal *goal,
			   uint64_t *ret_need, struct error *err)
{
	char target[PAGE_POOL_LEN], name[PAGE_POOL_LEN];
	struct page_counts counts;
	uint64_t taken, planned;
	int r = page_pool_read(&run->host, &goal->pool, &counts, err);

	if (r < 0)
		return r;
	page_pool_target(&goal->pool, target);
	planned = overlay_number(run, target, counts.persistent);
	if (planned > counts.persistent)
		counts.free += planned - counts.persistent;
	taken = overlay_number(run, taken_name(&goal->pool, name), 0);
	r = pages_need(run, goal, &counts, taken, ret_need, err);
	return r < 0 ? r : overlay_set_number(run, name, taken + goal->pages, err);
}

int pages_simulate(struct run *run, const struct page_pool *pool, uint64_t grown,
		   struct error *err)
{
	char target[PAGE_POOL_LEN], what[PAGE_POOL_LEN + 8], now_text[24], then_text[24];
	struct page_counts counts;
	uint64_t now;
	int r = page_pool_read(&run->host, pool, &counts, err);

	if (r < 0)
		return r;
	page_pool_target(pool, target);
	now = overlay_number(run, target, counts.persistent);
	snprintf(now_text, sizeof(now_text), "%" PRIu64, now);
	snprintf(then_text, sizeof(then_text), "%" PRIu64, now + grown);
	run_change(run, state_describe(&state_pages, target, what, sizeof(what)),
		   now_text, then_text);
	return overlay_set_number(run, target, now + grown, err);
}

int pages_claim(struct run *run, const struct page_goal *goal, uint64_t *ret_need,
		struct error *err)
{
	_cleanup_close_ int lock = -1;
	struct page_counts counts;
	struct page_share share;
	int r;

	if (run->simulate)
		return claim_simulated(run, goal, ret_need, err);
	r = journal_lock(&run->host, run_deadline(run), &lock, err);
	if (r >= 0)
		r = page_pool_read(&run->host, &goal->pool, &counts, err);
	if (r < 0)
		return r;
	share = own_share(run, &goal->pool, counts.persistent);
	r = pages_need(run, goal, &counts, share.taken, ret_need, err);
	if (r < 0)
		return r;
	share.taken += goal->pages;
	return page_share_record(run, &goal->pool, &share, err);
}

int pages_unclaim(struct run *run, const struct page_pool *pool, uint64_t pages,
		  struct error *err)
{
	_cleanup_close_ int lock = -1;
	char target[PAGE_POOL_LEN];
	struct page_counts counts;
	struct page_share share;
	int r;

	page_pool_target(pool, target);
	if (!journal_find(run->journal, &state_pages, target))
		return 0;
	r = journal_lock(&run->host, run_deadline(run), &lock, err);
	if (r >= 0)
		r = page_pool_read(&run->host, pool, &counts, err);
	if (r < 0)
		return r;
	share = own_share(run, pool, counts.persistent);
	share.taken -= pages < share.taken ? pages : share.taken;
	if (share.share == 0 && share.taken == 0)
		return journal_strike(run->journal, &state_pages, target, err);
	return page_share_record(run, pool, &share, err);
}
