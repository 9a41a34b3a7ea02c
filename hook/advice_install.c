/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Will libvirt call the hook at all, and may the hook do its work then? libvirt says
 * nothing about a hook that it does not find.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "advice.h"
#include "spawn.h"
#include "trust.h"

#define PACKAGED "/usr/sbin/vfio-hook"

/* The program, for a link to it; false: it is not installed, and this is where it goes. */
static bool find_program(const struct host *host, char buf[PATH_MAX])
{
	if (!host_exists(host, PACKAGED) &&
	    spawn_find(host, "vfio-hook", buf, PATH_MAX) == 0)
		return true;
	snprintf(buf, PATH_MAX, "%s", PACKAGED);
	return host_exists(host, PACKAGED);
}

/* The program that runs now, as one that was built and not installed; or false. */
static bool find_built(const struct host *host, char buf[PATH_MAX])
{
	char path[PATH_MAX];
	ssize_t n = readlink(host_path(host, path, "/proc/self/exe"), buf, PATH_MAX - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0 && *buf == '/' && host_exists(host, "%s", buf);
}

/* 1: nothing is left to be done, as the installation makes HOOK, too. */
static int add_installation(const struct host *host, const char *hook, struct strv *lines)
{
	char built[PATH_MAX], word[PATH_MAX + 64], *slash;

	if (!find_built(host, built))
		return 0;
	slash = strrchr(built, '/');
	*slash = '\0';
	if (str_after(hook, HOOKS_DIR "/") && host_exists(host, "%s/build.ninja", built))
		return strv_addf(lines, "meson install -C %s",
				 shell_word(built, word, sizeof(word))) < 0 ?
			       -ENOMEM :
			       1;
	*slash = '/';
	return strv_addf(lines, "install -m 755 %s " PACKAGED,
			 shell_word(built, word, sizeof(word))) < 0 ?
		       -ENOMEM :
		       0;
}

/* The commands that make the hook a link to the program, and keep what was there. */
static char *install_lines(const struct host *host, const char *hook)
{
	const char *slash = strrchr(hook, '/');
	_cleanup_strv_ struct strv lines = {};
	char path[PATH_MAX], program[PATH_MAX];
	struct stat st;
	int r = find_program(host, program) ? 0 : add_installation(host, hook, &lines);

	if (r != 0)
		return r < 0 ? NULL : strv_join(&lines, "\n");
	if (lstat(host_path(host, path, "%s", hook), &st) == 0)
		r = strv_addf(&lines, "mv --backup=numbered %s %s.before-vfio-hook", hook,
			      hook);
	else
		r = strv_addf(&lines, "mkdir -p %.*s", (int)(slash - hook), hook);
	if (r >= 0)
		r = strv_addf(&lines, "ln -s %s %s", program, hook);
	return r < 0 ? NULL : strv_join(&lines, "\n");
}

static void judge_missing(const struct host *host, const char *hook, unsigned running,
			  struct findings *findings)
{
	_cleanup_free_ char *lines = install_lines(host, hook), *cure = NULL;
	size_t k = 0;

	while (advice_daemons[k] && !(running & 1U << k))
		k++;
	if (!lines || asprintf(&cure, "%s%s%s", lines,
			       advice_daemons[k] ? "\nsystemctl reload " : "",
			       advice_daemons[k] ?: "") < 0) {
		findings->oom = true;
		return;
	}
	finding_add(findings, FINDING_PROBLEM, cure,
		    "there is no %s, which is what libvirt runs: no config in conf.d does "
		    "anything; put vfio-hook there, mode 0755, and reload libvirtd or "
		    "virtqemud",
		    hook);
}

static void judge_mode(const struct host *host, const char *path, const struct stat *st,
		       struct findings *findings)
{
	_cleanup_free_ char *lines = NULL;
	char cure[PATH_MAX + 32];

	snprintf(cure, sizeof(cure), "chmod 755 %s", path);
	if (!S_ISREG(st->st_mode)) {
		lines = install_lines(host, path);
		findings->oom |= !lines;
	}
	if (!S_ISREG(st->st_mode) || !(st->st_mode & 0111))
		finding_add(findings, FINDING_PROBLEM, lines ?: cure,
			    "%s is no executable file: libvirt passes over it, without a "
			    "word",
			    path);
	else if ((st->st_mode & 0005) != 0005)
		finding_add(findings, FINDING_WARNING, cure,
			    "%s cannot be run by ordinary users: libvirt calls it for "
			    "their session guests, too, and none of them would start",
			    path);
}

static void judge_kind(const struct host *host, const char *path,
		       struct findings *findings)
{
	_cleanup_free_ char *cure = NULL;
	char head[8] = "";

	if (host_read(host, head, sizeof(head), "%s", path) <= 0 || !str_after(head, "#!"))
		return;
	cure = install_lines(host, path);
	findings->oom |= !cure;
	finding_add(findings, FINDING_PROBLEM, cure,
		    "%s is a script, not vfio-hook: libvirt runs that one, and no "
		    "config in conf.d does anything; install vfio-hook in its "
		    "place (it runs the script trees in qemu.d, too)",
		    path);
}

static void judge_trust(const struct host *host, const char *path,
			struct findings *findings)
{
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *why = NULL;
	int trust = trust_of(host, path, &why, &err);
	const char *cure;

	if (trust != TRUST_LOOSE && trust != TRUST_NONE)
		return;
	cure = trust_cure(why);
	finding_add(findings, FINDING_WARNING, cure,
		    "root runs %s, which others may change: %.*s", path,
		    (int)(strlen(why) - strlen(cure) - strlen(": ")), why);
}

static void judge_folder(const struct host *host, const char *dir,
			 struct findings *findings)
{
	char path[PATH_MAX], cure[PATH_MAX + 32];
	struct stat st;

	if (stat(host_path(host, path, "%s", dir), &st) < 0 || (st.st_mode & 0005) == 0005)
		return;
	snprintf(cure, sizeof(cure), "chmod 755 %s", dir);
	finding_add(findings, FINDING_WARNING, cure,
		    "%s cannot be entered by ordinary users: libvirt looks into it for "
		    "their session guests, too, and none of them would start",
		    dir);
}

/* Regular executables, hidden ones too: for those libvirt has a use of its own. */
static void judge_leftovers(const struct host *host, const char *dir,
			    struct findings *findings)
{
	_cleanup_strv_ struct strv names = {};
	char path[PATH_MAX], cure[PATH_MAX + 32];
	struct stat st;

	judge_folder(host, dir, findings);
	if (host_list(host, &names, "%s", dir) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		if (stat(host_path(host, path, "%s/%s", dir, names.v[i]), &st) < 0 ||
		    !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
			continue;
		snprintf(cure, sizeof(cure), "chmod -x '%.*s/%s'", PATH_MAX / 2, dir,
			 names.v[i]);
		finding_add(findings, FINDING_WARNING, cure,
			    "libvirt itself runs %s/%s, for every domain, after the hook: "
			    "if that is not meant, take the x away or move it into a "
			    "folder of its domain",
			    dir, names.v[i]);
	}
}

/* The first daemon whose AppArmor profile is enforced, or NULL. */
static const char *confined_daemon(const struct host *host)
{
	_cleanup_free_ char *profiles = NULL;

	if (host_read_all(host, &profiles, "/sys/kernel/security/apparmor/profiles") < 0)
		return NULL;
	for (size_t i = 0; advice_daemons[i]; i++) {
		char enforced[64];

		snprintf(enforced, sizeof(enforced), "%s (enforce)", advice_daemons[i]);
		if (strstr(profiles, enforced))
			return advice_daemons[i];
	}
	return NULL;
}

/* The daemons' profiles let what lies directly in these folders run unconfined. */
static bool runs_unconfined(const char *path)
{
	static const char *const folders[] = { "/bin/", "/sbin/", "/usr/bin/",
					       "/usr/sbin/" };
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !name; i++)
		name = str_after(path, folders[i]);
	return name && !strchr(name, '/');
}

/* What is below /etc/libvirt/hooks, links followed, runs inside the daemon's profile. */
static void judge_apparmor(const struct host *host, const char *hook,
			   struct findings *findings)
{
	const char *daemon = confined_daemon(host), *target;
	char path[PATH_MAX], real[PATH_MAX], cure[PATH_MAX + 32];

	if (!daemon || !realpath(host_path(host, path, "%s", hook), real))
		return;
	target = *host->root && str_after(real, host->root) ?
			 str_after(real, host->root) :
			 real;
	snprintf(cure, sizeof(cure), "ln -sf /usr/sbin/vfio-hook %s", hook);
	if (runs_unconfined(target))
		return;
	if (!str_after(target, "/etc/libvirt/hooks/"))
		finding_add(findings, FINDING_WARNING, cure,
			    "unless a rule of yours does, AppArmor's profile of %s does "
			    "not let it run %s, where %s leads: no guest starts (\"exit "
			    "status 126\")",
			    daemon, target, hook);
	else
		finding_add(findings, FINDING_ADVICE,
			    host_exists(host, "/usr/sbin/vfio-hook") ? cure : NULL,
			    "AppArmor confines %s, and the hook with it: programs and "
			    "scripts may be in /bin, /sbin, /usr/bin, /usr/sbin and "
			    "/etc/libvirt/hooks, not in /usr/local, /opt or /home; who "
			    "holds a device from within another profile is not seen; "
			    "behind a link to /usr/sbin the hook is not confined",
			    daemon);
}

static void judge_selinux(const struct host *host, const char *hook, unsigned running,
			  struct findings *findings)
{
	char value[256], path[PATH_MAX];
	ssize_t n;

	if (host_read(host, value, sizeof(value), "/sys/fs/selinux/enforce") <= 0 ||
	    !streq(value, "1"))
		return;
	n = getxattr(host_path(host, path, "%s", hook), "security.selinux", value,
		     sizeof(value) - 1);
	value[n > 0 ? n : 0] = '\0';
	if (n > 0 && !strstr(value, "virt_hook_t"))
		finding_add(findings, FINDING_WARNING, "restorecon -R /etc/libvirt/hooks",
			    "%s has SELinux' label %s, not virt_hook_t: the daemon may "
			    "not run it (\"exit status 126\")",
			    hook, value);
	if (running & 2 &&
	    host_read(host, value, sizeof(value),
		      "/sys/fs/selinux/booleans/virt_hooks_unconfined") > 0 &&
	    value[0] == '0')
		finding_add(findings, FINDING_WARNING,
			    "setsebool -P virt_hooks_unconfined on",
			    "SELinux keeps hooks of virtqemud from touching devices as "
			    "long as virt_hooks_unconfined is off");
}

void advise_install(const struct host *host, const char *hooks_dir,
		    struct findings *findings)
{
	char hook[PATH_MAX], path[PATH_MAX];
	unsigned running;
	struct stat st;
	bool there;

	if ((size_t)snprintf(hook, sizeof(hook), "%s/qemu", hooks_dir) >= sizeof(hook))
		return;
	there = stat(host_path(host, path, "%s", hook), &st) == 0;
	running = advise_daemons(host, there ? hook : NULL, findings);
	if (!there) {
		judge_missing(host, hook, running, findings);
	} else {
		judge_mode(host, hook, &st, findings);
		judge_kind(host, hook, findings);
		judge_trust(host, hook, findings);
	}
	judge_folder(host, hooks_dir, findings);
	snprintf(path, sizeof(path), "%.*s/qemu.d", PATH_MAX - 16, hooks_dir);
	judge_leftovers(host, path, findings);
	judge_apparmor(host, hook, findings);
	if (there)
		judge_selinux(host, hook, running, findings);
}
