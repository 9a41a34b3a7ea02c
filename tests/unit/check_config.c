/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config file: what a good one means, and that a bad one is refused with all of its
 * mistakes. data/bad/NAME.ini has the mistakes that NAME.expect lists, "LINE: text", one
 * a line; " ... " in it stands for any text.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "config.h"
#include "data.h"
#include "suite.h"

static char root[64], file[128];
static struct host host;

static void setup(void)
{
	snprintf(root, sizeof(root), "/tmp/check_config.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(file, sizeof(file), "%s/conf.d", root);
	mkdir(file, 0755);
	snprintf(file, sizeof(file), "%s/conf.d/x.ini", root);
	host.root = root;
}

static void teardown(void)
{
	char path[160];

	unlink(file);
	rmdir(file);
	snprintf(path, sizeof(path), "%s/conf.d/real.ini", root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/conf.d", root);
	rmdir(path);
	rmdir(root);
}

static void put(const char *text, size_t len)
{
	FILE *f = fopen(file, "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, len, f), len);
	fclose(f);
	chmod(file, 0644);
}

static int load(const char *text, struct config *config, struct error *err)
{
	put(text, strlen(text));
	return config_load(&host, file, config, err);
}

static void load_good(const char *text, struct config *config)
{
	_cleanup_error_ struct error err = { 0 };
	int r = load(text, config, &err);

	ck_assert_msg(r == 0, "%s", error_text(&err));
	ck_assert_uint_eq(config->problems.n, 0);
}

/* One mistake, in LINE, with TEXT in it. */
static void assert_bad(const char *config_text, unsigned line, const char *text)
{
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };
	char prefix[160];

	ck_assert_int_eq(load(config_text, &config, &err), -EINVAL);
	ck_assert_uint_eq(config.problems.n, 1);
	snprintf(prefix, sizeof(prefix), "%s:%u: ", file, line);
	ck_assert_msg(str_after(config.problems.v[0], prefix), "%s", config.problems.v[0]);
	ck_assert_msg(strstr(config.problems.v[0], text), "%s", config.problems.v[0]);
	ck_assert_str_eq(error_text(&err), config.problems.v[0]);
}

static void assert_words(const struct strv *words, const char *expected)
{
	_cleanup_free_ char *joined = strv_join(words, "|");

	ck_assert_str_eq(joined, expected);
}

START_TEST(empty_file)
{
	_cleanup_(config_done) struct config config = { 0 };

	load_good("", &config);
	ck_assert_int_eq(config.timeout_ms, 120000);
	ck_assert(!config.dry_run);
	ck_assert_uint_eq(config.phases, 0);
	ck_assert_str_eq(config.path, file);
}
END_TEST

START_TEST(example)
{
	_cleanup_(config_done) struct config config = { 0 };
	const struct device_set *set;
	const struct step *steps;

	load_good("; a comment\n"
		  "[domain]\n"
		  "timeout = 90s                 ; prepare's budget\n"
		  "dry-run = yes\n"
		  "\n"
		  "[devices]                     ; named sets\n"
		  "gpu  = 0000:0a:00.*           ; every function\n"
		  "nvme = 0000:04:00.0 id=144d:a808\n"
		  "       10de:1e84\n"
		  "\n"
		  "[prepare/begin]\n"
		  "hugepages.allocate =\n"
		  "governor.set       = performance\n"
		  "-service.stop      = nvidia-persistenced.service\n"
		  "service.stop       = display-manager.service\n"
		  "kmod.unload        = timeout=30s nvidia_uvm nvidia_drm\n"
		  "                     nvidia_modeset ; goes on\n"
		  "# a comment between\n"
		  "\tnvidia\n"
		  "pci.detach         = timeout=15s gpu nvme\n"
		  "[stopped/end]\n"
		  "[release/end]\n"
		  "undo =\n",
		  &config);
	ck_assert_int_eq(config.timeout_ms, 90000);
	ck_assert(config.dry_run);
	ck_assert_uint_eq(config.n_sets, 2);
	set = config_find_set(&config, "nvme");
	ck_assert_uint_eq(set->n, 2);
	ck_assert_str_eq(set->refs[0].id, "144d:a808");
	ck_assert_uint_eq(set->refs[0].line, 8);
	ck_assert_str_eq(set->refs[1].word, "10de:1e84");
	ck_assert_ptr_null(config_find_set(&config, "GPU"));
	ck_assert(config_has_phase(&config, PHASE_PREPARE));
	ck_assert(config_has_phase(&config, PHASE_STOPPED));
	ck_assert(!config_has_phase(&config, PHASE_START));
	ck_assert(!config_has_phase(&config, PHASE_NONE));

	steps = config.steps;
	ck_assert_uint_eq(config.n_steps, 7);
	ck_assert_str_eq(steps[0].key, "hugepages.allocate");
	ck_assert_uint_eq(steps[0].words.n, 0);
	ck_assert(steps[2].optional && !steps[3].optional);
	ck_assert_str_eq(steps[2].key, steps[3].key);
	ck_assert_uint_eq(steps[4].line, 16);
	ck_assert_str_eq(step_option(&steps[4], "timeout"), "30s");
	ck_assert_int_eq(step_duration(&steps[4], "timeout", 7), 30000);
	assert_words(&steps[4].words, "nvidia_uvm|nvidia_drm|nvidia_modeset|nvidia");
	ck_assert_str_eq(steps[5].text, "pci.detach = timeout=15s gpu nvme");
	ck_assert_str_eq(steps[6].key, "undo");
	ck_assert_int_eq(steps[6].phase, PHASE_RELEASE);
}
END_TEST

START_TEST(values)
{
	_cleanup_(config_done) struct config config = { 0 };
	const struct step *step;

	load_good("[prepare/begin]\n"
		  "hugepages.allocate = memory=16G node=1 drop-caches=yes\n"
		  "governor.set = cpus=0-3,8 performance\n"
		  "pci.detach = while-loaded=no\n",
		  &config);
	step = &config.steps[0];
	ck_assert_uint_eq(step_size(step, "memory", 0), 16ULL << 30);
	ck_assert_uint_eq(step_size(step, "size", 5), 5);
	ck_assert_uint_eq(step_uint(step, "node", 0), 1);
	ck_assert(step_bool(step, "drop-caches", false));
	ck_assert(step_bool(step, "partial", true));
	ck_assert(!step_bool(&config.steps[2], "while-loaded", true));
	ck_assert_int_eq(step_duration(&config.steps[2], "timeout", 5), 5);
}
END_TEST

START_TEST(free_words_and_double_dash)
{
	_cleanup_(config_done) struct config config = { 0 };

	load_good("[prepare/begin]\n"
		  "exec.run = timeout=5s /bin/x timeout=7s a=b -- 'c  d' \"e;f\"\n"
		  "exec.run = -- a=b\n"
		  "service.stop = -- user=x.service\n"
		  "exec.run = a.b=c x\n",
		  &config);
	ck_assert_str_eq(step_option(&config.steps[0], "timeout"), "5s");
	assert_words(&config.steps[0].words, "/bin/x|timeout=7s|a=b|--|c  d|e;f");
	assert_words(&config.steps[1].words, "a=b");
	assert_words(&config.steps[2].words, "user=x.service");
	assert_words(&config.steps[3].words, "a.b=c|x");
}
END_TEST

START_TEST(other_systems_line_ends)
{
	_cleanup_(config_done) struct config config = { 0 };

	load_good("\xef\xbb\xbf[prepare/begin]\r\nservice.stop = a.service\r\n\tb.service",
		  &config);
	assert_words(&config.steps[0].words, "a.service|b.service");
}
END_TEST

/* A value of LEN characters, in words, blanks in quotes and characters of two bytes. */
static void fill_long(char *buf, size_t len)
{
	static const char pattern[] = "word '  two  blanks ' \xc3\xa9t\xc3\xa9 \"#;\" ";

	for (size_t i = 0; i < len; i++)
		buf[i] = pattern[i % (sizeof(pattern) - 1)];
	while (len % (sizeof(pattern) - 1) != 0)
		buf[--len] = 'x';
	buf[strlen(buf) - 1] = 'x';
}

START_TEST(long_lines_arrive_whole)
{
	static const char head[] = "[prepare/begin]\nexec.run = ";
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_strv_ struct strv words = { 0 };
	_cleanup_error_ struct error err = { 0 };
	char text[2 * 4096] = "", *value;
	size_t len = (size_t)(170 + 13 * _i);

	strcpy(text, head);
	value = text + strlen(head);
	fill_long(value, len);
	ck_assert_int_eq(words_split(value, &words, &err), 0);
	load_good(text, &config);
	ck_assert_uint_eq(config.steps[0].words.n, words.n);
	for (size_t i = 0; i < words.n; i++)
		ck_assert_str_eq(config.steps[0].words.v[i], words.v[i]);
}
END_TEST

START_TEST(lines_that_are_too_long)
{
	char text[8192] = "[prepare/begin]\nexec.run = ";
	size_t len = strlen(text);

	memset(text + len, 'a', 5000);
	assert_bad(text, 2, "characters, more than 4096: continue it on an indented line");
	memset(text + len, ' ', 1000);
	text[len + 1000] = '\0';
	strcpy(text + len, "'x");
	memset(text + len + 2, ' ', 500);
	strcpy(text + len + 502, "y'");
	assert_bad(text, 2, "the INI library takes ");
}
END_TEST

START_TEST(no_text)
{
	static const char nul[] = "[prepare/begin]\nservice.stop = a\0b\n";
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };

	assert_bad("[domain]\ntimeout = 5\x01\n", 2, "a control character");
	assert_bad("[domain]\rtimeout = 5\r", 1, "a carriage return inside");
	assert_bad("[domain]\ntimeout = \xff\xfe\n", 2, "not UTF-8");
	assert_bad("[domain]\n; \xc0\x80\n", 2, "not UTF-8");
	put(nul, sizeof(nul) - 1);
	ck_assert_int_eq(config_load(&host, file, &config, &err), -EINVAL);
	ck_assert_msg(strstr(error_text(&err), "x.ini:2: the line holds a NUL byte"),
		      "%s", error_text(&err));
}
END_TEST

/* Whatever the bytes, an answer and no crash; sanitizers listen. */
START_TEST(noise)
{
	static const char some[] =
		"[]=:;# \t\n\n\n\r'\"\\-.pci.detach=id=0a:00.0 timeout=\xc3\xa9";
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };
	char text[4000] = "[prepare/begin]\n";
	unsigned seed = (unsigned)_i + 1;

	for (size_t i = 16; i < sizeof(text); i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = _i % 2 ? some[(seed >> 16) % (sizeof(some) - 1)] :
				   (char)(seed >> 16);
	}
	put(text, sizeof(text));
	ck_assert_int_eq(config_load(&host, file, &config, &err), -EINVAL);
	ck_assert_uint_gt(config.problems.n, 0);
	ck_assert_ptr_nonnull(err.msg);
}
END_TEST

