/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules that steps load and unload, on the way back: with which parameters they are
 * there afterwards, and which of them stay.
 */
#include <sys/stat.h>

#include "machine.h"

#define DUMMY "/sys/module/dummy/"
#define DEBUG DUMMY "parameters/debug"

static void setup(void)
{
	faketree_module("dummy", NULL);
	domain("");
}

static void works(const char *line)
{
	ck_assert_msg(command(line) == STATUS_OK, "%s: %s", line, out);
}

static void prepare(const char *lines)
{
	steps(lines);
	works("run win10 prepare");
}

static void assert_debug(const char *value)
{
	ck_assert_str_eq(faketree_read(DEBUG), value);
}

static void assert_log(const char *text, bool has)
{
	_cleanup_free_ char *log = NULL;

	ck_assert_int_eq(host_read_all(&host, &log, "/var/log/vfio-hook/win10.log"), 0);
	ck_assert_msg((strstr(log, text) != NULL) == has, "%s: %s", text, log);
}

static void load_before(const char *value)
{
	faketree_module_load("dummy");
	faketree_file(value, DEBUG);
}

/* What the plan wants of a module that is there already is not what it had. */
START_TEST(load_of_what_is_loaded)
{
	load_before("4");
	prepare("kmod.load = dummy debug=1");
	assert_debug("4");
	works("run win10 release");
	assert_debug("4");
	assert_log("parameter", false);
}
END_TEST

START_TEST(load_behind_unload)
{
	load_before("4");
	prepare("kmod.unload = dummy\nkmod.load = dummy debug=1");
	assert_debug("1");
	works("run win10 release");
	assert_debug("4");
	assert_log("parameter", false);
}
END_TEST

START_TEST(load_behind_unload_of_what_cannot_be_set)
{
	char path[PATH_MAX];

	load_before("4");
	prepare("kmod.unload = dummy\nkmod.load = dummy debug=1");
	ck_assert_int_eq(chmod(host_path(&host, path, DEBUG), 0444), 0);
	works("run win10 release");
	assert_log("module dummy: parameter debug is 1 and was 4", true);
	assert_debug("1");
}
END_TEST

/* The first unload found what was there before. */
START_TEST(unloaded_twice)
{
	load_before("4");
	prepare("kmod.unload = dummy\nkmod.load = dummy\nkmod.unload = dummy");
	ck_assert(!host_exists(&host, DUMMY "initstate"));
	works("run win10 release");
	assert_debug("4");
}
END_TEST

START_TEST(in_use_it_stays)
{
	prepare("kmod.load = dummy");
	faketree_module_refs("dummy", 2);
	works("run win10 release");
	assert_log("module dummy is left loaded: in use by something else (reference "
		   "count 2)",
		   true);
	ck_assert(host_exists(&host, DUMMY "initstate"));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, load_of_what_is_loaded);
	tcase_add_test(tc, load_behind_unload);
	tcase_add_test(tc, load_behind_unload_of_what_cannot_be_set);
	tcase_add_test(tc, unloaded_twice);
	tcase_add_test(tc, in_use_it_stays);
}

int main(void)
{
	return machine_run("modules", add);
}
