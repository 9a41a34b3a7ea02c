/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child that guarded reads and writes share: that it is one, and what becomes of it when
 * it dies, hangs or gets old.
 */
#include <signal.h>
#include <sys/wait.h>

#include "faketree.h"
#include "faketree_react.h"
#include "guard.h"
#include "suite.h"

#define FILE "/sys/kernel/mm/ksm/run"
#define OTHER "/sys/kernel/mm/ksm/sleep_millisecs"

static struct host host;
static struct guard_server server;

static void setup(void)
{
	faketree_new(&host);
	faketree_file("7\n", FILE);
	faketree_file("8\n", OTHER);
	server = (struct guard_server){};
	host.server = &server;
}

static void teardown(void)
{
	guard_server_done(&server);
	faketree_free();
}

static struct run brief(int64_t ms)
{
	int64_t deadline = now_ms() + ms;

	return (struct run){
		.host = host, .deadline = deadline, .budget = deadline, .cancel_fd = -1
	};
}

static void assert_reads(const char *path, const char *text)
{
	_cleanup_error_ struct error err = {};
	char buf[64];

	ck_assert_msg(guard_read_host(&host, path, buf, sizeof(buf), &err) >= 0, "%s",
		      error_text(&err));
	ck_assert_str_eq(buf, text);
}

static void assert_writes(const char *path, const char *value)
{
	_cleanup_error_ struct error err = {};
	struct run run = brief(10000);

	ck_assert_msg(guard_write(&run, path, value, &err) == 0, "%s", error_text(&err));
	ck_assert_str_eq(faketree_read("%s", path), value);
}

static void assert_gone(int pid)
{
	ck_assert_int_eq(kill(pid, 0), -1);
	ck_assert_int_eq(errno, ESRCH);
}

START_TEST(one_child_for_all)
{
	char buf[64];
	int pid;

	ck_assert_int_eq(server.pid, 0);
	assert_reads(FILE, "7");
	pid = server.pid;
	ck_assert_int_gt(pid, 0);
	assert_writes(FILE, "1");
	assert_reads(FILE, "1");
	assert_reads(OTHER, "8");
	ck_assert_int_eq(guard_read_host(&host, "/sys/none", buf, sizeof(buf), NULL),
			 -ENOENT);
	ck_assert_int_eq(server.pid, pid);
	guard_server_done(&server);
	assert_gone(pid);
	ck_assert_int_eq(server.pid, 0);
}
END_TEST

