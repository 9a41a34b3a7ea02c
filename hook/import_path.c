/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values written to the kernel's files, by the file's name.
 */
#include <fnmatch.h>

#include "import.h"
#include "pci.h"
#include "step.h"

struct writing {
	const struct node *node;
	const char *path;
	const char *value; /* without blanks around it */
};

typedef enum truth writer(struct import *im, const struct writing *w);
static writer sysfs;

static bool goes_down(const struct import *im)
{
	return im->phase == PHASE_STOPPED || im->phase == PHASE_RELEASE;
}

static enum truth step(struct import *im, const struct writing *w, const char *key,
		       const char *word)
{
	struct act *act = act_step(im, w->node, key);

	if (word)
		act_word(im, act, word);
	return TRUE;
}

/* The part of the path behind PREFIX, up to the next slash. */
static char *component(struct import *im, const char *path, const char *prefix)
{
	const char *at = strstr(path, prefix);

	if (!at)
		return arena_strndup(&im->arena, "", 0);
	at += strlen(prefix);
	return arena_strndup(&im->arena, at, strcspn(at, "/"));
}

static char *device_of(struct import *im, const struct writing *w)
{
	return component(im, w->path, "/devices/");
}

/* Consoles have other numbers after the next boot: the step finds them by their name. */
static enum truth vtconsole(struct import *im, const struct writing *w)
{
	return step(im, w, *w->value == '0' ? "vtconsole.unbind" : "vtconsole.bind", NULL);
}

static enum truth framebuffer(struct import *im, const struct writing *w)
{
	const char *name = strstr(w->path, "/devices/") ? device_of(im, w) : w->value;

	return step(im, w,
		    str_ends(w->path, "/unbind") ? "framebuffer.unbind" :
						   "framebuffer.bind",
		    name);
}

static enum truth give_or_take(struct import *im, const struct writing *w,
			       const char *device)
{
	return step(im, w, goes_down(im) ? "pci.reattach" : "pci.detach", device);
}

static enum truth unbind(struct import *im, const struct writing *w)
{
	bool by_device = strstr(w->path, "/devices/") != NULL;

	return give_or_take(im, w,
			    by_device && !is_known(w->value) ? device_of(im, w) :
							       w->value);
}

static enum truth bind(struct import *im, const struct writing *w)
{
	bool vfio = strstr(w->path, "vfio") != NULL;

	if (vfio == goes_down(im)) {
		act_left(im, w->node, "a device gets this driver in the wrong direction");
		return UNKNOWN;
	}
	return give_or_take(im, w, w->value);
}

/* Compositors are told that a card is removed, or that it is there again. */
static enum truth card_event(struct import *im, const struct writing *w)
{
	const char *device = component(im, w->path, "/bus/pci/devices/");

	if (str_after(w->value, "remove") && !goes_down(im))
		return step(im, w, "drm.release", *device ? device : NULL);
	if (str_after(w->value, "remove"))
		return sysfs(im, w);
	act_note(im, w->node, "that the card is there again is told by undo");
	return TRUE;
}

/* "10de 1e84" */
static enum truth new_id(struct import *im, const struct writing *w)
{
	char *id = arena_printf(&im->arena, "%s", w->value), *blank = strpbrk(id, " \t:");

	if (goes_down(im) || !strstr(w->path, "vfio") || !blank) {
		act_left(im, w->node, "no step gives ids to a driver");
		return UNKNOWN;
	}
	*blank = ':';
	blank[5 <= strlen(blank) ? 5 : strlen(blank)] = '\0';
	return step(im, w, "pci.detach", id);
}

static enum truth remove_id(struct import *im, const struct writing *w)
{
	act_note(im, w->node, "remove_id: pci.detach gives drivers no ids");
	return TRUE;
}

static enum truth override(struct import *im, const struct writing *w)
{
	if (str_after(w->value, "vfio"))
		return step(im, w, "pci.detach", device_of(im, w));
	if (goes_down(im))
		return step(im, w, "pci.reattach", device_of(im, w));
	if (!*w->value || streq(w->value, "\\n"))
		return TRUE;
	act_left(im, w->node, "a device gets another driver than vfio's");
	return UNKNOWN;
}

static enum truth probe(struct import *im, const struct writing *w)
{
	return give_or_take(im, w, w->value);
}

static enum truth pci_remove(struct import *im, const struct writing *w)
{
	return step(im, w, "pci.remove", device_of(im, w));
}

