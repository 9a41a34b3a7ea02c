/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names for devices: kvm.conf's VIRSH_GPU_VIDEO and VIRSH_GPU_AUDIO are the set gpu.
 */
#include <ctype.h>

#include "import.h"
#include "pci.h"

/* Words that say what a thing is, not which. */
static bool is_filler(const char *word, size_t n)
{
	static const char *const fillers[] = {
		"virsh",  "pci",  "video",   "audio", "vga",   "id",	  "dev",
		"device", "addr", "address", "bdf",   "sound", "host",	  "slot",
		"bus",	  "hdmi", "aud",     "vid",   "snd",   "devices", "devs"
	};

	for (size_t i = 0; i < ARRAY_SIZE(fillers); i++)
		if (strlen(fillers[i]) == n && strncasecmp(fillers[i], word, n) == 0)
			return true;
	return false;
}

static char *set_name(struct import *im, const char *variable)
{
	struct buf buf = { 0 };

	for (const char *p = variable; *p;) {
		size_t n = strcspn(p, "_");

		if (n > 0 && !is_filler(p, n)) {
			if (buf.n > 0)
				buf_puts(&im->arena, &buf, "_");
			for (size_t i = 0; i < n; i++)
				buf_add(&im->arena, &buf,
					(char[]){ (char)tolower((unsigned char)p[i]) },
					1);
		}
		p += n + (p[n] == '_');
	}
	return buf.n > 0 && buf.n < 40 && !isdigit((unsigned char)*buf.s) ?
		       buf.s :
		       arena_strndup(&im->arena, "devices", 7);
}

static const struct variable *variable_of(const struct import *im, const char *address)
{
	for (const struct variable *v = im->named; v; v = v->next)
		if (words_have(&v->values, address))
			return v;
	return NULL;
}

/* Functions of one card belong together. */
static struct import_set *set_of(struct import_set *sets, size_t n, const char *address,
				 const struct variable *variable)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sets[i].addresses.n; k++) {
			const char *member = sets[i].addresses.v[k];
			size_t slot = strcspn(member, ".");

			if (strncmp(member, address, slot + 1) == 0 ||
			    words_have(&variable->values, member))
				return &sets[i];
		}
	}
	return NULL;
}

static void name_it(struct import *im, struct import_set *sets, size_t n,
		    struct import_set *set, const char *variable)
{
	char *name = set_name(im, variable);
	unsigned number = 1;

	set->name = name;
	for (size_t i = 0; i < n; i++) {
		if (&sets[i] != set && streq(sets[i].name, set->name)) {
			set->name = arena_printf(&im->arena, "%s%u", name, ++number);
			i = (size_t)-1;
		}
	}
	set->variables = variable;
}

size_t import_sets(struct import *im, struct import_set **ret)
{
	struct import_set *sets = arena_alloc(&im->arena, 64 * sizeof(*sets));
	size_t n = 0;

	for (size_t i = 0; i < im->acts.n; i++) {
		const struct act *act = &im->acts.v[i];

		for (size_t k = 0; act->kind == ACT_STEP && str_after(act->key, "pci.") &&
				   k < act->words.n;
		     k++) {
			const char *address = act->words.v[k];
			const struct variable *variable = variable_of(im, address);
			struct import_set *set;

			if (!variable)
				continue;
			set = set_of(sets, n, address, variable);
			if (!set && n == 64)
				continue;
			if (!set) {
				set = &sets[n++];
				name_it(im, sets, n, set, variable->name);
			} else if (!strstr(set->variables, variable->name)) {
				set->variables = arena_printf(&im->arena, "%s, %s",
							      set->variables,
							      variable->name);
			}
			if (!words_have(&set->addresses, address))
				words_push(&im->arena, &set->addresses, address);
		}
	}
	*ret = sets;
	return n;
}
