/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the words of a device step to PCI functions. A name that fits nothing is a
 * finding, not an end: a plan with two mistakes reports both. On the way down a device
 * that is gone is told and left out, since the others still want to go home.
 */
#include "config.h"
#include "group.h"
#include "ini_lines.h"
#include "run.h"

struct lookup {
	struct run *run;
	struct pci_list *found;
	bool quiet; /* the step itself reports what cannot be found */
	unsigned mistakes;
};

static int _printf_(4, 5)
	mistake(struct lookup *lookup, int code, struct error *err, const char *fmt, ...)
{
	struct run *run = lookup->run;
	_cleanup_free_ char *text = NULL;
	va_list ap;

	lookup->mistakes++;
	if (lookup->quiet)
		return 0;
	va_start(ap, fmt);
	text = str_format(fmt, ap);
	va_end(ap);
	if (!text)
		return error_oom(err);
	if (run_said(run, text)) /* check and apply both ask */
		return 0;
	if (phase_goes_up(run->event.phase))
		return run_problem(run, code, err, "%s", text);
	run_warn(run, "%s", text);
	return 0;
}

static int take(struct lookup *lookup, const struct pci_function *fn, struct error *err)
{
	return pci_list_add_once(lookup->found, fn) < 0 ? error_oom(err) : 0;
}

static bool same_slot(const struct pci_addr *a, const struct pci_addr *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}

/* The first function at ADDR; with ALL the first of its slot. */
static const struct pci_function *first_at(const struct pci_list *pci,
					   const struct pci_addr *addr, bool all)
{
	const struct pci_function *best = NULL;

	for (size_t i = 0; i < pci->n; i++) {
		const struct pci_function *fn = &pci->fn[i];

		if (!same_slot(&fn->addr, addr) ||
		    (!all && fn->addr.function != addr->function))
			continue;
		if (!best || fn->addr.function < best->addr.function)
			best = fn;
	}
	return best;
}

static int take_slot(struct lookup *lookup, const struct pci_addr *addr, struct error *err)
{
	const struct pci_list *pci = &lookup->run->pci;
	int r = 0;

	for (size_t i = 0; i < pci->n && r == 0; i++)
		if (same_slot(&pci->fn[i].addr, addr))
			r = take(lookup, &pci->fn[i], err);
	return r;
}

/*
 * SET is the set that the word comes from, or NULL. With an id the device there must be
 * that one: addresses move when a card is added, and the wrong disk would be taken.
 */
static int take_addr(struct lookup *lookup, const char *set, const char *word,
		     const struct pci_addr *addr, bool all, const struct device_ref *ref,
		     struct error *err)
{
	const struct pci_function *fn = first_at(&lookup->run->pci, addr, all);
	const char *id = ref ? ref->id : NULL, *in = set ? set : "",
		   *colon = set ? ": " : "";
	uint16_t vendor, device;

	if (!fn)
		return mistake(lookup, -ENODEV, err,
			       "%s%sno such PCI device: %s (lspci -D lists them; "
			       "addresses move when a card is added or taken out)",
			       in, colon, word);
	if (id && pci_parse_id(id, &vendor, &device) == 0 &&
	    (fn->vendor != vendor || fn->id != device))
		return mistake(
			lookup, -ENODEV, err,
			"%s%s%s is %04x:%04x, not %s as %s:%u says: another device "
			"sits there now; write the address that lspci -nn has for yours",
			in, colon, fn->name, fn->vendor, fn->id, id,
			lookup->run->config->path, ref->line);
	return all ? take_slot(lookup, addr, err) : take(lookup, fn, err);
}

static int take_id(struct lookup *lookup, const char *word, uint16_t vendor,
		   uint16_t device, struct error *err)
{
	const struct pci_list *pci = &lookup->run->pci;
	const struct pci_function *found = NULL;

	for (size_t i = 0; i < pci->n; i++) {
		const struct pci_function *fn = &pci->fn[i];

		if (fn->vendor != vendor || fn->id != device)
			continue;
		if (found)
			return mistake(lookup, -ENOTUNIQ, err,
				       "%s fits two devices, %s and %s: write the address "
				       "of the one that is meant",
				       word, found->name, fn->name);
		found = fn;
	}
	if (!found)
		return mistake(
			lookup, -ENODEV, err,
			"no such PCI device: %s (lspci -nn lists them with their ids)",
			word);
	return take(lookup, found, err);
}

