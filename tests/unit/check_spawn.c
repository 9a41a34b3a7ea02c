/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs for real: what they inherit, how they end, what is kept of their output.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "spawn.h"
#include "suite.h"

static const struct host host = { .root = "" };

/* Runs SCRIPT by /bin/sh for at most MS milliseconds. */
static int run_sh(const char *script, const char *input, int64_t ms,
		  struct spawn_result *result, struct error *err)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct spawn spawn = { .argv = argv, .keep_output = true };

	spawn.input = input;
	spawn.input_len = input ? strlen(input) : 0;
	spawn.deadline = now_ms() + ms;
	return spawn_run(&host, &spawn, result, err);
}

/* What SCRIPT prints; it must end well. */
static char *output_of(const char *script, const char *input)
{
	struct spawn_result result = {};
	struct error err = {};
	int r = run_sh(script, input, 10000, &result, &err);

	ck_assert_msg(r == 0, "%s", error_text(&err));
	ck_assert_msg(result.status == 0, "%s: status %d: %s", script, result.status,
		      result.errors);
	ck_assert(!result.timed_out);
	free(result.errors);
	return result.output;
}

static void assert_output(const char *script, const char *input, const char *wanted)
{
	char *output = output_of(script, input);

	ck_assert_str_eq(output, wanted);
	free(output);
}

