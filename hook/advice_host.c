/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every domain with a device needs of the host.
 */
#include <sys/stat.h>
#include <sys/utsname.h>

#include "advice.h"
#include "kmod.h"
#include "systemd.h"

static void judge_iommu(const struct host *host, struct findings *findings)
{
	static const char parameter[] = "intel_iommu=on";
	const char *advice = iommu_advice(host);
	_cleanup_strv_ struct strv groups = {};

	if (host_list(host, &groups, "/sys/kernel/iommu_groups") == 0 && groups.n)
		return;
	finding_add(findings, FINDING_PROBLEM,
		    strstr(advice, parameter) ? parameter : NULL,
		    "the IOMMU is off: no device can be given to a guest; %s", advice);
}

static void judge_vfio(const struct host *host, struct findings *findings)
{
	_cleanup_error_ struct error err = {};
	char dir[PATH_MAX];

	if (host_exists(host, "/sys/bus/pci/drivers/vfio-pci") ||
	    kmod_available(host, "vfio-pci", &err) == 0)
		return;
	kmod_modules_dir(host, dir);
	/* Without the folder an update has replaced the kernel that runs. */
	finding_add(findings, FINDING_PROBLEM,
		    host_exists(host, "%s", dir) ? "depmod\nmodprobe vfio-pci" : "reboot",
		    "%s; no device can be given to a guest without vfio-pci, which small "
		    "kernels (for clouds, for guests) leave out",
		    error_text(&err));
}

/* Does the file say at boot that modules are to be locked? */
static bool sets_lock(const struct host *host, const char *file)
{
	_cleanup_free_ char *text = NULL;

	if (host_read_all(host, &text, "%s", file) < 0)
		return false;
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
		line += strspn(line, " \t-");
		if (str_after(line, "kernel.modules_disabled") ||
		    str_after(line, "kernel/modules_disabled"))
			return true;
	}
	return false;
}

static int add_files(const struct host *host, const char *folder, struct strv *files)
{
	_cleanup_strv_ struct strv names = {};
	int r = 0;

	if (host_list(host, &names, "%s", folder) < 0)
		return 0;
	for (size_t i = 0; i < names.n && r >= 0; i++)
		r = strv_addf(files, "%s/%s", folder, names.v[i]);
	return r;
}

/* The commands that end it; NULL: out of memory. */
static char *unlock_modules(const struct host *host)
{
	static const char *const folders[] = { "/etc/sysctl.d", "/run/sysctl.d",
					       "/usr/local/lib/sysctl.d",
					       "/usr/lib/sysctl.d" };
	_cleanup_strv_ struct strv files = {}, lines = {};
	int r = strv_add(&files, "/etc/sysctl.conf");

	for (size_t i = 0; i < ARRAY_SIZE(folders) && r >= 0; i++)
		r = add_files(host, folders[i], &files);
	for (size_t i = 0; i < files.n && r >= 0; i++)
		if (sets_lock(host, files.v[i]))
			r = strv_addf(&lines, "sed -i '/modules_disabled/d' %s",
				      files.v[i]);
	if (r >= 0 && !lines.n) /* a script or unit does */
		r = strv_add(&lines, "grep -rs modules_disabled /etc /usr/lib/systemd");
	if (r >= 0)
		r = strv_add(&lines, "reboot");
	return r < 0 ? NULL : strv_join(&lines, "\n");
}

/* With which Debian's and Fedora's DKMS sign, or Ubuntu's. */
static const char *signing_key(const struct host *host)
{
	static const char ubuntu[] = "/var/lib/shim-signed/mok/MOK.der";

	return host_exists(host, "%s", ubuntu) ? ubuntu : "/var/lib/dkms/mok.pub";
}

