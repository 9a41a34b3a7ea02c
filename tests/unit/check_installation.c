/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `check` finds in the installation: will libvirt run the hook, and what confines it?
 */
#include <sys/stat.h>
#include <time.h>

#include "caller.h"
#include "machine.h"

static const char hook[] = "/etc/libvirt/hooks/qemu";

static void mode(const char *path, mode_t mode)
{
	char rooted[PATH_MAX];

	ck_assert_int_eq(chmod(host_path(&host, rooted, "%s", path), mode), 0);
}

START_TEST(check_installation)
{
	char path[PATH_MAX], moved[PATH_MAX];

	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has(
		"  problem  there is no /etc/libvirt/hooks/qemu, which is what libvirt runs");
	assert_has("             mkdir -p /etc/libvirt/hooks\n"
		   "             ln -s /usr/sbin/vfio-hook /etc/libvirt/hooks/qemu\n");
	assert_hasnt("systemctl");
	faketree_process(700, "virtqemud", "virtqemud.service", NULL);
	faketree_program("../local/sbin/vfio-hook", "");
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("             ln -s /usr/local/sbin/vfio-hook /etc/libvirt/hooks/qemu\n"
		   "             systemctl reload virtqemud\n");
	faketree_process_gone(700);

	faketree_file("", "/etc/libvirt/hooks/qemu/x"); /* a folder of that name */
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("is no executable file");
	assert_has("             mv --backup=numbered /etc/libvirt/hooks/qemu "
		   "/etc/libvirt/hooks/qemu.before-vfio-hook\n");
	ck_assert_int_eq(rename(host_path(&host, path, "/etc/libvirt/hooks/qemu"),
				host_path(&host, moved, "/etc/libvirt/hooks/old")),
			 0);

	install("#!/bin/bash\n", 0644);
	faketree_file("", "/etc/libvirt/hooks/qemu.d/backup~");
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("is no executable file");
	assert_has("             chmod 755 /etc/libvirt/hooks/qemu\n");
	assert_has("is a script, not vfio-hook");
	assert_has(
		"             mv --backup=numbered /etc/libvirt/hooks/qemu "
		"/etc/libvirt/hooks/qemu.before-vfio-hook\n"
		"             ln -s /usr/local/sbin/vfio-hook /etc/libvirt/hooks/qemu\n");
	mode("/etc/libvirt/hooks/qemu.d/backup~", 0755);
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("  warning  libvirt itself runs /etc/libvirt/hooks/qemu.d/backup~, for "
		   "every domain");
	assert_has("             chmod -x '/etc/libvirt/hooks/qemu.d/backup~'\n");

	install("\177ELF", 0700);
	faketree_process(700, "libvirtd", "libvirtd.service", NULL);
	faketree_file("cpu 1\nbtime 1000000\n", "/proc/stat");
	faketree_file("libvirtd (enforce)\nother (complain)\n",
		      "/sys/kernel/security/apparmor/profiles");
	faketree_file("none [integrity] confidentiality\n",
		      "/sys/kernel/security/lockdown");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("cannot be run by ordinary users");
	assert_has("libvirtd (pid 700) has run since before the hook was put there");
	assert_has("             systemctl reload libvirtd\n");
	assert_has("AppArmor confines libvirtd");
	assert_has("locked down");
}
END_TEST

/* Tried where it was built, or copied from elsewhere: it is not where a link would lead. */
START_TEST(check_before_installation)
{
	faketree_file("", "/home/u/my build/vfio-hook");
	faketree_link("/home/u/my build/vfio-hook", "/proc/self/exe");
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("             install -m 755 '/home/u/my build/vfio-hook' "
		   "/usr/sbin/vfio-hook\n"
		   "             mkdir -p /etc/libvirt/hooks\n"
		   "             ln -s /usr/sbin/vfio-hook /etc/libvirt/hooks/qemu\n");
	faketree_file("", "/home/u/my build/build.ninja");
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_has("             meson install -C '/home/u/my build'\n");
	assert_hasnt("ln -s");
	/* Which makes no link elsewhere. */
	faketree_file("", "/var/lib/libvirt/hooks/x");
	ck_assert_int_eq(command("check --hooks-dir /var/lib/libvirt/hooks"),
			 STATUS_FAILED);
	assert_has("             ln -s /usr/sbin/vfio-hook /var/lib/libvirt/hooks/qemu\n");
	faketree_program("vfio-hook", "");
	ck_assert_int_eq(command("check"), STATUS_FAILED);
	assert_hasnt("install -");
	assert_has("             ln -s /usr/sbin/vfio-hook /etc/libvirt/hooks/qemu\n");
}
END_TEST