static unsigned long line_of(const char *problem)
{
	return strtoul(problem + strlen(file) + 1, NULL, 10);
}

/* Do the parts of PATTERN, between " ... ", stand in TEXT in this order? */
static bool matches(const char *text, const char *pattern)
{
	_cleanup_free_ char *copy = strdup(pattern);

	for (char *part = copy, *next; part; part = next) {
		next = strstr(part, " ... ");
		if (next) {
			*next = '\0';
			next += strlen(" ... ");
		}
		text = strstr(text, part);
		if (!text)
			return false;
		text += strlen(part);
	}
	return true;
}

static void check_expected(const struct config *config, char *expect, const char *name)
{
	size_t n = 0;

	for (char *line = strtok(expect, "\n"); line; line = strtok(NULL, "\n"), n++) {
		const char *problem;

		ck_assert_msg(n < config->problems.n, "%s: not found: %s", name, line);
		problem = config->problems.v[n];
		ck_assert_msg(strtoul(line, NULL, 10) == line_of(problem) &&
				      matches(problem, strchr(line, ' ') + 1),
			      "%s: expected %s, got %s", name, line, problem);
	}
	ck_assert_msg(n == config->problems.n, "%s: one too many: %s", name,
		      n < config->problems.n ? config->problems.v[n] : "");
}

