/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists, numbers, errors, events and words: what everything else trusts. */
#include <sys/stat.h>

#include "config.h"
#include "desktop.h"
#include "error.h"
#include "event.h"
#include "host.h"
#include "suite.h"
#include "util.h"

START_TEST(lists_grow_and_end_with_null)
{
	_cleanup_strv_ struct strv list = { 0 };
	_cleanup_free_ char *joined = NULL, *empty = NULL;

	empty = strv_join(&list, ",");
	ck_assert_str_eq(empty, "");
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(strv_addf(&list, "%d", 99 - i), 0);
		ck_assert_uint_eq(list.n, (size_t)i + 1);
		ck_assert_ptr_null(list.v[i + 1]);
	}
	ck_assert(strv_contains(&list, "0"));
	ck_assert(!strv_contains(&list, "100"));
	strv_sort(&list);
	ck_assert_str_eq(list.v[0], "0");
	ck_assert_str_eq(list.v[1], "1");
	ck_assert_str_eq(list.v[2], "10");
	joined = strv_join(&list, ", ");
	ck_assert_int_eq(strncmp(joined, "0, 1, 10, 11", 12), 0);
	ck_assert(str_ends(joined, "98, 99"));
}
END_TEST

START_TEST(arrays_double_and_are_zeroed)
{
	_cleanup_free_ uint64_t *a = NULL;

	for (size_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(array_grow(&a, i, sizeof(*a)), 0);
		ck_assert_uint_eq(a[i], 0);
		a[i] = i;
	}
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(a[i], i);
	ck_assert_int_eq(array_grow(&a, (size_t)1 << 63, 8), -ENOMEM);
}
END_TEST

START_TEST(base_names)
{
	ck_assert_str_eq(path_base("/a/b"), "b");
	ck_assert_str_eq(path_base("b"), "b");
	ck_assert_str_eq(path_base("/a/"), "");
	ck_assert_str_eq(path_base(NULL), "");
}
END_TEST

START_TEST(numbers_are_strict)
{
	static const char *const bad[] = {
		"", " 1", "1 ", "+1", "-1", "0x1", "1a", "1.5"
	};
	uint64_t n = 7;

	ck_assert_int_eq(parse_u64("18446744073709551615", &n), 0);
	ck_assert_uint_eq(n, UINT64_MAX);
	ck_assert_int_eq(parse_u64("18446744073709551616", &n), -ERANGE);
	ck_assert_int_eq(parse_u64("007", &n), 0);
	ck_assert_uint_eq(n, 7);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(parse_u64(bad[i], &n) == -EINVAL, "\"%s\"", bad[i]);
	ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(durations)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "30", 30000 },	 { "30s", 30000 },  { "500ms", 500 },
		     { "2min", 120000 }, { "1h", 3600000 }, { "0", 0 } };
	static const char *const bad[] = {
		"",   "s",  "30 s", "-1",	 "1.5s",
		"2m", "1d", "30S",  "99999999h", "18446744073709551616"
	};
	int64_t ms = -1;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		ck_assert_int_eq(parse_duration(good[i].text, &ms), 0);
		ck_assert_int_eq(ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(parse_duration(bad[i], &ms) == -EINVAL, "\"%s\"", bad[i]);
}
END_TEST

START_TEST(sizes)
{
	uint64_t size;

	ck_assert_int_eq(parse_size("4096", &size), 0);
	ck_assert_uint_eq(size, 4096);
	ck_assert_int_eq(parse_size("3K", &size), 0);
	ck_assert_uint_eq(size, 3072);
	ck_assert_int_eq(parse_size("2M", &size), 0);
	ck_assert_uint_eq(size, 2 << 20);
	ck_assert_int_eq(parse_size("1G", &size), 0);
	ck_assert_uint_eq(size, 1 << 30);
	ck_assert_int_eq(parse_size("1GB", &size), -EINVAL);
	ck_assert_int_eq(parse_size("G", &size), -EINVAL);
	ck_assert_int_eq(parse_size("18446744073709551615K", &size), -ERANGE);
	ck_assert_uint_eq(size, 1 << 30);
}
END_TEST

