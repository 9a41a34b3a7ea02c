/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values written to the files of PCI functions and drivers, by the file's name.
 */
#include "import_path.h"

static enum truth give_or_take(struct import *im, const struct writing *w,
			       const char *device)
{
	return path_step(im, w, path_goes_down(im) ? "pci.reattach" : "pci.detach",
			 device);
}

static enum truth unbind(struct import *im, const struct writing *w)
{
	bool by_device = strstr(w->path, "/devices/") != NULL;

	return give_or_take(im, w,
			    by_device && !is_known(w->value) ? path_device(im, w) :
							       w->value);
}

static enum truth bind(struct import *im, const struct writing *w)
{
	bool vfio = strstr(w->path, "vfio") != NULL;

	if (vfio == path_goes_down(im)) {
		act_left(im, w->node, "a device gets this driver in the wrong direction");
		return UNKNOWN;
	}
	return give_or_take(im, w, w->value);
}

/* Compositors are told that a card is removed, or that it is there again. */
static enum truth card_event(struct import *im, const struct writing *w)
{
	const char *device = path_component(im, w->path, "/bus/pci/devices/");

	if (str_after(w->value, "remove") && !path_goes_down(im))
		return path_step(im, w, "drm.release", *device ? device : NULL);
	if (str_after(w->value, "remove"))
		return path_sysfs(im, w);
	act_note(im, w->node, "that the card is there again is told by undo");
	return TRUE;
}

/* "10de 1e84" */
static enum truth new_id(struct import *im, const struct writing *w)
{
	char *id = arena_printf(&im->arena, "%s", w->value), *blank = strpbrk(id, " \t:");

	if (path_goes_down(im) || !strstr(w->path, "vfio") || !blank) {
		act_left(im, w->node, "no step gives ids to a driver");
		return UNKNOWN;
	}
	*blank = ':';
	blank[5 <= strlen(blank) ? 5 : strlen(blank)] = '\0';
	return path_step(im, w, "pci.detach", id);
}

static enum truth remove_id(struct import *im, const struct writing *w)
{
	act_note(im, w->node, "remove_id: pci.detach gives drivers no ids");
	return TRUE;
}

static enum truth override(struct import *im, const struct writing *w)
{
	if (str_after(w->value, "vfio"))
		return path_step(im, w, "pci.detach", path_device(im, w));
	if (path_goes_down(im))
		return path_step(im, w, "pci.reattach", path_device(im, w));
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
	return path_step(im, w, "pci.remove", path_device(im, w));
}

static enum truth pci_rescan(struct import *im, const struct writing *w)
{
	return path_step(im, w, "pci.rescan", NULL);
}

static enum truth pci_reset(struct import *im, const struct writing *w)
{
	return path_step(im, w, "pci.reset", path_device(im, w));
}

static enum truth with_option(struct import *im, const struct writing *w, const char *key,
			      const char *option)
{
	struct act *act = act_step(im, w->node, key);

	act_option(im, act, "%s=%s", option, w->value);
	act_word(im, act, path_device(im, w));
	return TRUE;
}

/* The method alone is not a reset: it is what the kernel will use for the next one. */
static enum truth reset_method(struct import *im, const struct writing *w)
{
	return path_step(im, w, "sysfs.write", NULL) == TRUE ?
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
	act_word(im, act, path_device(im, w));
	return TRUE;
}

const struct path_writer import_pci_writers[] = {
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
	{},
};
