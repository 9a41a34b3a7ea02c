/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way back, on plain files below a root of their own: in which order, of what, beside
 * other domains, after a crash, and when it fails.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "effect.h"
#include "pages.h"
#include "program.h"
#include "suite.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB"

/* A domain in one of its phases. */
struct guest {
	struct run run;
	struct domain domain;
	struct journal journal;
};

static char root[] = "/tmp/vfio-hook-undo-XXXXXX";
static char win[] = "win10", win_uuid[] = "11111111-2222-3333-4444-555555555555";
static char mac[] = "macos", mac_uuid[] = "99999999-2222-3333-4444-555555555555";
static const struct host host = { .root = root };
static struct guest a, b;

static void write_file(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f = fopen(host_path(&host, full, "%s", path), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void check_file(const char *path, const char *text)
{
	char buf[64];

	ck_assert_int_ge(host_read(&host, buf, sizeof(buf), "%s", path), 0);
	ck_assert_str_eq(buf, text);
}

static void open_guest(struct guest *g, char *name, char *uuid)
{
	*g = (struct guest){ .domain = { .name = name, .uuid = uuid } };
	ck_assert_int_eq(journal_open(&host, uuid, name, true, NULL, &g->journal, NULL),
			 0);
	g->run = (struct run){ .host = host,
			       .hooks_dir = "/etc/libvirt/hooks",
			       .domain = &g->domain,
			       .journal = &g->journal,
			       .cancel_fd = -1 };
	event_of_phase(&g->run.event, name, PHASE_PREPARE);
	run_start_clock(&g->run);
}

static void close_guest(struct guest *g)
{
	report_done(&g->run.report);
	journal_done(&g->journal);
}

/* As after a crash: nothing but the file is left. */
static void open_again(struct guest *g)
{
	close_guest(g);
	open_guest(g, g->domain.name, g->domain.uuid);
}

static void set_up(void)
{
	static const char *const dirs[] = { "/proc",
					    "/proc/sys",
					    "/proc/sys/kernel",
					    "/proc/sys/kernel/random",
					    "/run",
					    "/sys",
					    "/sys/kernel",
					    "/sys/kernel/mm",
					    "/sys/kernel/mm/hugepages",
					    POOL,
					    NULL };
	char path[PATH_MAX];

	strcpy(root + strlen(root) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (const char *const *d = dirs; *d; d++)
		ck_assert_int_eq(mkdir(host_path(&host, path, "%s", *d), 0755), 0);
	write_file("/proc/sys/kernel/random/boot_id",
		   "b007b007-0000-0000-0000-000000000000\n");
	write_file("/sys/x", "1\n");
	write_file("/sys/y", "one\n");
	open_guest(&a, win, win_uuid);
	open_guest(&b, mac, mac_uuid);
}

static void tear_down(void)
{
	char command[PATH_MAX];

	close_guest(&a);
	close_guest(&b);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

static void set(struct guest *g, const char *path, const char *value)
{
	_cleanup_error_ struct error err = {};

	ck_assert_msg(effect_set(&g->run, &state_attr, path, value, NULL, &err) == 0,
		      "%s", error_text(&err));
	check_file(path, value);
}

static void undo(struct guest *g)
{
	_cleanup_error_ struct error err = {};

	report_done(&g->run.report);
	ck_assert_msg(undo_all(&g->run, PHASE_NONE, &err) == 0, "%s", error_text(&err));
	ck_assert(!journal_has_open_records(&g->journal));
}

START_TEST(test_newest_first)
{
	set(&a, "/sys/x", "2");
	set(&a, "/sys/y", "two");
	undo(&a);
	check_file("/sys/x", "1");
	check_file("/sys/y", "one");
	ck_assert_uint_eq(a.run.report.n, 2);
	ck_assert_str_eq(a.run.report.items[0].what, "/sys/y");
	ck_assert_str_eq(a.run.report.items[1].what, "/sys/x");
}
END_TEST

START_TEST(test_one_record_a_target)
{
	set(&a, "/sys/x", "2");
	set(&a, "/sys/y", "two");
	set(&a, "/sys/x", "3");
	ck_assert_uint_eq(a.journal.n, 2);
	undo(&a);
	check_file("/sys/x", "1");
	ck_assert_uint_eq(a.run.report.n, 2);
}
END_TEST

START_TEST(test_back_by_itself)
{
	set(&a, "/sys/x", "2");
	write_file("/sys/x", "1\n");
	undo(&a);
	ck_assert_uint_eq(a.run.report.n, 0);
}
END_TEST

START_TEST(test_foreign_change_stays)
{
	set(&a, "/sys/x", "2");
	write_file("/sys/x", "7\n");
	undo(&a);
	check_file("/sys/x", "7");
}
END_TEST

START_TEST(test_phase)
{
	_cleanup_error_ struct error err = {};

	set(&a, "/sys/x", "2");
	event_of_phase(&a.run.event, win, PHASE_START);
	set(&a, "/sys/y", "two");
	set(&a, "/sys/x", "3");
	set(&a, "/sys/x", "4");
	ck_assert_int_eq(undo_all(&a.run, PHASE_START, &err), 0);
	check_file("/sys/x", "2");
	check_file("/sys/y", "one");
	undo(&a);
	check_file("/sys/x", "1");
}
END_TEST

START_TEST(test_after_a_crash)
{
	set(&a, "/sys/x", "2");
	set(&a, "/sys/y", "two");
	open_again(&a);
	undo(&a);
	check_file("/sys/x", "1");
	check_file("/sys/y", "one");
}
END_TEST

/* The journal had the line, the write never came. */
START_TEST(test_crash_before_the_write)
{
	ck_assert_int_eq(journal_record(&a.journal, &state_attr, "/sys/x", "1", "2", "",
					PHASE_PREPARE, NULL),
			 0);
	open_again(&a);
	undo(&a);
	check_file("/sys/x", "1");
}
END_TEST

START_TEST(test_claims)
{
	struct guest *first = _i ? &b : &a, *last = _i ? &a : &b;

	set(&a, "/sys/x", "2");
	set(&b, "/sys/x", "2");
	undo(first);
	check_file("/sys/x", "2");
	undo(last);
	check_file("/sys/x", "1");
}
END_TEST

START_TEST(test_claims_of_two_values)
{
	struct guest *first = _i ? &b : &a, *last = _i ? &a : &b;

	set(&a, "/sys/x", "2");
	set(&b, "/sys/x", "3");
	undo(first);
	check_file("/sys/x", _i ? "2" : "3");
	undo(last);
	check_file("/sys/x", "1");
}
END_TEST

/* The other domain leaves when we have read our journal already. */
/* Its claim is of a time that is yet to come. */
static void ahead(struct guest *g)
{
	static const char mark[] = "\tprepare/begin\t";
	_cleanup_free_ char *text = NULL;
	FILE *f = fopen(g->journal.path, "r+");
	char *at;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(host_read_all(&host, &text, "/run/vfio-hook/%s.journal",
				       g->domain.uuid),
			 0);
	at = strstr(text, mark);
	ck_assert_ptr_nonnull(at);
	at += strlen(mark);
	fprintf(f, "%.*s9000000000000%s", (int)(at - text), text,
		at + strspn(at, "0123456789"));
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(journal_reload(&host, &g->journal, NULL), 0);
}

/* Whoever claims last is the youngest, whatever the clock says, and has its way back. */
START_TEST(test_claims_in_their_order)
{
	set(&b, "/sys/x", "2");
	ahead(&b);
	set(&a, "/sys/x", "3");
	undo(&a);
	check_file("/sys/x", "2");
	undo(&b);
	check_file("/sys/x", "1");
}
END_TEST

START_TEST(test_claim_handed_on_late)
{
	_cleanup_error_ struct error err = {};

	set(&a, "/sys/x", "2");
	set(&b, "/sys/x", "2");
	undo(&a);
	ck_assert_str_eq(journal_find(&b.journal, &state_attr, "/sys/x")->old, "2");
	ck_assert_int_eq(effect_restore(&b.run, &state_attr, "/sys/x", &err), 0);
	check_file("/sys/x", "1");
	ck_assert(!journal_has_open_records(&b.journal));
}
END_TEST

START_TEST(test_final_against_a_claim)
{
	_cleanup_error_ struct error err = {};

	set(&a, "/sys/x", "2");
	set(&b, "/sys/x", "2");
	event_of_phase(&a.run.event, win, PHASE_RELEASE);
	ck_assert_int_eq(effect_set(&a.run, &state_attr, "/sys/x", "9", NULL, &err), 0);
	ck_assert(!journal_has_open_records(&a.journal));
	check_file("/sys/x", "2");
	undo(&b);
	check_file("/sys/x", "1");
}
END_TEST

/* Without a record of ours: the value is what the last of the others leaves behind. */
START_TEST(test_final_beside_claims)
{
	_cleanup_error_ struct error err = {};

	set(&b, "/sys/x", "2");
	event_of_phase(&a.run.event, win, PHASE_RELEASE);
	ck_assert_int_eq(effect_set(&a.run, &state_attr, "/sys/x", "9", NULL, &err), 0);
	check_file("/sys/x", "2");
	undo(&b);
	check_file("/sys/x", "9");
}
END_TEST

/* The other was there before us: what it wants counts again. */
START_TEST(test_final_against_an_older_claim)
{
	_cleanup_error_ struct error err = {};

	set(&a, "/sys/x", "2");
	set(&b, "/sys/x", "3");
	event_of_phase(&b.run.event, mac, PHASE_RELEASE);
	ck_assert_int_eq(effect_set(&b.run, &state_attr, "/sys/x", "9", NULL, &err), 0);
	ck_assert(!journal_has_open_records(&b.journal));
	check_file("/sys/x", "2");
	undo(&a);
	check_file("/sys/x", "1");
}
END_TEST

START_TEST(test_final_strikes)
{
	_cleanup_error_ struct error err = {};

	set(&a, "/sys/x", "2");
	event_of_phase(&a.run.event, win, PHASE_RELEASE);
	ck_assert_int_eq(effect_set(&a.run, &state_attr, "/sys/x", "9", NULL, &err), 0);
	undo(&a);
	check_file("/sys/x", "9");
}
END_TEST

START_TEST(test_failure_keeps_the_record)
{
	_cleanup_error_ struct error err = {};
	char from[PATH_MAX], to[PATH_MAX];

	set(&a, "/sys/x", "2");
	set(&a, "/sys/y", "two");
	host_path(&host, from, "/sys/x");
	host_path(&host, to, "/sys/elsewhere");
	ck_assert_int_eq(rename(from, to), 0);
	ck_assert_int_lt(undo_all(&a.run, PHASE_NONE, &err), 0);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "/sys/x"));
	ck_assert_ptr_nonnull(journal_find(&a.journal, &state_attr, "/sys/x"));
	check_file("/sys/y", "one");
	ck_assert_int_eq(rename(to, from), 0);
	open_again(&a);
	undo(&a);
	check_file("/sys/x", "1");
}
END_TEST

/* Of a step that this version does not have: told, and all else is put back. */
START_TEST(test_unknown_kind)
{
	static const char *const line = "set\tteleport\tx\t1\t2\t\tprepare/begin\t5\t.\n";
	_cleanup_error_ struct error err = {};

	set(&a, "/sys/x", "2");
	ck_assert_int_eq(write(a.journal.fd, line, strlen(line)), (int)strlen(line));
	set(&a, "/sys/y", "two");
	open_again(&a);
	ck_assert_int_lt(undo_all(&a.run, PHASE_NONE, &err), 0);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "teleport x"));
	check_file("/sys/x", "1");
	check_file("/sys/y", "one");
	ck_assert(journal_has_open_records(&a.journal));
}
END_TEST

