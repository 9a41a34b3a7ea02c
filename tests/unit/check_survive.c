/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command that outlives its terminal: exit status, Ctrl-C, SIGTERM and the hangup.
 */

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>

#include "suite.h"
#include "survive.h"

static const struct host host = { .root = "" };

/* The pids of the one in front and of the worker, and what the worker tells of itself. */
struct command {
	pid_t front, worker;
	int terminal, told;
};

static volatile sig_atomic_t interrupted;

static void note_interrupt(int number _unused_)
{
	interrupted = 1;
}

/* Tells its pid, waits for its end: a byte on GO, or SIGINT. */
static int work(int go, int tell)
{
	struct sigaction action = { .sa_handler = note_interrupt };
	struct pollfd pfd = { .fd = go, .events = POLLIN };
	pid_t self = getpid();
	char text = '-';

	sigaction(SIGINT, &action, NULL);
	if (write(tell, &self, sizeof(self)) != sizeof(self))
		return 99;
	while (!interrupted && poll(&pfd, 1, 30000) < 0)
		;
	text = interrupted ? 'i' : 'd';
	/* Nobody may read the terminal any more: that must not matter. */
	(void)!write(STDOUT_FILENO, "report\n", 7);
	return write(tell, &text, 1) == 1 ? 7 : 99;
}

/* In a new terminal, as its foreground; *GO: a byte there ends the work. */
static struct command start(int *go)
{
	struct command command = {};
	int go_pipe[2], tell_pipe[2], status = 99;

	interrupted = 0;
	ck_assert_int_eq(pipe(go_pipe), 0);
	ck_assert_int_eq(pipe(tell_pipe), 0);
	command.front = forkpty(&command.terminal, NULL, NULL, NULL);
	ck_assert_int_ge(command.front, 0);
	if (command.front == 0) {
		signal(SIGTERM, SIG_DFL); /* check has handlers of its own */
		signal(SIGINT, SIG_DFL);
		close(go_pipe[1]);
		close(tell_pipe[0]);
		if (survive_fork(&host, &status))
			status = work(go_pipe[0], tell_pipe[1]);
		_exit(status);
	}
	close(go_pipe[0]);
	close(tell_pipe[1]);
	*go = go_pipe[1];
	command.told = tell_pipe[0];
	ck_assert_int_eq(read(command.told, &command.worker, sizeof(pid_t)),
			 sizeof(pid_t));
	return command;
}

static int status_of(const struct command *command)
{
	int status;

	ck_assert_int_eq(waitpid(command->front, &status, 0), command->front);
	return status;
}

/* What the worker told at its end, and that it has ended. */
static void assert_told(const struct command *command, char wanted)
{
	char text = 0;

	ck_assert_int_eq(read(command->told, &text, 1), 1);
	ck_assert_int_eq(text, wanted);
	ck_assert_int_eq(read(command->told, &text, 1), 0);
	close(command->told);
}

START_TEST(status_comes_through)
{
	int go;
	struct command command = start(&go);
	int status;

	ck_assert_int_ne(command.front, command.worker);
	ck_assert_int_eq(getsid(command.worker), command.worker);
	ck_assert_int_eq(write(go, "", 1), 1);
	status = status_of(&command);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_told(&command, 'd');
	close(command.terminal);
	close(go);
}
END_TEST

START_TEST(ctrl_c_reaches_the_work)
{
	int go;
	struct command command = start(&go);
	int status;

	ck_assert_int_eq(write(command.terminal, "\003", 1), 1);
	status = status_of(&command);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_told(&command, 'i');
	close(command.terminal);
	close(go);
}
END_TEST

START_TEST(sigterm_ends_the_front_only)
{
	int go;
	struct command command = start(&go);
	int status;

	ck_assert_int_eq(kill(command.front, SIGTERM), 0);
	status = status_of(&command);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	ck_assert_int_eq(kill(command.worker, 0), 0);
	ck_assert_int_eq(write(go, "", 1), 1);
	assert_told(&command, 'd');
	close(command.terminal);
	close(go);
}
END_TEST

START_TEST(hangup_ends_neither)
{
	int go;
	struct command command = start(&go);
	int status;

	close(command.terminal);
	ck_assert_int_eq(write(go, "", 1), 1);
	status = status_of(&command);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_told(&command, 'd');
	close(go);
}
END_TEST

START_TEST(a_killed_worker_is_a_failure)
{
	int go;
	struct command command = start(&go);
	int status;

	ck_assert_int_eq(kill(command.worker, SIGKILL), 0);
	status = status_of(&command);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(command.told);
	close(command.terminal);
	close(go);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("survive");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, status_comes_through);
	tcase_add_test(tcase, ctrl_c_reaches_the_work);
	tcase_add_test(tcase, sigterm_ends_the_front_only);
	tcase_add_test(tcase, hangup_ends_neither);
	tcase_add_test(tcase, a_killed_worker_is_a_failure);
	return suite_run("survive", tcase);
}
