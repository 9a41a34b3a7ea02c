/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * <cpu> and <features>: what a guest sees of the machine below it.
 */
#include "domain_parser.h"

static enum domain_cpu cpu_mode(const char **atts)
{
	if (attribute_is(atts, "mode", "host-passthrough") ||
	    attribute_is(atts, "mode", "maximum"))
		return DOMAIN_CPU_PASSTHROUGH;
	if (attribute_is(atts, "mode", "host-model"))
		return DOMAIN_CPU_HOST_MODEL;
	/* A <cpu> for its topology alone is libvirt's default model. */
	return attribute(atts, "mode") || attribute(atts, "match") ? DOMAIN_CPU_CUSTOM :
								     DOMAIN_CPU_DEFAULT;
}

static void on_cpu_feature(struct domain_features *features, const char **atts)
{
	const char *policy = attribute(atts, "policy");

	if (attribute_is(atts, "name", "topoext"))
		features->topoext = !policy || streq(policy, "require") ||
				    streq(policy, "force");
}

void features_begin(struct domain_features *features, const char *path, const char **atts)
{
	const char *hyperv = str_after(path, "/features/hyperv");

	if (!*path)
		features->kvm = attribute_is(atts, "type", "kvm");
	else if (streq(path, "/cpu"))
		features->cpu = cpu_mode(atts);
	else if (streq(path, "/cpu/feature"))
		on_cpu_feature(features, atts);
	else if (streq(path, "/features/kvm/hidden"))
		features->kvm_hidden = attribute_is(atts, "state", "on");
	else if (hyperv && streq(hyperv, "/vendor_id"))
		features->vendor_id = attribute_is(atts, "state", "on");
	else if (hyperv && (attribute_is(atts, "state", "on") ||
			    attribute_is(atts, "mode", "passthrough")))
		features->hyperv = true;
}
