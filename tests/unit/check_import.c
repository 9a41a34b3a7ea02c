/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook import: scripts in the styles that people write them in become the config in
 * NAME.ini beside them, and whatever is read, even noise, what is printed can be read
 * again. IMPORT_UPDATE=1 in the environment writes the expected files anew.
 */
#include <ftw.h>
#include <sys/stat.h>

#include "config.h"
#include "data.h"
#include "import_run.h"
#include "suite.h"

static char dir[64], config_path[96], script_path[96];
static const struct host host = { .root = "" };

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_import.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(config_path, sizeof(config_path), "%s/x.ini", dir);
	snprintf(script_path, sizeof(script_path), "%s/start.sh", dir);
}

static void teardown(void)
{
	unlink(config_path);
	unlink(script_path);
	rmdir(dir);
}

static void put(const char *path, const char *text, size_t len)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	fchmod(fileno(f), 0644);
}

/* Its config, which our own parser takes without a complaint. */
static char *convert(const char *path, size_t *ret_left)
{
	struct import_request request = { .root = dir, .dir = path, .phase = PHASE_NONE };
	_cleanup_(config_done) struct config config = {};
	_cleanup_error_ struct error err = {}, bad = {};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int r = import_run(&request, out, ret_left, &err);

	fclose(out);
	ck_assert_msg(r == 0 || r == -ENOMEM || r == -ENODATA, "%s: %s", path,
		      error_text(&err));
	put(config_path, text, len);
	r = config_load(&host, config_path, &config, &bad);
	ck_assert_msg(r == 0, "%s: %s in\n%s", path, error_text(&bad), text);
	return text;
}

static void compare(const char *name, unsigned expected_left)
{
	char path[PATH_MAX], expected_name[128];
	_cleanup_free_ char *text = NULL, *expected = NULL;
	size_t left = 0, len;

	data_path(path, name);
	text = convert(path, &left);
	snprintf(expected_name, sizeof(expected_name), "%s.ini", name);
	if (getenv("IMPORT_UPDATE"))
		put(data_path(path, expected_name), text, strlen(text));
	expected = data_read(expected_name, &len);
	ck_assert_str_eq(text, expected);
	ck_assert_uint_eq(left, expected_left);
}

static const struct {
	const char *name;
	unsigned left;
} fixtures[] = {
	/* of guides, word for word */
	{ "import/optimus", 0 },
	{ "import/nvidia", 0 },
	{ "import/amd", 0 },
	{ "import/tuned", 0 },
	/* other habits */
	{ "import/initramfs.sh", 0 },
	{ "import/byname", 0 },
	{ "import/classic", 0 },
	{ "import/installer", 0 },
	{ "import/cpus", 0 },
	{ "import/compositor", 0 },
	{ "import/ids", 0 },
	{ "import/suspend", 0 },
	{ "import/dispatcher.sh", 2 },
	{ "import/openrc", 0 },
	{ "import/looking_glass", 0 },
	{ "import/language.sh", 0 },
	{ "import/for_names.sh", 0 },
	{ "import/guide_lines", 0 },
	{ "import/habits.sh", 5 },
	{ "import/mixed", 3 },
	{ "import/odd", 10 },
};

START_TEST(scripts_become_a_config)
{
	compare(fixtures[_i].name, fixtures[_i].left);
}
END_TEST

/* What is left to be run of what guides tell to copy: what no step does, and no more. */
START_TEST(guides_leave_only_programs)
{
	static const struct {
		const char *name, *program;
		unsigned lines;
	} guides[] = {
		{ "import/optimus", "optimus-manager --switch ", 2 },
		{ "import/nvidia", "", 0 },
		{ "import/amd", "", 0 },
		{ "import/tuned", "", 0 },
	};
	char path[PATH_MAX], run[64];

	for (size_t i = 0; i < ARRAY_SIZE(guides); i++) {
		_cleanup_free_ char *text = NULL;
		unsigned lines = 0;
		size_t left = 1;

		text = convert(data_path(path, guides[i].name), &left);
		ck_assert_msg(left == 0, "%s: %zu left over:\n%s", guides[i].name, left,
			      text);
		snprintf(run, sizeof(run), "exec.run = %s", guides[i].program);
		for (const char *p = text; (p = strstr(p, "\nexec.")); lines++)
			ck_assert_msg(str_after(++p, run), "%s: %.60s", guides[i].name, p);
		ck_assert_uint_eq(lines, guides[i].lines);
	}
}
END_TEST

START_TEST(nothing_there)
{
	struct import_request request = { .root = "", .dir = dir, .phase = PHASE_NONE };
	_cleanup_error_ struct error err = {};
	size_t left;

	ck_assert_int_eq(import_run(&request, stdout, &left, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "no scripts"));
}
END_TEST

static int import_text(const char *text, const char *domain, char **ret_config,
		       struct error *err)
{
	struct import_request request = {
		.root = "", .dir = script_path, .domain = domain, .phase = PHASE_PREPARE
	};
	size_t left, len;
	FILE *out = open_memstream(ret_config, &len);
	int r;

	put(script_path, text, strlen(text));
	r = import_run(&request, out, &left, err);
	fclose(out);
	return r;
}

