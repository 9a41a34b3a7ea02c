/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes: any file below /sys or /proc that is read and written as text. A list
 * with one word in brackets ("[none] mq-deadline") has that word as its value, since
 * this is what can be written again.
 */
#include <ctype.h>
#include <sys/stat.h>

#include "guard.h"
#include "sriov.h"

/* Cuts "a [b] c" down to "b"; anything else stays as it is. */
static void select_word(char *text)
{
	char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close || strchr(text, '\n') || strpbrk(close + 1, "[]") ||
	    memchr(open + 1, '[', (size_t)(close - open - 1)))
		return;
	/* A word of its own, among others that are plain words. */
	if ((open > text && open[-1] != ' ') || (close[1] && close[1] != ' ') ||
	    close == open + 1 || memchr(open, ' ', (size_t)(close - open)) ||
	    strpbrk(text, ":=,;(){}\t"))
		return;
	memmove(text, open + 1, (size_t)(close - open - 1));
	text[close - open - 1] = '\0';
}

static bool write_only(const struct host *host, const char *path)
{
	char buf[PATH_MAX];
	struct stat st;

	return stat(host_path(host, buf, "%s", path), &st) == 0 && !(st.st_mode & 0444);
}

static int attr_read(const struct host *host, const char *target, char **ret,
		     struct error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t n;
	int r;

	if (write_only(host, target)) {
		/* A trigger: it has no value that could be kept. */
		*ret = strdup("");
		return *ret ? 0 : error_oom(err);
	}
	/* The config names it: a driver may let a read wait for ever, too. */
	r = guard_read_all_host(host, target, &text, err);
	if (r == -ENOENT)
		return error_set(err, r, "%s does not exist on this machine now", target);
	if (r < 0)
		return error_errno(err, r, "%s: cannot read", target);
	n = strlen(text);
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	select_word(text);
	*ret = STEAL(text);
	return 0;
}

/* "ff" and "00000000,000000ff", "Y" and "1", "0x10" and "16" are the same to the kernel. */
static bool same_number(const char *a, const char *b)
{
	char *end_a, *end_b;
	unsigned long long m, n;

	if (!isdigit((unsigned char)*a) || !isdigit((unsigned char)*b))
		return false;
	m = strtoull(a, &end_a, 0);
	n = strtoull(b, &end_b, 0);
	return !*end_a && !*end_b && m == n;
}

static bool same_mask(const char *a, const char *b)
{
	a += strspn(a, "0,");
	b += strspn(b, "0,");
	for (;; a++, b++) {
		a += *a == ',';
		b += *b == ',';
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
		if (!isxdigit((unsigned char)*a))
			return false;
	}
}

static bool same_flag(const char *a, const char *b)
{
	static const char yes[] = "1Yy", no[] = "0Nn";

	if (!*a || !*b || a[1] || b[1])
		return false;
	return (strchr(yes, *a) && strchr(yes, *b)) || (strchr(no, *a) && strchr(no, *b));
}

static bool same_cpus(const char *a, const char *b)
{
	struct cpu_list x = { 0 }, y = { 0 };
	bool same = false;

	if (parse_cpu_list(a, &x) == 0 && parse_cpu_list(b, &y) == 0 && x.n &&
	    x.n == y.n) {
		same = true;
		for (size_t i = 0; i < x.n; i++)
			same = same && cpu_list_contains(&y, x.cpu[i]);
	}
	cpu_list_done(&x);
	cpu_list_done(&y);
	return same;
}

static bool same_value(const char *a, const char *b)
{
	return streq(a, b) || same_flag(a, b) || same_number(a, b) || same_mask(a, b) ||
	       same_cpus(a, b);
}

static bool is_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

static int attr_change(struct run *run, const struct record *record, const char *from,
		       const char *to, struct error *err)
{
	_cleanup_free_ char *now = NULL;
	int r = sriov_may_write(run, record->target, to, err);

	if (r == 0)
		r = guard_write(run, record->target, to, err);
	if (r < 0 || write_only(&run->host, record->target))
		return r;
	r = attr_read(&run->host, record->target, &now, err);
	if (r < 0)
		return r;
	if (same_value(now, to))
		return 0;
	/* A text that did change is the kernel's own way to write it. */
	if (!streq(now, from) && !(is_number(now) && is_number(to)))
		return 0;
	return error_set(err, -EIO,
			 "%s is '%s' after '%s' was written: the kernel did not take it",
			 record->target, now, to);
}

/* Cut off right after the write, the journal does not have the kernel's wording yet. */
static int attr_undo(struct run *run, const struct record *record, const char *now,
		     struct error *err)
{
	if (same_value(now, record->new))
		return attr_change(run, record, now, record->old, err);
	run_warn(run, "%s is %s, which is not what was set (%s): left as it is",
		 record->target, state_value_text(now), state_value_text(record->new));
	return 0;
}

const struct state_kind state_attr = {
	.name = "attr",
	.shared = true,
	.read = attr_read,
	.change = attr_change,
	.undo = attr_undo,
};
