/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each example in conf.d, and the README's, is read without a mistake, and so is each step
 * that a comment in there offers.
 */
#include <dirent.h>
#include <regex.h>

#include "config.h"
#include "suite.h"

static struct host host = { .root = "" };

static const char *source(void)
{
	const char *dir = getenv("SOURCE");

	ck_assert_msg(dir != NULL, "SOURCE is not set");
	return dir;
}

static void parse(const char *path)
{
	struct config config = {};
	struct error err = {};
	int r = config_load(&host, path, &config, &err);

	ck_assert_msg(r == 0, "%s: %s", path, error_text(&err));
	ck_assert_uint_gt(config.n_steps, 0);
	config_done(&config);
}

START_TEST(examples_are_read)
{
	_cleanup_strv_ struct strv names = {};
	char path[PATH_MAX];

	ck_assert_int_eq(host_list(&host, &names, "%s/conf.d", source()), 0);
	ck_assert_uint_gt(names.n, 0);
	for (size_t i = 0; i < names.n; i++) {
		snprintf(path, sizeof(path), "%s/conf.d/%s", source(), names.v[i]);
		parse(path);
	}
}
END_TEST

/* A config to be written; in a folder, as everybody may write to /tmp itself. */
static struct {
	char dir[64], path[96];
} made;

static FILE *make_config(void)
{
	FILE *out;

	snprintf(made.dir, sizeof(made.dir), "/tmp/vfio-hook-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(made.dir));
	snprintf(made.path, sizeof(made.path), "%s/x.ini", made.dir);
	out = fopen(made.path, "w");
	ck_assert_ptr_nonnull(out);
	return out;
}

static void parse_made(FILE *out)
{
	fclose(out);
	parse(made.path);
	unlink(made.path);
	rmdir(made.dir);
}

/* How many steps the comments of FILE offer: lines as they are to be written, indented. */
static unsigned offers_are_read(const char *file)
{
	regex_t offer;
	unsigned n = 0;
	char line[512];
	FILE *in = fopen(file, "r");

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(regcomp(&offer, "^; {3}-?[a-z]+[.][a-z-]+ *= ?", REG_EXTENDED),
			 0);
	while (fgets(line, sizeof(line), in)) {
		FILE *out;

		if (regexec(&offer, line, 0, NULL, 0) != 0)
			continue;
		out = make_config();
		fprintf(out, "[devices]\ngpu = 0a:00.*\n[prepare/begin]\n%s", line + 4);
		parse_made(out);
		n++;
	}
	regfree(&offer);
	fclose(in);
	return n;
}

START_TEST(offers_in_comments_are_read)
{
	_cleanup_strv_ struct strv names = {};
	char path[PATH_MAX];
	unsigned n = 0;

	ck_assert_int_eq(host_list(&host, &names, "%s/conf.d", source()), 0);
	for (size_t i = 0; i < names.n; i++) {
		snprintf(path, sizeof(path), "%s/conf.d/%s", source(), names.v[i]);
		n += offers_are_read(path);
	}
	ck_assert_uint_ge(n, 15);
}
END_TEST

/* The first indented block that has a section in it. */
START_TEST(readme_is_read)
{
	char line[512], readme[PATH_MAX];
	unsigned lines = 0;
	bool inside = false;
	FILE *in, *out = make_config();

	snprintf(readme, sizeof(readme), "%s/README.md", source());
	in = fopen(readme, "r");
	ck_assert_ptr_nonnull(in);
	while (fgets(line, sizeof(line), in)) {
		inside = inside || str_after(line, "    [devices]");
		if (inside && line[0] != ' ' && line[0] != '\n')
			break;
		if (inside)
			fputs(line[0] == ' ' ? line + 4 : line, out);
		lines += inside && line[0] == ' ';
	}
	fclose(in);
	ck_assert_uint_eq(lines, 10); /* as it says */
	parse_made(out);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("examples");

	tcase_add_test(tc, examples_are_read);
	tcase_add_test(tc, offers_in_comments_are_read);
	tcase_add_test(tc, readme_is_read);
	return suite_run("examples", tc);
}
