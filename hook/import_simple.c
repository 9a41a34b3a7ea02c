/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simple commands and pipes: what the shell does with them before a command is run.
 */
#include "import.h"

static const struct node *find_function(const struct import *im, const char *name)
{
	for (const struct function *f = im->functions; f; f = f->next)
		if (streq(f->name, name))
			return f->body;
	return NULL;
}

static enum truth call_function(struct import *im, const struct node *node,
				const struct node *body, const struct words *words)
{
	struct words saved = im->args, args = { 0 };
	bool in_doubt = im->in_doubt;
	size_t from = im->acts.n;
	enum truth truth;

	if (++im->calls > 16) {
		im->calls--;
		act_left(im, node, "it calls itself too often");
		return UNKNOWN;
	}
	words_push(&im->arena, &args, saved.n ? saved.v[0] : "");
	for (size_t i = 1; i < words->n; i++)
		words_push(&im->arena, &args, words->v[i]);
	im->args = args;
	im->in_doubt = false;
	truth = import_walk(im, body);
	if (im->go == GO_RETURN) {
		im->go = GO_ON;
		truth = im->go_failed ? FALSE : truth;
	}
	if (im->in_doubt && acts_count(&im->acts, from, ACT_STEP) == 0)
		truth = UNKNOWN; /* all that it does is to answer */
	im->in_doubt = in_doubt;
	im->args = saved;
	im->calls--;
	return truth;
}

static enum truth assign_all(struct import *im, const struct node *node)
{
	enum truth truth = TRUE;

	for (size_t i = 0; i < node->words.n; i++) {
		size_t n = import_name_length(node->words.v[i]);
		const char *name = arena_strndup(&im->arena, node->words.v[i], n);
		const struct words *values;

		import_assign(im, node->words.v[i]);
		values = import_get(im, name);
		if (values && values->n && !is_known(values->v[0]))
			truth = PRESENT; /* X=$(pgrep …) as a condition */
	}
	return truth;
}

static bool is_assignment(const char *word)
{
	size_t n = import_name_length(word);

	return n > 0 && (word[n] == '=' || str_after(word + n, "+=") ||
			 (word[n] == '[' && strstr(word, "]=")));
}

static void read_input(struct import *im, const struct node *node, struct cmd *cmd)
{
	for (size_t i = 0; i < node->n_redirs; i++) {
		const struct redir *redir = &node->redirs[i];

		if (redir->op == REDIR_HERE || redir->op == REDIR_HERE_STRING)
			cmd->input = import_expand_text(im, redir->word);
	}
}

/* "$2", on_$operation: a function for each operation that the script has one for. */
static bool is_of_operation(struct import *im, const char *raw, const char *name)
{
	const char *operation = phase_name(im->phase);
	const char *word = arena_strndup(&im->arena, operation, strcspn(operation, "/"));

	if (strchr(name, '/') || !strstr(name, word))
		return false;
	while ((raw = strchr(raw, '$'))) {
		const struct words *value;

		raw += 1 + (raw[1] == '{');
		value = import_get(im, arena_strndup(&im->arena, raw,
						     import_name_length(raw)));
		if (*raw == '2' || (value && value->n == 1 && streq(value->v[0], word)))
			return true;
	}
	return false;
}

static enum truth run(struct import *im, const struct node *node, const char *input)
{
	struct cmd cmd = { .node = node, .input = input, .piped = input != NULL };
	const struct node *body;
	size_t i = 0;

	while (i < node->words.n && is_assignment(node->words.v[i]))
		i++;
	if (i == node->words.n)
		return assign_all(im, node);
	for (size_t k = 0; k < i; k++)
		words_push(&im->arena, &cmd.env, import_expand_text(im, node->words.v[k]));
	for (size_t k = i; k < node->words.n; k++)
		import_expand(im, node->words.v[k], &cmd.words);
	if (cmd.words.n == 0)
		return TRUE;
	body = find_function(im, cmd.words.v[0]);
	if (body)
		return call_function(im, node, body, &cmd.words);
	if (is_of_operation(im, node->words.v[i], cmd.words.v[0])) {
		act_note(im, node, "there is no function %s", cmd.words.v[0]);
		im->acts.v[im->acts.n - 1].quiet = true;
		return FALSE;
	}
	cmd.user = im->user;
	read_input(im, node, &cmd);
	return import_command(im, &cmd);
}

