/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that tune or wait: sleep, cpupower, sysctl, rtcwake; owners and modes of files.
 */
#include "import.h"

enum truth import_sleep(struct import *im, struct cmd *cmd)
{
	char *end;
	double seconds;

	if (cmd->words.n != 2 || !is_known(cmd->words.v[1]))
		return TRUE; /* how long does not matter much */
	seconds = strtod(cmd->words.v[1], &end);
	if (streq(end, "m"))
		seconds *= 60;
	else if (*end && !streq(end, "s"))
		return UNKNOWN;
	if (!(seconds >= 0 && seconds < 3600))
		return UNKNOWN;
	act_word(im, act_step(im, cmd->node, "wait.sleep"),
		 seconds == (double)(long)seconds ?
			 arena_printf(&im->arena, "%ld", (long)seconds) :
			 arena_printf(&im->arena, "%ldms", (long)(seconds * 1000)));
	return TRUE;
}

/* In the background it is there for as long as the guest runs. */
enum truth import_inhibit(struct import *im, struct cmd *cmd)
{
	if (!cmd->node->background || im->phase == PHASE_STOPPED ||
	    im->phase == PHASE_RELEASE)
		return UNKNOWN;
	act_step(im, cmd->node, "sleep.inhibit");
	return TRUE;
}

enum truth import_cpupower(struct import *im, struct cmd *cmd)
{
	const char *cpus = NULL, *governor = NULL;
	bool set = false;
	struct act *act;

	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i];
		const char *next = i + 1 < cmd->words.n ? cmd->words.v[i + 1] : NULL;

		if (streq(word, "frequency-set"))
			set = true;
		else if ((streq(word, "-c") || streq(word, "--cpu")) && next)
			cpus = cmd->words.v[++i];
		else if ((streq(word, "-g") || streq(word, "--governor")) && next)
			governor = cmd->words.v[++i];
		else if (str_after(word, "--governor="))
			governor = str_after(word, "--governor=");
		else if (str_after(word, "-g"))
			governor = word + 2;
		else if (!streq(word, "-r") && !streq(word, "--related"))
			return *word == '-'	    ? UNKNOWN :
			       strstr(word, "info") ? PRESENT :
						      UNKNOWN;
	}
	if (!set || !governor)
		return UNKNOWN;
	act = act_step(im, cmd->node, "governor.set");
	if (cpus && !streq(cpus, "all"))
		act_option(im, act, "cpus=%s", cpus);
	act_word(im, act, governor);
	return TRUE;
}

/*
 * cset shield moves all that runs away from the guest's CPUs, as cpuset.isolate does, whose
 * undo is the shield's reset. Sets that are made by hand stay what they are.
 */
enum truth import_cset(struct import *im, struct cmd *cmd)
{
	const char *cpus = NULL;
	struct act *act;

	if (cmd->words.n < 2 || !streq(cmd->words.v[1], "shield"))
		return UNKNOWN;
	for (size_t i = 2; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i], *value = str_after(word, "--cpu=");

		if (streq(word, "-r") || streq(word, "--reset"))
			return im->phase == PHASE_STOPPED || im->phase == PHASE_RELEASE ?
				       TRUE :
				       UNKNOWN;
		if (value)
			cpus = value;
		else if ((streq(word, "-c") || streq(word, "--cpu")) &&
			 i + 1 < cmd->words.n)
			cpus = cmd->words.v[++i];
		else if (streq(word, "-k") || streq(word, "--kthread"))
			i++; /* kernel threads go, too, as far as they can */
		else if (!str_after(word, "--kthread=") && !str_after(word, "-k"))
			return UNKNOWN; /* --exec, --shield, --user: of single processes */
	}
	if (!cpus)
		return UNKNOWN;
	act = act_step(im, cmd->node, "cpuset.isolate");
	act->cpus_are_guests = true;
	act_word(im, act, cpus);
	return TRUE;
}

enum truth import_sysctl(struct import *im, struct cmd *cmd)
{
	enum truth truth = PRESENT;

	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i], *equals = strchr(word, '=');
		char *path;

		if (*word == '-' || !equals)
			continue;
		path = arena_printf(&im->arena, "/proc/sys/%.*s", (int)(equals - word),
				    word);
		for (char *p = path + strlen("/proc/sys/"); *p; p++)
			if (*p == '.')
				*p = '/';
		truth = import_write_path(im, cmd->node, path, equals + 1);
	}
	return truth;
}

