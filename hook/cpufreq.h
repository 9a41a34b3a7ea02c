/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "run.h"
#include "step.h"

/*
 * Frequency scaling. Governor and preference are settings of a policy, which is one or
 * more CPUs that change their frequency together.
 */
#define CPUFREQ_DIR "/sys/devices/system/cpu/cpufreq"

/* cpus=, which both steps have. */
extern const struct option_spec cpufreq_options[];

/*
 * The policies ("policy0", …) of the CPUs in CPUS, a list or "guest" (cpus_taken()), which
 * may be NULL: of all CPUs. Those whose CPUs are all offline are left out with a note: nothing
 * can be read or written there. -ENODEV with ERR when none is left; what is a problem leaves
 * *RET empty while simulating.
 */
int cpufreq_policies(struct run *run, const char *cpus, struct strv *ret,
		     struct error *err);
/*
 * "intel_pstate active": the driver and its mode, which decide what a governor's name
 * means. Empty when unknown.
 */
const char *cpufreq_mode(const struct host *host, const char *policy, char buf[64]);
/*
 * Does the driver itself do what governors do elsewhere (intel_pstate and amd_pstate in
 * active mode)? Then there are performance and powersave only, and no modules for them.
 */
bool cpufreq_is_setpolicy(const struct host *host, const char *policy);
/* Is NAME one of the words in the policy's file ATTR? The words are left in BUF. */
bool cpufreq_offers(const struct host *host, const char *policy, const char *attr,
		    const char *name, char buf[512]);
