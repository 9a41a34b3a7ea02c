/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What <cpu> and <features> tell the guest: its CPU, and what drivers of graphics cards
 * look at to find out that they run in a guest.
 */
#include "advice.h"

#define VENDOR_NVIDIA 0x10de
#define VENDOR_AMD 0x1002

/*
 * Has an AMD CPU, with threads, which the guest may be told of? QEMU takes topoext for
 * "-cpu host" only when asked for, as the number of threads must fit it.
 */
static bool host_has_topoext(const struct host *host)
{
	_cleanup_free_ char *text = NULL;
	const char *flags, *found;

	if (host_read_all(host, &text, "/proc/cpuinfo") < 0)
		return false;
	flags = strstr(text, "\nflags");
	found = flags ? strstr(flags, " topoext") : NULL;
	return found && found < flags + 1 + strcspn(flags + 1, "\n");
}

static void judge_cpu(const struct host *host, const struct domain *domain,
		      struct findings *findings)
{
	const struct domain_features *features = &domain->features;

	if (features->kvm && features->cpu != DOMAIN_CPU_PASSTHROUGH)
		finding_add(findings, FINDING_ADVICE, "<cpu mode='host-passthrough'>",
			    "the guest does not see this host's CPU as it is (%s), and "
			    "may miss instructions, its caches and its threads",
			    features->cpu == DOMAIN_CPU_DEFAULT	   ? "no mode in <cpu>" :
			    features->cpu == DOMAIN_CPU_HOST_MODEL ? "mode='host-model'" :
								     "mode='custom'");
	if (features->cpu == DOMAIN_CPU_PASSTHROUGH && domain->threads > 1 &&
	    !features->topoext && host_has_topoext(host))
		finding_add(findings, FINDING_ADVICE,
			    "<feature policy='require' name='topoext'/>",
			    "the topology has %u threads a core, but without topoext, "
			    "which QEMU leaves out, a guest on an AMD CPU takes each for "
			    "a core of its own; in <cpu>",
			    domain->threads);
}

/* The display controller of VENDOR that the guest gets, or NULL. */
static const struct inventory_item *display_of(const struct domain *domain,
					       const struct inventory *inventory,
					       uint16_t vendor)
{
	for (size_t i = 0; i < domain->n_hostdevs; i++) {
		const struct inventory_item *item =
			inventory_find(inventory, domain->hostdevs[i].name);

		if (item && item->fn.vendor == vendor &&
		    item->fn.class >> 16 == PCI_BASE_DISPLAY)
			return item;
	}
	return NULL;
}

/*
 * nvidia's last driver for Fermi (GF…) and older chips is 390; every later chip has one
 * of 465 or newer. Which chip it is, pci.ids tells: "NVIDIA Corporation GF108 [GeForce…".
 */
static bool needs_old_driver(const struct inventory_item *item)
{
	static const char *const chips[] = { "GF1", "GT2", "G8", "G9" };
	const char *chip = strstr(item->name, "Corporation ");

	chip = chip ? chip + strlen("Corporation ") : "";
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++)
		if (str_after(chip, chips[i]))
			return true;
	return false;
}

/* WITH_AMD: <vendor_id> is for another card than nvidia's. */
static void judge_nvidia(const struct domain_features *features,
			 const struct inventory_item *item, bool with_amd,
			 struct findings *findings)
{
	bool old = needs_old_driver(item), named = features->vendor_id && !with_amd;

	if (old && !(features->kvm_hidden && (features->vendor_id || !features->hyperv)))
		finding_add(findings, FINDING_ADVICE,
			    features->hyperv ? "<kvm><hidden state='on'/></kvm>\n"
					       "<hyperv><vendor_id state='on' "
					       "value='whatever'/></hyperv>" :
					       "<kvm><hidden state='on'/></kvm>",
			    "the newest driver for %s is older than 465, and stops with "
			    "Code 43 when it sees that it runs in a guest; in <features>",
			    item->name);
	if (!old && features->kvm_hidden)
		finding_add(findings, FINDING_ADVICE,
			    named ? "<kvm><hidden state='off'/></kvm>\n"
				    "<hyperv><vendor_id state='off'/></hyperv>" :
				    "<kvm><hidden state='off'/></kvm>",
			    "<hidden state='on'/>%s no longer needed: nvidia's drivers "
			    "since 465 (2021) run in a guest; it keeps a Linux guest from "
			    "KVM's clock and its other short cuts; in <features>",
			    named ? " and <vendor_id> are" : " is");
	else if (!old && named)
		finding_add(
			findings, FINDING_ADVICE, "<vendor_id state='off'/>",
			"<vendor_id> is no longer needed: nvidia's drivers since 465 "
			"(2021) run in a guest; it does no harm; in <features><hyperv>");
}

void advise_guest(const struct call *call, const struct inventory *inventory,
		  struct findings *findings)
{
	const struct domain *domain = call->run.domain;
	const struct inventory_item *nvidia =
		display_of(domain, inventory, VENDOR_NVIDIA);
	const struct inventory_item *amd = display_of(domain, inventory, VENDOR_AMD);

	if (domain->n_hostdevs)
		judge_cpu(&call->run.host, domain, findings);
	if (nvidia)
		judge_nvidia(&domain->features, nvidia, amd != NULL, findings);
	if (amd && domain->features.hyperv && !domain->features.vendor_id)
		finding_add(findings, FINDING_ADVICE,
			    "<vendor_id state='on' value='whatever'/>",
			    "AMD's driver for Windows may leave the screen black when it "
			    "finds Hyper-V's own name; in <features><hyperv>");
}
