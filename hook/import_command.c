/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which command is it? What others put in front of it (sudo, nohup, timeout) is taken
 * off, then a table tells who knows it.
 */
#include "import.h"
#include "step.h"

static const struct {
	const char *name;
	recogniser *recognise;
} commands[] = {
	{ "modprobe", import_modprobe }, { "rmmod", import_rmmod },
	{ "virsh", import_virsh },	 { "systemctl", import_systemctl },
	{ "service", import_service },	 { "rc-service", import_service },
	{ "sv", import_service },	 { "s6-rc", import_service },
	{ "dinitctl", import_service },	 { "kill", import_kill },
	{ "fuser", import_fuser },	 { "pkill", import_pkill },
	{ "killall", import_pkill },	 { "loginctl", import_loginctl },
	{ "sleep", import_sleep },	 { "cpupower", import_cpupower },
	{ "cset", import_cset },	 { "sysctl", import_sysctl },
	{ "rtcwake", import_rtcwake },	 { "echo", import_echo },
	{ "printf", import_echo },	 { "cat", import_echo },
	{ "tee", import_tee },		 { "chown", import_chown },
	{ "chmod", import_chmod },	 { "touch", import_files },
	{ "mkdir", import_files },	 { "rm", import_files },
	{ "mv", import_files },		 { "cp", import_files },
	{ "truncate", import_files },	 { "sed", import_files },
	{ "swapoff", import_pair },	 { "swapon", import_pair },
	{ "mount", import_pair },	 { "umount", import_pair },
	{ "ip", import_pair },		 { "ifup", import_pair },
	{ "ifdown", import_pair },	 { "nmcli", import_pair },
	{ "rfkill", import_pair },	 { "systemd-inhibit", import_inhibit },
};

static bool has_flag(const struct words *words, char flag)
{
	for (size_t i = 1; i < words->n; i++)
		if (words->v[i][0] == '-' && words->v[i][1] != '-' &&
		    strchr(words->v[i], flag))
			return true;
	return false;
}

/* They ask, and change nothing. */
bool import_is_query(const struct words *words)
{
	const char *name = path_base(words->v[0]);

	if (streq(name, "sed") && !words_have(words, "-i"))
		return true;
	if (streq(name, "fuser")) /* may kill those that it finds */
		return !has_flag(words, 'k');
	if (streq(name, "find"))
		return !words_have(words, "-exec") && !words_have(words, "-delete") &&
		       !words_have(words, "-execdir");
	if (streq(name, "command"))
		return words_have(words, "-v") || words_have(words, "-V");
	if (streq(name, "nvidia-smi"))
		return words->n == 1 || str_after(words->v[1], "--query") ||
		       streq(words->v[1], "-q") || streq(words->v[1], "-L");
	if (streq(name, "cat"))
		return true;
	return STR_IN(name, "grep", "egrep", "fgrep", "lspci", "lsusb", "lsmod", "pgrep",
		      "pidof", "ls", "lsof", "fuser", "ps", "which", "type", "hash", "id",
		      "who", "w", "uname", "free", "nproc", "lscpu", "dmesg", "find",
		      "stat", "readlink", "realpath", "basename", "dirname", "awk", "cut",
		      "head", "tail", "wc", "tr", "sort", "uniq", "modinfo", "numactl",
		      "mountpoint", "findmnt", "ping", "diff", "cmp", "journalctl",
		      "uptime", "pstree", "hostname", "glxinfo", "jq", "lsblk", "getent",
		      "test", "[", "[[");
}

/* Talk, and what the shell and libvirt do better. */
static bool is_plumbing(const struct words *words)
{
	const char *name = path_base(words->v[0]);

	if (streq(name, "nvidia-xconfig"))
		return words->n > 1 && str_after(words->v[1], "--query");
	if (streq(name, "udevadm"))
		return words->n > 1 && streq(words->v[1], "settle");
	if (streq(name, "exec"))
		return words->n == 1;
	return STR_IN(name, "date", "logger", "set", "export", "unset", "shopt", "trap",
		      "wait", "umask", "ulimit", "sync", "clear", "udevadm", "cd", ":",
		      "true", "hash", "tput", "stty", "disown", "pushd", "popd", "alias",
		      "systemd-notify", "logsave", "nvidia-xconfig", "depmod");
}

/* Builtins that change what is walked. */
static bool is_control(struct import *im, const struct cmd *cmd)
{
	const char *name = cmd->words.v[0],
		   *status = cmd->words.n > 1 ? cmd->words.v[1] : "0";

	if (streq(name, "exit"))
		im->go = GO_EXIT;
	else if (streq(name, "return"))
		im->go = GO_RETURN;
	else if (streq(name, "break"))
		im->go = GO_BREAK;
	else if (streq(name, "continue"))
		im->go = GO_CONTINUE;
	else
		return false;
	im->go_failed = (im->go == GO_EXIT || im->go == GO_RETURN) && !streq(status, "0");
	return true;
}

static enum truth shift_args(struct import *im, const struct cmd *cmd)
{
	long long n = 1;
	struct words args = { 0 };

	if (cmd->words.n > 1 && (!import_arith(im, cmd->words.v[1], &n) || n < 0)) {
		act_left(im, cmd->node, "how far it shifts is not known");
		return UNKNOWN;
	}
	if (im->args.n == 0 || n > (long long)im->args.n - 1)
		return FALSE;
	words_push(&im->arena, &args, im->args.v[0]);
	for (size_t i = (size_t)n + 1; i < im->args.n; i++)
		words_push(&im->arena, &args, im->args.v[i]);
	im->args = args;
	return TRUE;
}

static enum truth declare(struct import *im, const struct cmd *cmd)
{
	for (size_t i = 1; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i];
		size_t n = import_name_length(word);

