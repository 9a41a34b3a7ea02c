/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fault at each single change of prepare and of release, on the machine made of files:
 * whatever fails, and wherever the hook dies, all is put back in the end.
 */
#include <sys/wait.h>

#include "card.h"
#include "faketree_react.h"
#include "guard.h"
#include "phase_of.h"
#include "suite.h"

static const char config[] = "[prepare/begin]\n"
			     "hugepages.allocate = pages=4 size=2M\n"
			     "kmod.load = dummy\n"
			     "vtconsole.unbind =\n"
			     "kmod.unload = amdgpu\n"
			     "pci.detach = 0a:00.*\n";

/* The way back written out, as the guides' stop scripts have it. */
static const char way_back[] = "[release/end]\n"
			       "pci.reattach = 0a:00.*\n"
			       "vtconsole.bind =\n"
			       "kmod.load = amdgpu\n"
			       "undo =\n";

static void setup(void)
{
	card_setup();
	faketree_module("dummy", NULL);
	faketree_file("1\n", "/sys/module/amdgpu/parameters/debug"); /* by hand */
	faketree_hugepages(2048, 3, 100);
	faketree_vtcon(0, "(S) dummy device", false);
	faketree_vtcon(1, "(M) frame buffer device", true);
	faketree_link("../../../devices/pci0000:00/" GPU,
		      "/sys/class/graphics/fb0/device");
	faketree_file(
		"MemTotal: 8000000 kB\nMemAvailable: 7000000 kB\nHugepagesize: 2048 kB\n",
		"/proc/meminfo");
	card_ready(config);
}

enum what {
	PREPARE,
	RELEASE,
	UNDO
};

static int run(enum what what, struct error *err)
{
	struct event event;
	struct call call;
	int r;

	event_of_phase(&event, "win10", what == PREPARE ? PHASE_PREPARE : PHASE_RELEASE);
	r = phase_open(&call, host.root, &event, card_xml, err);
	if (r == 0)
		r = what == UNDO ? phase_undo(&call.run, err) : phase_run(&call.run, err);
	call_done(&call);
	return r;
}

static void assert_runs(enum what what, const char *where)
{
	_cleanup_error_ struct error err = {};
	int r = run(what, &err);

	ck_assert_msg(r == 0 || (what == UNDO && r == -ENOENT), "%s: %s", where,
		      error_text(&err));
}

