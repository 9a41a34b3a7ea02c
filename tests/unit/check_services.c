/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.* and session.end on a machine whose systemctl, rc-service, sv and loginctl are
 * scripts: units of users, what comes back, and what is said when they cannot or are not there.
 */
#include <sys/stat.h>

#include "machine.h"
#include "suite.h"
#include "util.h"

/*
 * The manager of the system and those of users: a unit that is known is a file in
 * /units/MANAGER, with "active" in it while it runs. /calls has what was asked for.
 */
static const char manager[] =
	"m=system v= u=\n"
	"for w; do case $w in\n"
	"--machine=*) m=${w#--machine=} ;;\n"
	"-*|Id,*) ;;\n"
	"*) [ \"$v\" ] && u=$w || v=$w ;;\n"
	"esac; done\n"
	"f=$R/units/$m/$u\n"
	"[ $v = show ] || echo $v $m $u >>$R/calls\n"
	"[ ! -e $R/$v-fails ] || { cat $R/$v-fails >&2; exit 1; }\n"
	"[ ! -e $R/$v-hangs ] || exec sleep 300\n"
	"case $v in\n"
	"is-system-running) cat $R/manager; exit 1 ;;\n"
	"start|restart) echo active >$f ;;\n"
	"stop) echo inactive >$f ;;\n"
	"show) L=loaded; [ -e $f ] || L=not-found\n"
	"	echo Id=$u; echo LoadState=$L; echo ActiveState=$(cat $f 2>/dev/null || echo inactive) ;;\n"
	"esac\n";

static void put_manager(void)
{
	faketree_file("alice:x:1000:1000::/home/alice:/bin/sh\n"
		      "bob:x:1001:1001::/home/bob:/bin/sh\n",
		      "/etc/passwd");
	faketree_file("", "/run/systemd/system/x");
	faketree_file("running\n", "/manager");
	faketree_file("", "/units/system/.keep");
	faketree_program("systemctl", manager);
	domain("");
}

static void log_in(const char *id, const char *user, unsigned uid)
{
	char text[256];

	faketree_file("", "/run/user/%u/systemd/private", uid);
	snprintf(text, sizeof(text),
		 "UID=%u\nUSER=%s\nCLASS=user\nSEAT=seat0\nTTY=tty2\nLEADER=7\n", uid,
		 user);
	faketree_file(text, "/run/systemd/sessions/%s", id);
}

static void put_seat(const char *sessions)
{
	char text[80];

	snprintf(text, sizeof(text), "SESSIONS=%s\n", sessions);
	faketree_file(text, "/run/systemd/seats/seat0");
}

static const char *state_of(const char *who, const char *unit)
{
	return faketree_read("/units/%s/%s", who, unit);
}

static void prepare_ok(void)
{
	ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
}

static void release_ok(void)
{
	ck_assert_msg(command("run win10 release") == STATUS_OK, "%s", out);
}

static void assert_file_has(const char *path, const char *text, bool yes)
{
	char buf[16384] = "";

	host_read(&host, buf, sizeof(buf), "%s", path);
	ck_assert_msg((strstr(buf, text) != NULL) == yes, "%s in:\n%s", text, buf);
}

static void assert_called(const char *call, bool yes)
{
	assert_file_has("/calls", call, yes);
}

START_TEST(user_unit_starts)
{
	put_manager();
	log_in("2", "alice", 1000);
	faketree_file("inactive\n", "/units/alice@/scream.service");
	faketree_file("inactive\n", "/units/system/scream.service");
	steps("service.start = user=alice scream");
	prepare_ok();
	ck_assert_str_eq(state_of("alice@", "scream.service"), "active");
	ck_assert_str_eq(state_of("system", "scream.service"), "inactive");
	release_ok();
	ck_assert_str_eq(state_of("alice@", "scream.service"), "inactive");
	/* What ran before stays. */
	faketree_file("active\n", "/units/alice@/scream.service");
	prepare_ok();
	release_ok();
	ck_assert_str_eq(state_of("alice@", "scream.service"), "active");
}
END_TEST

