/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last picture. Who gives a guest the only card that shows anything is to mean it: a
 * wrong address must not end in a black screen with a running host behind it.
 */
#include "desktop.h"
#include "fbdev.h"
#include "headless.h"
#include "journal.h"
#include "kmod.h"
#include "modules.h"

#define DEVICE "/sys/bus/pci/devices/%s"

static bool is_display(const struct pci_function *fn)
{
	/* A "3D controller" has no outlets of its own. */
	return fn->class >> 16 == PCI_BASE_DISPLAY && fn->class >> 8 != 0x0302;
}

static bool is_boot_display(const struct host *host, const char *name)
{
	char text[8];

	return host_read(host, text, sizeof(text), DEVICE "/boot_vga", name) > 0 &&
	       streq(text, "1");
}

/* 1: a screen is connected; 0: none is; -ENOENT: its driver has no outlets in sysfs. */
static int has_screen(const struct host *host, const char *name)
{
	_cleanup_strv_ struct strv cards = {}, outlets = {};
	char text[32];
	int r = -ENOENT;

	host_list(host, &cards, DEVICE "/drm", name);
	for (size_t i = 0; i < cards.n; i++) {
		strv_done(&outlets);
		host_list(host, &outlets, DEVICE "/drm/%s", name, cards.v[i]);
		for (size_t k = 0; k < outlets.n; k++) {
			if (host_read(host, text, sizeof(text), DEVICE "/drm/%s/%s/status",
				      name, cards.v[i], outlets.v[k]) < 0)
				continue;
			if (streq(text, "connected"))
				return 1;
			r = 0;
		}
	}
	return r;
}

static bool has_framebuffer(const struct fbdev_list *fbs, const char *name)
{
	for (size_t i = 0; i < fbs->n; i++)
		if (streq(fbs->fb[i].function, name))
			return true;
	return false;
}

/* Is the host's picture on it, as far as the kernel tells? */
static bool shows(struct run *run, const struct fbdev_list *fbs,
		  const struct pci_function *fn)
{
	int screen = has_screen(&run->host, fn->name);

	return screen == 1 || has_framebuffer(fbs, fn->name) ||
	       (screen < 0 && is_boot_display(&run->host, fn->name));
}

/* Could it be? At boot any may get its driver yet; nvidia's need not tell of outlets. */
static bool may_show(struct run *run, const struct fbdev_list *fbs,
		     const struct pci_function *fn, const char *driver)
{
	if (run->event.phase == PHASE_BOOT || shows(run, fbs, fn))
		return true;
	return *driver && has_screen(&run->host, fn->name) < 0;
}

/* What an earlier prepare has left half-way is put back first, as JOURNAL has it. */
static bool has_module(const struct host *host, const struct journal *journal,
		       const char *function, const char *name)
{
	const struct baseline *b = journal_find_baseline(journal, function);
	char module[MODULE_NAME_LEN];

	if (b)
		return streq(b->module, name);
	return host_link_name(host, module, sizeof(module), DEVICE "/driver/module",
			      function) >= 0 &&
	       streq(module, name);
}

/* The module of a driver that one of FUNCTIONS has on the machine, not in the plan. */
static bool is_their_module(const struct host *host, const struct journal *journal,
			    const struct pci_list *functions, const char *word)
{
	char name[MODULE_NAME_LEN];

	kmod_normalise(word, name, sizeof(name));
	for (size_t i = 0; i < functions->n; i++)
		if (is_display(&functions->fn[i]) &&
		    has_module(host, journal, functions->fn[i].name, name))
			return true;
	return false;
}

static bool says_so(const struct run *run, const struct step *step,
		    const struct journal *journal, const struct pci_list *functions)
{
	if (STR_IN(step->key, "session.end", "vtconsole.unbind", "framebuffer.unbind",
		   "drm.release"))
		return true;
	for (size_t i = 0; i < step->words.n; i++) {
		const char *word = step->words.v[i];

		if (streq(step->key, "service.stop") ?
			    desktop_is_manager_here(&run->host, word) :
			    streq(step->key, "kmod.unload") &&
				    is_their_module(&run->host, journal, functions, word))
			return true;
	}
	return false;
}

static bool is_meant(const struct run *run, const struct pci_list *functions)
{
	const struct config *config = run->config;
	_cleanup_(journal_done) struct journal journal = { .fd = -1 };

	/* Without one all is as it was. */
	if (journal_read(&run->host, run->domain->uuid, &journal, NULL) < 0)
		journal = (struct journal){ .fd = -1 };
	for (size_t i = 0; config && i < config->n_steps; i++)
		if (config->steps[i].phase == run->event.phase &&
		    says_so(run, &config->steps[i], &journal, functions))
			return true;
	return config && config->headless;
}

/* 1: it stays, and there may be a picture on it; 2: it goes, and has the picture. */
static int judge(struct run *run, const struct fbdev_list *fbs,
		 const struct pci_list *functions, const struct pci_list *planned,
		 const struct pci_function *fn)
{
	_cleanup_free_ char *driver = NULL;

	if (!is_display(fn) ||
	    state_get(&run->host, &state_driver, fn->name, &driver, NULL) < 0 ||
	    pci_driver_is_vfio(&run->host, fn->name, driver))
		return 0;
	if (!fbdev_is_planned(run, planned, fn->name))
		return may_show(run, fbs, fn, driver);
	return pci_find(functions, fn->name) && shows(run, fbs, fn) ? 2 : 0;
}

int headless_check(struct run *run, const struct pci_list *functions,
		   const struct pci_list *planned, struct error *err)
{
	_cleanup_(fbdev_list_done) struct fbdev_list fbs = {};
	const char *last = NULL;
	int r;

	if (is_meant(run, functions))
		return 0;
	r = fbdev_list(run, &fbs, err);
	for (size_t i = 0; i < run->pci.n && r == 0; i++) {
		const struct pci_function *fn = &run->pci.fn[i];
		int found = judge(run, &fbs, functions, planned, fn);

		if (found == 1)
			return 0;
		if (found == 2)
			last = fn->name;
	}
	if (r < 0 || !last)
		return r;
	run_cure(run, "[domain]\nheadless = yes");
	return run_problem(
		run, -EPERM, err,
		"%s has the only picture of this host, and nothing here says that it is to "
		"go: if it is, put headless = yes under [domain], or the steps that take "
		"the desktop or the console down before this one (service.stop = "
		"display-manager.service, vtconsole.unbind =)",
		last);
}