/* The result of WHAT with the fault at change number AT; -EINTR: it was killed. */
static int faulty(enum what what, unsigned at, enum fake_fault how, int error, char *where)
{
	_cleanup_error_ struct error err = {};
	int pid, r, status;
	const char *path;

	if (how == FAULT_KILL) {
		faketree_fault(0, how, 0); /* the memory is shared from here on */
		pid = fork();
		if (pid == 0) {
			faketree_fault(at, how, error);
			_exit(run(what, NULL) < 0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		r = WIFSIGNALED(status) ? -EINTR : -WEXITSTATUS(status);
	} else {
		faketree_fault(at, how, error);
		r = run(what, &err);
	}
	faketree_faults(&path);
	sprintf(where, "%s, %s at change %u (%.200s)",
		what == PREPARE ? "prepare" : "release",
		how == FAULT_KILL ? "killed" : strerror(error), at, path);
	faketree_fault(0, FAULT_ERRNO, 0);
	if (r < 0 && r != -EINTR && how != FAULT_KILL)
		ck_assert_msg(err.msg && !strchr(err.msg, '\n'), "%s: no text", where);
	return r;
}

static unsigned count(enum what what)
{
	unsigned n;

	faketree_fault(0, FAULT_ERRNO, 0);
	assert_runs(what, "without a fault");
	n = faketree_faults(NULL);
	ck_assert_uint_gt(n, 10);
	return n;
}

static void recover(unsigned n, const char *where)
{
	if (n % 3 == 0)
		assert_runs(RELEASE, where);
	else if (n % 3 == 1)
		assert_runs(UNDO, where);
	else {
		assert_runs(PREPARE, where);
		assert_runs(RELEASE, where);
	}
	card_assert_as_before(where);
}

/* FAULTS_EVERY=7 in the environment: each seventh only, where all would take too long. */
static unsigned every(void)
{
	const char *text = getenv("FAULTS_EVERY");
	uint64_t n;

	return text && parse_u64(text, &n) == 0 && n > 0 && n < 1000 ? (unsigned)n : 1;
}

START_TEST(killed)
{
	unsigned up = count(PREPARE), down = count(RELEASE);
	char where[512];

	card_assert_as_before("without a fault");
	for (unsigned n = 1; n <= up; n += every()) {
		ck_assert_int_eq(faulty(PREPARE, n, FAULT_KILL, 0, where), -EINTR);
		recover(n, where);
	}
	for (unsigned n = 1; n <= down; n += every()) {
		assert_runs(PREPARE, where);
		ck_assert_int_eq(faulty(RELEASE, n, FAULT_KILL, 0, where), -EINTR);
		recover(n, where);
	}
}
END_TEST

/* The recovery is killed, too, and so is its own. */
START_TEST(killed_again)
{
	unsigned up = count(PREPARE), down = count(RELEASE);
	char where[512];

	for (unsigned n = 2; n <= up; n += 5 * every())
		for (unsigned m = 1; m <= down; m += 4 * every()) {
			faulty(PREPARE, n, FAULT_KILL, 0, where);
			faulty(m % 3 ? RELEASE : PREPARE, m, FAULT_KILL, 0, where);
			faulty(m % 2 ? RELEASE : PREPARE, m / 2, FAULT_KILL, 0, where);
			recover(m, where);
		}
}
END_TEST

static const int errors[] = { EIO, EBUSY, ENODEV, ENOSPC };

/* The last of the errors comes as a write that was cut short. */
static enum fake_fault how_of(int i)
{
	return i + 1 == (int)ARRAY_SIZE(errors) ? FAULT_SHORT : FAULT_ERRNO;
}

START_TEST(prepare_fails)
{
	unsigned up = count(PREPARE);
	char where[512];

	assert_runs(RELEASE, "without a fault");
	for (unsigned n = 1; n <= up; n += every()) {
		if (faulty(PREPARE, n, how_of(_i), errors[_i], where) == 0)
			assert_runs(RELEASE, where);
		card_assert_as_before(where);
	}
}
END_TEST

START_TEST(release_fails)
{
	unsigned down;
	char where[512];

	assert_runs(PREPARE, "without a fault");
	down = count(RELEASE);
	for (unsigned n = 1; n <= down; n += every()) {
		assert_runs(PREPARE, "before");
		faulty(RELEASE, n, how_of(_i), errors[_i], where);
		recover(n, where);
	}
}
END_TEST

/* What fails once is put back all the same: it is tried again behind the rest. */
START_TEST(release_tries_twice)
{
	bool found = false;
	unsigned down;
	char where[512];

	assert_runs(PREPARE, "without a fault");
	down = count(RELEASE);
	/* From the end, as the pages come first on the way up. */
	for (unsigned n = down; n > 0 && !found; n--) {
		int r;

		assert_runs(PREPARE, "before");
		r = faulty(RELEASE, n, FAULT_ERRNO, EIO, where);
		found = strstr(where, "/nr_hugepages)") != NULL;
		ck_assert_msg(!found || r == 0, "%s: not tried again", where);
		recover(0, where);
	}
	ck_assert(found);
}
END_TEST

static void write_way_back(void)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s%s", config, way_back);
	faketree_file(text, CONFIG);
}

START_TEST(explicit_release_killed)
{
	unsigned down;
	char where[512];

	write_way_back();
	assert_runs(PREPARE, "without a fault");
	down = count(RELEASE);
	card_assert_as_before("without a fault");
	for (unsigned n = 1; n <= down; n += every()) {
		assert_runs(PREPARE, where);
		faulty(RELEASE, n, FAULT_KILL, 0, where);
		recover(n % 2, where);
	}
}
END_TEST

START_TEST(explicit_release_fails)
{
	unsigned down;
	char where[512];

	write_way_back();
	assert_runs(PREPARE, "without a fault");
	down = count(RELEASE);
	for (unsigned n = 1; n <= down; n += every()) {
		assert_runs(PREPARE, "before");
		faulty(RELEASE, n, how_of(_i), errors[_i], where);
		recover(n % 2, where);
	}
}
END_TEST

/* The last line of all writes that has TEXT in it. */
static long last_write(const char *text)
{
	char path[PATH_MAX], line[PATH_MAX];
	long last = -1;
	FILE *f = fopen(host_path(&host, path, "/.fake/writes"), "re");

	ck_assert_ptr_nonnull(f);
	for (long n = 0; fgets(line, sizeof(line), f); n++)
		if (strstr(line, text))
			last = n;
	fclose(f);
	return last;
}

/*
 * The GPU was claimed, but not moved yet: its module's load must find it free to bind,
 * as a display manager may be started behind that.
 */
START_TEST(lets_go_before_loads)
{
	_cleanup_error_ struct error err = {};

	faketree_fail("/snd_hda_intel/unbind", FAKE_ERRNO, EIO);
	ck_assert_int_lt(run(PREPARE, &err), 0);
	faketree_fail(NULL, FAKE_ERRNO, 0);
	card_assert_as_before("prepare");
	ck_assert_int_ge(last_write(GPU "/driver_override"), 0);
	ck_assert_int_gt(last_write("load amdgpu"), last_write(GPU "/driver_override"));
}
END_TEST

/* A prepare that hangs in a write to what ends with SUFFIX: its pid. */
static int hang_at(const char *suffix)
{
	int pid, status;

	faketree_fail(suffix, FAKE_HANG, 0);
	pid = fork();
	if (pid == 0)
		_exit(run(PREPARE, NULL) < 0);
	faketree_fail(NULL, FAKE_ERRNO, 0);
	while (last_write(suffix) < 0)
		ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
	return pid;
}

static void killed_at_it(int pid)
{
	int status;

	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

/* A kernel that looks for pages in vain holds up that domain, and no other. */
START_TEST(slow_pool_holds_up_nobody)
{
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	int pid;

	pid = hang_at("/nr_hugepages");
	ck_assert_int_eq(journal_lock(&host, now_ms() + 1000, &lock, NULL), 0);
	journal_unlock(&lock); /* the way back wants it, too */
	killed_at_it(pid);
	recover(0, "a slow pool");
}
END_TEST

/* Killed while an unbind hangs, the hook has told its journal who does. */
START_TEST(hanging_child_is_known)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	killed_at_it(hang_at("/snd_hda_intel/unbind"));
	ck_assert_int_eq(journal_read(&host, UUID, &journal, NULL), 0);
	ck_assert_uint_eq(journal.n_children, 1);
	ck_assert_int_gt(journal.children[0].pid, 0);
	ck_assert_str_eq(journal.children[0].what,
			 "unbind of " SOUND " from snd_hda_intel");
	ck_assert(!journal.children[0].left);
	fake_end_hung();
	recover(0, "a hanging unbind");
}
END_TEST

/* Nothing is changed without a child to be left behind, but it is put back without. */
START_TEST(back_without_children)
{
	_cleanup_error_ struct error err = {};

	faketree_no_forks(true);
	ck_assert_int_lt(run(PREPARE, &err), 0);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "child process"));
	faketree_no_forks(false);
	card_assert_as_before("refused");
	assert_runs(PREPARE, "prepare");
	faketree_no_forks(true);
	recover(0, "without children");
	faketree_no_forks(false);
}
END_TEST