static void make_file(char *path, size_t size, const char *text, mode_t mode)
{
	int fd;

	snprintf(path, size, "/tmp/check-spawn-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

/* The error of running the program at PATH. */
static int code_of(const char *path, struct error *err)
{
	const char *const argv[] = { path, NULL };
	struct spawn spawn = { .argv = argv, .deadline = now_ms() + 10000 };
	struct spawn_result result = {};
	int r = spawn_run(&host, &spawn, &result, err);

	spawn_result_done(&result);
	return r;
}

START_TEST(keeps_output_and_status)
{
	struct spawn_result result = {};

	ck_assert_int_eq(run_sh("echo out; echo one >&2; echo two >&2; exit 3", NULL,
				10000, &result, NULL),
			 0);
	ck_assert_int_eq(result.status, 3);
	ck_assert_str_eq(result.output, "out\n");
	ck_assert_str_eq(result.errors, "one\ntwo");
	spawn_result_done(&result);

	ck_assert_int_eq(run_sh("kill -9 $$", NULL, 10000, &result, NULL), 0);
	ck_assert_int_eq(result.status, 128 + SIGKILL);
	ck_assert(!result.timed_out);
	spawn_result_done(&result);
}
END_TEST

START_TEST(bounds_output)
{
	struct spawn_result result = {};
	size_t n;

	/* far more than a pipe holds, on both: neither may block the program */
	ck_assert_int_eq(run_sh("i=0; while [ $i -lt 20000 ]; do echo line $i; "
				"echo error $i >&2; i=$((i + 1)); done",
				NULL, 30000, &result, NULL),
			 0);
	ck_assert_int_eq(result.status, 0);
	ck_assert_uint_eq(strlen(result.output), 64 * 1024);
	ck_assert(str_after(result.output, "line 0\nline 1\n"));
	n = strlen(result.errors);
	ck_assert_uint_le(n, 4096);
	ck_assert_uint_ge(n, 4000);
	ck_assert(str_ends(result.errors, "error 19998\nerror 19999"));
	spawn_result_done(&result);
}
END_TEST

START_TEST(gives_stdin)
{
	_cleanup_free_ char *big = malloc(300001);

	assert_output("cat", "hello", "hello");
	assert_output("cat", "", "");
	assert_output("cat", NULL, "");
	assert_output("readlink /proc/self/fd/0", NULL, "/dev/null\n");

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', 300000);
	big[300000] = '\0';
	assert_output("wc -c", big, "300000\n");
	/* nobody reads it: no signal, no wait */
	assert_output("exec 0<&-; echo fine", big, "fine\n");
}
END_TEST

START_TEST(inherits_nothing)
{
	int low = open("/dev/null", O_RDONLY), high = fcntl(low, F_DUPFD, 200);

	ck_assert_int_ge(high, 200);
	/* the third is the folder that ls reads */
	assert_output("ls /proc/self/fd | tr '\\n' ' '", NULL, "0 1 2 3 ");
	close(low);
	close(high);
}
END_TEST

START_TEST(works_without_standard_files)
{
	int saved[3];
	char *output;

	for (int i = 0; i < 3; i++) {
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
		close(i);
	}
	output = output_of("cat; echo here", "input ");
	for (int i = 0; i < 3; i++)
		dup2(saved[i], i);
	ck_assert_str_eq(output, "input here\n");
	free(output);
}
END_TEST

START_TEST(resets_signals)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t all;
	char *status;

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGTERM, &ignore, NULL);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	status = output_of("grep -E '^Sig(Blk|Ign)' /proc/self/status", NULL);
	ck_assert_str_eq(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	free(status);
}
END_TEST

START_TEST(leads_its_own_session)
{
	const char *const argv[] = { "/bin/sh", "-c",
				     "cut -d' ' -f1,5,6 /proc/$$/stat; umask; pwd",
				     NULL };
	struct spawn spawn = { .argv = argv,
			       .deadline = now_ms() + 10000,
			       .keep_output = true };
	struct spawn_result result = {};
	int pid, group, session;
	unsigned mask;
	char folder[16];

	umask(077);
	ck_assert_int_eq(spawn_run(&host, &spawn, &result, NULL), 0);
	ck_assert_int_eq(sscanf(result.output, "%d %d %d %o %15s", &pid, &group, &session,
				&mask, folder),
			 5);
	ck_assert_int_eq(pid, group);
	ck_assert_int_eq(pid, session);
	ck_assert_uint_eq(mask, 022);
	ck_assert_str_eq(folder, "/");
	spawn_result_done(&result);
}
END_TEST

START_TEST(has_a_clean_environment)
{
	setenv("LD_PRELOAD_OF_THE_CALLER", "1", 1);
	assert_output(
		"env | grep -v -e ^_= -e ^PWD= -e ^SHLVL= -e ^OLDPWD= | sort", NULL,
		"LC_ALL=C\n"
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
}
END_TEST

START_TEST(ends_at_the_deadline)
{
	struct spawn_result result = {};
	int64_t begin = now_ms();

	ck_assert_int_eq(run_sh("echo begun; sleep 60", NULL, 300, &result, NULL), 0);
	ck_assert(result.timed_out);
	ck_assert_int_eq(result.status, 128 + SIGTERM);
	ck_assert_str_eq(result.output, "begun\n");
	ck_assert_int_lt(now_ms() - begin, 1200);
	spawn_result_done(&result);
}
END_TEST

START_TEST(kills_what_ignores_sigterm)
{
	struct spawn_result result = {};
	int64_t begin = now_ms();

	ck_assert_int_eq(run_sh("trap '' TERM; while :; do sleep 0.05; done", NULL, 300,
				&result, NULL),
			 0);
	ck_assert(result.timed_out);
	ck_assert_int_eq(result.status, 128 + SIGKILL);
	ck_assert_int_ge(now_ms() - begin, 1200);
	ck_assert_int_lt(now_ms() - begin, 4000);
	spawn_result_done(&result);
}
END_TEST

START_TEST(kills_the_whole_group)
{
	struct spawn_result result = {};
	int pid;

	ck_assert_int_eq(run_sh("(trap '' TERM; exec sleep 60) & echo $!; wait", NULL,
				300, &result, NULL),
			 0);
	ck_assert(result.timed_out);
	pid = atoi(result.output);
	ck_assert_int_gt(pid, 1);
	for (int i = 0; i < 100 && kill(pid, 0) == 0; i++) {
		_cleanup_free_ char *status = NULL;

		if (host_read_all(&host, &status, "/proc/%d/status", pid) < 0 ||
		    strstr(status, "State:\tZ"))
			break; /* its new parent may be slow to reap it */
		ck_assert_int_lt(i, 99);
		usleep(20000);
	}
	spawn_result_done(&result);
}
END_TEST

START_TEST(does_not_wait_for_grandchildren)
{
	struct spawn_result result = {};
	int64_t begin = now_ms();

	ck_assert_int_eq(run_sh("sleep 5 & echo $!", NULL, 10000, &result, NULL), 0);
	ck_assert_int_eq(result.status, 0);
	ck_assert(!result.timed_out);
	ck_assert_int_lt(now_ms() - begin, 3000);
	/* it was left alone */
	ck_assert_int_eq(kill(atoi(result.output), SIGKILL), 0);
	spawn_result_done(&result);
}
END_TEST

START_TEST(no_time_left)
{
	struct spawn_result result = {};
	struct error err = {};

	ck_assert_int_eq(run_sh("exit 0", NULL, -1, &result, &err), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "/bin/sh"));
	error_done(&err);
}
END_TEST

START_TEST(explains_what_cannot_run)
{
	char path[64];
	struct error err = {};

	ck_assert_int_eq(code_of("/nonexistent/program", &err), -ENOENT);
	ck_assert_str_eq(error_text(&err), "/nonexistent/program does not exist");
	error_done(&err);

	make_file(path, sizeof(path), "#!/bin/sh\n", 0644);
	ck_assert_int_eq(code_of(path, &err), -EACCES);
	ck_assert_ptr_nonnull(
		strstr(error_text(&err), "is not executable: chmod 0755 /tmp/"));
	error_done(&err);
	unlink(path);

	make_file(path, sizeof(path), "echo no first line\n", 0755);
	ck_assert_int_eq(code_of(path, &err), -ENOEXEC);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "#!/bin/sh"));
	error_done(&err);
	unlink(path);

	make_file(path, sizeof(path), "#!/bin/sh\r\necho from another system\n", 0755);
	ck_assert_int_eq(code_of(path, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "interpreter"));
	error_done(&err);
	unlink(path);
}
END_TEST