enum truth import_rtcwake(struct import *im, struct cmd *cmd)
{
	const char *mode = "standby", *seconds = NULL;
	struct act *act;

	for (size_t i = 1; i + 1 < cmd->words.n; i++) {
		if (streq(cmd->words.v[i], "-m") || streq(cmd->words.v[i], "--mode"))
			mode = cmd->words.v[i + 1];
		else if (streq(cmd->words.v[i], "-s") ||
			 streq(cmd->words.v[i], "--seconds"))
			seconds = cmd->words.v[i + 1];
		else if (streq(cmd->words.v[i], "--date") && *cmd->words.v[i + 1] == '+')
			seconds = arena_strndup(&im->arena, cmd->words.v[i + 1] + 1,
						strspn(cmd->words.v[i + 1] + 1,
						       "0123456789"));
	}
	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *long_mode = str_after(cmd->words.v[i], "--mode="),
			   *long_seconds = str_after(cmd->words.v[i], "--seconds=");

		if (long_mode)
			mode = long_mode;
		if (long_seconds)
			seconds = long_seconds;
		if (str_after(cmd->words.v[i], "-s") && cmd->words.v[i][2])
			seconds = cmd->words.v[i] + 2;
	}
	if (!seconds || !streq(mode, "mem"))
		return UNKNOWN;
	act = act_step(im, cmd->node, "suspend.cycle");
	if (atoi(seconds) == 1) {
		act_note(im, cmd->node,
			 "one second is too short to be sure to wake up again");
		act = &im->acts.v[im->acts.n - 2];
		seconds = "2";
	}
	act_option(im, act, "seconds=%s", seconds);
	return TRUE;
}

/* ---- files */

enum truth import_chown(struct import *im, struct cmd *cmd)
{
	struct act *act;
	const char *owner, *group;
	size_t i = 1;

	while (i < cmd->words.n && *cmd->words.v[i] == '-')
		i++;
	if (i + 1 >= cmd->words.n || i > 1)
		return UNKNOWN;
	act = act_step(im, cmd->node, "file.own");
	owner = cmd->words.v[i];
	group = strpbrk(owner, ":.");
	if (group != owner)
		act_option(im, act, "owner=%.*s", (int)strcspn(owner, ":."), owner);
	if (group && group[1])
		act_option(im, act, "group=%s", group + 1);
	for (i++; i < cmd->words.n; i++)
		act_word(im, act, cmd->words.v[i]);
	return TRUE;
}

enum truth import_chmod(struct import *im, struct cmd *cmd)
{
	struct act *act;

	if (cmd->words.n < 3 ||
	    strspn(cmd->words.v[1], "01234567") != strlen(cmd->words.v[1]))
		return UNKNOWN;
	act = act_step(im, cmd->node, "file.own");
	act_option(im, act, "mode=%s", cmd->words.v[1]);
	for (size_t i = 2; i < cmd->words.n; i++)
		act_word(im, act, cmd->words.v[i]);
	return TRUE;
}

bool import_is_state_file(const char *path)
{
	return str_after(path, "/tmp/") || str_after(path, "/run/") ||
	       str_after(path, "/var/run/") || str_after(path, "/var/tmp/") ||
	       str_after(path, "/var/log/") || str_after(path, "/var/lock/") ||
	       str_ends(path, ".log") || str_after(path, "/dev/null") ||
	       str_after(path, "/dev/std") || str_after(path, "/dev/tty") ||
	       str_after(path, "/dev/kmsg") || str_after(path, "/dev/console") ||
	       str_after(path, "/dev/fd/");
}

/* rm, mkdir, touch, …: what only keeps state or a log is left out. */
enum truth import_files(struct import *im, struct cmd *cmd)
{
	const char *name = path_base(cmd->words.v[0]);
	bool all = true, any = false;

	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i];

		if (*word == '-')
			continue;
		any = true;
		all = all && (import_is_state_file(word) || strstr(word, "log"));
	}
	if (any && all && !streq(name, "sed"))
		return TRUE;
	if (streq(name, "sed"))
		return words_have(&cmd->words, "-i") ? (all && any ? TRUE : UNKNOWN) :
						       PRESENT;
	if (streq(name, "touch") && cmd->words.n == 2 &&
	    str_after(cmd->words.v[1], "/dev/shm/")) {
		act_word(im, act_step(im, cmd->node, "shm.create"),
			 str_after(cmd->words.v[1], "/dev/shm/"));
		return TRUE;
	}
	return UNKNOWN;
}
