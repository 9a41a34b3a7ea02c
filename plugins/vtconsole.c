/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vtconsole.unbind and vtconsole.bind: the text console's hold on a framebuffer. Consoles
 * are named by what they are, since the numbers differ from boot to boot.
 */
#include "fbdev.h"
#include "holders.h"
#include "modules.h"
#include "restore.h"
#include "step.h"

#define FBCON "frame buffer device"

static int unbind_apply(struct run *run, const struct step *step, struct error *err);
static int bind_apply(struct run *run, const struct step *step, struct error *err);

static const struct step_type types[] = {
	{
		.action = "unbind",
		.summary = "take the text console off the framebuffer",
		.undo = "binds those that were bound; where the kernel has no (S) console to fall "
			"back to, the next framebuffer that is registered does it",
		.args = "[CONSOLE…]",
		.max_args = 8,
		.phases = PHASES_UP,
		.timeout_ms = 10000,
		.apply = unbind_apply,
	},
	{
		.action = "bind",
		.summary = "put the text console back on the framebuffer",
		.undo = "none: it is the way back",
		.args = "[CONSOLE…]",
		.max_args = 8,
		.phases = PHASES_DOWN,
		.timeout_ms = 10000,
		.apply = bind_apply,
	},
	{},
};

extern const struct plugin plugin_vtconsole;
const struct plugin plugin_vtconsole = { .name = "vtconsole", .types = types };

/* "vtcon1" to what it is now; other words are descriptions already. */
static const char *description(struct run *run, const char *word, char *buf, size_t size)
{
	if (!str_after(word, "vtcon"))
		return word;
	/* "(M) frame buffer device" */
	if (host_read(&run->host, buf, size, "/sys/class/vtconsole/%s/name", word) < 5)
		return NULL;
	return buf + 4;
}

/* Is there a console of the kernel's own, which can hand the screens back? */
static bool has_system_console(const struct host *host)
{
	_cleanup_strv_ struct strv names = {};

	if (host_list(host, &names, "/sys/class/vtconsole") < 0)
		return false;
	for (size_t i = 0; i < names.n; i++) {
		char name[128];

		if (host_read(host, name, sizeof(name), "/sys/class/vtconsole/%s/name",
			      names.v[i]) > 0 &&
		    str_after(name, "(S)"))
			return true;
	}
	return false;
}

static bool plan_unloads(const struct run *run, const char *module)
{
	const struct config *config = run->config;

	for (size_t i = 0; config && i < config->n_steps; i++) {
		const struct step *step = &config->steps[i];

		if (step->phase != run->event.phase || !streq(step->key, "kmod.unload"))
			continue;
		for (size_t j = 0; j < step->words.n; j++) {
			char name[MODULE_NAME_LEN];

			kmod_normalise(step->words.v[j], name, sizeof(name));
			if (streq(name, module))
				return true;
		}
	}
	return false;
}

/* Of the module's references those that an earlier step of the plan ends: open nodes. */
static int references_that_end(const struct run *run, const char *function)
{
	_cleanup_(holder_list_done) struct holder_list list = {};
	const struct pci_function *fn = pci_find(&run->pci, function);
	struct pci_list one = { .fn = (struct pci_function *)(uintptr_t)fn, .n = 1 };
	int n = 0;

	if (!run->simulate || !fn || holders_scan(&run->host, &one, &list, NULL) < 0)
		return 0;
	for (size_t i = 0; i < list.n; i++)
		n += holder_ends(&run->host, &list.holder[i]);
	return n;
}

/* More references than modules that depend on it: fbcon may have one (i915, xe, radeon). */
static bool pinned_and_unloaded(struct run *run, const struct fbdev *fb)
{
	_cleanup_strv_ struct strv holders = {};
	char module[MODULE_NAME_LEN];

	if (!*fb->function ||
	    host_link_name(&run->host, module, sizeof(module),
			   "/sys/bus/pci/devices/%s/driver/module", fb->function) < 0 ||
	    !plan_unloads(run, module) || kmod_holders(&run->host, module, &holders) < 0)
		return false;
	return kmod_refcount(&run->host, module) >
	       (int)holders.n + references_that_end(run, fb->function);
}

