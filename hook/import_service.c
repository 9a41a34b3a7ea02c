/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemctl, its older relatives, and loginctl.
 */
#include "import.h"
#include "step.h"

static char *unit_name(struct import *im, const char *word)
{
	static const char *const types[] = { ".service", ".socket", ".target",	 ".timer",
					     ".slice",	 ".scope",  ".mount",	 ".path",
					     ".swap",	 ".device", ".automount" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_ends(word, types[i]))
			return arena_printf(&im->arena, "%s", word);
	return arena_printf(&im->arena, "%s.service", word);
}

struct systemctl {
	const char *user; /* whose manager */
	bool user_manager;
	const char *verb;
	struct words units;
};

static void parse(struct import *im, const struct cmd *cmd, struct systemctl *ret)
{
	const char *machine = NULL;

	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i];

		if (streq(word, "--user"))
			ret->user_manager = true;
		else if (str_after(word, "--machine="))
			machine = str_after(word, "--machine=");
		else if (str_after(word, "-M") && word[2])
			machine = word + 2;
		else if ((streq(word, "-M") || streq(word, "--machine")) &&
			 i + 1 < cmd->words.n)
			machine = cmd->words.v[++i];
		else if (*word == '-')
			continue;
		else if (!ret->verb)
			ret->verb = word;
		else
			words_push(&im->arena, &ret->units, word);
	}
	if (machine)
		ret->user = arena_strndup(&im->arena, machine, strcspn(machine, "@"));
	else if (ret->user_manager)
		ret->user = cmd->user;
}

/* Patterns of units are for systemctl itself. */
static enum truth run_systemctl(struct import *im, const struct cmd *cmd,
				const struct systemctl *ctl)
{
	struct act *act = act_step(im, cmd->node, "exec.run");

	if (ctl->user_manager)
		act_option(im, act, "user=%s", ctl->user);
	act_word(im, act, "systemctl");
	if (ctl->user_manager)
		act_word(im, act, "--user");
	act_word(im, act, ctl->verb);
	for (size_t i = 0; i < ctl->units.n; i++)
		act_word(im, act, ctl->units.v[i]);
	return TRUE;
}

static enum truth ask(struct import *im, const struct words *units)
{
	for (size_t i = 0; i < units->n; i++)
		if (!words_have(&im->asked, unit_name(im, units->v[i])))
			words_push(&im->arena, &im->asked, unit_name(im, units->v[i]));
	return PRESENT;
}

static enum truth act_on_units(struct import *im, const struct cmd *cmd, const char *key,
			       const struct systemctl *ctl)
{
	struct act *act;

	if (ctl->user_manager && !ctl->user) {
		act_left(im, cmd->node, "whose service manager is meant is not known");
		return UNKNOWN;
	}
	for (size_t i = 0; i < ctl->units.n; i++) {
		if (!str_after(ctl->units.v[i], "libvirtd") &&
		    !str_after(ctl->units.v[i], "virtqemud"))
			continue;
		act_left(im, cmd->node, "libvirt itself waits for this hook");
		return UNKNOWN;
	}
	for (size_t i = 0; i < ctl->units.n; i++)
		if (strpbrk(ctl->units.v[i], "*?["))
			return run_systemctl(im, cmd, ctl);
	act = act_step(im, cmd->node, key);
	if (ctl->user_manager)
		act_option(im, act, "user=%s", ctl->user);
	for (size_t i = 0; i < ctl->units.n; i++) {
		const char *unit = unit_name(im, ctl->units.v[i]);

		act_word(im, act, unit);
		act->either = act->either || (streq(key, "service.stop") &&
					      words_have(&im->asked, unit));
	}
	return TRUE;
}

/*
 * The login screen is all of graphical.target that matters here; to stop the rest, and
 * with it every user's services, is a side effect that most writers did not want.
 */
static enum truth isolate(struct import *im, const struct cmd *cmd, const char *target)
{
	bool down = str_after(target, "multi-user") || str_after(target, "runlevel3");

	if (!down && !str_after(target, "graphical") && !str_after(target, "default") &&
	    !str_after(target, "runlevel5"))
		return UNKNOWN;
	act_note(im, cmd->node, "isolate %s: the display manager alone is %s", target,
		 down ? "stopped, with its sessions" : "started again");
	act_word(im, act_step(im, cmd->node, down ? "service.stop" : "service.start"),
		 "display-manager.service");
	return TRUE;
}

static bool put_back_cpus(struct import *im, const struct cmd *cmd, const char *list)
{
	struct cpu_list cpus = { 0 };

	if (parse_cpu_list(list, &cpus) < 0)
		return false;
	for (size_t i = 0; i < cpus.n; i++)
		if (cpus.cpu[i] > im->highest_cpu)
			im->highest_cpu = cpus.cpu[i];
	cpu_list_done(&cpus);
	act_note(im, cmd->node, "AllowedCPUs: undo gives back what there was");
	return true;
}