START_TEST(becomes_a_user)
{
	const char *const argv[] = { "/bin/sh", "-c",
				     "id -u; echo $HOME $USER $LOGNAME $XDG_RUNTIME_DIR "
				     "$DBUS_SESSION_BUS_ADDRESS; id -G | wc -w",
				     NULL };
	struct spawn spawn = { .argv = argv, .keep_output = true, .user = "nobody" };
	struct spawn_result result = {};
	struct user user = {};
	struct error err = {};
	char wanted[512];

	if (geteuid() != 0)
		return; /* only root can */
	ck_assert_int_eq(user_find(&host, "nobody", &user, &err), 0);
	spawn.deadline = now_ms() + 10000;
	ck_assert_msg(spawn_run(&host, &spawn, &result, &err) == 0, "%s",
		      error_text(&err));
	snprintf(wanted, sizeof(wanted),
		 "%u\n%s nobody nobody /run/user/%u unix:path=/run/user/%u/bus\n1\n",
		 user.uid, user.home, user.uid, user.uid);
	ck_assert_str_eq(result.output, wanted);
	spawn_result_done(&result);
	user_done(&user);

	spawn.user = "nobody-of-that-name";
	ck_assert_int_eq(spawn_run(&host, &spawn, &result, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(error_text(&err), "/etc/passwd"));
	error_done(&err);
}
END_TEST

START_TEST(reads_users_and_groups)
{
	char root[] = "/tmp/check-spawn-XXXXXX", path[PATH_MAX];
	struct host fake = { .root = root };
	struct user user = {};
	gid_t *groups = NULL;
	size_t n = 0;
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(root));
	ck_assert_int_eq(mkdir(host_path(&fake, path, "/etc"), 0755), 0);
	f = fopen(host_path(&fake, path, "/etc/passwd"), "w");
	fputs("broken\nroot:x:0:0::/root:/bin/sh\nal:x:1000:1000:Al,,,:/home/al:/bin/sh\n"
	      "alice:x:1001:1001::/home/alice\n",
	      f);
	fclose(f);
	f = fopen(host_path(&fake, path, "/etc/group"), "w");
	fputs("al:x:1000:\nvideo:x:44:alice,al\nrender:x:106:alice\nal-too:x:9:xal,alx\n",
	      f);
	fclose(f);

	ck_assert_int_eq(user_find(&fake, "al", &user, NULL), 0);
	ck_assert_uint_eq(user.uid, 1000);
	ck_assert_str_eq(user.home, "/home/al");
	ck_assert_int_eq(user_groups(&fake, &user, &groups, &n, NULL), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(groups[0], 1000);
	ck_assert_uint_eq(groups[1], 44);
	free(groups);
	user_done(&user);

	ck_assert_int_eq(user_name(&fake, 1001, path, sizeof(path)), 0);
	ck_assert_str_eq(path, "alice");
	ck_assert_int_eq(user_name(&fake, 7, path, sizeof(path)), -ENOENT);
	ck_assert_str_eq(path, "7");

	unlink(host_path(&fake, path, "/etc/passwd"));
	unlink(host_path(&fake, path, "/etc/group"));
	rmdir(host_path(&fake, path, "/etc"));
	rmdir(root);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("spawn");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, keeps_output_and_status);
	tcase_add_test(tcase, bounds_output);
	tcase_add_test(tcase, gives_stdin);
	tcase_add_test(tcase, inherits_nothing);
	tcase_add_test(tcase, works_without_standard_files);
	tcase_add_test(tcase, resets_signals);
	tcase_add_test(tcase, leads_its_own_session);
	tcase_add_test(tcase, has_a_clean_environment);
	tcase_add_test(tcase, ends_at_the_deadline);
	tcase_add_test(tcase, kills_what_ignores_sigterm);
	tcase_add_test(tcase, kills_the_whole_group);
	tcase_add_test(tcase, does_not_wait_for_grandchildren);
	tcase_add_test(tcase, no_time_left);
	tcase_add_test(tcase, explains_what_cannot_run);
	tcase_add_test(tcase, becomes_a_user);
	tcase_add_test(tcase, reads_users_and_groups);
	return suite_run("spawn", tcase);
}
