/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks what was parsed, in the order in which the shell would run it.
 */
#include <sys/stat.h>

#include "import.h"

#define FILE_MAX (256 * 1024)
#define STEPS_MAX 20000
#define NESTING_MAX 120

static enum truth walk_list(struct import *im, const struct node *list)
{
	enum truth truth = TRUE;

	for (const struct node *node = list->first; node && im->go == GO_ON;
	     node = node->next)
		truth = import_walk(im, node);
	return truth;
}

static enum truth walk_group(struct import *im, const struct node *node)
{
	for (size_t i = 0; i < node->n_redirs; i++) {
		const struct redir *redir = &node->redirs[i];

		if ((redir->op == REDIR_OUT || redir->op == REDIR_APPEND) &&
		    (strstr(redir->word, "/sys/") || strstr(redir->word, "/proc/"))) {
			act_left(im, node, "a group's output goes to the kernel");
			return UNKNOWN;
		}
	}
	return import_walk(im, node->b);
}

static enum truth define(struct import *im, const struct node *node)
{
	struct function *function = arena_alloc(&im->arena, sizeof(*function));

	function->name = node->name;
	function->body = node->b;
	function->next = im->functions;
	im->functions = function;
	return TRUE;
}

static enum truth walk_arith(struct import *im, const struct node *node)
{
	long long n;

	if (!import_arith(im, node->name, &n))
		return UNKNOWN;
	return n ? TRUE : FALSE;
}

static enum truth walk(struct import *im, const struct node *node)
{
	switch (node->kind) {
	case NODE_COMMAND:
		return import_walk_simple(im, node);
	case NODE_PIPE:
		return import_walk_pipe(im, node);
	case NODE_AND:
	case NODE_OR:
		return import_walk_and_or(im, node);
	case NODE_LIST:
		return walk_list(im, node);
	case NODE_IF:
		return import_walk_if(im, node);
	case NODE_WHILE:
		return import_walk_while(im, node);
	case NODE_FOR:
		return import_walk_for(im, node);
	case NODE_COUNT:
		return import_walk_count(im, node);
	case NODE_CASE:
		return import_walk_case(im, node);
	case NODE_GROUP:
		return walk_group(im, node);
	case NODE_FUNCTION:
		return define(im, node);
	case NODE_ARITH:
		return walk_arith(im, node);
	}
	return UNKNOWN;
}

enum truth import_walk(struct import *im, const struct node *node)
{
	enum truth truth;

	if (!node || im->go != GO_ON)
		return TRUE;
	if (++im->steps > STEPS_MAX || im->nesting > NESTING_MAX) {
		act_left(im, node, "this goes on for too long, or too deep");
		im->go = GO_EXIT;
		return UNKNOWN;
	}
	im->nesting++;
	truth = walk(im, node);
	im->nesting--;
	return truth;
}

enum truth truth_not(enum truth truth)
{
	static const enum truth opposite[] = {
		[FALSE] = TRUE, [TRUE] = FALSE, [ABSENT] = PRESENT, [PRESENT] = ABSENT, [UNKNOWN] = UNKNOWN
	};

	return opposite[truth];
}

/* The line of a text, as a node to point at. */
static const struct node *node_at(struct import *im, const struct source *source,
				  unsigned line)
{
	struct node *node = arena_alloc(&im->arena, sizeof(*node));
	const char *p = source->text;

	for (unsigned i = source->line; i < line && *p; i++) {
		p = strchrnul(p, '\n');
		p += *p == '\n';
	}
	node->source = source;
	node->line = line;
	node->begin = p;
	node->end = strchrnul(p, '\n');
	return node;
}

void import_left_at(struct import *im, const struct source *source, unsigned line,
		    const char *why)
{
	act_left(im, node_at(im, source, line), "%s", why);
}

static enum truth run_source(struct import *im, const struct source *source)
{
	unsigned line = 0;
	const char *why = NULL;
	const struct node *list = import_parse(&im->arena, source, &line, &why);

	if (list)
		return import_walk(im, list);
	act_left(im, node_at(im, source, line), "%s; nothing of this file was converted",
		 why);
	return UNKNOWN;
}

enum truth import_nested(struct import *im, const struct node *node, const char *text)
{
	struct source *source = arena_alloc(&im->arena, sizeof(*source));
	enum truth truth;

	if (++im->calls > 16) {
		im->calls--;
		act_left(im, node, "it calls itself too often");
		return UNKNOWN;
	}
	source->name = node->source->name;
	source->path = node->source->path;
	source->line = node->line;
	source->text = text;
	truth = run_source(im, source);
	im->calls--;
	if (im->go == GO_EXIT)
		im->go = GO_ON;
	return truth;
}

void import_script(struct import *im, const struct source *source)
{
	im->variables = NULL;
	im->functions = NULL;
	im->steps = im->nesting = im->calls = im->depth = 0;
	im->user = NULL;
	im->go = GO_ON;
	run_source(im, source);
	im->go = GO_ON;
}

/* Only what belongs to the machine moves along with --root. */
static const struct host *host_of(const struct import *im, const char *path)
{
	static const struct host plain = { .root = "" };
	static const char *const rooted[] = { "/etc/", "/run/", "/var/", "/usr/" };

	for (size_t i = 0; i < ARRAY_SIZE(rooted); i++)
		if (str_after(path, rooted[i]))
			return &im->host;
	return &plain;
}

bool import_read(struct import *im, const char *path, struct source **ret)
{
	const struct host *host = host_of(im, path);
	_cleanup_free_ char *text = NULL;
	char rooted[PATH_MAX], *copy;
	struct source *source;
	struct stat st;

	if (stat(host_path(host, rooted, "%s", path), &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > FILE_MAX || host_read_all(host, &text, "%s", path) < 0)
		return false;
	source = arena_alloc(&im->arena, sizeof(*source));
	source->path = arena_strndup(&im->arena, path, strlen(path));
	source->name = source->path;
	source->line = 1;
	source->text = copy = arena_strndup(&im->arena, text, strlen(text));
	for (char *p = copy; *p; p++) /* carriage returns, and what marks the unknown */
		if (*p == '\r' || *p == UNKNOWN_BEGIN || *p == UNKNOWN_END)
			*p = *p == '\r' ? ' ' : '?';
	*ret = source;
	return true;
}
