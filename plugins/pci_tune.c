/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of PCI functions: runtime power management, the size of memory windows.
 */
#include "bar.h"
#include "effect.h"
#include "hold.h"
#include "step.h"

#define DEVICE "/sys/bus/pci/devices/%s"

static int power_parse(const struct step *step, struct error *err);
static int power_apply(struct run *run, const struct step *step, struct error *err);
static int resize_parse(const struct step *step, struct error *err);
static int resize_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec power_options[] = {
	{ "control", VALUE_CHOICE, "on|auto",
	  .text = "keep the function awake, or let it sleep when idle" },
	{ "d3cold", VALUE_CHOICE, "0|1", .text = "may its power be cut while it sleeps" },
	{}
};

static const struct option_spec resize_options[] = {
	{ "bar", VALUE_UINT, .def = "none, required", .text = "0 to 5" },
	{ "size", VALUE_SIZE, .def = "none, required",
	  .text = "a power of two that the function offers, like 256M" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "power",
		.summary = "set runtime power management of PCI functions",
		.undo = "the values found",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASES_UP,
		.timeout_ms = 15000,
		.options = power_options,
		.parse = power_parse,
		.apply = power_apply,
	},
	{
		.action = "resize-bar",
		.summary =
			"set the size of a memory window of PCI functions without a driver",
		.undo = "the size found, when the function has no driver again",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASES_UP,
		.timeout_ms = 15000,
		.options = resize_options,
		.parse = resize_parse,
		.apply = resize_apply,
	},
	{}
};

const struct plugin plugin_pci_tune = { .name = "pci", .types = types };

static int power_parse(const struct step *step, struct error *err)
{
	if (step_option(step, "control") || step_option(step, "d3cold"))
		return 0;
	return error_set(err, -EINVAL, "say what to set: control=on|auto or d3cold=0|1");
}

static int set_attr(struct run *run, const struct step *step,
		    const struct pci_function *fn, const char *attr, const char *option,
		    struct error *err)
{
	const char *value = step_option(step, option);
	char path[PATH_MAX];

	if (!value)
		return 0;
	snprintf(path, sizeof(path), DEVICE "/%s", fn->name, attr);
	if (!host_exists(&run->host, "%s", path)) {
		run_cure_option(run, step, option, NULL);
		return run_problem(run, -EOPNOTSUPP, err,
				   "%s has no %s, this kernel cannot set that for it: leave "
				   "%s= out",
				   fn->name, attr, option);
	}
	return effect_set(run, &state_attr, path, value, NULL, err);
}

/* At the end of its way back another domain's function is what that one found it. */
static int refuse_anothers(struct run *run, const struct pci_function *fn,
			   struct error *err)
{
	return pci_is_bridge(fn) ? 0 : hold_ask(run, fn->name, err);
}

static int power_one(struct run *run, const struct step *step,
		     const struct pci_function *fn, struct error *err)
{
	int r = refuse_anothers(run, fn, err);

	if (r == 0)
		r = set_attr(run, step, fn, "d3cold_allowed", "d3cold", err);
	return r == 0 ? set_attr(run, step, fn, "power/control", "control", err) : r;
}

static int power_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	int r = run_devices(run, &step->words, &functions, err);

	for (size_t i = 0; i < functions.n && r == 0; i++)
		r = power_one(run, step, &functions.fn[i], err);
	return r;
}

static int resize_parse(const struct step *step, struct error *err)
{
	uint64_t size = step_size(step, "size", 0);

	if (!step_option(step, "bar") || step_uint(step, "bar", 0) > 5)
		return error_set(err, -EINVAL, "bar= is needed, 0 to 5");
	if (size < 1048576 || size & (size - 1))
		return error_set(err, -EINVAL,
				 "size= is needed, a power of two from 1M on, like 256M");
	return 0;
}

static int resize_one(struct run *run, const struct step *step,
		      const struct pci_function *fn, struct error *err)
{
	unsigned bar = (unsigned)step_uint(step, "bar", 0);
	uint64_t size = step_size(step, "size", 0);
	uint64_t offered = bar_offered(&run->host, fn->name, bar);
	_cleanup_free_ char *driver = NULL, *sizes = NULL;
	char target[PCI_ADDR_LEN + 8], text[BAR_SIZE_LEN];
	int r;

	bar_size_text(size, text);
	if (!offered)
		return 0; /* another function of the card has it */
	if (!(offered & (size / 1048576))) {
		sizes = bar_sizes_text(offered);
		return run_problem(
			run, -EINVAL, err,
			"BAR %u of %s cannot be %s: use one of the sizes offered: %s",
			bar, fn->name, text, sizes ? sizes : "");
	}
	r = state_get(&run->host, &state_driver, fn->name, &driver, err);
	if (r < 0)
		return r;
	if (*driver)
		return run_problem(run, -EBUSY, err,
				   "%s is bound to %s, and its BARs can be resized only "
				   "without a driver: put a kmod.unload of that in front, "
				   "and pci.detach behind",
				   fn->name, driver);
	snprintf(target, sizeof(target), "%s %u", fn->name, bar);
	return effect_set(run, &state_bar, target, text, NULL, err);
}

static bool any_offers(struct run *run, const struct pci_list *list, unsigned bar)
{
	for (size_t i = 0; i < list->n; i++)
		if (bar_offered(&run->host, list->fn[i].name, bar))
			return true;
	return false;
}

static int resize_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	unsigned bar = (unsigned)step_uint(step, "bar", 0);
	int r = run_devices(run, &step->words, &functions, err);

	if (r < 0)
		return r;
	if (functions.n && !any_offers(run, &functions, bar))
		return run_problem(
			run, -EOPNOTSUPP, err,
			"BAR %u of %s%s cannot be resized (no resource%u_resize): leave this line out",
			bar, functions.fn[0].name,
			functions.n > 1 ? " and the others" : "", bar);
	for (size_t i = 0; i < functions.n && r == 0; i++)
		r = resize_one(run, step, &functions.fn[i], err);
	return r;
}