START_TEST(cpu_lists)
{
	static const char *const bad[] = { "0-",    "-3",    "3-1",
					   ",",	    "0,",    ",0",
					   "0,,1",  "a",     "0 1",
					   "0-3-5", "99999", "0-99999999999999999999" };
	_cleanup_(cpu_list_done) struct cpu_list list = { 0 };
	struct cpu_list none = { 0 };

	ck_assert_int_eq(parse_cpu_list("8,0-3,2", &list), 0);
	ck_assert_uint_eq(list.n, 5);
	ck_assert_uint_eq(list.cpu[0], 0);
	ck_assert_uint_eq(list.cpu[3], 3);
	ck_assert_uint_eq(list.cpu[4], 8);
	ck_assert(cpu_list_contains(&list, 8));
	ck_assert(!cpu_list_contains(&list, 4));
	ck_assert_int_eq(parse_cpu_list("", &none), 0);
	ck_assert_uint_eq(none.n, 0);
	cpu_list_done(&none);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(parse_cpu_list(bad[i], &none) == -EINVAL, "\"%s\"", bad[i]);
}
END_TEST

START_TEST(first_error_stays_and_is_one_line)
{
	_cleanup_error_ struct error err = { 0 };

	ck_assert_int_eq(error_set(&err, -EBUSY, "a\nb %d", 1), -EBUSY);
	ck_assert_int_eq(error_set(&err, -EINVAL, "later"), -EINVAL);
	ck_assert_int_eq(err.code, -EBUSY);
	ck_assert_str_eq(error_text(&err), "a b 1");
	ck_assert_int_eq(error_prefix(&err, "pci.%s", "detach"), -EBUSY);
	ck_assert_str_eq(error_text(&err), "pci.detach: a b 1");
	ck_assert_int_eq(error_set(NULL, -EPERM, "nobody listens"), -EPERM);
	ck_assert_int_lt(error_prefix(NULL, "x"), 0);
}
END_TEST

START_TEST(error_texts)
{
	_cleanup_error_ struct error err = { 0 }, oom = { 0 };

	ck_assert_int_eq(error_errno(&err, -ENOENT, "cannot open %s", "/x"), -ENOENT);
	ck_assert_str_eq(error_text(&err), "cannot open /x: No such file or directory");
	ck_assert_int_eq(error_oom(&oom), -ENOMEM);
	ck_assert_str_eq(error_text(&oom), "out of memory");
	ck_assert_ptr_nonnull(error_text(NULL));
}
END_TEST

START_TEST(events)
{
	struct event event;

	event_init(&event, "win10", "prepare", "begin", "-");
	ck_assert_int_eq(event.phase, PHASE_PREPARE);
	event_init(&event, "win10", "release", "end", "from snapshot");
	ck_assert_int_eq(event.phase, PHASE_RELEASE);
	ck_assert_str_eq(event.extra, "from snapshot");
	event_init(&event, "win10", "prepare", "end", NULL);
	ck_assert_int_eq(event.phase, PHASE_NONE);
	ck_assert_str_eq(event.extra, "-");
	event_init(&event, "win10", "reconnect", "begin", "-");
	ck_assert_int_eq(event.phase, PHASE_NONE);
	event_init(&event, "win10", "boot", "begin", "-");
	ck_assert_int_eq(event.phase, PHASE_BOOT);
	event_init(&event, NULL, NULL, NULL, NULL);
	ck_assert_str_eq(event.operation, "-");
}
END_TEST

START_TEST(phases)
{
	for (unsigned p = 0; p < PHASE_NONE; p++)
		ck_assert_uint_eq(phase_from_name(phase_name((enum phase)p)), p);
	ck_assert_int_eq(phase_from_name("stopped"), PHASE_STOPPED);
	ck_assert_int_eq(phase_from_name("stopped/begin"), PHASE_NONE);
	ck_assert_int_eq(phase_from_name(""), PHASE_NONE);
	ck_assert(phase_goes_up(PHASE_PREPARE) && phase_goes_up(PHASE_BOOT));
	ck_assert(!phase_goes_up(PHASE_RELEASE) && !phase_goes_up(PHASE_NONE));
}
END_TEST

