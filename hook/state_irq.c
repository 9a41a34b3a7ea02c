/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kind "irq": the CPUs that serve an interrupt. A number is given to another device
 * when its own lets go of it, so the names of its actions belong to the target.
 */
#include "guard.h"
#include "irq.h"
#include "run.h"

int irq_actions(const struct host *host, unsigned irq, char *buf, size_t size)
{
	return host_read(host, buf, size, "/sys/kernel/irq/%u/actions", irq);
}

/* "24 nvme0q1": is the interrupt still that? */
static bool parse(const struct host *host, const char *target, unsigned *irq)
{
	char actions[IRQ_ACTIONS_LEN];
	int at = 0;

	return sscanf(target, "%u %n", irq, &at) == 1 && at &&
	       irq_actions(host, *irq, actions, sizeof(actions)) > 0 &&
	       streq(actions, target + at);
}

static int irq_read(const struct host *host, const char *target, char **ret,
		    struct error *err)
{
	char cpus[4096] = "";
	unsigned irq;

	if (parse(host, target, &irq) &&
	    host_read(host, cpus, sizeof(cpus), IRQ_DIR "/%u/smp_affinity_list", irq) < 0)
		*cpus = '\0';
	*ret = strdup(cpus);
	return *ret ? 0 : error_oom(err);
}

static int irq_change(struct run *run, const struct record *record,
		      const char *from _unused_, const char *to, struct error *err)
{
	char path[64];
	unsigned irq;

	if (!parse(&run->host, record->target, &irq))
		return error_set(err, -ENOENT, "IRQ %s is not there any more",
				 record->target);
	snprintf(path, sizeof(path), IRQ_DIR "/%u/smp_affinity_list", irq);
	return guard_write(run, path, to, err);
}

static int irq_undo(struct run *run, const struct record *record, const char *now,
		    struct error *err)
{
	if (!*now)
		return 0; /* gone, or another's now */
	if (!streq(now, record->new)) {
		run_note(run,
			 "IRQ %s is on %s, not where it was moved to (%s): left there",
			 record->target, now, record->new);
		return 0;
	}
	return irq_change(run, record, now, record->old, err);
}

const struct state_kind state_irq = {
	.name = "irq",
	.shared = true,
	.harmless = true,
	.read = irq_read,
	.change = irq_change,
	.undo = irq_undo,
};