START_TEST(corpus)
{
	char path[PATH_MAX];
	DIR *dir = opendir(data_path(path, "bad"));
	unsigned n = 0;

	ck_assert_msg(dir, "cannot open %s", path);
	for (struct dirent *e; (e = readdir(dir));) {
		_cleanup_(config_done) struct config config = { 0 };
		_cleanup_error_ struct error err = { 0 };
		_cleanup_free_ char *text = NULL, *expect = NULL;
		char name[300];
		size_t len;

		if (!str_ends(e->d_name, ".ini"))
			continue;
		n++;
		snprintf(name, sizeof(name), "bad/%s", e->d_name);
		text = data_read(name, &len);
		put(text, len);
		strcpy(name + strlen(name) - 4, ".expect");
		expect = data_read(name, &len);
		ck_assert_msg(config_load(&host, file, &config, &err) == -EINVAL, "%s",
			      name);
		check_expected(&config, expect, name);
	}
	closedir(dir);
	ck_assert_uint_ge(n, 6);
}
END_TEST

static void assert_unsafe(int code, const char *text, const char *command)
{
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };

	ck_assert_int_eq(config_load(&host, file, &config, &err), code);
	ck_assert_msg(strstr(error_text(&err), text), "%s", error_text(&err));
	ck_assert_msg(strstr(error_text(&err), command), "%s", error_text(&err));
	ck_assert_uint_eq(config.problems.n, 0);
}

