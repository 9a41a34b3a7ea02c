/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each problem that a step may have tells what to do, in the source.
 */
#include "faketree_react.h"
#include "machine.h"

/* The texts of the call of run_problem() at P, one behind the other, in BUF. */
static void texts_of_call(const char *p, char *buf, size_t size)
{
	size_t n = 0;

	for (unsigned depth = 1; depth && *p; p++) {
		depth += *p == '(';
		depth -= *p == ')';
		if (*p != '"')
			continue;
		for (p++; *p != '"'; p++) {
			p += *p == '\\';
			if (n + 1 < size)
				buf[n++] = *p;
		}
	}
	buf[n] = '\0';
}

/* What it is told by others was looked at when a test came by it. */
static bool is_told_by_others(const char *text)
{
	return !*text || streq(text, "%s") || str_ends(text, ": %s") ||
	       str_ends(text, ", but %s");
}

/* The call at P, which starts at most this many characters behind, has a clause of its own. */
#define CLAUSE_BEFORE 100

static bool has_clause(const char *source, const char *p)
{
	const char *from = p - source > CLAUSE_BEFORE ? p - CLAUSE_BEFORE : source;
	const char *clause = strstr(from, "run_cure_optional(run, \"");

	return clause && clause < p;
}

static unsigned problems_of_file(const char *path)
{
	_cleanup_free_ char *source = calloc(1, 65536);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char text[1024];
	unsigned n = 0;

	ck_assert(f && source && fread(source, 1, 65535, f) > 0);
	for (const char *p = source; (p = strstr(p, "run_problem("));) {
		bool clause = has_clause(source, p);

		p += strlen("run_problem(");
		texts_of_call(p, text, sizeof(text));
		ck_assert_msg(is_told_by_others(text) || clause || fake_has_cure(text),
			      "%s: %s", path, text);
		n++;
	}
	return n;
}

/* Also those that no test comes by. */
START_TEST(every_problem_has_its_cure)
{
	static const char *const folders[] = { "hook", "plugins" };
	const char *source = getenv("SOURCE");
	unsigned n = 0;

	ck_assert_msg(source, "SOURCE is not set");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		const struct host here = { .root = source };
		_cleanup_strv_ struct strv names = {};
		char path[PATH_MAX];

		ck_assert_int_eq(host_list(&here, &names, "/%s", folders[i]), 0);
		for (size_t k = 0; k < names.n; k++)
			if (str_ends(names.v[k], ".c"))
				n += problems_of_file(host_path(&here, path, "/%s/%s",
								folders[i], names.v[k]));
	}
	ck_assert_uint_gt(n, 60);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, every_problem_has_its_cure);
}

int main(void)
{
	return machine_run("problem_texts", add);
}