/* Of whoever is there, with what he has. */
START_TEST(units_of_a_seat_start)
{
	put_manager();
	log_in("2", "alice", 1000);
	log_in("4", "bob", 1001);
	put_seat("2 4");
	faketree_file("inactive\n", "/units/bob@/scream.service");
	faketree_file("", "/units/alice@/.keep");
	steps("service.start = seat=seat0 scream.service");
	prepare_ok();
	ck_assert_str_eq(state_of("bob@", "scream.service"), "active");
	assert_called("start alice@ scream.service", false);
	release_ok();
	ck_assert_str_eq(state_of("bob@", "scream.service"), "inactive");
}
END_TEST

START_TEST(user_unit_restarts)
{
	put_manager();
	log_in("2", "alice", 1000);
	put_seat("2");
	faketree_file("active\n", "/units/alice@/scream.service");
	faketree_file("active\n", "/units/alice@/pipewire.service");
	steps("service.restart = user=alice scream\n"
	      "service.restart = seat=seat0 pipewire pulseaudio");
	command("plan win10");
	assert_has("restart of user:alice:scream.service");
	assert_has("there is no unit pulseaudio of user alice: passed over");
	prepare_ok();
	assert_called("reset-failed alice@ scream.service", true);
	assert_called("restart alice@ scream.service", true);
	assert_called("restart alice@ pipewire.service", true);
	release_ok();
	assert_called("stop alice@ scream.service", false);
}
END_TEST

START_TEST(nothing_restarts_for_nobody)
{
	put_manager();
	faketree_file("inactive\n", "/units/alice@/scream.service");
	steps("service.restart = user=alice scream");
	command("plan win10");
	assert_has(
		"user:alice:scream.service is not restarted: its user is not logged in");
	prepare_ok();
	log_in("2", "alice", 1000);
	faketree_file("stopping\n", "/manager");
	release_ok();
	prepare_ok();
	assert_called("restart alice@ scream.service", false);
	assert_file_has("/var/log/vfio-hook/win10.log",
			"user:alice:scream.service is not restarted: the system is "
			"shutting down",
			true);
}
END_TEST

/* Neither running nor stopped: what was made of it is not known, so it is told and left. */
START_TEST(unit_that_went)
{
	char path[PATH_MAX];

	put_manager();
	faketree_file("active\n", "/units/system/x.service");
	steps("service.stop = x");
	prepare_ok();
	unlink(host_path(&host, path, "/units/system/x.service"));
	release_ok();
	assert_file_has("/var/log/vfio-hook/win10.log",
			"unit x.service is none, which is not what was set (inactive): left "
			"as it is",
			true);
	assert_called("start system x.service", false);
}
END_TEST

/* Prepare with LINES fails with TEXT in its one line. */
static void fails(const char *lines, const char *text)
{
	steps(lines);
	ck_assert_msg(command("run win10 prepare") == STATUS_FAILED, "%s: %s", lines, out);
	assert_has(text);
}

static void forget(const char *file)
{
	char path[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, path, "%s", file)), 0);
}

START_TEST(systemctl_cannot)
{
	put_manager();
	faketree_file("active\n", "/units/system/x.service");
	faketree_file("Access denied\n", "/stop-fails");
	fails("service.stop = x",
	      "systemctl stop x.service failed (status 1): Access denied");
	faketree_file("", "/stop-fails");
	fails("service.stop = x",
	      "systemctl stop x.service failed (status 1): see journalctl for why");
	forget("/stop-fails");
	faketree_file("", "/stop-hangs");
	fails("service.stop = timeout=1s x",
	      "systemctl stop x.service did not end within 1 s: give the step a longer "
	      "timeout=, or see: journalctl -u x.service");
	forget("/stop-hangs");
	faketree_file("Failed to connect to bus\n", "/show-fails");
	fails("service.stop = x",
	      "x.service: systemctl show failed: Failed to connect to bus");
	forget("/usr/sbin/systemctl");
	fails("service.stop = x",
	      "systemctl is not installed: install it, it is part of systemd");
	fails("service.restart = x",
	      "systemctl is not installed: install it, it is part of systemd");
	fails("wait.for = unit=x timeout=1s",
	      "systemctl is not installed: install it, it is part of systemd");
}
END_TEST