START_TEST(unsafe_files)
{
	char folder[160], command[256];

	put("", 0);
	chmod(file, 0646);
	snprintf(command, sizeof(command), "chmod go-w %s", file);
	assert_unsafe(-EPERM, "writable by everybody (mode 0646)", command);
	chmod(file, 0644);
	snprintf(folder, sizeof(folder), "%s/conf.d", root);
	chmod(folder, 0777);
	snprintf(command, sizeof(command), "chmod go-w %s", folder);
	assert_unsafe(-EPERM, "the folder", command);
	chmod(folder, 01777);
	assert_unsafe(-EPERM, "the folder", command);
	chmod(folder, 0755);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(file, 0, 12345), 0);
	chmod(file, 0664);
	snprintf(command, sizeof(command), "chmod g-w %s", file);
	assert_unsafe(-EPERM, "writable by its group", command);
	ck_assert_int_eq(chown(file, 12345, 0), 0);
	snprintf(command, sizeof(command), "chown root:root %s", file);
	assert_unsafe(-EPERM, "belongs to uid 12345", command);
}
END_TEST

START_TEST(group_root_may_write)
{
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };

	if (geteuid() != 0)
		return;
	put("", 0);
	ck_assert_int_eq(chown(file, 0, 0), 0);
	chmod(file, 0664);
	ck_assert_int_eq(config_load(&host, file, &config, &err), 0);
}
END_TEST

START_TEST(what_is_no_file)
{
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };

	ck_assert_int_eq(config_load(&host, file, &config, &err), -ENOENT);
	ck_assert_ptr_null(err.msg);
	ck_assert_int_eq(symlink("real.ini", file), 0);
	assert_unsafe(-ENOLINK, "is a symlink to a file that is not there", "remove it");
	unlink(file);
	ck_assert_int_eq(mkdir(file, 0755), 0);
	assert_unsafe(-EPERM, "is no regular file", "put the config there");
	rmdir(file);
	ck_assert_int_eq(mkfifo(file, 0644), 0);
	assert_unsafe(-EPERM, "is no regular file", "put the config there");
}
END_TEST

START_TEST(links_are_followed)
{
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };
	char real[160];

	snprintf(real, sizeof(real), "%s/conf.d/real.ini", root);
	put("[domain]\ntimeout = 5\n", 21);
	ck_assert_int_eq(rename(file, real), 0);
	ck_assert_int_eq(symlink("real.ini", file), 0);
	ck_assert_int_eq(config_load(&host, file, &config, &err), 0);
	ck_assert_int_eq(config.timeout_ms, 5000);
	ck_assert_str_eq(config.path, file);
}
END_TEST

/* As on NixOS: conf.d has a link into a store that is sticky and writable for builders. */
START_TEST(link_into_a_sticky_store)
{
	_cleanup_(config_done) struct config config = { 0 }, refused = { 0 };
	_cleanup_error_ struct error err = { 0 };
	char store[128], real[160];

	snprintf(store, sizeof(store), "%s/store", root);
	snprintf(real, sizeof(real), "%s/x.ini", store);
	ck_assert_int_eq(mkdir(store, 0755), 0);
	put("", 0);
	ck_assert_int_eq(rename(file, real), 0);
	ck_assert_int_eq(symlink("../store/x.ini", file), 0);
	chmod(store, 01777);
	ck_assert_msg(config_load(&host, file, &config, &err) == 0, "%s",
		      error_text(&err));
	chmod(store, 0777);
	ck_assert_int_eq(config_load(&host, file, &refused, &err), -EPERM);
	unlink(real);
	rmdir(store);
}
END_TEST

