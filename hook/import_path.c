/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values written to the kernel's files, by the file's name.
 */
#include <fnmatch.h>

#include "import_path.h"

bool path_goes_down(const struct import *im)
{
	return im->phase == PHASE_STOPPED || im->phase == PHASE_RELEASE;
}

enum truth path_step(struct import *im, const struct writing *w, const char *key,
		     const char *word)
{
	struct act *act = act_step(im, w->node, key);

	if (word)
		act_word(im, act, word);
	return TRUE;
}

char *path_component(struct import *im, const char *path, const char *prefix)
{
	const char *at = strstr(path, prefix);
	bool unknown = false;
	size_t n = 0;

	if (!at)
		return arena_strndup(&im->arena, "", 0);
	at += strlen(prefix);
	for (; at[n] && (unknown || at[n] != '/'); n++) /* $(ls /a) is one of it */
		unknown = at[n] == UNKNOWN_BEGIN || (unknown && at[n] != UNKNOWN_END);
	return arena_strndup(&im->arena, at, n);
}

char *path_device(struct import *im, const struct writing *w)
{
	return path_component(im, w->path, "/devices/");
}

/* Consoles have other numbers after the next boot: the step finds them by their name. */
static enum truth vtconsole(struct import *im, const struct writing *w)
{
	return path_step(im, w, *w->value == '0' ? "vtconsole.unbind" : "vtconsole.bind",
			 NULL);
}

static enum truth framebuffer(struct import *im, const struct writing *w)
{
	const char *name = strstr(w->path, "/devices/") ? path_device(im, w) : w->value;

	return path_step(im, w,
			 str_ends(w->path, "/unbind") ? "framebuffer.unbind" :
							"framebuffer.bind",
			 name);
}

static enum truth governor(struct import *im, const struct writing *w)
{
	return path_cpus(im, w, "governor.set");
}

static enum truth preference(struct import *im, const struct writing *w)
{
	return path_cpus(im, w, "epp.set");
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
		return path_step(im, w,
				 path_goes_down(im) ? "hugepages.free" :
						      "hugepages.allocate",
				 NULL);
	}
	if (pages <= 0)
		return path_goes_down(im) ? path_step(im, w, "hugepages.free", NULL) :
					    TRUE;
	if (path_goes_down(im))
		return path_step(im, w, "hugepages.free", NULL);
	add_size(im, act_step(im, w->node, "hugepages.allocate"), w, pages);
	return TRUE;
}

/* Both are part of getting huge pages. */
static bool is_compaction(const struct writing *w)
{
	return streq(w->path, "/proc/sys/vm/compact_memory") ||
	       streq(w->path, "/proc/sys/vm/drop_caches");
}

static enum truth sysctl(struct import *im, const struct writing *w)
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

enum truth path_sysfs(struct import *im, const struct writing *w)
{
	struct act *act = act_step(im, w->node, "sysfs.write");

	if (path_goes_down(im))
		act_option(im, act, "undo=none");
	act_word(im, act, w->path);
	act_word(im, act, w->value);
	return TRUE;
}

static const struct path_writer writers[] = {
	{ "/sys/class/vtconsole/*/bind", vtconsole },
	{ "/sys/devices/virtual/vtconsole/*/bind", vtconsole },
	{ "/sys/bus/platform/drivers/*-framebuffer/*bind", framebuffer },
	{ "/sys/bus/platform/devices/*framebuffer*/driver/unbind", framebuffer },
	{ "/sys/devices/system/cpu/*/scaling_governor", governor },
	{ "/sys/devices/system/cpu/*/energy_performance_preference", preference },
	{ "/proc/sys/vm/nr_hugepages*", hugepages },
	{ "/sys/kernel/mm/hugepages/*/nr_hugepages", hugepages },
	{ "/sys/devices/system/node/*/hugepages/*/nr_hugepages", hugepages },
	{ "/proc/irq/*/smp_affinity*", path_irq },
	{ "/proc/sys/*", sysctl },
	{ "/sys/*", path_sysfs },
	{},
};

static writer *find_writer(const struct path_writer *table, const char *path)
{
	while (table->pattern && fnmatch(table->pattern, path, 0) != 0)
		table++;
	return table->write;
}

enum truth import_write_path(struct import *im, const struct node *node, const char *path,
			     const char *value)
{
	const char *begin = value + strspn(value, " \t\n");
	size_t n = strlen(begin);
	struct writing w = { .node = node, .path = path };
	writer *write;

	while (n > 0 && strchr(" \t\n", begin[n - 1]))
		n--;
	w.value = arena_strndup(&im->arena, begin, n);
	write = find_writer(import_pci_writers, path);
	if (!write)
		write = find_writer(writers, path);
	if (write)
		return write(im, &w);
	act_left(im, node, "no step writes to %s", import_shown(im, path));
	return UNKNOWN;
}