/* Nothing may be changed that cannot be written down before. */
START_TEST(test_disk_full)
{
	_cleanup_error_ struct error err = {};
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(full, 0);
	close(a.journal.fd);
	a.journal.fd = full;
	ck_assert_int_lt(effect_set(&a.run, &state_attr, "/sys/x", "2", NULL, &err), 0);
	check_file("/sys/x", "1");
}
END_TEST

START_TEST(test_torn_line_harms_no_other)
{
	ck_assert_int_eq(write(a.journal.fd, "strike\tattr\t/sy", 15), 15);
	set(&a, "/sys/x", "2");
	open_again(&a);
	undo(&a);
	check_file("/sys/x", "1");
}
END_TEST

static void script(const char *path, int status)
{
	char text[PATH_MAX + 64], full[PATH_MAX];

	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$@\" >>%s/ran\nexit %d\n", root,
		 status);
	write_file(path, text);
	ck_assert_int_eq(chmod(host_path(&host, full, "%s", path), 0755), 0);
}

static int run_exec(struct guest *g, struct error *err)
{
	struct program forward = { .timeout_ms = 9000 }, back = { .timeout_ms = 9000 };
	_cleanup_free_ char *data = NULL;
	int r;

	ck_assert(strv_add(&forward.argv, "/do") == 0 &&
		  strv_add(&forward.argv, "a b;%") == 0 &&
		  strv_add(&back.argv, "/undo") == 0 && strv_add(&back.argv, "") == 0);
	data = program_encode(&forward, &back);
	ck_assert_ptr_nonnull(data);
	r = effect_set(&g->run, &state_exec, "do it", "run", data, err);
	program_done(&forward);
	program_done(&back);
	return r;
}