/* set-property SLICE AllowedCPUs=LIST: the list is turned round in import_merge.c. */
static enum truth set_property(struct import *im, const struct cmd *cmd,
			       const struct words *words)
{
	for (size_t i = 1; i < words->n; i++) {
		const char *list = str_after(words->v[i], "AllowedCPUs=");
		struct act *act;

		if (!list)
			return UNKNOWN;
		if (im->phase == PHASE_STOPPED || im->phase == PHASE_RELEASE) {
			if (!step_find("cpuset.isolate", NULL) ||
			    !put_back_cpus(im, cmd, list))
				return UNKNOWN;
			continue;
		}
		act = act_step(im, cmd->node, "cpuset.isolate");
		act_word(im, act, list);
	}
	return words->n > 1 ? TRUE : UNKNOWN;
}

static bool is_one_of(const char *word, const char *list)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)); p += n)
		if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return n > 0;
	return false;
}

enum truth import_systemctl(struct import *im, struct cmd *cmd)
{
	struct systemctl ctl = { 0 };

	parse(im, cmd, &ctl);
	if (!ctl.verb ||
	    is_one_of(ctl.verb, "is-active is-enabled is-failed status show cat "
				"list-units list-unit-files is-system-running "
				"list-jobs get-default"))
		return ask(im, &ctl.units);
	if (is_one_of(ctl.verb, "daemon-reload reset-failed")) /* restarts do it */
		return TRUE;
	if (streq(ctl.verb, "isolate") && ctl.units.n == 1)
		return isolate(im, cmd, ctl.units.v[0]);
	if (streq(ctl.verb, "set-property") && !ctl.user_manager)
		return set_property(im, cmd, &ctl.units);
	if (ctl.units.n == 0)
		return UNKNOWN;
	if (streq(ctl.verb, "stop"))
		return act_on_units(im, cmd, "service.stop", &ctl);
	if (streq(ctl.verb, "start"))
		return act_on_units(im, cmd, "service.start", &ctl);
	if (is_one_of(ctl.verb, "restart try-restart reload-or-restart"))
		return act_on_units(im, cmd, "service.restart", &ctl);
	return import_pair(im, cmd);
}

/* service NAME stop, rc-service NAME stop; sv stop NAME, s6-rc -d change NAME. */
enum truth import_service(struct import *im, struct cmd *cmd)
{
	const char *name = path_base(cmd->words.v[0]);
	bool behind = streq(name, "service") || streq(name, "rc-service");
	size_t i = 1, verb;

	while (i < cmd->words.n && *cmd->words.v[i] == '-')
		i++;
	if (i + 1 >= cmd->words.n)
		return UNKNOWN;
	verb = behind ? i + 1 : i;
	if (streq(name, "service")) {
		struct systemctl ctl = { 0 };

		words_push(&im->arena, &ctl.units, cmd->words.v[i]);
		if (streq(cmd->words.v[verb], "status"))
			return ask(im, &ctl.units);
		if (streq(cmd->words.v[verb], "stop"))
			return act_on_units(im, cmd, "service.stop", &ctl);
		if (streq(cmd->words.v[verb], "start"))
			return act_on_units(im, cmd, "service.start", &ctl);
		if (streq(cmd->words.v[verb], "restart"))
			return act_on_units(im, cmd, "service.restart", &ctl);
		return UNKNOWN;
	}
	if (is_one_of(cmd->words.v[verb], "status check"))
		return PRESENT;
	return import_pair(im, cmd);
}

enum truth import_loginctl(struct import *im, struct cmd *cmd)
{
	const char *verb = NULL, *what = NULL;
	struct act *act;

	for (size_t i = 1; i < cmd->words.n; i++) {
		if (*cmd->words.v[i] == '-')
			continue;
		if (!verb)
			verb = cmd->words.v[i];
		else if (!what)
			what = cmd->words.v[i];
	}
	if (!verb || str_after(verb, "list-") || strstr(verb, "-status") ||
	    str_after(verb, "show-"))
		return PRESENT;
	if (!str_after(verb, "terminate-") && !str_after(verb, "kill-"))
		return UNKNOWN;
	if (!str_ends(verb, "-seat"))
		act_note(im, cmd->node, "%s: all sessions of the seat are ended", verb);
	act = act_step(im, cmd->node, "session.end");
	act_option(im, act, "seat=%s", str_ends(verb, "-seat") && what ? what : "seat0");
	act_option(im, act, "force=yes");
	return TRUE;
}
