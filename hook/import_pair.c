/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that no step replaces, but that have an opposite: that one is run by undo, so
 * that a prepare which fails does not leave the host without swap, mounts or network.
 */
#include "import.h"

static const struct {
	const char *program, *verb;
	const char *other_program, *other_verb;
} pairs[] = {
	{ "swapoff", NULL, "swapon", NULL },
	{ "swapon", NULL, "swapoff", NULL },
	{ "ip", "down", "ip", "up" },
	{ "ip", "up", "ip", "down" },
	{ "ifdown", NULL, "ifup", NULL },
	{ "ifup", NULL, "ifdown", NULL },
	{ "systemctl", "mask", "systemctl", "unmask" },
	{ "systemctl", "unmask", "systemctl", "mask" },
	{ "rfkill", "block", "rfkill", "unblock" },
	{ "rfkill", "unblock", "rfkill", "block" },
	{ "nmcli", "down", "nmcli", "up" },
	{ "nmcli", "up", "nmcli", "down" },
	{ "nmcli", "disconnect", "nmcli", "connect" },
	{ "nmcli", "connect", "nmcli", "disconnect" },
	{ "rc-service", "stop", "rc-service", "start" },
	{ "rc-service", "start", "rc-service", "stop" },
	{ "sv", "stop", "sv", "start" },
	{ "sv", "start", "sv", "stop" },
	{ "sv", "down", "sv", "up" },
	{ "sv", "up", "sv", "down" },
	{ "s6-rc", "stop", "s6-rc", "start" },
	{ "s6-rc", "start", "s6-rc", "stop" },
	{ "dinitctl", "stop", "dinitctl", "start" },
	{ "dinitctl", "start", "dinitctl", "stop" },
};

static void push(struct import *im, struct words *words, const char *word)
{
	words_push(&im->arena, words, word);
}

/* mount -t TYPE -o OPTIONS WHAT WHERE: umount WHERE. */
static bool opposite_of_mount(struct import *im, const struct words *words,
			      struct words *ret)
{
	const char *where = NULL;

	for (size_t i = 1; i < words->n; i++) {
		const char *word = words->v[i];

		if (streq(word, "-a") || streq(word, "--all") || strstr(word, "remount"))
			return false;
		if (streq(word, "-t") || streq(word, "-o"))
			i++;
		else if (*word != '-')
			where = word;
	}
	if (!where)
		return false;
	push(im, ret, "umount");
	push(im, ret, where);
	return true;
}

/* umount A B: mount A, mount B; how they are let go says nothing of a mount. */
static bool opposite_of_umount(struct import *im, const struct words *words,
			       struct words *ret)
{
	for (size_t i = 1; i < words->n; i++) {
		const char *word = words->v[i];

		if (*word != '-')
			push(im, ret, word);
		else if (word[1] == '-' ? !STR_IN(word, "--lazy", "--force", "--verbose",
						  "--quiet") :
					  strspn(word + 1, "lfvqn") != strlen(word + 1))
			return false; /* all of a kind: -a, -t, -R, … */
	}
	return ret->n > 0;
}

static bool opposite_of(struct import *im, const struct words *words, struct words *ret)
{
	const char *name = path_base(words->v[0]);

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!streq(pairs[i].program, name) ||
		    (pairs[i].verb && !words_have(words, pairs[i].verb)))
			continue;
		push(im, ret, pairs[i].other_program);
		for (size_t k = 1; k < words->n; k++) {
			const char *word = words->v[k];

			push(im, ret,
			     pairs[i].verb && streq(word, pairs[i].verb) ?
				     pairs[i].other_verb :
				     word);
		}
		return ret->n > 1;
	}
	return streq(name, "mount") && opposite_of_mount(im, words, ret);
}

static void undo_by(struct import *im, const struct cmd *cmd, const struct words *words)
{
	struct act *act = act_step(im, cmd->node, "exec.undo");

	if (cmd->user)
		act_option(im, act, "user=%s", cmd->user);
	act->words = *words;
}

enum truth import_pair(struct import *im, struct cmd *cmd)
{
	struct words opposite = { 0 };
	bool umount = streq(path_base(cmd->words.v[0]), "umount");
	enum truth truth;

	if (cmd->words.n < 2 ||
	    !(umount ? opposite_of_umount : opposite_of)(im, &cmd->words, &opposite))
		return UNKNOWN;
	truth = import_exec_run(im, cmd);
	if (truth != TRUE || im->phase == PHASE_STOPPED || im->phase == PHASE_RELEASE)
		return truth;
	if (!umount)
		undo_by(im, cmd, &opposite);
	for (size_t i = 0; umount && i < opposite.n; i++) {
		struct words mount = { 0 };

		push(im, &mount, "mount");
		push(im, &mount, opposite.v[i]);
		undo_by(im, cmd, &mount);
	}
	return truth;
}
