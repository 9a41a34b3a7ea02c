/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every other file needs: lists of strings, growing arrays, and numbers read
 * strictly. A number that is only half understood must not become a page count or a
 * timeout, so nothing here skips blanks, takes signs or stops early.
 */
#include <limits.h>
#include <time.h>

#include "util.h"

/* A wait of more than a year is a slip, and deadlines must not overflow. */
#define DURATION_MAX_MS (366LL * 24 * 3600 * 1000)
/* The kernel's largest NR_CPUS. */
#define CPU_MAX 8192

int array_grow(void *array, size_t n, size_t size)
{
	size_t bytes;
	char *old, *new;

	memcpy(&old, array, sizeof(old));
	if (n == 0 || (n & (n - 1)) == 0) { /* full: room doubles at powers of two */
		if (__builtin_mul_overflow(size, n ? n : 1, &bytes) ||
		    (n > 0 && __builtin_mul_overflow(bytes, (size_t)2, &bytes)))
			return -ENOMEM;
		new = realloc(old, bytes);
		if (!new)
			return -ENOMEM;
		memcpy(array, &new, sizeof(new));
		old = new;
	}
	memset(old + n * size, 0, size);
	return 0;
}

/* Takes S over, also on failure. */
static int strv_take(struct strv *strv, char *s)
{
	_cleanup_free_ char *owned = s;

	if (!owned)
		return -ENOMEM;
	/* With the NULL behind them, N strings fill N + 1 places. */
	if (strv->n == 0 && array_grow(&strv->v, 0, sizeof(*strv->v)) < 0)
		return -ENOMEM;
	if (array_grow(&strv->v, strv->n + 1, sizeof(*strv->v)) < 0)
		return -ENOMEM;
	strv->v[strv->n++] = STEAL(owned);
	strv->v[strv->n] = NULL;
	return 0;
}

int strv_add(struct strv *strv, const char *s)
{
	return strv_take(strv, strdup(s));
}

int strv_addf(struct strv *strv, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = str_format(fmt, ap);
	va_end(ap);
	return strv_take(strv, s);
}

char *str_format(const char *fmt, va_list ap)
{
	char *text;

	return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

bool str_in_list(const char *s, const char *const *list)
{
	while (*list && !streq(s, *list))
		list++;
	return *list != NULL;
}

bool strv_contains(const struct strv *strv, const char *s)
{
	for (size_t i = 0; i < strv->n; i++) {
		if (streq(strv->v[i], s))
			return true;
	}
	return false;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *strv)
{
	if (strv->n > 1)
		qsort(strv->v, strv->n, sizeof(*strv->v), compare_strings);
}

char *strv_join(const struct strv *strv, const char *separator)
{
	size_t len = 1, gap = strlen(separator);
	char *joined, *p;

	for (size_t i = 0; i < strv->n; i++)
		len += strlen(strv->v[i]) + gap;
	joined = p = malloc(len);
	if (!joined)
		return NULL;
	for (size_t i = 0; i < strv->n; i++) {
		if (i > 0)
			p = stpcpy(p, separator);
		p = stpcpy(p, strv->v[i]);
	}
	*p = '\0';
	return joined;
}

void strv_done(struct strv *strv)
{
	for (size_t i = 0; i < strv->n; i++)
		free(strv->v[i]);
	free(strv->v);
	*strv = (struct strv){ 0 };
}

const char *shell_word(const char *word, char *buf, size_t size)
{
	bool plain = *word &&
		     strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
				  "UVWXYZ0123456789/._-+:@%,") == strlen(word);
	size_t n;

	if (plain && *word != '-')
		return word;
	n = (size_t)snprintf(buf, size, "%s%s", *word == '-' ? "-- " : "",
			     plain ? word : "'");
	if (plain)
		return buf;
	for (; *word && n + 6 < size; word++) {
		if (*word == '\'')
			n += (size_t)snprintf(buf + n, size - n, "'\\''");
		else
			buf[n++] = *word;
	}
	buf[n++] = '\'';
	buf[n] = '\0';
	return buf;
}