/* As with none: a child of its own for each. */
START_TEST(without_a_server)
{
	host.server = NULL;
	assert_reads(FILE, "7");
	assert_writes(FILE, "1");
	ck_assert_int_eq(server.pid, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(one_that_died)
{
	_cleanup_error_ struct error err = {};
	char buf[64];
	int pid;

	assert_reads(FILE, "7");
	pid = server.pid;
	kill(pid, SIGKILL);
	ck_assert_int_eq(guard_read_host(&host, FILE, buf, sizeof(buf), &err), -EIO);
	ck_assert_msg(strstr(error_text(&err), "died (signal 9)") != NULL, "%s",
		      error_text(&err));
	assert_gone(pid);
	assert_reads(FILE, "7");
	ck_assert_int_ne(server.pid, pid);
}
END_TEST

/* It is left behind, and holds up nothing but its own call. */
START_TEST(one_that_hangs)
{
	_cleanup_error_ struct error err = {};
	struct run run = brief(100);
	int pid;

	faketree_fail(FILE, FAKE_HANG, 0);
	assert_reads(OTHER, "8");
	pid = server.pid;
	ck_assert_int_eq(guard_write(&run, FILE, "1", &err), -ETIMEDOUT);
	ck_assert_msg(strstr(error_text(&err),
			     "write of '1' to " FILE " has not returned") != NULL,
		      "%s", error_text(&err));
	ck_assert_int_eq(kill(pid, 0), 0);
	assert_reads(OTHER, "8");
	ck_assert_int_ne(server.pid, pid);
	fake_end_hung();
	assert_gone(pid);
}
END_TEST

/* Nobody waits for it any more: what is to follow then it does by itself. */
START_TEST(one_that_returns_late)
{
	static const struct guard_late late[] = { { OTHER, "9" }, { FILE, "" }, {} };
	struct run run = brief(100);

	for (int server_too = 1; server_too >= 0; server_too--) {
		host.server = server_too ? &server : NULL;
		run.host = host;
		faketree_file("8\n", OTHER);
		faketree_fail(FILE, FAKE_HANG, 0);
		run.event.phase = PHASE_RELEASE;
		ck_assert_int_eq(guard_write_late(&run, FILE, "1", late, NULL),
				 -ETIMEDOUT);
		fake_return_hung();
		assert_reads(OTHER, "8"); /* the way down has nothing to undo */
		run.event.phase = PHASE_PREPARE;
		ck_assert_int_eq(guard_write_late(&run, FILE, "1", late, NULL),
				 -ETIMEDOUT);
		faketree_fail(NULL, FAKE_ERRNO, 0);
		assert_reads(OTHER, "8");
		fake_return_hung();
		assert_reads(OTHER, "9");
		ck_assert_int_eq(guard_write_late(&run, FILE, "1", late, NULL), 0);
		assert_reads(FILE, "1");
	}
}
END_TEST

/* Somebody has stopped it: that holds up nobody either. */
START_TEST(one_that_is_stopped)
{
	int pid;

	assert_reads(FILE, "7");
	pid = server.pid;
	kill(pid, SIGSTOP);
	guard_server_done(&server);
	ck_assert_int_eq(server.pid, 0);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* The journal cannot be told that it returned: nobody may take it for one that hangs. */
START_TEST(one_that_returned_unheard)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };
	struct run run = brief(10000);

	ck_assert_int_eq(journal_open(&host, "11111111-2222-3333-4444-555555555555",
				      "win10", true, NULL, &journal, NULL),
			 0);
	run.journal = &journal;
	run.event.phase = PHASE_PREPARE;
	faketree_fault(3, FAULT_ERRNO, EIO); /* behind "child" and the write itself */
	ck_assert_int_eq(guard_write(&run, FILE, "1", NULL), 0);
	ck_assert_uint_eq(faketree_faults(NULL), 3);
	ck_assert_uint_eq(journal.n_children, 1);
	ck_assert_int_eq(guard_left(&run, FILE, NULL), 0);
}
END_TEST

/* A later run judges by its age what it is at. */
START_TEST(one_that_is_old)
{
	int pid;

	assert_reads(FILE, "7");
	pid = server.pid;
	server.since -= 60000;
	assert_reads(FILE, "7");
	ck_assert_int_ne(server.pid, pid);
	assert_gone(pid);
}
END_TEST

START_TEST(not_that_of_a_parent)
{
	int pid, child, status;

	assert_reads(FILE, "7");
	pid = server.pid;
	child = fork();
	if (child == 0) {
		assert_reads(FILE, "7");
		status = server.pid == pid;
		guard_server_done(&server);
		_exit(status);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	assert_reads(FILE, "7");
	ck_assert_int_eq(server.pid, pid);
}
END_TEST

/* More than a packet holds: by a child of its own. */
START_TEST(a_long_value)
{
	char value[9000];

	memset(value, 'x', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	assert_reads(FILE, "7");
	host_write(&host, "", FILE);
	ck_assert_int_eq(guard_write(&(struct run){ .host = host, .cancel_fd = -1 }, FILE,
				     value, NULL),
			 0);
	ck_assert_uint_gt(strlen(faketree_read(FILE)), 4000);
	assert_reads(OTHER, "8");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("guard");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_child_for_all);
	tcase_add_test(tc, without_a_server);
	tcase_add_test(tc, one_that_died);
	tcase_add_test(tc, one_that_hangs);
	tcase_add_test(tc, one_that_returns_late);
	tcase_add_test(tc, one_that_is_stopped);
	tcase_add_test(tc, one_that_returned_unheard);
	tcase_add_test(tc, one_that_is_old);
	tcase_add_test(tc, not_that_of_a_parent);
	tcase_add_test(tc, a_long_value);
	return suite_run("guard", tc);
}
