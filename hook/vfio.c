/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which VFIO driver a function gets, chosen as libvirt chooses: were it another one,
 * libvirt would rebind the device itself, and give it back itself before our release.
 */
#include <fnmatch.h>

#include "effect.h"
#include "kmod.h"
#include "log.h"
#include "vfio.h"

#define VFIO_PCI "vfio-pci"

static const char *xml_model(const struct run *run, const char *name)
{
	for (size_t i = 0; run->domain && i < run->domain->n_hostdevs; i++)
		if (streq(run->domain->hostdevs[i].name, name))
			return run->domain->hostdevs[i].model;
	return NULL;
}

static void modalias(const struct pci_function *fn, char *buf, size_t size)
{
	snprintf(buf, size, "v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X", fn->vendor, fn->id,
		 fn->subvendor, fn->subid, (fn->class >> 16) & 0xff,
		 (fn->class >> 8) & 0xff, fn->class & 0xff);
}

static unsigned wildcards(const char *pattern)
{
	unsigned n = 0;

	for (; *pattern; pattern++)
		n += *pattern == '*';
	return n;
}

struct variant {
	char pattern[256], module[DRIVER_NAME_LEN];
};

/* Appends to TO what of the lines in TEXT is "alias vfio_pci:PATTERN MODULE", from PATTERN on. */
static void pick_variants(const char *text, FILE *to)
{
	static const char before[] = "alias vfio_pci:";

	for (const char *line = text; (line = strstr(line, before));) {
		line += strlen(before);
		fprintf(to, "%.*s\n", (int)strcspn(line, "\n"), line);
	}
}

/* A piece at a time, whole lines of it: the table has a megabyte and more. */
static void pick_from(FILE *table, FILE *to)
{
	char text[32768];
	size_t have = 0, n;

	while ((n = fread(text + have, 1, sizeof(text) - 1 - have, table))) {
		char *end;

		have += n;
		text[have] = '\0';
		end = strrchr(text, '\n');
		if (!end)
			return; /* no such table */
		*end++ = '\0';
		pick_variants(text, to);
		have -= (size_t)(end - text);
		memmove(text, end, have);
	}
}

static char *read_variants(const struct host *host)
{
	_cleanup_fclose_ FILE *table = NULL;
	char path[PATH_MAX], dir[PATH_MAX], *variants = NULL;
	size_t size;
	FILE *to;

	kmod_modules_dir(host, dir);
	table = fopen(host_path(host, path, "%s/modules.alias", dir), "re");
	if (!table)
		return strdup("");
	to = open_memstream(&variants, &size);
	if (!to)
		return NULL;
	setvbuf(table, NULL, _IONBF, 0); /* each fread() below is as large as one buffer */
	pick_from(table, to);
	if (fclose(to) != 0)
		free(STEAL(variants));
	return variants;
}

/*
 * A few lines, read once. NULL: no memory, and plain vfio-pci it is.
 */
static const char *variants(struct run *run)
{
	if (!run->variants)
		run->variants = read_variants(&run->host);
	return run->variants;
}

/* The next "PATTERN MODULE" of *REST, which moves on. */
static bool next_variant(const char **rest, struct variant *ret)
{
	while (*rest && **rest) {
		const char *line = *rest;
		size_t n = strcspn(line, "\n");

		*rest = line + n + (line[n] == '\n');
		if (sscanf(line, "%255s %63s", ret->pattern, ret->module) == 2)
			return true;
	}
	return false;
}

/* False for nearly all, which the index tells at once, and only once for each. */
static bool has_variants(struct run *run, const struct pci_function *fn, const char *self)
{
	_cleanup_strv_ struct strv modules = {};
	char alias[160];

	if (strv_contains(&run->plain, fn->name))
		return false;
	snprintf(alias, sizeof(alias), "vfio_pci:%s", self);
	if (kmod_aliased(&run->host, alias, &modules) < 0 || !modules.n)
		return true; /* no index, or the kernel's is older than its variants */
	for (size_t i = 0; i < modules.n; i++)
		if (!streq(modules.v[i], "vfio_pci"))
			return true;
	strv_add(&run->plain, fn->name);
	return false;
}

/*
 * libvirt >= 10.0 takes the match with the fewest wildcards among these lines; plain
 * vfio_pci is there with nothing but wildcards.
 */
static void best_variant(struct run *run, const struct pci_function *fn,
			 char buf[DRIVER_NAME_LEN])
{
	const char *rest;
	char self[128];
	unsigned best = 1000;
	struct variant variant;

	snprintf(buf, DRIVER_NAME_LEN, VFIO_PCI);
	modalias(fn, self, sizeof(self));
	if (!run->variants && !has_variants(run, fn, self))
		return;
	rest = variants(run);
	while (next_variant(&rest, &variant)) {
		const char *pattern = variant.pattern, *module = variant.module;

		if (wildcards(pattern) >= best || fnmatch(pattern, self, 0) != 0)
			continue;
		best = wildcards(pattern);
		snprintf(buf, DRIVER_NAME_LEN, "%s",
			 streq(module, "vfio_pci") ? VFIO_PCI : module);
	}
}

