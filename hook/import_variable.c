/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Variables of the scripts, and what state files hold.
 */
#include <ctype.h>

#include "import_walk_if.h"
#include "pci.h"

size_t import_name_length(const char *s)
{
	size_t n = 0;

	if (isdigit((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

static struct variable *find(struct variable *list, const char *name)
{
	for (; list; list = list->next)
		if (streq(list->name, name))
			return list;
	return NULL;
}

static struct variable *add(struct import *im, struct variable **list, const char *name)
{
	struct variable *variable = arena_alloc(&im->arena, sizeof(*variable));

	variable->name = arena_strndup(&im->arena, name, strlen(name));
	while (*list)
		list = &(*list)->next;
	*list = variable;
	return variable;
}

struct words *import_get(struct import *im, const char *name)
{
	static char zero[] = "0", *values[] = { zero };
	static struct words root = { .v = values, .n = 1 }; /* as libvirt runs its hooks */
	struct variable *variable = find(im->variables, name);

	if (!variable && STR_IN(name, "EUID", "UID"))
		return &root;
	return variable ? &variable->values : NULL;
}

void import_set(struct import *im, const char *name, const struct words *values)
{
	struct variable *variable = find(im->variables, name);

	if (!variable)
		variable = add(im, &im->variables, name);
	variable->values = variable->keys = (struct words){ 0 };
	for (size_t i = 0; i < values->n; i++)
		words_push(&im->arena, &variable->values, values->v[i]);
}

const struct words *import_keys(struct import *im, const char *name)
{
	struct variable *variable = find(im->variables, name);

	return variable && variable->keys.n ? &variable->keys : NULL;
}

const char *import_element(struct import *im, const char *name, const char *key)
{
	struct variable *variable = find(im->variables, name);

	for (size_t i = 0; variable && i < variable->keys.n; i++)
		if (streq(variable->keys.v[i], key))
			return variable->values.v[i];
	return NULL;
}

/* Made anew: a copy of the variables may share what was there. */
static void set_element(struct import *im, const char *name, const char *key,
			const char *value)
{
	struct variable *variable = find(im->variables, name);
	struct words keys = { 0 }, values = { 0 };
	bool found = false;

	if (!variable)
		variable = add(im, &im->variables, name);
	for (size_t i = 0; i < variable->keys.n; i++) {
		bool it = streq(variable->keys.v[i], key);

		found |= it;
		words_push(&im->arena, &keys, variable->keys.v[i]);
		words_push(&im->arena, &values, it ? value : variable->values.v[i]);
	}
	if (!found) {
		words_push(&im->arena, &keys, key);
		words_push(&im->arena, &values, value);
	}
	variable->keys = keys;
	variable->values = values;
}

/* [KEY]=VALUE, as it was written: NULL in *KEY when it is not that. */
static const char *split_element(struct import *im, const char *text, const char **key)
{
	const char *close = *text == '[' ? strstr(text, "]=") : NULL;

	*key = close ? import_expand_text(im, arena_strndup(&im->arena, text + 1,
							    (size_t)(close - text - 1))) :
		       NULL;
	return close ? close + 2 : NULL;
}

/* ([a]=x [b]=y): false when these are the words of an ordinary array. */
static bool set_elements(struct import *im, const char *name, const struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (*words->v[i] != '[' || !strstr(words->v[i], "]="))
			return false;
	for (size_t i = 0; i < words->n; i++) {
		const char *key, *value = split_element(im, words->v[i], &key);

		set_element(im, name, key, value);
	}
	return words->n > 0;
}

/* An ordinary array, of which one element changed: that is all we keep of it. */
static bool assign_element(struct import *im, const char *name, const char *text)
{
	const struct words *old = import_get(im, name);
	const char *key, *value = split_element(im, text, &key);

	if (value && is_known(key) && (!old || !old->n || import_keys(im, name)))
		set_element(im, name, key, import_expand_text(im, value));
	return strchr(text, '=') != NULL;
}

struct words *import_file(struct import *im, const char *path)
{
	struct variable *file = find(im->files, path);

	return file ? &file->values : NULL;
}

void import_set_file(struct import *im, const char *path, const char *value)
{
	struct variable *file = find(im->files, path);

	if (!file)
		file = add(im, &im->files, path);
	file->values = (struct words){ 0 };
	words_push(&im->arena, &file->values, value);
}

/* For a branch that may not be taken: what it sets is forgotten. */
struct variable *import_copy_variables(struct import *im)
{
	struct variable *copy = NULL, **next = &copy;

	for (const struct variable *from = im->variables; from; from = from->next) {
		*next = arena_alloc(&im->arena, sizeof(**next));
		**next = *from;
		next = &(*next)->next;
		*next = NULL;
	}
	return copy;
}

void import_doubt_variables(struct import *im, struct variable *other)
{
	for (struct variable *v = other; v; v = v->next) {
		struct variable *now = find(im->variables, v->name);

		if (!now)
			import_set(im, v->name, &v->values);
		else if (!words_equal(&now->values, &v->values))
			import_set_text(im, v->name,
					import_unknown(im, arena_printf(&im->arena, "$%s",
									v->name)));
	}
}

void import_set_text(struct import *im, const char *name, const char *value)
{
	struct words words = { 0 };

	words_push(&im->arena, &words, value);
	import_set(im, name, &words);
}

/* Variables that hold addresses and nothing else give the sets of devices their names. */
static void note_addresses(struct import *im, const char *name, const struct words *values)
{
	struct words addresses = { 0 };
	struct variable *variable;

	for (size_t i = 0; i < values->n; i++) {
		char *copy =
			arena_strndup(&im->arena, values->v[i], strlen(values->v[i]));
		char *rest = NULL;

		for (char *word = strtok_r(copy, " \t\n", &rest); word;
		     word = strtok_r(NULL, " \t\n", &rest)) {
			struct pci_addr addr;
			char text[PCI_ADDR_LEN];

			if (pci_parse_addr(word, &addr, NULL) < 0)
				return;
			pci_format_addr(&addr, text);
			words_push(&im->arena, &addresses, text);
		}
	}
	if (addresses.n == 0)
		return;
	variable = find(im->named, name);
	if (!variable)
		variable = add(im, &im->named, name);
	variable->values = addresses;
}

static void append(struct import *im, const char *name, struct words *values, bool array)
{
	const struct words *old = import_get(im, name);
	struct words all = { 0 };

	for (size_t i = 0; old && i < old->n; i++)
		words_push(&im->arena, &all, old->v[i]);
	if (array || all.n == 0) {
		for (size_t i = 0; i < values->n; i++)
			words_push(&im->arena, &all, values->v[i]);
	} else {
		all.v[all.n - 1] = arena_printf(&im->arena, "%s%s", all.v[all.n - 1],
						values->n ? values->v[0] : "");
	}
	*values = all;
}

bool import_assign(struct import *im, const char *word)
{
	size_t n = import_name_length(word);
	const char *value = word + n;
	bool more = false, array;
	struct words values = { 0 };
	char *name;

	if (n == 0)
		return false;
	if (*value == '[')
		return assign_element(im, arena_strndup(&im->arena, word, n), value);
	if (*value == '+')
		more = true, value++;
	if (*value != '=')
		return false;
	value++;
	name = arena_strndup(&im->arena, word, n);
	array = *value == '(';
	if (array) {
		/* its words, as those of a command would be */
		char *inner = arena_strndup(&im->arena, value + 1, strlen(value + 1));

		if (*inner)
			inner[strlen(inner) - 1] = '\0';
		import_expand(im, inner, &values);
		if (!more)
			import_set(im, name, &(struct words){ 0 });
		if (set_elements(im, name, &values)) {
			values = *import_get(im, name);
			note_addresses(im, name, &values);
			return true;
		}
	} else {
		words_push(&im->arena, &values, import_expand_text(im, value));
	}
	if (more)
		append(im, name, &values, array);
	import_set(im, name, &values);
	note_addresses(im, name, &values);
	return true;
}