/* A script that asks for its domain is read for the one that is named. */
START_TEST(for_a_domain)
{
	static const char text[] = "if [ \"$1\" = win10 ]; then systemctl stop docker\n"
				   "elif [ \"$1\" = linux ]; then systemctl stop podman\n"
				   "fi\n";
	_cleanup_free_ char *first = NULL, *second = NULL, *third = NULL;
	_cleanup_error_ struct error err = {};

	ck_assert_int_eq(import_text(text, NULL, &first, &err), 0);
	ck_assert_ptr_nonnull(strstr(first, "service.stop = docker.service\n"));
	ck_assert_ptr_null(strstr(first, "podman"));
	ck_assert_int_eq(import_text(text, "linux", &second, &err), 0);
	ck_assert_ptr_nonnull(strstr(second, "service.stop = podman.service\n"));
	ck_assert_ptr_null(strstr(second, "docker"));
	ck_assert_int_eq(import_text(text, "mac", &third, &err), -ENODATA);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "nothing in there became a step"));
}
END_TEST

/* Whatever a script says, nothing of it is done. */
START_TEST(runs_nothing)
{
	_cleanup_free_ char *config = NULL;
	_cleanup_error_ struct error err = {};
	char text[1024], mark[96];

	snprintf(mark, sizeof(mark), "%s/mark", dir);
	snprintf(text, sizeof(text),
		 "X=$(touch %s)\n`touch %s`\ntouch %s\nmodprobe -r nvidia\n"
		 "source <(touch %s)\n$(( $(touch %s) ))\ncat <<END\n$(touch %s)\nEND\n",
		 mark, mark, mark, mark, mark, mark);
	ck_assert_int_eq(import_text(text, NULL, &config, &err), 0);
	ck_assert_ptr_nonnull(strstr(config, "kmod.unload = nvidia\n"));
	ck_assert_int_eq(access(mark, F_OK), -1);
}
END_TEST

/* ---- noise */

static void survive(const char *text, size_t len)
{
	size_t left;

	put(script_path, text, len);
	free(convert(script_path, &left));
}

static char all[256 * 1024];
static size_t all_len;

static int add_script(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	FILE *f;

	(void)ftw;
	if (type != FTW_F || !str_ends(path, ".sh") ||
	    all_len + (size_t)st->st_size >= sizeof(all))
		return 0;
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	all_len += fread(all + all_len, 1, (size_t)st->st_size, f);
	fclose(f);
	return 0;
}

/* Pieces of real scripts, with some bytes changed, doubled or taken out. */
START_TEST(mutations)
{
	static const char bytes[] = "\"'`$(){}[];&|<>\\\n #=*!0a;\t\1\2\xff";
	char path[PATH_MAX], text[4096];

	nftw(data_path(path, "import"), add_script, 8, FTW_PHYS);
	ck_assert_uint_gt(all_len, 1000);
	srand(1);
	for (int round = 0; round < 1500; round++) {
		size_t from = (size_t)rand() % all_len;
		size_t n = (size_t)rand() % (sizeof(text) - 1);

		n = n < all_len - from ? n : all_len - from;
		memcpy(text, all + from, n);
		for (int k = rand() % 12; k > 0 && n > 0; k--)
			text[(size_t)rand() % n] =
				bytes[(size_t)rand() % (sizeof(bytes) - 1)];
		survive(text, n);
	}
}
END_TEST

static void repeat(const char *piece, const char *tail)
{
	static char text[200 * 1024];
	size_t n = strlen(piece), len = 0;

	while (len + n + strlen(tail) < sizeof(text)) {
		memcpy(text + len, piece, n);
		len += n;
	}
	memcpy(text + len, tail, strlen(tail));
	survive(text, len + strlen(tail));
}

/* Whatever is nested, endless or huge comes to an end. */
START_TEST(extremes)
{
	static const char *const pieces[] = {
		"(",
		"((",
		"$(",
		"$((",
		"${",
		"`",
		"\"$(",
		"if ",
		"! ",
		"while :; do ",
		"case x in ",
		"{ ",
		"a=$a$a$a\n",
		"f() { f; f; }; f\n",
		"[[ ! ( ",
		"{1..9}",
		"x && ",
		"<<A ",
		"$((!",
		"$((-",
		"a |",
		"echo 1 > /sys/x\n",
		"modprobe a$RANDOM\n",
		"for i in {1..200}; do ",
		"${a:-",
		"a=(",
	};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		repeat(pieces[i], "");
		repeat(pieces[i], "\n1))");
	}
	survive("a=1; while ((a)); do ((a++)); modprobe x$a; done", 48);
	survive("echo $((1/0)) $((-9223372036854775807-2)) $((1<<70)) > /proc/sys/vm/nr_hugepages",
		80);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("import");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 100);
	tcase_add_loop_test(tcase, scripts_become_a_config, 0, ARRAY_SIZE(fixtures));
	tcase_add_test(tcase, guides_leave_only_programs);
	tcase_add_test(tcase, nothing_there);
	tcase_add_test(tcase, for_a_domain);
	tcase_add_test(tcase, runs_nothing);
	tcase_add_test(tcase, mutations);
	tcase_add_test(tcase, extremes);
	return suite_run("import", tcase);
}