enum truth import_walk_simple(struct import *im, const struct node *node)
{
	return run(im, node, NULL);
}

/* ---- pipes */

static void expand_all(struct import *im, const struct node *node, struct words *ret)
{
	for (size_t i = 0; i < node->words.n; i++)
		import_expand(im, node->words.v[i], ret);
}

static bool is_query(struct import *im, const struct node *node)
{
	struct words words = { 0 };

	if (node->kind != NODE_COMMAND)
		return false;
	expand_all(im, node, &words);
	return words.n > 0 && import_is_query(&words) && !import_writes_file(im, node);
}

static const char *command_name(struct import *im, const struct node *node)
{
	struct words words = { 0 };
	size_t i = 0;

	if (node->kind == NODE_COMMAND)
		expand_all(im, node, &words);
	if (words.n > 1 && streq(words.v[0], "sudo"))
		i = 1;
	return words.n > i ? path_base(words.v[i]) : "";
}

/* A command that only shows, or keeps, what it is given. */
static bool is_sink(struct import *im, const struct node *node)
{
	const char *name = command_name(im, node);
	struct words words = { 0 };

	if (streq(name, "tee")) {
		expand_all(im, node, &words);
		for (size_t i = 1; i < words.n; i++)
			if (*words.v[i] != '-' && !import_is_state_file(words.v[i]))
				return false;
		return true;
	}
	return STR_IN(name, "logger", "systemd-cat", "ts", "cat", "head", "tail", "sed",
		      "awk", "grep", "sort", "column") &&
	       !import_writes_file(im, node);
}

/* What echo and printf give to the command behind them; NULL: another command. */
static const char *given(struct import *im, const struct node *node)
{
	const char *name = command_name(im, node);
	struct words words = { 0 };

	if (!streq(name, "echo") && !streq(name, "printf"))
		return NULL;
	expand_all(im, node, &words);
	if (streq(words.v[0], "sudo"))
		words.v++, words.n--;
	return import_printed(im, &words);
}

/* The text of PIPE up to the "|" before LAST. */
static const char *before(struct import *im, const struct node *pipe,
			  const struct node *last)
{
	char *text = arena_strndup(&im->arena, pipe->begin,
				   (size_t)(last->begin - pipe->begin));
	char *bar = strrchr(text, '|');

	if (bar)
		*bar = '\0';
	return text;
}

/* pgrep NAME | xargs kill: kill with what pgrep finds. */
static enum truth walk_xargs(struct import *im, const struct node *pipe,
			     const struct node *last)
{
	struct cmd cmd = { .node = pipe, .piped = true, .user = im->user };
	struct words words = { 0 };
	size_t i = 1;

	expand_all(im, last, &words);
	while (i < words.n && *words.v[i] == '-')
		i++;
	for (; i < words.n; i++)
		words_push(&im->arena, &cmd.words, words.v[i]);
	if (cmd.words.n == 0)
		return UNKNOWN;
	words_push(&im->arena, &cmd.words, import_substitute(im, before(im, pipe, last)));
	return import_command(im, &cmd);
}

static enum truth walk_pipe(struct import *im, const struct node *pipe)
{
	const struct node *first = pipe->first, *last = first, *second = first->next;
	bool queries = true, sinks = true;
	const char *text = given(im, first);

	if (!second)
		return import_walk(im, first);
	for (const struct node *node = first; node; node = node->next) {
		queries = queries && (is_query(im, node) || (node == first && text));
		sinks = sinks && (node == first || is_sink(im, node));
		last = node;
	}
	if (text && sinks)
		return PRESENT;
	if (text && !second->next && second->kind == NODE_COMMAND)
		return run(im, second, text);
	if (queries)
		return PRESENT;
	if (last->kind == NODE_WHILE && is_query(im, first)) {
		enum truth truth;

		im->piped = import_substitute(im, before(im, pipe, last));
		truth = import_walk(im, last);
		im->piped = NULL;
		return truth;
	}
	if (sinks)
		return import_walk(im, first);
	if (streq(command_name(im, last), "xargs"))
		return walk_xargs(im, pipe, last);
	act_left(im, pipe, "this pipe is not understood");
	return UNKNOWN;
}

enum truth import_walk_pipe(struct import *im, const struct node *node)
{
	enum truth truth = walk_pipe(im, node);

	return node->negated ? truth_not(truth) : truth;
}