/* Whoever may turn a link on the way chooses the file: each of them counts. */
START_TEST(links_on_the_way)
{
	_cleanup_(config_done) struct config config = { 0 };
	_cleanup_error_ struct error err = { 0 };
	char open_folder[128], link[160], real[160], command[256];

	snprintf(open_folder, sizeof(open_folder), "%s/it's open", root);
	snprintf(link, sizeof(link), "%s/link.ini", open_folder);
	snprintf(real, sizeof(real), "%s/real.ini", root);
	ck_assert_int_eq(mkdir(open_folder, 0755), 0);
	put("", 0);
	ck_assert_int_eq(rename(file, real), 0);
	ck_assert_int_eq(symlink("../real.ini", link), 0);
	ck_assert_int_eq(symlink("../it's open/link.ini", file), 0);
	ck_assert_msg(config_load(&host, file, &config, &err) == 0, "%s",
		      error_text(&err));
	chmod(open_folder, 0777);
	snprintf(command, sizeof(command), "chmod go-w '%s/it'\\''s open'", root);
	assert_unsafe(-EPERM, "the folder", command);
	chmod(open_folder, 01777);
	config_done(&config);
	ck_assert_int_eq(config_load(&host, file, &config, &err), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(lchown(link, 12345, 0), 0);
		assert_unsafe(-EPERM, "the folder", command);
	}
	unlink(link);
	ck_assert_int_eq(symlink("link.ini", link), 0);
	config_done(&config);
	ck_assert_int_eq(config_load(&host, file, &config, &err), -ELOOP);
	unlink(link);
	rmdir(open_folder);
	unlink(real);
}
END_TEST

START_TEST(too_big)
{
	_cleanup_free_ char *text = calloc(1, 1024 * 1024 + 1);

	put(text, 1024 * 1024 + 1);
	assert_unsafe(-EFBIG, "has 1048577 bytes", "is this the right file?");
}
END_TEST

START_TEST(registry)
{
	const struct plugin *plugin = NULL;
	char name[64];

	ck_assert_ptr_null(step_find("kmod", NULL));
	ck_assert_ptr_null(step_find("", NULL));
	ck_assert_ptr_null(step_find("undo.", NULL));
	ck_assert_ptr_nonnull(step_find("undo", NULL));
	ck_assert_ptr_nonnull(step_find("kmod.unload", &plugin));
	ck_assert_str_eq(plugin->name, "kmod");
	for (const struct plugin *const *p = step_plugins(); *p; p++) {
		for (const struct step_type *type = (*p)->types; type->summary; type++) {
			const struct step_type *found =
				step_find(step_type_name(*p, type, name), NULL);

			ck_assert_msg(found == type, "%s is there twice", name);
			ck_assert_msg(type->phases && !(type->phases & ~PHASES_ALL), "%s",
				      name);
		}
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("file");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, empty_file);
	tcase_add_test(tcase, example);
	tcase_add_test(tcase, values);
	tcase_add_test(tcase, free_words_and_double_dash);
	tcase_add_test(tcase, other_systems_line_ends);
	tcase_add_loop_test(tcase, long_lines_arrive_whole, 0, 300);
	tcase_add_test(tcase, lines_that_are_too_long);
	tcase_add_test(tcase, no_text);
	tcase_add_loop_test(tcase, noise, 0, 50);
	tcase_add_test(tcase, corpus);
	tcase_add_test(tcase, unsafe_files);
	tcase_add_test(tcase, group_root_may_write);
	tcase_add_test(tcase, what_is_no_file);
	tcase_add_test(tcase, links_are_followed);
	tcase_add_test(tcase, link_into_a_sticky_store);
	tcase_add_test(tcase, links_on_the_way);
	tcase_add_test(tcase, too_big);
	tcase_add_test(tcase, registry);
	return suite_run("config", tcase);
}
