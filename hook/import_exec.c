/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes to a file, and programs that no step replaces.
 */
#include "import.h"

static bool is_out(const struct redir *redir)
{
	return (redir->op == REDIR_OUT || redir->op == REDIR_APPEND) &&
	       (redir->fd == 1 || redir->fd == -1);
}

/* Where the command's output goes; NULL: to the terminal, or the log. */
static const char *output_of(struct import *im, const struct node *node, bool *ret_append)
{
	const char *path = NULL;

	for (size_t i = 0; i < node->n_redirs; i++) {
		if (!is_out(&node->redirs[i]))
			continue;
		path = import_expand_text(im, node->redirs[i].word);
		*ret_append = node->redirs[i].op == REDIR_APPEND;
	}
	return path;
}

bool import_writes_file(struct import *im, const struct node *node)
{
	bool append;
	const char *path = output_of(im, node, &append);

	return path && !import_is_state_file(path) && !str_after(path, ">(");
}

static enum truth put(struct import *im, const struct node *node, const char *path,
		      const char *value, bool more)
{
	if (!is_known(path) && str_after(path, (char[]){ UNKNOWN_BEGIN, '\0' })) {
		act_left(im, node, "where it writes to is not known");
		return UNKNOWN;
	}
	if (str_after(path, ">(") || str_after(path, "&"))
		return TRUE;
	if (str_after(path, "/sys/") || str_after(path, "/proc/"))
		return import_write_path(im, node, path, value);
	if (import_is_state_file(path)) {
		if (!more)
			import_set_file(im, path, value);
		else if (!import_file(im, path))
			import_set_file(im, path, import_unknown(im, path));
		return TRUE;
	}
	act_left(im, node, "it writes to a file");
	return UNKNOWN;
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

static bool hexadecimal(struct import *im, const char **word)
{
	long long n;

	if (!import_arith(im, *word, &n))
		return false;
	*word = arena_printf(&im->arena, "%llx", (unsigned long long)n);
	return true;
}

/* One round of printf's FORMAT with the words from *I on; false: more than %s is asked. */
static bool format(struct import *im, struct buf *buf, const char *text,
		   const struct words *words, size_t *i)
{
	for (; *text; text++) {
		if (*text == '%' && text[1] != '%') {
			if (!text[1] || !strchr("sdbiqx", text[1]))
				return false;
			const char *word = *i < words->n ? words->v[*i] : "";

			if (text[1] == 'x' && !hexadecimal(im, &word))
				return false;
			buf_puts(&im->arena, buf, word);
			++*i;
			text++;
		} else if (*text == '\\' && text[1] && strchr("nt\\", text[1])) {
			text++;
			buf_puts(&im->arena, buf,
				 *text == 'n' ? "\n" :
				 *text == 't' ? "\t" :
						"\\");
		} else {
			buf_add(&im->arena, buf, text, 1);
			text += *text == '%';
		}
	}
	return true;
}

static char *print(struct import *im, const struct words *words)
{
	size_t first = words->n > 1 && streq(words->v[1], "--") ? 2 : 1, i = first + 1;
	struct buf buf = { 0 };
	size_t before;

	if (first >= words->n)
		return arena_strndup(&im->arena, "", 0);
	do {
		before = i;
		if (!format(im, &buf, words->v[first], words, &i))
			return import_unknown(im, join(im, words, 0));
	} while (i > before && i < words->n);
	return buf.s ? buf.s : arena_strndup(&im->arena, "", 0);
}

char *import_printed(struct import *im, const struct words *words)
{
	size_t i = 1;
	char *value, *end;

	while (i < words->n && words->v[i][0] == '-' && words->v[i][1] &&
	       strspn(words->v[i] + 1, "neE") == strlen(words->v[i] + 1))
		i++;
	value = streq(path_base(words->v[0]), "printf") ? print(im, words) :
							  join(im, words, i);
	end = value + strlen(value);
	if (end - value >= 2 && streq(end - 2, "\\n"))
		end[-2] = '\0';
	else if (end > value && end[-1] == '\n')
		end[-1] = '\0';
	return value;
}

enum truth import_echo(struct import *im, struct cmd *cmd)
{
	bool append = false, cat = streq(path_base(cmd->words.v[0]), "cat");
	const char *path = output_of(im, cmd->node, &append);

	if (!path)
		return cat ? PRESENT : TRUE;
	if (cat && (!cmd->input || cmd->words.n > 1)) {
		if (import_is_state_file(path)) {
			import_set_file(im, path, import_unknown(im, path));
			return TRUE;
		}
		act_left(im, cmd->node, "it copies a file");
		return UNKNOWN;
	}
	return put(im, cmd->node, path,
		   cat ? cmd->input : import_printed(im, &cmd->words), append);
}

enum truth import_tee(struct import *im, struct cmd *cmd)
{
	enum truth truth = TRUE;

	for (size_t i = 1; i < cmd->words.n; i++) {
		size_t n;
		char *value;

		if (*cmd->words.v[i] == '-')
			continue;
		if (!cmd->input)
			return UNKNOWN;
		value = arena_printf(&im->arena, "%s", cmd->input);
		n = strlen(value);
		if (n > 0 && value[n - 1] == '\n')
			value[n - 1] = '\0';
		if (put(im, cmd->node, cmd->words.v[i], value, false) == UNKNOWN)
			truth = UNKNOWN;
	}
	return truth;
}

/* ---- programs */

/* Words of the shell that are no programs, and that nobody above knew. */
static bool is_builtin(const char *name)
{
	return STR_IN(name, "eval", "read", "mapfile", "readarray", "getopts", "bg", "fg",
		      "jobs", "coproc", "select", "shift", "source", "if", "then", "fi",
		      "let");
}

static const char *why_not(struct import *im, const struct cmd *cmd)
{
	const char *program = cmd->words.v[0];

	if (is_builtin(program))
		return "no step does this";
	if (*program != '/' && (strchr(program, '/') || *program == '~'))
		return "exec.run wants the whole path: this one depends on where the script "
		       "is run";
	if (cmd->node->background)
		return "it goes on in the background: make it a unit, and use service.start";
	if (cmd->piped || cmd->input)
		return "it reads what another command writes";
	if (import_writes_file(im, cmd->node))
		return "it writes to a file";
	for (size_t i = 0; i < cmd->node->n_redirs; i++)
		if (cmd->node->redirs[i].op == REDIR_IN &&
		    !streq(cmd->node->redirs[i].word, "/dev/null"))
			return "it reads a file";
	for (size_t i = 0; i < cmd->env.n; i++)
		if (strpbrk(cmd->env.v[i], " \t\"'\\"))
			return "its environment cannot be written in a config file";
	return NULL;
}

/* A script beside the hook, or in /usr/local/bin: read as if it stood here. */
static bool follow(struct import *im, struct cmd *cmd, enum truth *ret)
{
	const char *path = cmd->words.v[0];
	struct words saved = im->args;
	struct source *file;
	const char *line_end;

	if (!strchr(path, '/') || im->calls > 4 || !import_read(im, path, &file) ||
	    !str_after(file->text, "#!"))
		return false;
	line_end = strchrnul(file->text, '\n');
	if (!memmem(file->text, (size_t)(line_end - file->text), "sh", 2))
		return false;
	act_note(im, cmd->node, "%s, which is run here:", file->name);
	im->args = cmd->words;
	im->calls += 4;
	{
		struct node node = *cmd->node;
		struct node *at = arena_alloc(&im->arena, sizeof(*at));

		*at = node;
		at->source = file;
		at->line = 1;
		*ret = import_nested(im, at, file->text);
	}
	im->calls -= 4;
	im->args = saved;
	return true;
}

/* "nice -n 5" and what else stands between it and the program. */
static void add_priority(struct import *im, struct act *act, const struct cmd *cmd)
{
	for (size_t i = 0; i + cmd->words.n < cmd->priority.n; i++)
		act_word(im, act, cmd->priority.v[i]);
}

enum truth import_exec_run(struct import *im, struct cmd *cmd)
{
	const char *why = why_not(im, cmd);
	enum truth truth;
	struct act *act;

	if (!cmd->piped && follow(im, cmd, &truth))
		return truth;
	if (why) {
		act_left(im, cmd->node, "%s", why);
		return UNKNOWN;
	}
	act = act_step(im, cmd->node, "exec.run");
	if (cmd->user)
		act_option(im, act, "user=%s", cmd->user);
	if (cmd->env.n > 0)
		act_option(im, act, "env=%s", join(im, &cmd->env, 0));
	if (cmd->priority.n)
		add_priority(im, act, cmd);
	for (size_t i = 0; i < cmd->words.n; i++)
		act_word(im, act, cmd->words.v[i]);
	return TRUE;
}
