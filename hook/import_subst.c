/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * $(…): the few that can be answered without the machine. Others stay as text, so that
 * who uses them (kill with what pgrep finds) can look into them.
 */
#include "import.h"

static const struct node *only_command(const struct node *list)
{
	return list && list->first && !list->first->next &&
			       list->first->kind == NODE_COMMAND ?
		       list->first :
		       NULL;
}

static char *join(struct import *im, const struct words *words, size_t from)
{
	struct buf buf = { 0 };

	for (size_t i = from; i < words->n; i++) {
		if (i > from)
			buf_puts(&im->arena, &buf, " ");
		buf_puts(&im->arena, &buf, words->v[i]);
	}
	return buf.s ? buf.s : arena_strndup(&im->arena, "", 0);
}

static bool is_number(const char *s, long *ret)
{
	char *end;

	*ret = strtol(s, &end, 10);
	return end != s && !*end && *ret >= -65536 && *ret <= 65536;
}

static char *sequence(struct import *im, const struct words *words)
{
	long from = 1, to;
	struct buf buf = { 0 };

	if (words->n < 2 || words->n > 3 ||
	    (words->n == 3 && !is_number(words->v[1], &from)) ||
	    !is_number(words->v[words->n - 1], &to))
		return NULL;
	if (to - from > 1024 || from > to)
		return NULL;
	for (; from <= to; from++)
		buf_puts(&im->arena, &buf, arena_printf(&im->arena, "%ld ", from));
	buf.s[buf.n - 1] = '\0';
	return buf.s;
}

static char *folder(struct import *im, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_strndup(&im->arena, path, (size_t)(slash - path)) :
		       arena_strndup(&im->arena, ".", 1);
}

static char *contents(struct import *im, const char *path)
{
	const struct words *file = import_file(im, path);

	return file && file->n ? file->v[0] : NULL;
}

static char *answer(struct import *im, const struct node *node, const struct words *words)
{
	const char *name;

	if (words->n == 0) { /* $(< FILE) */
		return node->n_redirs == 1 && node->redirs[0].op == REDIR_IN ?
			       contents(im, import_expand_text(im, node->redirs[0].word)) :
			       NULL;
	}
	name = path_base(words->v[0]);
	if (streq(name, "echo") || streq(name, "printf"))
		return import_printed(im, words);
	if (streq(name, "seq"))
		return sequence(im, words);
	if (streq(name, "cat") && words->n == 1 && node->n_redirs == 1 &&
	    (node->redirs[0].op == REDIR_HERE || node->redirs[0].op == REDIR_HERE_STRING))
		return import_expand_text(im, node->redirs[0].word);
	if (streq(name, "cat") && words->n == 2)
		return contents(im, words->v[1]);
	if (streq(name, "basename") && words->n == 2 && is_known(words->v[1]))
		return arena_printf(&im->arena, "%s", path_base(words->v[1]));
	if (streq(name, "dirname") && words->n == 2 && is_known(words->v[1]))
		return folder(im, words->v[1]);
	if (streq(name, "id") && words->n == 2 && STR_IN(words->v[1], "-u", "-g", "-ru"))
		return arena_strndup(&im->arena, "0", 1);
	if (streq(name, "whoami") ||
	    (streq(name, "id") && words->n == 2 && streq(words->v[1], "-un")))
		return arena_strndup(&im->arena, "root", 4);
	return NULL;
}

char *import_substitute(struct import *im, const char *text)
{
	struct source source = { .text = text, .name = "", .path = "", .line = 1 };
	const struct node *list, *node;
	struct words words = { 0 };
	unsigned line;
	const char *why;
	char *value = NULL;

	/* Which one it is does not matter: the alias is a unit's name as well. */
	if (strstr(text, "display-manager.service"))
		return arena_strndup(&im->arena, "display-manager", 15);
	/* Pages of 2 MiB, unless the host was told otherwise, which we cannot see. */
	if (strstr(text, "Hugepagesize")) {
		im->huge_2m = true;
		return arena_strndup(&im->arena, "2048", 4);
	}
	if (++im->calls <= 16) {
		list = import_parse(&im->arena, &source, &line, &why);
		node = only_command(list);
		for (size_t i = 0; node && i < node->words.n; i++)
			import_expand(im, node->words.v[i], &words);
		if (node)
			value = answer(im, node, &words);
		if (!value && node && words.n > 0)
			text = join(im, &words, 0);
	}
	im->calls--;
	return value ? value :
		       import_unknown(im, arena_printf(&im->arena, "$(%s)", text));
}