static enum truth pci_rescan(struct import *im, const struct writing *w)
{
	return step(im, w, "pci.rescan", NULL);
}

static enum truth pci_reset(struct import *im, const struct writing *w)
{
	return step(im, w, "pci.reset", device_of(im, w));
}

static enum truth with_option(struct import *im, const struct writing *w, const char *key,
			      const char *option)
{
	struct act *act = act_step(im, w->node, key);

	act_option(im, act, "%s=%s", option, w->value);
	act_word(im, act, device_of(im, w));
	return TRUE;
}

/* The method alone is not a reset: it is what the kernel will use for the next one. */
static enum truth reset_method(struct import *im, const struct writing *w)
{
	return step(im, w, "sysfs.write", NULL) == TRUE ?
		       (act_word(im, &im->acts.v[im->acts.n - 1], w->path),
			act_word(im, &im->acts.v[im->acts.n - 1], w->value), TRUE) :
		       UNKNOWN;
}

static enum truth power(struct import *im, const struct writing *w)
{
	return with_option(im, w, "pci.power", "control");
}

static enum truth d3cold(struct import *im, const struct writing *w)
{
	return with_option(im, w, "pci.power", "d3cold");
}

/* resource1_resize takes the exponent of a size in MiB. */
static enum truth resize(struct import *im, const struct writing *w)
{
	struct act *act;
	int exponent = atoi(w->value);

	if (!is_known(w->value) || exponent < 0 || exponent > 20) {
		act_left(im, w->node, "its size is not known");
		return UNKNOWN;
	}
	act = act_step(im, w->node, "pci.resize-bar");
	act_option(im, act, "bar=%s",
		   arena_strndup(&im->arena, strstr(w->path, "/resource") + 9, 1));
	act_option(im, act, "size=%luM", 1UL << exponent);
	act_word(im, act, device_of(im, w));
	return TRUE;
}

static enum truth cpu_value(struct import *im, const struct writing *w, const char *key)
{
	const char *at = strstr(w->path, "/cpu/cpu") ? strstr(w->path, "/cpu/cpu") + 8 :
						       strstr(w->path, "/policy");
	struct act *act = act_step(im, w->node, key);

	if (at && *at == '/')
		at += strlen("/policy");
	if (at && strspn(at, "0123456789") > 0 && at[strspn(at, "0123456789")] == '/')
		act_option(im, act, "cpus=%.*s", (int)strspn(at, "0123456789"), at);
	act_word(im, act, w->value);
	return TRUE;
}

static enum truth governor(struct import *im, const struct writing *w)
{
	return cpu_value(im, w, "governor.set");
}

static enum truth preference(struct import *im, const struct writing *w)
{
	return cpu_value(im, w, "epp.set");
}

static void add_size(struct import *im, struct act *act, const struct writing *w,
		     long long pages)
{
	const char *node = strstr(w->path, "/node/node");
	bool huge = strstr(w->path, "1048576kB") != NULL;

	/* computed from the size of pages: an amount of memory is meant */
	if (im->huge_2m && !huge)
		act_option(im, act, pages * 2 % 1024 ? "memory=%lldM" : "memory=%lldG",
			   pages * 2 % 1024 ? pages * 2 : pages * 2 / 1024);
	else
		act_option(im, act, "pages=%lld", pages);
	if (strstr(w->path, "/hugepages-"))
		act_option(im, act, "size=%s", huge ? "1G" : "2M");
	if (node)
		act_option(im, act, "node=%.*s", (int)strspn(node + 10, "0123456789"),
			   node + 10);
}

static enum truth hugepages(struct import *im, const struct writing *w)
{
	long long pages;

	if (!import_arith(im, w->value, &pages)) {
		act_note(im, w->node,
			 "how many is known only when it runs: the guest's memory, "
			 "as in its XML");
		return step(im, w,
			    goes_down(im) ? "hugepages.free" : "hugepages.allocate",
			    NULL);
	}
	if (pages <= 0)
		return goes_down(im) ? step(im, w, "hugepages.free", NULL) : TRUE;
	if (goes_down(im))
		return step(im, w, "hugepages.free", NULL);
	add_size(im, act_step(im, w->node, "hugepages.allocate"), w, pages);
	return TRUE;
}

static enum truth irq(struct import *im, const struct writing *w)
{
	struct act *act = act_step(im, w->node, "irq.move");