const char *path_base(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!path)
		return "";
	return slash ? slash + 1 : path;
}

int64_t now_ms(void)
{
	struct timespec ts = { 0 };

	/* Cannot fail: CLOCK_BOOTTIME is older than any kernel that has VFIO. */
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The digits at S, at least one; *RET_END is what follows them. */
static int parse_digits(const char *s, uint64_t *ret, const char **ret_end)
{
	uint64_t n = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return -ERANGE;
	}
	if (p == s)
		return -EINVAL;
	*ret = n;
	*ret_end = p;
	return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
	const char *end;
	uint64_t n;
	int r = parse_digits(s, &n, &end);

	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = n;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* A number and one of UNITS, whose last has no name. */
static int parse_with_unit(const char *s, const struct unit *units, uint64_t *ret)
{
	const char *end;
	uint64_t n;
	int r = parse_digits(s, &n, &end);

	if (r < 0)
		return r;
	while (units->name && !streq(units->name, end))
		units++;
	if (!units->name)
		return -EINVAL;
	return __builtin_mul_overflow(n, units->factor, ret) ? -ERANGE : 0;
}

int parse_duration(const char *s, int64_t *ret_ms)
{
	static const struct unit units[] = { { "", 1000 },	   { "s", 1000 },
					     { "ms", 1 },	   { "min", 60 * 1000 },
					     { "h", 3600 * 1000 }, { NULL, 0 } };
	uint64_t ms;

	if (parse_with_unit(s, units, &ms) < 0 || ms > DURATION_MAX_MS)
		return -EINVAL;
	*ret_ms = (int64_t)ms;
	return 0;
}

int parse_size(const char *s, uint64_t *ret)
{
	static const struct unit units[] = { { "", 1 },
					     { "K", 1ULL << 10 },
					     { "M", 1ULL << 20 },
					     { "G", 1ULL << 30 },
					     { NULL, 0 } };
	uint64_t size;
	int r = parse_with_unit(s, units, &size);

	if (r < 0)
		return r;
	*ret = size;
	return 0;
}

static int compare_cpus(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* One "N" or "N-M" at *S; *S moves behind it. */
static int add_cpu_range(const char **s, struct cpu_list *list)
{
	uint64_t first, last;

	if (parse_digits(*s, &first, s) < 0)
		return -EINVAL;
	last = first;
	if (**s == '-' && parse_digits(*s + 1, &last, s) < 0)
		return -EINVAL;
	if (last < first || last >= CPU_MAX || list->n + (last - first) >= 2 * CPU_MAX)
		return -EINVAL;
	for (uint64_t cpu = first; cpu <= last; cpu++) {
		if (array_grow(&list->cpu, list->n, sizeof(*list->cpu)) < 0)
			return -ENOMEM;
		list->cpu[list->n++] = (unsigned)cpu;
	}
	return 0;
}

/* An empty text is an empty list: so sysfs shows "no CPU". */
int parse_cpu_list(const char *s, struct cpu_list *ret)
{
	_cleanup_(cpu_list_done) struct cpu_list list = { 0 };
	size_t n = 0;

	while (*s) {
		int r = add_cpu_range(&s, &list);

		if (r < 0)
			return r;
		if (*s == ',' && s[1])
			s++;
		else if (*s)
			return -EINVAL;
	}
	if (list.n > 1)
		qsort(list.cpu, list.n, sizeof(*list.cpu), compare_cpus);
	for (size_t i = 0; i < list.n; i++) {
		if (n == 0 || list.cpu[n - 1] != list.cpu[i])
			list.cpu[n++] = list.cpu[i];
	}
	*ret = (struct cpu_list){ STEAL(list.cpu), n };
	return 0;
}

bool cpu_list_contains(const struct cpu_list *list, unsigned cpu)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->cpu[i] == cpu)
			return true;
	}
	return false;
}

void cpu_list_done(struct cpu_list *list)
{
	free(list->cpu);
	*list = (struct cpu_list){ 0 };
}
