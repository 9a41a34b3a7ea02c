/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook import: some lines of the shell, and what they become. What it is depends on
 * the machine, or on variables that nobody knows, is left over rather than guessed.
 */
#include "import_script.h"
#include "suite.h"

#define UNKNOWN(line, text)                                                         \
	"; NOT CONVERTED, x.sh:" line ": what it depends on is known only when it " \
	"runs\n;     " text "\n"
#define STOP_IF(condition) "if " condition "; then systemctl stop docker; fi"
#define PREPARE "[prepare/begin]\n"
#define STOP "service.stop = docker.service\n"

static const struct {
	const char *script, *domain, *config;
} cases[] = {
	/* what is not known, and what is false, together are false */
	{ STOP_IF("[ \"$MODE\" = x ] && [ \"$2\" = prepare ]"), NULL,
	  PREPARE UNKNOWN("1", STOP_IF("[ \"$MODE\" = x ] && [ \"$2\" = prepare ]")) },
	{ STOP_IF("[ -n \"$VAR\" ] && [ \"$2\" = release ] && true"), NULL,
	  "[release/end]\n" UNKNOWN(
		  "1", STOP_IF("[ -n \"$VAR\" ] && [ \"$2\" = release ] && true")) },
	{ STOP_IF("[ -z \"$(pgrep foo)\" ] && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ STOP_IF("[ \"$A\" = x ] || [ \"$2\" = prepare ] || [ \"$2\" != stopped ]"), NULL,
	  PREPARE STOP
	  "\n[start/begin]\n" STOP "\n[started/begin]\n" STOP "\n[stopped/end]\n" UNKNOWN(
		  "1", STOP_IF("[ \"$A\" = x ] || [ \"$2\" = prepare ] || [ "
			       "\"$2\" != stopped ]")) "\n[release/end]\n" STOP },
	/* root is who runs it */
	{ STOP_IF("[ $(id -u) = 0 ] && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ STOP_IF("[[ $EUID -eq 0 ]] && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ STOP_IF("((UID == 0)) && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ "[ $EUID -ne 0 ] && systemctl stop podman\n"
	  "systemctl stop docker",
	  NULL, PREPARE STOP },

	/* units of which one is there */
	{ "if systemctl is-active gdm; then systemctl stop gdm\n"
	  "elif systemctl is-active sddm; then systemctl stop sddm; fi",
	  NULL, PREPARE "service.stop = display-manager.service\n" },
	{ "if systemctl is-active docker; then systemctl stop docker\n"
	  "elif systemctl is-active podman; then systemctl stop podman; fi",
	  NULL, PREPARE "-" STOP "-service.stop = podman.service\n" },
	{ "if [ -x /bin/foo ]; then systemctl stop foo; else systemctl stop bar; fi",
	  NULL, PREPARE "-service.stop = foo.service\n-service.stop = bar.service\n" },
	{ "for i in a b; do systemctl is-active $i && systemctl stop $i; done", NULL,
	  PREPARE "-service.stop = a.service\n-service.stop = b.service\n" },
	{ "systemctl stop a b || true", NULL,
	  PREPARE "-service.stop = a.service\n-service.stop = b.service\n" },
	{ "service gdm status && service gdm stop", NULL,
	  PREPARE "service.stop = gdm.service\n" },

	/* what is done when something else fails */
	{ "systemctl stop gdm || systemctl stop sddm", NULL,
	  PREPARE "service.stop = display-manager.service\n" },
	{ "systemctl stop a || systemctl stop b", NULL,
	  PREPARE "-service.stop = a.service\n-service.stop = b.service\n" },
	{ "modprobe -r nouveau || modprobe -r nvidia", NULL,
	  PREPARE "-kmod.unload = nouveau nvidia\n" },
	{ "modprobe -r nouveau || modprobe -r nouveau", NULL,
	  PREPARE "kmod.unload = nouveau\n" },
	{ "cd /sys/bus/platform/drivers\n"
	  "echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind ||\n"
	  "echo simple-framebuffer.0 > "
	  "/sys/bus/platform/drivers/simple-framebuffer/unbind",
	  NULL,
	  PREPARE "-framebuffer.unbind = efi-framebuffer.0\n"
		  "-framebuffer.unbind = simple-framebuffer.0\n" },
};

START_TEST(lines_become_a_config)
{
	_cleanup_free_ char *text = NULL;
	const char *config;

	import_script(cases[_i].script, cases[_i].domain, &text);
	config = strstr(text, "\n[");
	ck_assert_msg(config && streq(config + 1, cases[_i].config), "%s\n%s",
		      cases[_i].script, text);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("import_lines");

	tcase_add_loop_test(tcase, lines_become_a_config, 0, ARRAY_SIZE(cases));
	return suite_run("import_lines", tcase);
}