START_TEST(domain_names)
{
	ck_assert(domain_name_is_safe("win 10"));
	ck_assert(domain_name_is_safe("-x"));
	ck_assert(domain_name_is_safe("..."));
	ck_assert(!domain_name_is_safe(""));
	ck_assert(!domain_name_is_safe("."));
	ck_assert(!domain_name_is_safe(".."));
	ck_assert(!domain_name_is_safe("a/b"));
}
END_TEST

static void assert_words(const char *text, const char *expected)
{
	_cleanup_error_ struct error err = { 0 };
	_cleanup_strv_ struct strv words = { 0 };
	_cleanup_free_ char *joined = NULL;

	ck_assert_msg(words_split(text, &words, &err) == 0, "%s", error_text(&err));
	joined = strv_join(&words, "|");
	ck_assert_str_eq(joined, expected);
}

START_TEST(words_as_in_sh)
{
	assert_words("", "");
	assert_words("  \t ", "");
	assert_words(" a  b\tc\n", "a|b|c");
	assert_words("'a b' \"c d\"", "a b|c d");
	assert_words("a'b'\"c\"d", "abcd");
	assert_words("'' \"\"", "|");
	assert_words("a\\ b \\\\ \\'", "a b|\\|'");
	assert_words("\"a\\\"b\\\\c\\d\\$\"", "a\"b\\c\\d$");
	assert_words("'a\\b'", "a\\b");
	assert_words("$HOME `id` $(id) * ~ a;b a#b", "$HOME|`id`|$(id)|*|~|a;b|a#b");
}
END_TEST

START_TEST(words_that_are_none)
{
	static const char *const bad[] = { "'a", "\"a", "a \"b c", "a\\", "\"a\\\"" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_error_ struct error err = { 0 };
		struct strv words = { 0 };

		ck_assert_msg(words_split(bad[i], &words, &err) == -EINVAL, "%s", bad[i]);
		ck_assert_ptr_nonnull(err.msg);
		ck_assert_ptr_null(words.v);
	}
}
END_TEST

START_TEST(display_managers)
{
	static const char *const are[] = { "display-manager.service", "sddm",
					   "gdm3.service", "ly.service",
					   "plasmalogin.service" };
	static const char *const are_not[] = { "sddm-helper.service", "sddm.socket", "gd",
					       "lyx.service", "" };

	for (size_t i = 0; i < ARRAY_SIZE(are); i++)
		ck_assert_msg(desktop_is_manager(are[i]), "%s", are[i]);
	for (size_t i = 0; i < ARRAY_SIZE(are_not); i++)
		ck_assert_msg(!desktop_is_manager(are_not[i]), "%s", are_not[i]);
}
END_TEST

#define MANY_FILES 2000 /* more than the kernel tells of at once */

START_TEST(test_lists_all_of_a_folder)
{
	char root[] = "/tmp/vfio-hook-util-XXXXXX", path[PATH_MAX], name[32];
	struct host host = { .root = mkdtemp(root) };
	_cleanup_strv_ struct strv names = {}, none = {};

	ck_assert_ptr_nonnull(host.root);
	ck_assert_int_eq(mknod(host_path(&host, path, "/.hidden"), S_IFREG | 0644, 0), 0);
	for (int i = MANY_FILES - 1; i >= 0; i--)
		ck_assert_int_eq(mknod(host_path(&host, path, "/file-%04d", i),
				       S_IFREG | 0644, 0),
				 0);
	ck_assert_int_eq(host_list(&host, &names, "/"), 0);
	ck_assert_uint_eq(names.n, MANY_FILES);
	ck_assert_int_eq(host_list(&host, &none, "/file-0000"), -ENOTDIR);
	ck_assert_int_eq(host_list(&host, &none, "/no-such"), -ENOENT);
	ck_assert_uint_eq(none.n, 0);
	for (int i = 0; i < MANY_FILES; i++) {
		snprintf(name, sizeof(name), "file-%04d", i);
		ck_assert_str_eq(names.v[i], name);
		ck_assert_int_eq(unlink(host_path(&host, path, "/%s", name)), 0);
	}
	ck_assert_int_eq(unlink(host_path(&host, path, "/.hidden")), 0);
	ck_assert_int_eq(rmdir(root), 0);
}
END_TEST