/* A module that was taken out for the guest has to come in again afterwards. */
static void judge_locks(const struct host *host, struct findings *findings)
{
	_cleanup_free_ char *unlock = NULL;
	char value[64], enroll[96];

	if (host_read(host, value, sizeof(value), "/proc/sys/kernel/modules_disabled") >
		    0 &&
	    streq(value, "1")) {
		unlock = unlock_modules(host);
		findings->oom |= !unlock;
		finding_add(findings, FINDING_WARNING, unlock,
			    "kernel.modules_disabled is 1: no module can be loaded or "
			    "removed until the next boot, and only if nothing sets it "
			    "there again");
	}
	snprintf(enroll, sizeof(enroll), "mokutil --import %s", signing_key(host));
	if (host_read(host, value, sizeof(value), "/sys/kernel/security/lockdown") > 0 &&
	    !strstr(value, "[none]"))
		finding_add(findings, FINDING_ADVICE, enroll,
			    "the kernel is locked down (Secure Boot): it loads signed "
			    "modules only; one that DKMS has built, as nvidia, must be "
			    "signed with a key that the firmware knows, or it does not "
			    "come back after the guest; if it was not done yet");
}

/* A parameter of patched kernels, which makes ACS up where there is none. */
static void judge_acs_override(const struct host *host, struct findings *findings)
{
	char cmdline[4096];

	if (host_read(host, cmdline, sizeof(cmdline), "/proc/cmdline") < 0)
		return;
	for (char *rest = cmdline, *word; (word = strsep(&rest, " "));)
		if (str_after(word, "pcie_acs_override="))
			finding_add(findings, FINDING_ADVICE, NULL,
				    "%s on the kernel's command line splits IOMMU groups "
				    "that the hardware does not keep apart: a guest can "
				    "reach memory of other devices behind the same bridge, "
				    "and so of the host; for guests that you trust only",
				    word);
}

void advise_host(const struct host *host, struct findings *findings)
{
	judge_iommu(host, findings);
	judge_vfio(host, findings);
	judge_locks(host, findings);
	judge_acs_override(host, findings);
}

#define UNITS "/etc/systemd/system"
#define BOOT_UNIT "vfio-hook-boot.service"

static bool boot_unit_is_enabled(const struct host *host)
{
	_cleanup_strv_ struct strv names = {};

	if (host_list(host, &names, UNITS) < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if ((str_ends(names.v[i], ".wants") ||
		     str_ends(names.v[i], ".requires")) &&
		    host_exists(host, UNITS "/%s/" BOOT_UNIT, names.v[i]))
			return true;
	return false;
}

/* What it has of CONFIG is from when it was made. */
static void judge_initramfs(const struct host *host, const char *config,
			    struct findings *findings)
{
	char image[PATH_MAX], path[PATH_MAX];
	struct stat made, changed;
	struct utsname u;

	if (!host_exists(host, "/usr/share/initramfs-tools/hooks/vfio-hook") &&
	    !host_exists(host, "/etc/initramfs-tools/hooks/vfio-hook"))
		return;
	uname(&u);
	snprintf(image, sizeof(image), "/boot/initrd.img-%s", u.release);
	if (stat(host_path(host, path, "%s", image), &made) < 0 ||
	    stat(config, &changed) < 0)
		return;
	/* A file that was moved there keeps its time of modification, not that of change. */
	if (changed.st_ctime > made.st_mtime)
		finding_add(findings, FINDING_WARNING, "update-initramfs -u",
			    "%s was made before %s was changed last: at the next boot it "
			    "runs [boot/begin] as it was then, if at all",
			    image, config);
}

void advise_boot(const struct host *host, const char *config, struct findings *findings)
{
	if (systemd_is_running(host) && !boot_unit_is_enabled(host))
		finding_add(findings, FINDING_WARNING, "systemctl enable " BOOT_UNIT,
			    "[boot/begin] is run by an initramfs only, if it was taken "
			    "along there: " BOOT_UNIT " is not enabled");
	judge_initramfs(host, config, findings);
}