	if (str_ends(w->path, "_list"))
		act_option(im, act, "to=%s", w->value);
	else
		act_note(im, w->node, "a mask: the CPUs that the guest does not have");
	return TRUE;
}

/* Both are part of getting huge pages. */
static bool is_compaction(const struct writing *w)
{
	return streq(w->path, "/proc/sys/vm/compact_memory") ||
	       streq(w->path, "/proc/sys/vm/drop_caches");
}

static enum truth write_sysctl(struct import *im, const struct writing *w)
{
	struct act *act = act_step(im, w->node, "sysctl.write");
	char *name = arena_printf(&im->arena, "%s", str_after(w->path, "/proc/sys/"));

	for (char *p = name; *p; p++)
		if (*p == '/')
			*p = '.';
	if (is_compaction(w))
		act_option(im, act, "undo=none");
	act_word(im, act, name);
	act_word(im, act, w->value);
	return TRUE;
}

static enum truth sysctl(struct import *im, const struct writing *w)
{
	if (is_compaction(w) && !step_find("sysctl.write", NULL)) {
		act_note(im, w->node, "%s: hugepages.allocate does it",
			 path_base(w->path));
		return TRUE;
	}
	return write_sysctl(im, w);
}

static enum truth sysfs(struct import *im, const struct writing *w)
{
	struct act *act = act_step(im, w->node, "sysfs.write");

	if (goes_down(im))
		act_option(im, act, "undo=none");
	act_word(im, act, w->path);
	act_word(im, act, w->value);
	return TRUE;
}

static const struct {
	const char *pattern;
	writer *write;
} writers[] = {
	{ "/sys/class/vtconsole/*/bind", vtconsole },
	{ "/sys/devices/virtual/vtconsole/*/bind", vtconsole },
	{ "/sys/bus/platform/drivers/*-framebuffer/*bind", framebuffer },
	{ "/sys/bus/platform/devices/*framebuffer*/driver/unbind", framebuffer },
	{ "/sys/bus/pci/drivers/*/unbind", unbind },
	{ "/sys/bus/pci/devices/*/driver/unbind", unbind },
	{ "/sys/bus/pci/drivers/*/bind", bind },
	{ "/sys/bus/pci/drivers/*/new_id", new_id },
	{ "/sys/bus/pci/drivers/*/remove_id", remove_id },
	{ "/sys/bus/pci/devices/*/driver/remove_id", remove_id },
	{ "/sys/bus/pci/devices/*/driver/new_id", new_id },
	{ "/sys/bus/pci/devices/*/driver_override", override },
	{ "/sys/bus/pci/drivers_probe", probe },
	{ "/sys/*/drm/card*/uevent", card_event },
	{ "/sys/bus/pci/devices/*/remove", pci_remove },
	{ "/sys/bus/pci/rescan", pci_rescan },
	{ "/sys/devices/pci*/rescan", pci_rescan },
	{ "/sys/bus/pci/devices/*/rescan", pci_rescan },
	{ "/sys/bus/pci/devices/*/reset", pci_reset },
	{ "/sys/bus/pci/devices/*/reset_method", reset_method },
	{ "/sys/bus/pci/devices/*/power/control", power },
	{ "/sys/bus/pci/devices/*/d3cold_allowed", d3cold },
	{ "/sys/bus/pci/devices/*/resource?_resize", resize },
	{ "/sys/devices/system/cpu/*/scaling_governor", governor },
	{ "/sys/devices/system/cpu/*/energy_performance_preference", preference },
	{ "/proc/sys/vm/nr_hugepages*", hugepages },
	{ "/sys/kernel/mm/hugepages/*/nr_hugepages", hugepages },
	{ "/sys/devices/system/node/*/hugepages/*/nr_hugepages", hugepages },
	{ "/proc/irq/*/smp_affinity*", irq },
	{ "/proc/sys/*", sysctl },
	{ "/sys/*", sysfs },
};

enum truth import_write_path(struct import *im, const struct node *node, const char *path,
			     const char *value)
{
	const char *begin = value + strspn(value, " \t\n");
	size_t n = strlen(begin);
	struct writing w = { .node = node, .path = path };

	while (n > 0 && strchr(" \t\n", begin[n - 1]))
		n--;
	w.value = arena_strndup(&im->arena, begin, n);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
		if (fnmatch(writers[i].pattern, path, 0) == 0)
			return writers[i].write(im, &w);
	act_left(im, node, "no step writes to %s", import_shown(im, path));
	return UNKNOWN;
}