/* Nobody ever writes to the pipe, and a device may do anything when it is read. */
START_TEST(test_reads_only_files)
{
	char root[] = "/tmp/vfio-hook-util-XXXXXX", path[PATH_MAX], buf[64];
	struct host host = { .root = mkdtemp(root) };
	const struct host real = { .root = "" };
	_cleanup_free_ char *text = NULL;

	ck_assert_ptr_nonnull(host.root);
	ck_assert_int_eq(mkfifo(host_path(&host, path, "/pipe"), 0644), 0);
	ck_assert_int_eq(host_read(&host, buf, sizeof(buf), "/pipe"), -EINVAL);
	ck_assert_int_eq(host_read_all(&host, &text, "/pipe"), -EINVAL);
	ck_assert_int_eq(host_read(&real, buf, sizeof(buf), "/dev/zero"), -EINVAL);
	ck_assert_int_eq(host_read_all(&real, &text, "/dev/zero"), -EINVAL);
	ck_assert_int_gt(host_read(&real, buf, sizeof(buf), "/proc/self/stat"), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(rmdir(root), 0);
}
END_TEST

static const struct {
	const char *word, *shell;
} shell_words[] = {
	{ "win10", "win10" },		{ "/opt/a-b/c", "/opt/a-b/c" },
	{ "win 10", "'win 10'" },	{ "it's", "'it'\\''s'" },
	{ "$(reboot)", "'$(reboot)'" }, { "--help", "-- --help" },
	{ "-win 10", "-- '-win 10'" },	{ "", "''" },
};

START_TEST(shell_word_is_one_word)
{
	char buf[SHELL_WORD_MAX];

	ck_assert_str_eq(shell_word(shell_words[_i].word, buf, sizeof(buf)),
			 shell_words[_i].shell);
}
END_TEST

/* As long as a name can be and all of it quotes, or longer than there is room for. */
START_TEST(shell_word_fits)
{
	char name[301], buf[SHELL_WORD_MAX + 1];

	memset(name, '\'', sizeof(name));
	name[255] = '\0';
	ck_assert_uint_eq(strlen(shell_word(name, buf, SHELL_WORD_MAX)), 255 * 4 + 2);
	name[255] = '\'';
	name[300] = '\0';
	buf[SHELL_WORD_MAX] = 'x';
	ck_assert_uint_lt(strlen(shell_word(name, buf, SHELL_WORD_MAX)), SHELL_WORD_MAX);
	ck_assert_int_eq(buf[SHELL_WORD_MAX], 'x');
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("core");

	tcase_add_loop_test(tcase, shell_word_is_one_word, 0, ARRAY_SIZE(shell_words));
	tcase_add_test(tcase, shell_word_fits);
	tcase_add_test(tcase, lists_grow_and_end_with_null);
	tcase_add_test(tcase, arrays_double_and_are_zeroed);
	tcase_add_test(tcase, base_names);
	tcase_add_test(tcase, numbers_are_strict);
	tcase_add_test(tcase, durations);
	tcase_add_test(tcase, sizes);
	tcase_add_test(tcase, cpu_lists);
	tcase_add_test(tcase, first_error_stays_and_is_one_line);
	tcase_add_test(tcase, error_texts);
	tcase_add_test(tcase, events);
	tcase_add_test(tcase, phases);
	tcase_add_test(tcase, domain_names);
	tcase_add_test(tcase, words_as_in_sh);
	tcase_add_test(tcase, display_managers);
	tcase_add_test(tcase, words_that_are_none);
	tcase_add_test(tcase, test_lists_all_of_a_folder);
	tcase_add_test(tcase, test_reads_only_files);
	return suite_run("util", tcase);
}
