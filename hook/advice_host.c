/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every domain with a device needs of the host.
 */
#include "advice.h"
#include "kmod.h"

static void judge_iommu(const struct host *host, struct findings *findings)
{
	_cleanup_strv_ struct strv groups = {};

	if (host_list(host, &groups, "/sys/kernel/iommu_groups") == 0 && groups.n)
		return;
	finding_add(findings, FINDING_PROBLEM, NULL,
		    "the IOMMU is off: no device can be given to a guest; %s",
		    iommu_advice(host));
}

static void judge_vfio(const struct host *host, struct findings *findings)
{
	_cleanup_error_ struct error err = {};

	if (host_exists(host, "/sys/bus/pci/drivers/vfio-pci") ||
	    kmod_available(host, "vfio-pci", &err) == 0)
		return;
	finding_add(findings, FINDING_PROBLEM, NULL, "%s", error_text(&err));
}

/* A module that was taken out for the guest has to come in again afterwards. */
static void judge_locks(const struct host *host, struct findings *findings)
{
	char value[64];

	if (host_read(host, value, sizeof(value), "/proc/sys/kernel/modules_disabled") >
		    0 &&
	    streq(value, "1"))
		finding_add(findings, FINDING_WARNING, NULL,
			    "kernel.modules_disabled is 1: no module can be loaded or "
			    "removed until the next boot");
	if (host_read(host, value, sizeof(value), "/sys/kernel/security/lockdown") > 0 &&
	    !strstr(value, "[none]"))
		finding_add(findings, FINDING_ADVICE, NULL,
			    "the kernel is locked down (Secure Boot): it loads signed "
			    "modules only; one that DKMS has built, as nvidia, must be "
			    "signed with a key that the firmware knows (mokutil), or it "
			    "does not come back after the guest");
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
