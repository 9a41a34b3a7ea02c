/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever problem a test comes by has its cure in its text: a clause that tells what to
 * do. What has none is kept, also by children, until the tree goes.
 */
#include <fcntl.h>

#include "faketree_react.h"
#include "run.h"

#define NO_CURE "/.fake/no-cure"

int __real_run_problem(struct run *run, int code, struct error *err, const char *fmt, ...)
	_printf_(4, 5);
int __wrap_run_problem(struct run *run, int code, struct error *err, const char *fmt, ...)
	_printf_(4, 5);
int __real_run_problem_why(struct run *run, int code, struct error *err,
			   const struct error *why);
int __wrap_run_problem_why(struct run *run, int code, struct error *err,
			   const struct error *why);

static bool is_order(const char *word)
{
	static const char *const orders[] = {
		"add",	      "boot",	   "choose",  "chmod", "chown",	  "detach",
		"disconnect", "enable",	   "end",     "give",  "install", "keep",
		"leave",      "load",	   "look",    "log",   "mkdir",	  "mount",
		"name",	      "pin",	   "pull",    "put",   "raise",	  "reboot",
		"remove",     "run",	   "say",     "set",   "shut",	  "stop",
		"take",	      "unload",	   "unmount", "use",   "wait",	  "write",
		"lspci",      "systemctl", NULL
	};
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz");
	char copy[16];

	if (!n || n >= sizeof(copy) || !strchr(" :`", word[n]))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)n, word);
	return str_in_list(copy, orders);
}

/* "kmod.unload = nvidia" */
static bool is_line(const char *word)
{
	size_t n = strspn(word, "abcdefghijklmnopqrstuvwxyz.-");

	return n > 0 && memchr(word, '.', n) && str_after(word + n, " =");
}

bool fake_has_cure(const char *text)
{
	static const char *const before[] = { ": ",   "; ",    ", ", "? ", " or ",
					      " so ", " and ", "(",  "`" };

	for (const char *p = text; *p; p++)
		for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
			const char *clause = str_after(p, before[i]);

			if (clause && (is_order(clause) || is_line(clause) ||
				       str_after(clause, "did you mean ")))
				return true;
		}
	return false;
}

static void note(const char *text)
{
	char path[PATH_MAX];
	int fd = open(fake_path(path, NO_CURE), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		      0644);

	if (fd < 0 || dprintf(fd, "%s\n", text) < 0)
		fake_die("cannot write", path);
	close(fd);
}

/* A step that is marked '-' goes on without. */
static void judge(const struct run *run, const char *text)
{
	const char *clause = run->report.clause ? run->report.clause : "";
	_cleanup_free_ char *whole = NULL;

	if (asprintf(&whole, "%s%s", text, clause) < 0)
		fake_die("no memory", "for a problem");
	if (!run->put_off && !(run->step && run->step->optional) && !fake_has_cure(whole))
		note(whole);
}

int __wrap_run_problem_why(struct run *run, int code, struct error *err,
			   const struct error *why)
{
	judge(run, error_text(why));
	return __real_run_problem_why(run, code, err, why);
}

int __wrap_run_problem(struct run *run, int code, struct error *err, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = str_format(fmt, ap);
	va_end(ap);
	if (!text)
		fake_die("no memory", "for a problem");
	judge(run, text);
	return __real_run_problem(run, code, err, "%s", text);
}

void fake_assert_cures(void)
{
	char path[PATH_MAX], text[2048];
	FILE *f = fopen(fake_path(path, NO_CURE), "re");

	if (!f)
		return;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	fprintf(stderr, "without a cure: %s", text);
	abort();
}