static void link_hook(const char *target)
{
	char path[PATH_MAX], relative[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, path, "/etc/libvirt/hooks/qemu")), 0);
	faketree_file("\177ELF", "%s", target);
	ck_assert_int_eq(chmod(host_path(&host, path, "%s", target), 0755), 0);
	snprintf(relative, sizeof(relative), "../../..%s", target);
	faketree_link(relative, "/etc/libvirt/hooks/qemu");
}

#define OLDER "has run since before the hook was put there"

/* The daemon's unit, whose state changed last at the time that date(1) tells so. */
static void daemon_unit(int pid, const char *date)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "for u; do :; done; test $u$TZ = libvirtd.serviceUTC0 || exit 1\n"
		 "case $* in *MainPID*) echo MainPID=%d;; *) date %s "
		 "'+StateChangeTimestamp=%%a %%F %%T %%Z';; esac\n",
		 pid, date);
	faketree_program("systemctl", text);
	faketree_file("", "/run/systemd/system/x");
}

static void boot_at(long long seconds)
{
	char text[64];

	snprintf(text, sizeof(text), "cpu 1\nbtime %lld\n", seconds);
	faketree_file(text, "/proc/stat");
}

START_TEST(check_daemon_older_than_hook)
{
	install("\177ELF", 0755);
	faketree_process(700, "libvirtd", "libvirtd.service", NULL);
	boot_at(1000000);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has(OLDER);
	assert_has("             systemctl reload libvirtd\n");
	/* Started since. */
	boot_at(time(NULL));
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt(OLDER);
	boot_at(1000000);
	/* Reloaded since, wherever this host's clock is; or before. */
	daemon_unit(700, "");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt(OLDER);
	daemon_unit(700, "-d @1000000000");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has(OLDER);
	/* The unit's is another process. */
	daemon_unit(701, "");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has(OLDER);
}
END_TEST

/* A reload by a signal cannot be seen; that this very process called the hook can. */
START_TEST(check_daemon_that_called)
{
	install("\177ELF", 0755);
	faketree_file("", "/run/vfio-hook/x");
	faketree_process(700, "libvirtd", "libvirtd.service", NULL);
	boot_at(1000000);
	command("check");
	assert_has(
		"a reload by kill -HUP cannot be seen, but this ends with the next one by "
		"systemctl, or when the hook was called\n"
		"             systemctl reload libvirtd\n");
	caller_note(&host, 700);
	command("check");
	assert_hasnt(OLDER);
	/* Another one with its number, and another daemon. */
	faketree_file("700 (libvirtd) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0 0\n",
		      "/proc/700/stat");
	command("check");
	assert_has(OLDER);
	caller_note(&host, 700);
	caller_note(&host, 701); /* gone already */
	command("check");
	assert_hasnt(OLDER);
	faketree_process(702, "virtqemud", "virtqemud.service", NULL);
	command("check");
	assert_has("virtqemud (pid 702) " OLDER);
	caller_note(&host, 702);
	command("check");
	assert_hasnt("virtqemud (pid 702) " OLDER);
}
END_TEST

/* What counts is since when there is a hook, not how old the program behind it is. */
START_TEST(check_daemon_older_than_link)
{
	char path[PATH_MAX];
	struct stat st;

	install("\177ELF", 0755);
	ck_assert_int_eq(unlink(host_path(&host, path, "/etc/libvirt/hooks/qemu")), 0);
	faketree_link("/bin/sh", "/etc/libvirt/hooks/qemu");
	ck_assert_int_eq(stat("/bin/sh", &st), 0);
	faketree_process(700, "libvirtd", "libvirtd.service", NULL);
	boot_at(st.st_ctime + 1);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has(OLDER);
}
END_TEST