void vfio_driver_for(struct run *run, const struct pci_function *fn, const char *wanted,
		     char buf[DRIVER_NAME_LEN])
{
	const char *name = wanted ? wanted : xml_model(run, fn->name);

	if (name)
		snprintf(buf, DRIVER_NAME_LEN, "%s", name);
	else
		best_variant(run, fn, buf);
}

static bool registered(const struct host *host, const char *driver)
{
	return host_exists(host, "/sys/bus/pci/drivers/%s", driver);
}

/* The name that the module's PCI driver has: hisi_acc_vfio_pci is hisi-acc-vfio-pci. */
static bool registered_name(const struct host *host, char buf[DRIVER_NAME_LEN])
{
	_cleanup_strv_ struct strv drivers = {};
	char module[DRIVER_NAME_LEN];

	if (registered(host, buf))
		return true;
	kmod_normalise(buf, module, sizeof(module));
	if (host_list(host, &drivers, "/sys/module/%s/drivers", module) < 0)
		return false;
	for (size_t i = 0; i < drivers.n; i++) {
		const char *name = str_after(drivers.v[i], "pci:");

		if (!name)
			continue;
		snprintf(buf, DRIVER_NAME_LEN, "%s", name);
		return true;
	}
	return false;
}

/*
 * By its name, as all of the kernel's variants have it, or by the aliases of its module.
 * pci-stub is none: VFIO bears it beside a guest's devices, but vfio-pci does that, too,
 * and is what the way back looks for.
 */
static bool is_vfio_driver(struct run *run, const char *driver)
{
	char module[DRIVER_NAME_LEN];
	struct variant variant;
	const char *rest;

	if (strstr(driver, "vfio"))
		return true;
	rest = variants(run);
	kmod_normalise(driver, module, sizeof(module));
	while (next_variant(&rest, &variant))
		if (streq(variant.module, module))
			return true;
	return false;
}

int vfio_driver_check(struct run *run, const char *driver, struct error *err)
{
	_cleanup_error_ struct error why = {};
	char name[DRIVER_NAME_LEN], module[DRIVER_NAME_LEN];

	if (!is_vfio_driver(run, driver)) {
		if (run->step && step_option(run->step, "driver"))
			run_cure_option(run, run->step, "driver", NULL);
		return run_problem(
			run, -EINVAL, err,
			"%s is no VFIO driver, and QEMU can be given only what such a one "
			"has: leave out driver= (or the XML's <driver model>), or name "
			"vfio-pci or a variant of it",
			driver);
	}
	snprintf(name, sizeof(name), "%s", driver);
	if (registered_name(&run->host, name))
		return 0;
	kmod_normalise(driver, module, sizeof(module));
	if (kmod_available(&run->host, module, &why) >= 0)
		return 0;
	return run_problem(run, -ENOENT, err, "the driver %s cannot be loaded: %s",
			   driver, error_text(&why));
}

static int load_module(struct run *run, void *arg, struct error *err)
{
	struct record record = { .kind = &state_module, .target = arg };

	return state_module.change(run, &record, "", "loaded", err);
}

/*
 * Not journalled: vfio modules are never unloaded. Their reference count knows only
 * devices that are open, so another domain's would be taken away.
 */
static int load_for_good(struct run *run, const char *module, struct error *err)
{
	char what[DRIVER_NAME_LEN + 32];
	int r;

	snprintf(what, sizeof(what), "load module %s", module);
	r = effect_one_way(run, what, load_module, (void *)(uintptr_t)module, err);
	if (r == 0 && run->simulate)
		r = overlay_set(run->host.overlay, &state_module, module, "loaded");
	return r;
}

/* Type 1 is what VFIO maps memory with, unless the kernel has only iommufd for that. */
static int load_iommu(struct run *run, struct error *err)
{
	static const char type1[] = "vfio_iommu_type1";

	if (!state_is(&run->host, &state_module, type1, "")) /* loaded or built in */
		return 0;
	if (kmod_available(&run->host, type1, NULL) < 0) {
		log_debug("%s is not there: this kernel may do without it", type1);
		return 0;
	}
	return load_for_good(run, type1, err);
}

int vfio_driver_load(struct run *run, char buf[DRIVER_NAME_LEN], struct error *err)
{
	char module[DRIVER_NAME_LEN];
	int r;

	if (!registered_name(&run->host, buf)) {
		kmod_normalise(buf, module, sizeof(module));
		if (run->simulate && kmod_available(&run->host, module, NULL) < 0)
			return 0; /* check() has said so */
		r = state_is(&run->host, &state_module, module, "") ?
			    load_for_good(run, module, err) :
			    0;
		if (r < 0)
			return r;
		if (!registered_name(&run->host, buf) && !run->simulate)
			return error_set(err, -ENODEV,
					 "the module %s has no PCI driver named %s: see "
					 "/sys/module/%s/drivers",
					 module, buf, module);
	}
	return str_after(buf, "vfio") || str_ends(buf, "vfio-pci") ||
			       str_ends(buf, "vfio_pci") ?
		       load_iommu(run, err) :
		       0;
}
