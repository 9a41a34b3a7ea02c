/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in front of a command, and shells that are given one as a text.
 */
#include "import.h"

static void shift(struct words *words, size_t n)
{
	if (n > words->n)
		n = words->n;
	words->v += n;
	words->n -= n;
	words->size = words->n; /* what is added goes elsewhere */
}

/* Takes off "PREFIX [-x]…", with the options WITH that have a word of their own. */
static void shift_prefix(struct cmd *cmd, const char *with, const char **ret_user)
{
	shift(&cmd->words, 1);
	while (cmd->words.n > 0 && *cmd->words.v[0] == '-') {
		const char *option = cmd->words.v[0];
		bool separate = option[1] && option[1] != '-' && !option[2] &&
				strchr(with, option[1]);

		if (separate && option[1] == 'u' && cmd->words.n > 1 && ret_user)
			*ret_user = cmd->words.v[1];
		if (str_after(option, "--user=") && ret_user)
			*ret_user = str_after(option, "--user=");
		shift(&cmd->words, separate ? 2 : 1);
		if (streq(option, "--"))
			break;
	}
}

static void shift_env(struct import *im, struct cmd *cmd)
{
	while (cmd->words.n > 0) {
		size_t n = import_name_length(cmd->words.v[0]);

		if (n == 0 || cmd->words.v[0][n] != '=')
			break;
		words_push(&im->arena, &cmd->env, cmd->words.v[0]);
		shift(&cmd->words, 1);
	}
}

/* What sets a priority belongs to the program, as long as that stays one. */
static bool is_priority(const char *name)
{
	return streq(name, "nice") || streq(name, "ionice") || streq(name, "chrt") ||
	       streq(name, "taskset");
}

/* chrt -p 1 PID: no program stands behind it. */
static bool is_of_another(const struct words *words)
{
	for (size_t i = 1; i < words->n && *words->v[i] == '-'; i++)
		if (streq(words->v[i], "--pid") || str_after(words->v[i], "--pid=") ||
		    (words->v[i][1] != '-' && strpbrk(words->v[i], "pP")))
			return true;
	/* ionice -c 1 -p PID: an option before it has a word of its own */
	return streq(path_base(words->v[0]), "ionice") && words_have(words, "-p");
}

bool import_shift_prefix(struct import *im, struct cmd *cmd)
{
	static const struct {
		const char *name;
		const char *with;
	} prefixes[] = { { "sudo", "ugpCh" }, { "doas", "uC" },	   { "nohup", "" },
			 { "setsid", "" },    { "nice", "n" },	   { "ionice", "cn" },
			 { "time", "" },      { "command", "" },   { "builtin", "" },
			 { "env", "u" },      { "timeout", "sk" }, { "stdbuf", "ioe" },
			 { "exec", "a" },     { "chrt", "TPD" },   { "runuser", "u" },
			 { "taskset", "" } };
	const char *name = path_base(cmd->words.v[0]);

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const char *user = NULL;

		if (!streq(name, prefixes[i].name))
			continue;
		if (streq(name, "runuser") && !words_have(&cmd->words, "-u"))
			return false; /* as su */
		if (is_priority(name)) {
			if (is_of_another(&cmd->words))
				return false;
			if (!cmd->priority.n)
				cmd->priority = cmd->words;
		}
		shift_prefix(cmd, prefixes[i].with, streq(name, "env") ? NULL : &user);
		if (user && !streq(user, "root"))
			cmd->user = user;
		if (streq(name, "timeout") || streq(name, "chrt") ||
		    streq(name, "taskset"))
			shift(&cmd->words, 1);
		shift_env(im, cmd);
		return true;
	}
	return false;
}

/* su - USER -c TEXT, sh -c TEXT: the text is walked. */
enum truth import_walk_text(struct import *im, struct cmd *cmd, bool shell)
{
	const char *saved = im->user, *text = NULL;
	enum truth truth;

	if (cmd->user)
		im->user = cmd->user;
	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i];

		if (word[0] == '-' && word[1] != '-' && strchr(word, 'c') &&
		    i + 1 < cmd->words.n)
			text = cmd->words.v[++i];
		else if (str_after(word, "--command="))
			text = str_after(word, "--command=");
		else if (!shell && *word != '-')
			im->user = streq(word, "root") ? NULL : word;
	}
	if (text && is_known(text)) {
		truth = import_nested(im, cmd->node, text);
	} else {
		act_left(im, cmd->node, "what it runs is not known");
		truth = UNKNOWN;
	}
	im->user = saved;
	return truth;
}
