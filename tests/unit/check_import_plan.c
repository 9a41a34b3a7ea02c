/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vfio-hook import makes of scripts goes through vfio-hook plan where they worked.
 */
#include "import_script.h"
#include "machine.h"

/* A machine with systemd and these UNITS, each as " NAME.service". */
static void has_units(const char *units)
{
	char text[512];

	faketree_file("", "/run/systemd/system/x");
	snprintf(text, sizeof(text),
		 "for u; do :; done\n"
		 "case \"%s \" in\n"
		 "*\" $u \"*) echo Id=$u; echo LoadState=loaded; echo ActiveState=active ;;\n"
		 "*) echo LoadState=not-found; echo ActiveState=inactive ;;\n"
		 "esac\n",
		 units);
	faketree_program("systemctl", text);
	domain("<devices>" HOSTDEV("0x0b", "0") "</devices>");
}

static void import(const char *script)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_uint_eq(import_script(script, NULL, &text), 0);
	install("\177ELF", 0755);
	faketree_file(text, "/etc/libvirt/hooks/conf.d/win10.ini");
}

/* One that is not there was never stopped, and is no reason to refuse the guest. */
START_TEST(units_that_are_there)
{
	static const char alternatives[] =
		"if systemctl is-active docker; then systemctl stop docker\n"
		"elif systemctl is-active podman; then systemctl stop podman\n"
		"else systemctl stop lxc || systemctl stop lxd; fi\n";

	has_units(" podman.service lxd.service");
	import(alternatives);
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("podman.service");
	assert_has("lxd.service");
}
END_TEST

START_TEST(any_display_manager)
{
	has_units(" display-manager.service sddm.service");
	import("for dm in gdm sddm lightdm; do\n"
	       "systemctl is-active $dm && systemctl stop $dm; done\n");
	ck_assert_msg(command("plan win10") == STATUS_OK, "%s", out);
	assert_has("display-manager.service");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, units_that_are_there);
	tcase_add_test(tc, any_display_manager);
}

int main(void)
{
	return machine_run("import_plan", add);
}