		/* the words are expanded: what is behind "=" is the value */
		if (n > 0 && word[n] == '=' && word[n + 1] != '(')
			import_set_text(im, arena_strndup(&im->arena, word, n),
					word + n + 1);
	}
	for (size_t i = 1; i < cmd->node->words.n; i++)
		import_assign(im, cmd->node->words.v[i]);
	return TRUE;
}

static enum truth source(struct import *im, const struct cmd *cmd)
{
	const char *path = cmd->words.n > 1 ? cmd->words.v[1] : "";
	const char *const near[] = {
		im->conf,
		path,
		arena_printf(&im->arena, "%s/%s", im->dir, path_base(path)),
		arena_printf(&im->arena, "%s/../%s", im->dir, path_base(path)),
		arena_printf(&im->arena, "%s/../../%s", im->dir, path_base(path)),
	};
	struct source *file = NULL;
	unsigned line;
	const char *why;
	const struct node *list;

	for (size_t i = 0; i < ARRAY_SIZE(near) && !file; i++) {
		if (!near[i] || !is_known(near[i]) || (i == 0 && !strstr(path, "conf")))
			continue;
		import_read(im, near[i], &file);
	}
	if (!file) {
		act_note(im, cmd->node,
			 "%s was not found: its variables are not known, see --conf",
			 import_shown(im, path));
		return UNKNOWN;
	}
	if (++im->calls > 16 || !(list = import_parse(&im->arena, file, &line, &why))) {
		im->calls--;
		act_left(im, cmd->node, "%s cannot be read", file->name);
		return UNKNOWN;
	}
	import_walk(im, list);
	im->calls--;
	if (im->go == GO_RETURN)
		im->go = GO_ON;
	return TRUE;
}

static bool is_one_of(const char *name, const char *a, const char *b, const char *c)
{
	return streq(name, a) || streq(name, b) || streq(name, c);
}

static enum truth recognise(struct import *im, struct cmd *cmd)
{
	const char *name = path_base(cmd->words.v[0]);

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(commands[i].name, name))
			return commands[i].recognise(im, cmd);
	return UNKNOWN;
}

/* Most of these will go, as undo does them: import_reverse.c looks at what stays. */
static bool is_reversible(const struct act *act)
{
	return (act->phase == PHASE_STOPPED || act->phase == PHASE_RELEASE) &&
	       (str_after(act->key, "pci.") || str_after(act->key, "sys"));
}

/* Turns steps that the config cannot have into what is left over, or a program to run. */
static enum truth settle(struct import *im, struct cmd *cmd, size_t from)
{
	enum truth truth = TRUE;

	for (size_t i = from; i < im->acts.n; i++) {
		struct act *act = &im->acts.v[i];
		const char *why;

		if (act->kind != ACT_STEP || is_reversible(act))
			continue;
		why = act_check(im, act);

		if (why && (act->phase == PHASE_START || act->phase == PHASE_STARTED)) {
			enum phase phase = act->phase;

			act->phase = PHASE_PREPARE; /* some steps can go nowhere else */
			if (act_check(im, act))
				act->phase = phase;
			else
				continue;
		}
		if (!why)
			continue;
		if (!step_find(act->key, NULL) && !str_after(act->key, "sys") &&
		    !str_after(act->key, "pci.") && cmd) {
			acts_cut(&im->acts, from);
			import_exec_run(im, cmd);
			return settle(im, NULL, from);
		}
		act->kind = ACT_LEFT;
		act->text = why;
		truth = UNKNOWN;
	}
	return truth;
}

enum truth import_command(struct import *im, struct cmd *cmd)
{
	size_t from = im->acts.n;
	const char *name;
	enum truth truth;

	while (cmd->words.n > 0 && import_shift_prefix(im, cmd))
		;
	if (cmd->words.n == 0)
		return TRUE;
	name = path_base(cmd->words.v[0]);
	if (!is_known(cmd->words.v[0])) { /* NAME would be the end of $(cat /a/b) */
		act_left(im, cmd->node, "which program it runs is not known");
		return UNKNOWN;
	}
	if (is_control(im, cmd))
		return TRUE;
	if (is_one_of(name, "test", "[", "[["))
		return import_test(im, &cmd->words);
	if (is_one_of(name, "source", ".", "."))
		return source(im, cmd);
	if (is_one_of(name, "local", "declare", "typeset") ||
	    is_one_of(name, "readonly", "export", "export"))
		return declare(im, cmd);
	if (streq(name, "shift"))
		return shift_args(im, cmd);
	if (streq(name, "let") && cmd->words.n > 1) {
		long long n;

		return import_arith(im, cmd->words.v[1], &n) ? (n ? TRUE : FALSE) :
							       UNKNOWN;
	}
	if (streq(name, "false"))
		return FALSE;
	if (is_one_of(name, "su", "runuser", "runuser"))
		return import_walk_text(im, cmd, false);
	if (is_one_of(name, "bash", "sh", "dash") && cmd->words.n > 2)
		return import_walk_text(im, cmd, true);
	if (is_plumbing(&cmd->words))
		return TRUE;
	truth = recognise(im, cmd);
	if (cmd->priority.n && acts_count(&im->acts, from, ACT_STEP) > 0 &&
	    !act_is(&im->acts.v[im->acts.n - 1], "exec.run"))
		act_note(im, cmd->node, "%s is left out: the step has no priority",
			 path_base(cmd->priority.v[0]));
	if (truth == UNKNOWN && im->acts.n == from) {
		if (import_is_query(&cmd->words) && !import_writes_file(im, cmd->node))
			return PRESENT;
		truth = import_exec_run(im, cmd);
	}
	if (im->acts.n == from)
		return truth;
	return settle(im, cmd, from) == UNKNOWN ? UNKNOWN : truth;
}
