/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill, pkill, killall.
 */
#include "import.h"
#include "step.h"

/* pgrep and pkill take a part of a name, cut off at 15 characters; process.stop all. */
static const char *whole_name(const char *name)
{
	static const struct {
		const char *part, *whole;
	} names[] = { { "pipewire-media", "pipewire-media-session" },
		      { "pipewire-media-", "pipewire-media-session" },
		      { "gdm-x", "gdm-x-session" },
		      { "gdm-wayland", "gdm-wayland-session" },
		      { "gnome-session", "gnome-session-binary" },
		      { "gnome-session-b", "gnome-session-binary" } };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i].part, name))
			return names[i].whole;
	return name;
}

static bool is_signal(const char *word)
{
	return word[0] == '-' &&
	       (strspn(word + 1, "0123456789") == strlen(word + 1) ||
		strspn(word + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(word + 1));
}

struct kill {
	const char *user;
	struct words names;
	bool full, asks, odd;
};

/* The options of pkill, pgrep, pidof and killall together. */
static void parse(struct import *im, const struct words *words, struct kill *ret)
{
	for (size_t i = 1; i < words->n; i++) {
		const char *word = words->v[i];
		bool with_word = word[0] == '-' && word[1] && !word[2] &&
				 strchr("uUstPgGFod", word[1]);

		if (streq(word, "-0"))
			ret->asks = true;
		else if (is_signal(word))
			continue;
		else if (word[0] == '-' && word[1] != '-' && strchr(word, 'f'))
			ret->full = true;
		else if (streq(word, "--full"))
			ret->full = true;
		if (*word != '-') {
			words_push(&im->arena, &ret->names, word);
			continue;
		}
		if (with_word && i + 1 < words->n) {
			i++;
			if (strchr("uU", word[1]))
				ret->user = words->v[i];
			else if (strchr("tPgG", word[1]))
				ret->odd = true;
		} else if (word[0] == '-' && strchr("uU", word[1]) && word[2]) {
			ret->user = word + 2;
		}
	}
}

/* A pattern that means a name, or NULL. */
static const char *name_of(struct import *im, const char *pattern, bool full)
{
	char *name = arena_printf(&im->arena, "%s", pattern);
	size_t n;

	if (*name == '^')
		name++;
	n = strlen(name);
	if (n > 0 && name[n - 1] == '$')
		name[n - 1] = '\0';
	if (full && !strchr(name, ' '))
		name = arena_printf(&im->arena, "%s", path_base(name));
	if (!*name || strpbrk(name, "*[]()|\\+? ^$"))
		return NULL;
	return whole_name(name);
}

/* The program, for as long as there is no step. */
static enum truth run_pkill(struct import *im, const struct cmd *cmd,
			    const struct kill *kill)
{
	for (size_t i = 0; i < kill->names.n; i++) {
		struct act *act = act_step(im, cmd->node, "exec.run");

		act->optional = true;
		act_word(im, act, "pkill");
		if (kill->user) {
			act_word(im, act, "-u");
			act_word(im, act, kill->user);
		}
		act_word(im, act, kill->names.v[i]);
	}
	return TRUE;
}

static enum truth stop(struct import *im, const struct cmd *cmd, const struct kill *kill)
{
	struct act *act;

	if (kill->asks)
		return PRESENT;
	if (kill->names.n == 0 || kill->odd) {
		act_left(im, cmd->node, "which processes are meant is not known");
		return UNKNOWN;
	}
	if (!step_find("process.stop", NULL))
		return run_pkill(im, cmd, kill);
	act = act_step(im, cmd->node, "process.stop");
	if (kill->user)
		act_option(im, act, "user=%s", kill->user);
	for (size_t i = 0; i < kill->names.n; i++) {
		const char *name = name_of(im, kill->names.v[i], kill->full);

		if (!name) {
			acts_cut(&im->acts, im->acts.n - 1);
			act_left(im, cmd->node, "process.stop wants whole names");
			return UNKNOWN;
		}
		act_word(im, act, name);
	}
	return TRUE;
}

enum truth import_pkill(struct import *im, struct cmd *cmd)
{
	struct kill kill = { 0 };

	parse(im, &cmd->words, &kill);
	return stop(im, cmd, &kill);
}

/* "\1$(pgrep -u me pulseaudio)\2" as words; false: it is something else. */
static bool split_pgrep(struct import *im, const char *word, struct words *ret)
{
	char *copy, *rest = NULL;

	if (word[0] != UNKNOWN_BEGIN || !str_after(word + 1, "$("))
		return false;
	copy = arena_printf(&im->arena, "%s", word + 3);
	copy[strcspn(copy, ")")] = '\0';
	if (strpbrk(copy, "|;&<>"))
		return false;
	for (char *w = strtok_r(copy, " \t\n", &rest); w;
	     w = strtok_r(NULL, " \t\n", &rest))
		words_push(&im->arena, ret, w);
	return ret->n > 1 && (streq(ret->v[0], "pgrep") || streq(ret->v[0], "pidof"));
}

/* Those that have the devices open, by fuser or lsof. */
static enum truth kill_holders(struct import *im, const struct cmd *cmd)
{
	act_step(im, cmd->node, "holders.kill");
	return TRUE;
}

enum truth import_fuser(struct import *im, struct cmd *cmd)
{
	bool kills = false, devices = false;

	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i];

		if (word[0] == '-' && word[1] != '-')
			kills = kills || strchr(word, 'k') != NULL;
		devices = devices || str_after(word, "/dev/nvidia") ||
			  str_after(word, "/dev/dri") || str_after(word, "/dev/snd");
	}
	if (!kills)
		return PRESENT;
	return devices ? kill_holders(im, cmd) : UNKNOWN;
}

static bool asks_for_holders(const char *word)
{
	return (strstr(word, "lsof") || strstr(word, "fuser")) &&
	       (strstr(word, "/dev/nvidia") || strstr(word, "/dev/dri") ||
		strstr(word, "/dev/snd"));
}

enum truth import_kill(struct import *im, struct cmd *cmd)
{
	enum truth truth = TRUE;

	if (words_have(&cmd->words, "-0"))
		return PRESENT;
	for (size_t i = 1; i < cmd->words.n; i++) {
		struct words words = { 0 };
		struct kill kill = { 0 };

		if (*cmd->words.v[i] == '-') {
			i += streq(cmd->words.v[i], "-s");
			continue;
		}
		if (!is_known(cmd->words.v[i]) && asks_for_holders(cmd->words.v[i])) {
			kill_holders(im, cmd);
			continue;
		}
		if (!split_pgrep(im, cmd->words.v[i], &words)) {
			act_left(im, cmd->node, "which process %s is, is not known",
				 import_shown(im, cmd->words.v[i]));
			truth = UNKNOWN;
			continue;
		}
		parse(im, &words, &kill);
		if (stop(im, cmd, &kill) == UNKNOWN)
			truth = UNKNOWN;
	}
	return truth;
}