/* Its undo runs, whether the program came to its end or not. */
START_TEST(test_exec)
{
	_cleanup_error_ struct error err = {};
	char ran[PATH_MAX];

	script("/do", _i);
	script("/undo", 0);
	ck_assert_int_eq(run_exec(&a, &err), _i ? -EIO : 0);
	check_file("/ran", "a b;%");
	unlink(host_path(&host, ran, "/ran"));
	open_again(&a);
	undo(&a);
	check_file("/ran", "");
}
END_TEST

START_TEST(test_exec_undo_fails)
{
	_cleanup_error_ struct error err = {};

	script("/do", 0);
	script("/undo", 3);
	ck_assert_int_eq(run_exec(&a, &err), 0);
	ck_assert_int_lt(undo_all(&a.run, PHASE_NONE, &err), 0);
	ck_assert(journal_has_open_records(&a.journal));
	script("/undo", 0);
	undo(&a);
}
END_TEST

static void pool(const char *pages)
{
	write_file(POOL "/nr_hugepages", pages);
	write_file(POOL "/free_hugepages", pages);
	write_file(POOL "/surplus_hugepages", "0\n");
	write_file(POOL "/resv_hugepages", "0\n");
}

/* Ours only, whatever others did to the pool meanwhile; both domains' add up. */
START_TEST(test_pages)
{
	const struct page_pool all = { .size = 2 << 20, .node = -1 };
	_cleanup_error_ struct error err = {};
	int64_t moved;

	pool("3\n");
	ck_assert_int_eq(page_pool_move(&a.run, &all, 4, &moved, &err), 0);
	ck_assert_int_eq(moved, 4);
	ck_assert_int_eq(page_pool_move(&b.run, &all, 8, &moved, &err), 0);
	check_file(POOL "/nr_hugepages", "15");
	pool("17\n");
	open_again(&a);
	undo(&a);
	check_file(POOL "/nr_hugepages", "13");
	undo(&b);
	check_file(POOL "/nr_hugepages", "5");
}
END_TEST

