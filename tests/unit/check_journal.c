/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The journal: what is written is read again, whatever a crash left at its end.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "claims.h"
#include "journal.h"
#include "suite.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define OTHER "99999999-2222-3333-4444-555555555555"

static char root[] = "/tmp/vfio-hook-journal-XXXXXX";
static struct host host = { .root = root };

static void write_file(const char *path, const char *text)
{
	char full[PATH_MAX];
	FILE *f = fopen(host_path(&host, full, "%s", path), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void set_up(void)
{
	char path[PATH_MAX];

	strcpy(root + strlen(root) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (const char *const *d =
		     (const char *const[]){ "/proc", "/proc/sys", "/run",
					    "/proc/sys/kernel", "/proc/sys/kernel/random",
					    NULL };
	     *d; d++)
		ck_assert_int_eq(mkdir(host_path(&host, path, "%s", *d), 0755), 0);
	write_file("/proc/sys/kernel/random/boot_id",
		   "b007b007-0000-0000-0000-000000000000\n");
}

static void tear_down(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", root);
	ck_assert_int_eq(system(command), 0);
}

static struct journal opened(const char *uuid)
{
	struct journal journal;

	ck_assert_int_eq(journal_open(&host, uuid, "win 10", true, NULL, &journal, NULL),
			 0);
	return journal;
}

static void set(struct journal *journal, const char *target, const char *old,
		const char *new)
{
	ck_assert_int_eq(journal_record(journal, &state_attr, target, old, new, "d",
					PHASE_PREPARE, NULL),
			 0);
}

START_TEST(test_round_trip)
{
	struct journal journal = opened(UUID);
	const struct record *record;

	set(&journal, "/a\tb\\c\nd", "old\\n", "\tnew\n");
	journal_done(&journal);
	journal = opened(UUID);
	record = journal_find(&journal, &state_attr, "/a\tb\\c\nd");
	ck_assert_ptr_nonnull(record);
	ck_assert_str_eq(record->old, "old\\n");
	ck_assert_str_eq(record->new, "\tnew\n");
	ck_assert_str_eq(record->data, "d");
	ck_assert_int_eq(record->phase, PHASE_PREPARE);
	ck_assert_str_eq(journal.domain, "win 10");
	journal_done(&journal);
}
END_TEST

START_TEST(test_first_old_latest_new)
{
	struct journal journal = opened(UUID);

	set(&journal, "/x", "1", "2");
	set(&journal, "/y", "a", "b");
	set(&journal, "/x", "2", "3");
	ck_assert_uint_eq(journal.n, 2);
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/x")->old, "1");
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/x")->new, "3");
	journal_done(&journal);
}
END_TEST

START_TEST(test_strike)
{
	struct journal journal = opened(UUID);

	set(&journal, "/x", "1", "2");
	ck_assert(journal_has_open_records(&journal));
	ck_assert_int_eq(journal_strike(&journal, &state_attr, "/x", NULL), 0);
	ck_assert(!journal_has_open_records(&journal));
	set(&journal, "/x", "5", "6");
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/x")->old, "5");
	journal_done(&journal);
	journal = opened(UUID);
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/x")->old, "5");
	journal_done(&journal);
}
END_TEST

START_TEST(test_first_baseline_counts)
{
	struct journal journal = opened(UUID);
	struct baseline b = { .name = "0000:01:00.0" };
	char none[] = "", nvidia[] = "nvidia", vfio[] = "vfio-pci";

	b.driver = nvidia;
	b.module = b.override = b.power_control = b.d3cold_allowed = b.reset_method =
		b.id = none;
	ck_assert_int_eq(journal_baseline(&journal, &b, NULL), 0);
	b.driver = vfio;
	ck_assert_int_eq(journal_baseline(&journal, &b, NULL), 0);
	journal_done(&journal);
	journal = opened(UUID);
	ck_assert_uint_eq(journal.n_baselines, 1);
	ck_assert_str_eq(journal_find_baseline(&journal, "0000:01:00.0")->driver,
			 "nvidia");
	journal_done(&journal);
}
END_TEST

/* Cuts the last N bytes off, as a crash in the middle of a write would. */
START_TEST(test_torn_line)
{
	struct journal journal = opened(UUID);
	char path[PATH_MAX];
	struct stat st;

	set(&journal, "/kept", "1", "2");
	ck_assert_int_eq(stat(journal.path, &st), 0);
	set(&journal, "/torn", "1", "2");
	snprintf(path, sizeof(path), "%s", journal.path);
	journal_done(&journal);
	ck_assert_int_eq(truncate(path, st.st_size + _i), 0);

	journal = opened(UUID);
	ck_assert_ptr_nonnull(journal_find(&journal, &state_attr, "/kept"));
	ck_assert_ptr_null(journal_find(&journal, &state_attr, "/torn"));
	set(&journal, "/after", "1", "2");
	journal_done(&journal);
	journal = opened(UUID);
	ck_assert_ptr_nonnull(journal_find(&journal, &state_attr, "/after"));
	ck_assert_ptr_null(journal_find(&journal, &state_attr, "/torn"));
	journal_done(&journal);
}
END_TEST

/* No space for a whole line, and later again there is: both lines stand alone. */
START_TEST(test_torn_in_the_middle)
{
	struct journal journal = opened(UUID);
	struct rlimit none, limit;
	struct stat st;

	signal(SIGXFSZ, SIG_IGN);
	set(&journal, "/a", "1", "2");
	ck_assert_int_eq(fstat(journal.fd, &st), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &none), 0);
	limit = (struct rlimit){ (rlim_t)st.st_size + 9, none.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_lt(journal_record(&journal, &state_attr, "/b", "1", "2", "",
					PHASE_PREPARE, NULL),
			 0);
	ck_assert_int_lt(journal_strike(&journal, &state_attr, "/a", NULL), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	set(&journal, "/c", "1", "2");
	journal_done(&journal);
	journal = opened(UUID);
	ck_assert_ptr_nonnull(journal_find(&journal, &state_attr, "/a"));
	ck_assert_ptr_null(journal_find(&journal, &state_attr, "/b"));
	ck_assert_ptr_nonnull(journal_find(&journal, &state_attr, "/c"));
	journal_done(&journal);
}
END_TEST

/* Whoever hands a claim on to us may be killed at that, while we go on. */
START_TEST(test_torn_by_another)
{
	struct journal journal = opened(UUID);
	FILE *f = fopen(journal.path, "a");

	set(&journal, "/a", "1", "2");
	fputs("old\tattr\t/a", f);
	fclose(f);
	set(&journal, "/b", "1", "2");
	set(&journal, "/c", "1", "2");
	journal_done(&journal);
	journal = opened(UUID);
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/a")->old, "1");
	ck_assert_ptr_nonnull(journal_find(&journal, &state_attr, "/b"));
	ck_assert_ptr_nonnull(journal_find(&journal, &state_attr, "/c"));
	journal_done(&journal);
}
END_TEST

/* What it says already is not written once more; what differs in anything is. */
START_TEST(test_said_before)
{
	struct journal journal = opened(UUID);
	int64_t size;

	set(&journal, "/a", "1", "2");
	size = journal.size;
	set(&journal, "/a", "1", "2");
	ck_assert_int_eq(journal.size, size);
	ck_assert_int_eq(journal_record(&journal, &state_attr, "/a", "1", "2", "other",
					PHASE_PREPARE, NULL),
			 0);
	set(&journal, "/a", "1", "3");
	ck_assert_int_eq(journal_strike(&journal, &state_attr, "/a", NULL), 0);
	set(&journal, "/a", "5", "3");
	journal_done(&journal);
	journal = opened(UUID);
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/a")->old, "5");
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/a")->new, "3");
	journal_done(&journal);
}
END_TEST

static unsigned syncs;

int fdatasync(int fd)
{
	syncs++;
	return fsync(fd);
}

/* Where a disk is behind it each line is brought there; where none is nothing would be. */
START_TEST(test_synced)
{
	struct journal journal = opened(UUID);

	syncs = 0;
	journal.in_memory = _i;
	set(&journal, "/a", "1", "2");
	set(&journal, "/b", "1", "2");
	ck_assert_uint_eq(syncs, _i ? 0 : 2);
	journal_done(&journal);
}
END_TEST

/* Its writer came no further than to make it. */
START_TEST(test_empty)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	ck_assert_int_eq(journal_dir(&host, NULL), 0);
	write_file("/run/vfio-hook/" UUID ".journal", "");
	ck_assert_int_eq(journal_open(&host, UUID, "win 10", false, NULL, &journal, NULL),
			 -ENOENT);
	ck_assert(!journal_any(&host));
}
END_TEST

START_TEST(test_earlier_boot)
{
	struct journal journal = opened(UUID);
	struct strv uuids = {};

	set(&journal, "/x", "1", "2");
	journal_done(&journal);
	write_file("/proc/sys/kernel/random/boot_id",
		   "b007b007-0000-0000-0000-000000000001\n");
	ck_assert_int_eq(journal_open(&host, UUID, "win 10", false, NULL, &journal, NULL),
			 -ESTALE);
	ck_assert_int_eq(journal_open(&host, UUID, "win 10", false, NULL, &journal, NULL),
			 -ENOENT);
	ck_assert_int_eq(journal_list(&host, &uuids), 0);
	ck_assert_uint_eq(uuids.n, 0);
	strv_done(&uuids);
}
END_TEST

START_TEST(test_unknown_lines)
{
	struct journal journal = opened(UUID);
	struct error err = {};
	FILE *f = fopen(journal.path, "a");

	fputs("telepathy\tx\ty\t.\nset\tfuture\t/t\told\tnew\t\tprepare/begin\t1\t.\n\n\t.\n",
	      f);
	fclose(f);
	journal_done(&journal);
	journal = opened(UUID);
	ck_assert_uint_eq(journal.n, 1);
	ck_assert_ptr_null(journal.records[0].kind);
	journal_done(&journal);

	write_file("/run/vfio-hook/" UUID ".journal", "vfio-hook\t7\tb\tu\td\t.\n");
	ck_assert_int_eq(journal_open(&host, UUID, "win 10", true, NULL, &journal, &err),
			 -EPROTO);
	ck_assert_ptr_nonnull(strstr(err.msg, "another version"));
	error_done(&err);
}
END_TEST

/* A version that knows of no data reads the old value all the same. */
START_TEST(test_old_value_with_data)
{
	struct journal journal = opened(UUID);
	_cleanup_free_ char *text = NULL;

	set(&journal, "/a", "1", "2");
	ck_assert_int_eq(journal_set_old(&journal, &state_attr, "/a", "0", "more", NULL),
			 0);
	journal_done(&journal);
	ck_assert_int_eq(host_read_all(&host, &text, "/run/vfio-hook/" UUID ".journal"),
			 0);
	ck_assert_ptr_nonnull(strstr(text, "\nold\tattr\t/a\t0\t.\n"));
	journal = opened(UUID);
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/a")->old, "0");
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/a")->data, "more");
	ck_assert_int_eq(journal_set_old(&journal, &state_attr, "/a", "5", NULL, NULL), 0);
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/a")->old, "5");
	ck_assert_str_eq(journal_find(&journal, &state_attr, "/a")->data, "more");
	journal_done(&journal);
}
END_TEST

START_TEST(test_foreign_folder)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct error err = {};

	host_path(&host, path, "/run/vfio-hook");
	host_path(&host, target, "/run/elsewhere");
	ck_assert_int_eq(mkdir(target, 0700), 0);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(journal_dir(&host, &err), -EPERM);
	ck_assert_ptr_nonnull(strstr(err.msg, "/run/vfio-hook"));
	error_done(&err);
}
END_TEST

/* A folder cannot be unlinked: then the file says at least that nothing is left. */
START_TEST(test_cannot_be_removed)
{
	_cleanup_(journal_done) struct journal journal = opened(UUID);
	_cleanup_free_ char *file = STEAL(journal.path);
	char path[PATH_MAX];
	struct stat st;

	journal.path = strdup(host_path(&host, path, "/run"));
	ck_assert_int_eq(journal_remove(&journal), 0);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
}
END_TEST

/* Three domains want "p" of what was "s" at first; they leave in every order. */
static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
				  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

static const char *const uuids[] = { "00000000-0000-0000-0000-00000000000a",
				     "00000000-0000-0000-0000-00000000000b",
				     "00000000-0000-0000-0000-00000000000c" };

START_TEST(test_last_user_restores)
{
	char value[] = "p";
	struct journal journal;

	for (int i = 0; i < 3; i++) {
		journal = opened(uuids[i]);
		set(&journal, "/governor", i ? "p" : "s", "p");
		journal_done(&journal);
		usleep(2000); /* claims have an age in milliseconds */
	}
	for (int i = 0; i < 3; i++) {
		struct domain domain = { .uuid = (char *)(uintptr_t)uuids[orders[_i][i]] };
		struct run run = { .host = host, .domain = &domain };
		const struct record *record;
		int r;

		ck_assert_int_eq(journal_open(&host, domain.uuid, "", false, NULL,
					      &journal, NULL),
				 0);
		record = journal_find(&journal, &state_attr, "/governor");
		r = claim_leave(&run, record, NULL);
		ck_assert_int_ge(r, 0);
		if (r == 0)
			snprintf(value, sizeof(value), "%s", record->old);
		ck_assert_str_eq(value, i < 2 ? "p" : "s");
		journal_remove(&journal);
		journal_done(&journal);
		report_done(&run.report);
	}
}
END_TEST

/* Can another process have the host's lock at once? */
static bool lock_is_free(void)
{
	_cleanup_(journal_unlock) struct journal_lock lock = {};

	return journal_lock(&host, 0, &lock, NULL) == 0;
}

static struct lock_file kept;
static const struct host keeping = { .root = root, .lock = &kept };

static void lock_and_unlock(void)
{
	struct journal_lock lock = {}, again = {};

	ck_assert_int_eq(journal_lock(&keeping, now_ms() + 20000, &lock, NULL), 0);
	ck_assert(!lock_is_free());
	ck_assert_int_eq(journal_lock(&keeping, now_ms() + 20000, &again, NULL), -EDEADLK);
	journal_unlock(&again);
	ck_assert(!lock_is_free());
	journal_unlock(&lock);
	ck_assert(lock_is_free());
}

/* Its file is opened once, and again when it is not what the others lock. */
START_TEST(test_lock_is_kept)
{
	char path[PATH_MAX];
	ino_t first;

	kept = (struct lock_file){ .fd = -1 };
	lock_and_unlock();
	first = kept.ino;
	lock_and_unlock();
	ck_assert_uint_eq(kept.ino, first);
	host_path(&host, path, "/run/vfio-hook/lock");
	ck_assert_int_eq(unlink(path), 0);
	lock_and_unlock();
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(rename(path, host_path(&host, (char[PATH_MAX]){ "" },
						"/run/vfio-hook/lock.old")),
			 0);
	first = kept.ino;
	lock_and_unlock();
	ck_assert_uint_ne(kept.ino, first);
	close(kept.fd);
}
END_TEST

/* As at the first time: it is no folder of root's own any more. */
START_TEST(test_folder_is_replaced)
{
	struct journal_lock lock = {};
	char path[PATH_MAX], moved[PATH_MAX], other[PATH_MAX];
	struct error err = {};

	kept = (struct lock_file){ .fd = -1 };
	lock_and_unlock();
	host_path(&host, path, "/run/vfio-hook");
	ck_assert_int_eq(rename(path, host_path(&host, moved, "/run/moved")), 0);
	ck_assert_int_eq(mkdir(host_path(&host, other, "/run/elsewhere"), 0700), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(journal_lock(&keeping, now_ms() + 20000, &lock, &err), -EPERM);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "/run/vfio-hook"));
	error_done(&err);
	ck_assert_int_eq(unlink(path), 0);
	lock_and_unlock();
	ck_assert_int_eq(access(path, F_OK), 0);
	close(kept.fd);
}
END_TEST

/* Who is next has it next: one who gave it up and wants it again is behind him. */
START_TEST(test_pages_in_turn)
{
	_cleanup_error_ struct error err = {};
	_cleanup_close_ int next = -1;
	char path[PATH_MAX];
	int lock;

	ck_assert_int_eq(journal_lock_pages(&host, "win 10", now_ms() + 20000, &lock,
					    &err),
			 0);
	host_path(&host, path, "/run/vfio-hook/pages.next");
	next = open(path, O_RDWR);
	ck_assert_int_ge(next, 0);
	ck_assert_int_eq(flock(next, LOCK_EX | LOCK_NB), 0);
	close(lock);
	ck_assert_int_eq(journal_lock_pages(&host, "win 10", now_ms() + 50, &lock, &err),
			 -ETIMEDOUT);
	ck_assert_int_eq(flock(next, LOCK_UN), 0);
	ck_assert_int_eq(journal_lock_pages(&host, "win 10", now_ms() + 20000, &lock,
					    NULL),
			 0);
	close(lock);
}
END_TEST

START_TEST(test_pages_in_vain)
{
	_cleanup_error_ struct error err = {};
	char who[96];
	int lock, again;

	ck_assert_int_eq(journal_lock_pages(&host, "hog", now_ms() + 20000, &lock, NULL),
			 0);
	ck_assert_int_eq(journal_lock_pages(&host, "win 10", now_ms() + 50, &again, &err),
			 -ETIMEDOUT);
	snprintf(who, sizeof(who), "hugepages: hog (pid %d) is moving huge pages",
		 (int)getpid());
	ck_assert_msg(strstr(error_text(&err), who), "%s", error_text(&err));
	close(lock);
	ck_assert_int_eq(journal_lock_pages(&host, "win 10", now_ms() + 20000, &again,
					    NULL),
			 0);
	close(again);
}
END_TEST

/* Who has the lock is named, from what the kernel tells about locks. */
START_TEST(test_locked)
{
	struct journal journal = opened(UUID), other;
	struct error err = {};
	char line[256], path[PATH_MAX];
	struct stat st;

	ck_assert_int_eq(mkdir(host_path(&host, path, "/proc/812"), 0755), 0);
	ck_assert_int_eq(fstat(journal.fd, &st), 0);
	snprintf(line, sizeof(line),
		 "1: POSIX  ADVISORY  WRITE 1 %02x:%02x:%llu 0 EOF\n"
		 "2: FLOCK  ADVISORY  WRITE 812 %02x:%02x:%llu 0 EOF\n",
		 major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino,
		 major(st.st_dev), minor(st.st_dev), (unsigned long long)st.st_ino);
	ck_assert_int_eq(journal_open(&host, UUID, "win 10", false, NULL, &other, &err),
			 -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "domain win 10: another vfio-hook is"));
	error_done(&err);
	write_file("/proc/locks", line);
	write_file("/proc/812/stat", "812 (a) b) S 1 1 1\n");
	ck_assert_int_eq(journal_open(&host, UUID, "win 10", false, NULL, &other, &err),
			 -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "domain win 10: vfio-hook (pid 812) is"));
	error_done(&err);
	write_file("/proc/812/stat", "812 (a) b) T 1 1 1\n");
	ck_assert_int_eq(journal_open(&host, UUID, "win 10", false, NULL, &other, &err),
			 -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(err.msg, "(pid 812, stopped: kill -CONT 812)"));
	error_done(&err);
	journal_done(&journal);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("journal");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_round_trip);
	tcase_add_test(tc, test_first_old_latest_new);
	tcase_add_test(tc, test_strike);
	tcase_add_test(tc, test_first_baseline_counts);
	tcase_add_loop_test(tc, test_torn_line, 0, 30);
	tcase_add_test(tc, test_torn_in_the_middle);
	tcase_add_test(tc, test_torn_by_another);
	tcase_add_test(tc, test_said_before);
	tcase_add_loop_test(tc, test_synced, 0, 2);
	tcase_add_test(tc, test_empty);
	tcase_add_test(tc, test_earlier_boot);
	tcase_add_test(tc, test_unknown_lines);
	tcase_add_test(tc, test_old_value_with_data);
	tcase_add_test(tc, test_foreign_folder);
	tcase_add_test(tc, test_cannot_be_removed);
	tcase_add_test(tc, test_locked);
	tcase_add_loop_test(tc, test_last_user_restores, 0, 6);
	tcase_add_test(tc, test_lock_is_kept);
	tcase_add_test(tc, test_folder_is_replaced);
	tcase_add_test(tc, test_pages_in_turn);
	tcase_add_test(tc, test_pages_in_vain);
	return suite_run("journal", tc);
}