START_TEST(openrc_cannot)
{
	domain("");
	faketree_file("", "/run/openrc/softlevel");
	fails("service.stop = x",
	      "rc-service is not installed: install it, it is part of OpenRC");
	faketree_program("rc-service",
			 "case $2 in\n"
			 "status) exit 0 ;;\n"
			 "stop) [ ! -e $R/hangs ] || exec sleep 300; "
			 "cat $R/why >&2; exit 1 ;;\n"
			 "needsme) [ ! -e $R/needsme ] || { echo broken >&2; exit 2; } ;;\n"
			 "esac\n");
	faketree_file("", "/why");
	fails("service.stop = x",
	      "rc-service x stop failed (status 1): see the service's log");
	faketree_file("x: cannot stop\n", "/why");
	fails("service.stop = x", "rc-service x stop failed (status 1): x: cannot stop");
	faketree_file("", "/hangs");
	fails("service.stop = timeout=1s x",
	      "rc-service x stop did not end within 1 s: give the step a longer timeout=, "
	      "or see the service's log");
	faketree_file("", "/needsme");
	fails("service.stop = x",
	      "rc-service x needsme failed (status 2): broken; run rc-update -u");
}
END_TEST

START_TEST(runit_cannot)
{
	domain("");
	faketree_file("", "/run/runit/x");
	fails("service.stop = x", "sv is not installed: install it, it is part of runit");
	faketree_program("sv",
			 "case $3 in\n"
			 "status) echo \"run: x: (pid 7) 4s\" ;;\n"
			 "*) echo \"$3 $4\" >>$R/calls; "
			 "echo \"timeout: run: x: (pid 7) 9s, got TERM\"; exit 1 ;;\n"
			 "esac\n");
	fails("service.stop = x",
	      "sv stop x failed (status 1): timeout: run: x: (pid 7) 9s, got TERM");
	assert_called("up x", true); /* or it would be down the next time it ends */
}
END_TEST

/* Somebody at the seat stays; loginctl does what its TEXT says. */
static void stays(const char *text)
{
	domain("");
	faketree_file("", "/run/systemd/system/x");
	faketree_program("systemctl", "exit 1\n");
	log_in("2", "alice", 1000);
	put_seat("2");
	if (text)
		faketree_program("loginctl", text);
}

START_TEST(session_that_stays)
{
	stays(NULL);
	steps("session.end = seat=seat0 timeout=1s");
	command("plan win10");
	assert_has(
		"session 2 of alice (pid 7, tty2) may stay, as no unit stopped before owns it: "
		"log out before, or add force=yes");
	steps("session.end = seat=seat0 timeout=1s force=yes");
	command("plan win10");
	assert_has(
		"session 2 of alice (pid 7, tty2) may stay, as no unit stopped before owns it: "
		"it will be terminated");
	fails("session.end = seat=seat0 timeout=1s",
	      "session 2 of alice (pid 7, tty2) on seat0 did not end within 1 s: add force=yes, "
	      "which terminates what is left, or log out before the start");
	fails("session.end = timeout=1s force=yes",
	      "loginctl is not installed: install it, it is part of systemd");
	stays("echo \"$*\" >>$R/calls; rm $R/run/systemd/sessions/2; "
	      "echo SESSIONS= >$R/run/systemd/seats/seat0\n");
	steps("session.end = timeout=1s force=yes");
	prepare_ok();
	assert_called("terminate-session 2", true);
}
END_TEST

START_TEST(session_that_cannot_be_ended)
{
	stays("echo Interactive authentication required. >&2; exit 1\n");
	fails("session.end = timeout=1s force=yes",
	      "loginctl terminate-session 2 (of alice) failed: Interactive authentication "
	      "required.");
	stays("exit 1\n");
	fails("session.end = timeout=1s force=yes",
	      "loginctl terminate-session 2 (of alice) failed: it did not end");
	stays("");
	fails("session.end = timeout=1s force=yes",
	      "still open after they were terminated: session 2 of alice (pid 7, tty2)");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, user_unit_starts);
	tcase_add_test(tc, units_of_a_seat_start);
	tcase_add_test(tc, user_unit_restarts);
	tcase_add_test(tc, nothing_restarts_for_nobody);
	tcase_add_test(tc, unit_that_went);
	tcase_add_test(tc, systemctl_cannot);
	tcase_add_test(tc, openrc_cannot);
	tcase_add_test(tc, runit_cannot);
	tcase_add_test(tc, session_that_stays);
	tcase_add_test(tc, session_that_cannot_be_ended);
}

int main(void)
{
	return machine_run("services", add_tests);
}
