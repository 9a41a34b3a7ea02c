/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps say when they cannot: what failed, on what, why, and what to do about it.
 */
#include "machine.h"
#include "suite.h"

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
	assert_has("there is no unit pulseaudio.socket of user alice");
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

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, units_of_a_seat);
	tcase_add_test(tc, nobody_at_a_seat);
}

int main(void)
{
	return machine_run("step_errors", add_tests);
}