/* Cut off between the pair's line and its settling: the value found decides. */
START_TEST(test_pages_open_pair)
{
	const char *nr = _i ? "7\n" : "3\n";
	struct page_share share = { .from = 3, .to = 7 };
	const struct page_pool all = { .size = 2 << 20, .node = -1 };

	pool("3\n");
	ck_assert_int_eq(page_share_record(&a.run, &all, &share, NULL), 0);
	pool(nr);
	open_again(&a);
	undo(&a);
	check_file(POOL "/nr_hugepages", "3");
}
END_TEST

/* A start of prepare forgets how far the life before came. */
START_TEST(test_phases_begin_anew)
{
	struct journal *j = &a.journal;

	journal_phase(j, PHASE_PREPARE, PHASE_STATE_COMPLETE, NULL);
	journal_phase(j, PHASE_RELEASE, PHASE_STATE_BEGUN, NULL);
	ck_assert_int_eq(j->phases[PHASE_RELEASE], PHASE_STATE_BEGUN);
	journal_phase(j, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL);
	ck_assert_int_eq(j->phases[PHASE_RELEASE], PHASE_STATE_NONE);
	ck_assert_int_eq(j->phases[PHASE_PREPARE], PHASE_STATE_BEGUN);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("undo");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_newest_first);
	tcase_add_test(tcase, test_one_record_a_target);
	tcase_add_test(tcase, test_back_by_itself);
	tcase_add_test(tcase, test_foreign_change_stays);
	tcase_add_test(tcase, test_phase);
	tcase_add_test(tcase, test_after_a_crash);
	tcase_add_test(tcase, test_crash_before_the_write);
	tcase_add_loop_test(tcase, test_claims, 0, 2);
	tcase_add_loop_test(tcase, test_claims_of_two_values, 0, 2);
	tcase_add_test(tcase, test_claims_in_their_order);
	tcase_add_test(tcase, test_claim_handed_on_late);
	tcase_add_test(tcase, test_final_against_a_claim);
	tcase_add_test(tcase, test_final_beside_claims);
	tcase_add_test(tcase, test_final_against_an_older_claim);
	tcase_add_test(tcase, test_final_strikes);
	tcase_add_test(tcase, test_failure_keeps_the_record);
	tcase_add_test(tcase, test_unknown_kind);
	tcase_add_test(tcase, test_disk_full);
	tcase_add_test(tcase, test_torn_line_harms_no_other);
	tcase_add_loop_test(tcase, test_exec, 0, 2);
	tcase_add_test(tcase, test_exec_undo_fails);
	tcase_add_test(tcase, test_pages);
	tcase_add_loop_test(tcase, test_pages_open_pair, 0, 2);
	tcase_add_test(tcase, test_phases_begin_anew);
	return suite_run("undo", tcase);
}