/* A firmware framebuffer that nothing tells the card of is taken for the boot display's. */
static bool is_ours(struct run *run, const struct pci_list *planned,
		    const struct fbdev *fb)
{
	if (*fb->function)
		return fbdev_is_planned(run, planned, fb->function);
	return *fb->platform && fbdev_takes_boot_display(run, planned);
}

/*
 * bind=0 takes the text from all screens, and is only undone by bind=1 while a console
 * marked (S) exists. Without one the driver's removal does the same by itself, and its
 * return brings the console back; only a module that fbcon pins needs it done before.
 */
static const char *reason_to_skip(struct run *run, const struct fbdev_list *fbs,
				  const struct pci_list *planned, char *buf, size_t size)
{
	for (size_t i = 0; i < fbs->n; i++) {
		const struct fbdev *fb = &fbs->fb[i];

		if (is_ours(run, planned, fb))
			continue;
		snprintf(buf, size, "%s of %s stays with the host and shows the consoles",
			 fb->name, *fb->function ? fb->function : "another display");
		return buf;
	}
	if (has_system_console(&run->host))
		return NULL;
	for (size_t i = 0; i < fbs->n; i++)
		if (pinned_and_unloaded(run, &fbs->fb[i]))
			return NULL;
	return "there is no (S) console driver, so it could not be bound again by hand; it "
	       "goes and comes with the graphics driver";
}

static int unbind_one(struct run *run, const char *console, struct error *err)
{
	_cleanup_(fbdev_list_done) struct fbdev_list fbs = {};
	_cleanup_(pci_list_done) struct pci_list planned = {};
	_cleanup_free_ char *now = NULL;
	const char *reason;
	char buf[256];
	int r = state_get(&run->host, &state_vtcon, console, &now, err);

	if (r < 0)
		return r;
	if (!*now) {
		run_note(run, "there is no console '%s': nothing to unbind", console);
		return 0;
	}
	if (streq(console, FBCON) && streq(now, "1")) {
		r = run_planned_devices(run, &planned, err);
		if (r == 0)
			r = fbdev_list(run, &fbs, err);
		if (r < 0)
			return r;
		reason = reason_to_skip(run, &fbs, &planned, buf, sizeof(buf));
		if (reason) {
			run_note(run, "console '%s' is left bound: %s", console, reason);
			return 0;
		}
	}
	return effect_set(run, &state_vtcon, console, "0", NULL, err);
}

static int bind_one(struct run *run, const char *console, struct error *err)
{
	_cleanup_free_ char *now = NULL;
	bool known;
	int r = restore_if_known(run, &state_vtcon, console, &known, err);

	if (known)
		return r;
	r = state_get(&run->host, &state_vtcon, console, &now, err);
	if (r < 0)
		return r;
	if (!*now) {
		run_note(run,
			 "there is no console '%s' to bind: no framebuffer is registered",
			 console);
		return 0;
	}
	return effect_set(run, &state_vtcon, console, "1", NULL, err);
}

static int for_each(struct run *run, const struct step *step,
		    int (*one)(struct run *run, const char *console, struct error *err),
		    struct error *err)
{
	int r = step->words.n ? 0 : one(run, FBCON, err);

	for (size_t i = 0; i < step->words.n && r == 0; i++) {
		char buf[128];
		const char *console =
			description(run, step->words.v[i], buf, sizeof(buf));

		if (console)
			r = one(run, console, err);
		else
			run_note(run, "there is no console %s", step->words.v[i]);
	}
	return r;
}

static int unbind_apply(struct run *run, const struct step *step, struct error *err)
{
	return for_each(run, step, unbind_one, err);
}

static int bind_apply(struct run *run, const struct step *step, struct error *err)
{
	return for_each(run, step, bind_one, err);
}
