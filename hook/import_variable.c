/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Variables of the scripts, and what state files hold.
 */
#include <ctype.h>

#include "import.h"
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
	struct variable *variable = find(im->variables, name);

	return variable ? &variable->values : NULL;
}

void import_set(struct import *im, const char *name, const struct words *values)
{
	struct variable *variable = find(im->variables, name);

	if (!variable)
		variable = add(im, &im->variables, name);
	variable->values = (struct words){ 0 };
	for (size_t i = 0; i < values->n; i++)
		words_push(&im->arena, &variable->values, values->v[i]);
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
	if (*value == '[') /* an element: that the array changed is all we keep */
		return strchr(value, '=') != NULL;
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
	} else {
		words_push(&im->arena, &values, import_expand_text(im, value));
	}
	if (more)
		append(im, name, &values, array);
	import_set(im, name, &values);
	note_addresses(im, name, &values);
	return true;
}