static int unknown_set(struct lookup *lookup, const char *word, struct error *err)
{
	const struct config *config = lookup->run->config;
	_cleanup_strv_ struct strv names = {};
	_cleanup_free_ char *joined = NULL;
	const char *nearest;

	if (strpbrk(word, ":.,")) {
		char buf[SLIP_LEN];
		const char *meant = slip_address(word, buf);

		return mistake(lookup, -EINVAL, err,
			       "%s is no PCI address: write %s%s, as 0a:00.0 with a "
			       "function of 0 to 7, or 0a:00.* for all of them",
			       word, meant ? meant : "BUS:DEVICE.FUNCTION in hex",
			       meant ? "; one is BUS:DEVICE.FUNCTION in hex" : "");
	}
	for (size_t i = 0; config && i < config->n_sets; i++)
		if (strv_add(&names, config->sets[i].name) < 0)
			return error_oom(err);
	if (!names.n)
		return mistake(
			lookup, -EINVAL, err,
			"no such device set: %s; [devices] has none, and it is no PCI "
			"address either: write one like 0000:0a:00.0",
			word);
	joined = strv_join(&names, ", ");
	if (!joined)
		return error_oom(err);
	nearest = words_nearest(word, &names);
	return mistake(lookup, -EINVAL, err,
		       "no such device set: %s%s%s%s; name one of: %s", word,
		       nearest ? ", did you mean " : "", nearest ? nearest : "",
		       nearest ? "?" : "", joined);
}

static int take_ref(struct lookup *lookup, const char *set, const char *word,
		    const struct device_ref *ref, struct error *err)
{
	struct pci_addr addr;
	uint16_t vendor, device;
	bool all = false;

	if (pci_parse_addr(word, &addr, &all) == 0)
		return take_addr(lookup, set, word, &addr, all, ref, err);
	if (pci_parse_id(word, &vendor, &device) == 0)
		return take_id(lookup, word, vendor, device, err);
	return unknown_set(lookup, word, err);
}

static int take_set(struct lookup *lookup, const struct device_set *set, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < set->n && r == 0; i++)
		r = take_ref(lookup, set->name, set->refs[i].word, &set->refs[i], err);
	return r;
}

static int take_words(struct lookup *lookup, const struct strv *words, struct error *err)
{
	const struct config *config = lookup->run->config;
	int r = 0;

	for (size_t i = 0; i < words->n && r == 0; i++) {
		const char *word = words->v[i];
		const struct device_set *set = config ? config_find_set(config, word) :
							NULL;

		r = set ? take_set(lookup, set, err) :
			  take_ref(lookup, NULL, word, NULL, err);
	}
	return r;
}

static int take_hostdevs(struct lookup *lookup, struct error *err)
{
	const struct domain *domain = lookup->run->domain;
	int r = 0;

	for (size_t i = 0; domain && i < domain->n_hostdevs && r == 0; i++)
		r = take_addr(lookup, "hostdev of the domain's XML",
			      domain->hostdevs[i].name, &domain->hostdevs[i].addr, false,
			      NULL, err);
	return r;
}

static int take_default(struct lookup *lookup, struct error *err)
{
	const struct config *config = lookup->run->config;
	int r = 0;

	if (!config || !config->n_sets)
		return take_hostdevs(lookup, err);
	for (size_t i = 0; i < config->n_sets && r == 0; i++)
		r = take_set(lookup, &config->sets[i], err);
	return r;
}

static int lookup_words(struct lookup *lookup, const struct strv *words, struct error *err)
{
	int r = words && words->n ? take_words(lookup, words, err) :
				    take_default(lookup, err);

	if (r == 0 && !lookup->found->n && !lookup->mistakes)
		r = mistake(
			lookup, -ENODEV, err,
			"no devices: the step names none, there is no [devices] section, "
			"and the domain's XML has no PCI <hostdev>: name one here, as 0a:00.*");
	return r;
}

static int find_devices(struct run *run, const struct strv *words, bool quiet,
			struct pci_list *ret, struct error *err)
{
	struct pci_list found = {};
	struct lookup lookup = { .run = run, .found = &found, .quiet = quiet };
	int r = lookup_words(&lookup, words, err);

	if (r < 0) {
		pci_list_done(&found);
		return r;
	}
	*ret = found;
	return 0;
}

int run_devices(struct run *run, const struct strv *words, struct pci_list *ret,
		struct error *err)
{
	return find_devices(run, words, false, ret, err);
}

int run_known_devices(struct run *run, const struct strv *words, struct pci_list *ret,
		      struct error *err)
{
	return find_devices(run, words, true, ret, err);
}
