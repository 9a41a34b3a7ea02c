/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * framebuffer.unbind and framebuffer.bind: the firmware's framebuffer. It keeps drawing
 * to the memory of a card that nobody took from it: vfio removes it from a VGA controller
 * only, not from a "display controller" (class 0380).
 */
#include "fbdev.h"
#include "restore.h"
#include "step.h"

static int name_parse(const struct step *step, struct error *err);
static int unbind_apply(struct run *run, const struct step *step, struct error *err);
static int bind_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "unbind",
		.summary = "take the firmware's framebuffer off the card",
		.undo = "binds it again, if it still exists, its memory is where it was and no "
			"other framebuffer is on the card; once a graphics driver was on the card, "
			"or vfio on a VGA controller, it is gone until the next boot",
		.args = "[NAME…]",
		.max_args = 8,
		.phases = PHASES_UP,
		.timeout_ms = 10000,
		.parse = name_parse,
		.apply = unbind_apply,
	},
	{
		.action = "bind",
		.summary = "put the firmware's framebuffer back on the card",
		.undo = "none: it is the way back",
		.args = "[NAME…]",
		.max_args = 8,
		.phases = PHASES_DOWN,
		.timeout_ms = 10000,
		.parse = name_parse,
		.apply = bind_apply,
	},
	{},
};

extern const struct plugin plugin_framebuffer;
const struct plugin plugin_framebuffer = { .name = "framebuffer", .types = types };

static const char *const defaults[] = { "efi-framebuffer.0", "vesa-framebuffer.0",
					"simple-framebuffer.0" };

static int name_parse(const struct step *step, struct error *err)
{
	for (size_t i = 0; i < step->words.n; i++)
		if (!strstr(step->words.v[i], "-framebuffer") ||
		    strchr(step->words.v[i], '/'))
			return error_set(err, -EINVAL,
					 "\"%s\" is no firmware framebuffer; they are named "
					 "efi-framebuffer.0, vesa-framebuffer.0, "
					 "simple-framebuffer.0",
					 step->words.v[i]);
	return 0;
}

/* With no framebuffer registered its driver is dead: old kernels crash on its unbind. */
static bool is_alive(const struct host *host, const char *name)
{
	_cleanup_strv_ struct strv nodes = {};

	host_list(host, &nodes, "/sys/bus/platform/devices/%s/graphics", name);
	host_list(host, &nodes, "/sys/bus/platform/devices/%s/drm", name);
	return nodes.n > 0;
}

/* Why NAME is not to be touched, or NULL. RANGE gets where its memory lies. */
static const char *reason_to_skip(struct run *run, const char *name,
				  const struct pci_list *planned, char range[128],
				  char *buf, size_t size)
{
	char function[PCI_ADDR_LEN];

	if (!is_alive(&run->host, name))
		return "it has no framebuffer any more, a graphics driver took over";
	if (firmware_fb_owner(run, name, function, range) < 0) {
		range[0] = '\0';
		return fbdev_takes_boot_display(run, planned) ?
			       NULL :
			       "the card it lies on is not known, and the boot display stays";
	}
	if (fbdev_is_planned(run, planned, function))
		return NULL;
	snprintf(buf, size, "it lies on %s, which stays with the host", function);
	return buf;
}

/* 1: unbound; 0: nothing there. */
static int unbind_one(struct run *run, const char *name, const struct pci_list *planned,
		      struct error *err)
{
	_cleanup_free_ char *driver = NULL;
	char range[128], buf[128];
	const char *reason;
	int r = state_get(&run->host, &state_platform, name, &driver, err);

	if (r < 0 || !*driver)
		return r;
	reason = reason_to_skip(run, name, planned, range, buf, sizeof(buf));
	if (reason) {
		run_note(run, "%s is left on %s: %s", name, driver, reason);
		return 1;
	}
	r = effect_set(run, &state_platform, name, "", range, err);
	return r < 0 ? r : 1;
}

static int unbind_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list planned = {};
	const char *const *names = defaults;
	size_t n = ARRAY_SIZE(defaults), found = 0;
	int r = run_planned_devices(run, &planned, err);

	if (step->words.n) {
		names = (const char *const *)step->words.v;
		n = step->words.n;
	}
	for (size_t i = 0; i < n && r >= 0; i++) {
		r = unbind_one(run, names[i], &planned, err);
		found += r > 0;
		if (r == 0 && step->words.n)
			run_note(run, "%s is not there or not bound: nothing to unbind",
				 names[i]);
	}
	if (r >= 0 && !found && !step->words.n)
		run_note(run, "no firmware framebuffer is bound: nothing to unbind");
	return r < 0 ? r : 0;
}

/* A native driver on its card shows the console better, and on memory of its own. */
static bool card_has_driver(struct run *run, const char *name)
{
	_cleanup_free_ char *driver = NULL;
	char function[PCI_ADDR_LEN];

	return firmware_fb_owner(run, name, function, NULL) == 0 &&
	       state_get(&run->host, &state_driver, function, &driver, NULL) == 0 &&
	       *driver;
}

/* One that we have no record of: its driver is named like it, without the number. */
static int bind_unknown(struct run *run, const char *name, bool named, struct error *err)
{
	_cleanup_free_ char *driver = NULL, *wanted = NULL;
	int r = state_get(&run->host, &state_platform, name, &driver, err);

	if (r < 0 || *driver)
		return r;
	if (!host_exists(&run->host, "/sys/bus/platform/devices/%s", name) ||
	    card_has_driver(run, name)) {
		if (named)
			run_note(run,
				 "%s is gone, or another driver is on its card: not bound",
				 name);
		return 0;
	}
	wanted = strndup(name, strcspn(name, "."));
	if (!wanted)
		return error_oom(err);
	return effect_set(run, &state_platform, name, wanted, NULL, err);
}

static int bind_apply(struct run *run, const struct step *step, struct error *err)
{
	const char *const *names = defaults;
	size_t n = ARRAY_SIZE(defaults);
	int r = 0;

	if (step->words.n) {
		names = (const char *const *)step->words.v;
		n = step->words.n;
	}
	for (size_t i = 0; i < n && r == 0; i++) {
		bool known;

		r = restore_if_known(run, &state_platform, names[i], &known, err);
		if (!known)
			r = bind_unknown(run, names[i], step->words.n > 0, err);
	}
	return r;
}