START_TEST(check_apparmor)
{
	faketree_file("virtqemud (enforce)\n", "/sys/kernel/security/apparmor/profiles");
	install("\177ELF", 0755);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("AppArmor confines virtqemud");
	assert_hasnt("ln -sf");
	link_hook("/usr/sbin/vfio-hook");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt("AppArmor");
	link_hook("/usr/local/sbin/vfio-hook");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("does not let it run /usr/local/sbin/vfio-hook");
	link_hook("/etc/libvirt/hooks/vfio-hook");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("AppArmor confines virtqemud");
	assert_has("             ln -sf /usr/sbin/vfio-hook /etc/libvirt/hooks/qemu\n");
}
END_TEST

/* What root runs is root's to change. */
START_TEST(check_owner_and_modes)
{
	char path[PATH_MAX];

	install("\177ELF", 0755);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("installation and host: fine\n");

	mode(hook, 0777);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has(
		"  warning  root runs /etc/libvirt/hooks/qemu, which others may change: the "
		"file ");
	assert_has("is writable by everybody (mode 0777), who could make root act\n"
		   "             chmod go-w ");
	mode(hook, 0755);
	mode("/etc/libvirt/hooks", 0777);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("which others may change: the folder ");

	mode("/etc/libvirt/hooks", 0700);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("  warning  /etc/libvirt/hooks cannot be entered by ordinary users");
	assert_has("             chmod 755 /etc/libvirt/hooks\n");
	mode("/etc/libvirt/hooks", 0755);
	faketree_file("", "/etc/libvirt/hooks/qemu.d/win10/x");
	mode("/etc/libvirt/hooks/qemu.d", 0700);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("             chmod 755 /etc/libvirt/hooks/qemu.d\n");
	mode("/etc/libvirt/hooks/qemu.d", 0755);

	if (geteuid() != 0)
		return; /* nobody else can give a file away */
	ck_assert_int_eq(chown(host_path(&host, path, "%s", hook), 1000, 0), 0);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("belongs to uid 1000, who could make root act\n"
		   "             chown root:root ");
}
END_TEST

START_TEST(check_selinux)
{
	install("\177ELF", 0755);
	faketree_label(hook, "system_u:object_r:etc_t:s0");
	faketree_process(700, "virtqemud", "virtqemud.service", NULL);
	faketree_file("0\n", "/sys/fs/selinux/booleans/virt_hooks_unconfined");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt("SELinux"); /* there is none */
	faketree_file("0\n", "/sys/fs/selinux/enforce");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt("SELinux");

	faketree_file("1\n", "/sys/fs/selinux/enforce");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_has("  warning  /etc/libvirt/hooks/qemu has SELinux' label "
		   "system_u:object_r:etc_t:s0, not virt_hook_t");
	assert_has("             restorecon -R /etc/libvirt/hooks\n");
	assert_has("SELinux keeps hooks of virtqemud from touching devices");
	assert_has("             setsebool -P virt_hooks_unconfined on\n");

	faketree_label(hook, "system_u:object_r:virt_hook_t:s0");
	faketree_file("1 1\n", "/sys/fs/selinux/booleans/virt_hooks_unconfined");
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt("SELinux");
	/* libvirtd runs them by its own domain, whatever that says. */
	faketree_file("0 0\n", "/sys/fs/selinux/booleans/virt_hooks_unconfined");
	faketree_process_gone(700);
	ck_assert_int_eq(command("check"), STATUS_OK);
	assert_hasnt("SELinux");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, check_installation);
	tcase_add_test(tc, check_daemon_older_than_hook);
	tcase_add_test(tc, check_daemon_older_than_link);
	tcase_add_test(tc, check_daemon_that_called);
	tcase_add_test(tc, check_before_installation);
	tcase_add_test(tc, check_apparmor);
	tcase_add_test(tc, check_owner_and_modes);
	tcase_add_test(tc, check_selinux);
}

int main(void)
{
	return machine_run("installation", add);
}
