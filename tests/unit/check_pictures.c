/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine whose answers are the pictures of the documents. With PICTURE=NAME the answer
 * goes to the terminal, with its colours, for tests/pictures.sh.
 */
#include "machine.h"

static void picture(const char *name, const char *line, int status)
{
	const char *wanted = getenv("PICTURE");

	if (wanted && streq(wanted, name))
		ck_assert_int_eq(command_to("/dev/tty", line), status);
	else
		ck_assert_int_eq(command(line), status);
}

static void nvidia_machine(void)
{
	faketree_file("10de  NVIDIA Corporation\n"
		      "\t10f8  TU104 HD Audio Controller\n"
		      "\t1e84  TU104 [GeForce RTX 2070 SUPER]\n",
		      "/usr/share/misc/pci.ids");
	domain("<cpu mode='host-passthrough'/><devices>" HOSTDEV("0x0a", "0")
		       HOSTDEV("0x0a", "1") "</devices>");
	steps("kmod.unload = timeout=30s nvidia\n"
	      "pci.detach  = timeout=15s 0a:00.*");
}

START_TEST(plan)
{
	nvidia_machine();
	picture("plan", "plan win10", STATUS_OK);
}
END_TEST

START_TEST(refused)
{
	char path[PATH_MAX];

	nvidia_machine();
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	faketree_process(812, "pipewire", "user@1000.service", "/dev/snd/controlC1");
	/* A user's own daemon. */
	faketree_file("alice:x:1000:1000::/home/alice:/bin/sh\n", "/etc/passwd");
	if (geteuid() == 0)
		ck_assert_int_eq(chown(host_path(&host, path, "/proc/812"), 1000, 1000),
				 0);
	picture("refused", "check win10", STATUS_FAILED);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, plan);
	tcase_add_test(tc, refused);
}

int main(void)
{
	return machine_run("pictures", add);
}