static int note_call(void *arg, char text[GUARD_TEXT_MAX] _unused_)
{
	*(bool *)arg = true;
	return 0;
}

/* Not what may wait without an end for whoever uses the device; nor anything going up. */
START_TEST(some_calls_need_a_child)
{
	bool waits = _i & 1, down = _i & 2, called = false;
	struct run way = { .host = host, .undoing = down, .cancel_fd = -1 };
	struct guard_job job = {
		.what = "a call", .fn = note_call, .arg = &called, .waits = waits
	};
	_cleanup_error_ struct error err = {};

	faketree_no_forks(true);
	ck_assert_int_eq(guard_run(&way, &job, NULL, &err), down && !waits ? 0 : -EAGAIN);
	ck_assert(called == (down && !waits));
}
END_TEST

/* One that has returned is nobody to look for. */
START_TEST(returned_children_are_forgotten)
{
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	assert_runs(PREPARE, "prepare");
	ck_assert_int_eq(journal_read(&host, UUID, &journal, NULL), 0);
	ck_assert_uint_eq(journal.n_children, 0);
	recover(0, "nothing");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("each change");

	tcase_add_checked_fixture(tc, setup, card_teardown);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, killed_again);
	tcase_add_test(tc, lets_go_before_loads);
	tcase_add_test(tc, slow_pool_holds_up_nobody);
	tcase_add_test(tc, hanging_child_is_known);
	tcase_add_test(tc, returned_children_are_forgotten);
	tcase_add_test(tc, back_without_children);
	tcase_add_loop_test(tc, some_calls_need_a_child, 0, 4);
	tcase_add_loop_test(tc, prepare_fails, 0, ARRAY_SIZE(errors));
	tcase_add_loop_test(tc, release_fails, 0, ARRAY_SIZE(errors));
	tcase_add_test(tc, release_tries_twice);
	tcase_add_test(tc, explicit_release_killed);
	tcase_add_loop_test(tc, explicit_release_fails, 0, ARRAY_SIZE(errors));
	tcase_set_timeout(tc, 600);
	return suite_run_as_root("faults", tc);
}
