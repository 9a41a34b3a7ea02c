/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps say of services, and of what systemd keeps for a guest, and when.
 */
#include "machine.h"

/* A systemd with a user each of SESSIONS on seat0, whose units are those that UNITS names. */
static void put_systemd(const char *units, const char *sessions)
{
	char text[1024];

	faketree_file("", "/run/systemd/system/x");
	faketree_file("alice:x:1000:1000::/home/alice:/bin/sh\n"
		      "bob:x:1001:1001::/home/bob:/bin/sh\n",
		      "/etc/passwd");
	faketree_file("", "/run/user/1000/systemd/private");
	faketree_file("UID=1000\nUSER=alice\nCLASS=user\nSEAT=seat0\nTTY=tty2\n",
		      "/run/systemd/sessions/2");
	faketree_file("UID=1001\nUSER=bob\nCLASS=user\nSEAT=seat0\nTTY=tty3\n",
		      "/run/systemd/sessions/4");
	snprintf(text, sizeof(text), "SESSIONS=%s\n", sessions);
	faketree_file(text, "/run/systemd/seats/seat0");
	snprintf(text, sizeof(text),
		 "for u; do :; done\n"
		 "case \" %s \" in\n"
		 "*\" $2$u \"*) echo Id=$u; echo LoadState=loaded; echo ActiveState=active ;;\n"
		 "*) echo LoadState=not-found; echo ActiveState=inactive ;;\n"
		 "esac\n",
		 units);
	faketree_program("systemctl", text);
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
}

/* seat= means whoever is there, and of him what he has. */
START_TEST(units_of_a_seat)
{
	put_systemd("--machine=alice@pipewire.socket", "2 4 2");
	steps("service.stop = seat=seat0 pulseaudio.socket pipewire.socket");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("there is no unit pulseaudio.socket of user alice: passed over");
	assert_has("unit user:alice:pipewire.socket  active → inactive");
	assert_hasnt("user:bob:pipewire.socket  active");
	ck_assert_ptr_null(strstr(strstr(out, "user:alice:pipewire.socket  active") + 1,
				  "user:alice:pipewire.socket  active"));
	steps("service.stop = user=alice pulseaudio.socket");
	ck_assert_int_eq(command("plan win10"), STATUS_FAILED);
	assert_has("there is no unit pulseaudio.socket of user alice: systemctl --user "
		   "list-unit-files shows all (put '-' in front of the line");
}
END_TEST

START_TEST(nobody_at_a_seat)
{
	put_systemd("", "");
	steps("service.stop = seat=seat0 pipewire.socket");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("nobody is logged in at seat0");
	assert_hasnt("inactive");
}
END_TEST

/* A systemd with the unit x.service, which is active while /active is there. */
static void put_unit(void)
{
	faketree_file("", "/run/systemd/system/x");
	faketree_program("systemctl",
			 "case $2 in\n"
			 "is-system-running) cat $R/manager; exit 1 ;;\n"
			 "start) : >$R/active ;;\n"
			 "stop) rm $R/active ;;\n"
			 "show) [ -e $R/active ] || S=in; echo Id=x.service; "
			 "echo LoadState=loaded; echo ActiveState=${S}active ;;\n"
			 "esac\n");
	domain("");
}

/* Under a manager that says MANAGER, PHASE with LINE succeeds and STARTS x.service, or not. */
static void assert_starts(const char *manager, const char *line, const char *phase,
			  bool starts)
{
	char text[80];

	snprintf(text, sizeof(text), "run win10 %s", phase);
	faketree_file(manager, "/manager");
	steps(line);
	ck_assert_msg(command(text) == STATUS_OK, "%s %s: %s", manager, text, out);
	ck_assert_msg(host_exists(&host, "/active") == starts, "%s %s", manager, text);
}

START_TEST(nothing_starts_while_the_system_stops)
{
	static const char *const managers[] = { "running\n", "degraded\n", "stopping\n" };
	char path[PATH_MAX];

	put_unit();
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
		const bool starts = i < 2;

		assert_starts(managers[i], "service.start = x", "prepare", starts);
		ck_assert_int_eq(command("run win10 release"), STATUS_OK);
		faketree_file("", "/active");
		steps("service.stop = x");
		ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
		ck_assert(!host_exists(&host, "/active"));
		assert_starts(managers[i], "service.stop = x", "release", starts);
		if (starts)
			unlink(host_path(&host, path, "/active"));
	}
}
END_TEST

static void put_inhibitor(const char *run)
{
	faketree_file("", "/run/systemd/system/x");
	faketree_program("systemd-inhibit", "exit 1\n");
	faketree_program("systemd-run", run);
}

/* The lock of a guest with another UUID, as logind notes it. */
static void put_lock_of_another(void)
{
	faketree_file("WHAT=sleep:idle:handle-lid-switch\nMODE=block\nWHO=vfio-hook\n"
		      "WHY=The guest other is running (vfio-hook-inhibit-"
		      "5b3e9a40-0000-4000-8000-0000000000ff.service)\n",
		      "/run/systemd/inhibit/1");
}

START_TEST(sleep_inhibit)
{
	refused("sleep.inhibit =", "sleep.inhibit needs systemd and its logind",
		"use exec.run and exec.undo");
	faketree_file("", "/run/systemd/system/x");
	refused("sleep.inhibit =", "systemd-run is not installed", "put '-' in front");
	faketree_program("systemctl", "echo Id=x; echo LoadState=not-found; "
				      "echo ActiveState=inactive\n");
	put_inhibitor("echo no bus >&2; exit 3\n");
	refused("sleep.inhibit =",
		"systemd-run --unit=vfio-hook-inhibit-" UUID ".service failed (status 3)",
		"no bus");
	put_inhibitor("");
	put_lock_of_another();
	refused("sleep.inhibit =",
		"systemd-inhibit ended at once: does systemd-logind run?",
		"journalctl -u vfio-hook-inhibit-" UUID);
	faketree_program("systemctl",
			 "[ -e $R/ran ] || S=in; [ $2 != stop ] || rm $R/ran; "
			 "echo Id=x; echo LoadState=loaded; "
			 "echo ActiveState=${S}active\n");
	put_inhibitor(": >$R/ran\n");
	refused("sleep.inhibit =\n[domain]\ntimeout = 4s",
		"logind has not taken the lock of vfio-hook-inhibit-" UUID
		".service in time",
		"");
	put_inhibitor(": >$R/ran; echo \"WHO=vfio-hook $*\" >$R/run/systemd/inhibit/2\n");
	steps("sleep.inhibit =");
	ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
	ck_assert_ptr_nonnull(strstr(faketree_read("/run/systemd/inhibit/2"),
				     "--what=sleep:idle:handle-lid-switch"));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, units_of_a_seat);
	tcase_add_test(tc, nobody_at_a_seat);
	tcase_add_test(tc, nothing_starts_while_the_system_stops);
	tcase_add_test(tc, sleep_inhibit);
}

int main(void)
{
	return machine_run("step_units", add);
}
