/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * modprobe, rmmod, and virsh nodedev-*.
 */
#include "import.h"
#include "pci.h"

static char *module_name(struct import *im, const char *word)
{
	const char *base = path_base(word);
	char *name;

	if (!is_known(word)) /* a slash in it is not its own */
		return arena_strndup(&im->arena, word, strlen(word));
	name = arena_strndup(&im->arena, base, strcspn(base, "."));
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

static bool is_vfio(const char *name)
{
	return str_after(name, "vfio") || str_after(name, "irqbypass");
}

/* They come with the drivers that need them, and other cards need them, too. */
static bool is_helper(const char *name)
{
	return STR_IN(name, "drm", "drm_kms_helper", "ttm", "drm_ttm_helper", "drm_buddy",
		      "gpu_sched", "i2c_algo_bit", "amdxcp", "video", "cec",
		      "syscopyarea", "sysfillrect", "sysimgblt", "fb_sys_fops",
		      "drm_exec", "drm_display_helper", "drm_suballoc_helper", "iommu_v2",
		      "amd_iommu_v2", "kvm", "kvm_intel", "kvm_amd", "mdev", "agpgart");
}

static void drop(struct import *im, const struct cmd *cmd, const char *name)
{
	if (is_vfio(name))
		act_note(im, cmd->node,
			 "vfio modules: pci.detach loads what it needs, and they stay loaded");
	else
		act_note(im, cmd->node, "%s comes and goes with the drivers that use it",
			 name);
}

static void unload(struct import *im, const struct cmd *cmd, const char *word)
{
	const char *name = module_name(im, word);

	if (is_vfio(name) || is_helper(name)) {
		drop(im, cmd, name);
		return;
	}
	act_word(im, act_step(im, cmd->node, "kmod.unload"), name);
}

static void load_step(struct import *im, const struct cmd *cmd, size_t first, bool all)
{
	struct act *act = act_step(im, cmd->node, "kmod.load");

	act_word(im, act, module_name(im, cmd->words.v[first]));
	for (size_t i = first + 1; !all && i < cmd->words.n; i++)
		act_word(im, act, cmd->words.v[i]);
}

/*
 * Parameters, but for ids=, which says what is taken. Modules in their place, which
 * modprobe without -a takes for some, are none.
 */
static struct words parameters(struct import *im, const struct cmd *cmd, size_t i)
{
	struct words words = { 0 };

	for (; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i], *name = module_name(im, word);

		if (str_after(word, "ids=") || is_vfio(name) || is_helper(name))
			continue;
		words_push(&im->arena, &words,
			   strchr(word, '=') || !is_known(word) ?
				   word :
				   arena_printf(&im->arena, "%s=1", word));
	}
	return words;
}

/* vfio-pci ids=10de:1e84,10de:10f8 takes all functions that have one of them. */
static bool take_ids(struct import *im, const struct cmd *cmd, size_t i)
{
	char *ids, *rest = NULL;
	struct act *act;

	for (; i < cmd->words.n; i++)
		if (str_after(cmd->words.v[i], "ids="))
			break;
	if (i == cmd->words.n)
		return false;
	act = act_step(im, cmd->node, "pci.detach");
	ids = arena_printf(&im->arena, "%s", str_after(cmd->words.v[i], "ids="));
	for (char *id = strtok_r(ids, ",", &rest); id; id = strtok_r(NULL, ",", &rest))
		act_word(im, act, id);
	return true;
}

static void load(struct import *im, const struct cmd *cmd, size_t first, bool all)
{
	const char *name = module_name(im, cmd->words.v[first]);
	struct words words = { 0 };
	struct act *act;

	if (!is_vfio(name) && !is_helper(name)) {
		load_step(im, cmd, first, all);
		return;
	}
	if (!all)
		words = parameters(im, cmd, first + 1);
	if (words.n > 0) {
		act = act_step(im, cmd->node, "kmod.load");
		act_word(im, act, name);
		for (size_t i = 0; i < words.n; i++)
			act_word(im, act, words.v[i]);
	}
	if (is_vfio(name) && !all && take_ids(im, cmd, first + 1))
		return;
	if (words.n == 0)
		drop(im, cmd, name);
}

enum truth import_modprobe(struct import *im, struct cmd *cmd)
{
	bool remove = false, all = false, query = false;
	size_t i = 1;

	for (; i < cmd->words.n && *cmd->words.v[i] == '-'; i++) {
		const char *option = cmd->words.v[i];
		bool is_long = option[1] == '-';

		remove = remove ||
			 (is_long ? streq(option, "--remove") : !!strchr(option, 'r'));
		all = all || (is_long ? streq(option, "--all") : !!strchr(option, 'a'));
		query = query || (is_long ? str_after(option, "--show") ||
						    streq(option, "--dry-run") :
					    !!strpbrk(option, "nDcR"));
		if (!is_long && strpbrk(option, "dCSw"))
			i++;
	}
	if (query || i >= cmd->words.n)
		return PRESENT;
	if (remove)
		for (; i < cmd->words.n; i++) {
			if (*cmd->words.v[i] != '-')
				unload(im, cmd, cmd->words.v[i]);
		}
	else if (all)
		for (; i < cmd->words.n; i++)
			load(im, cmd, i, true);
	else
		load(im, cmd, i, false);
	return TRUE;
}

enum truth import_rmmod(struct import *im, struct cmd *cmd)
{
	for (size_t i = 1; i < cmd->words.n; i++)
		if (*cmd->words.v[i] != '-')
			unload(im, cmd, cmd->words.v[i]);
	return TRUE;
}

static enum truth nodedev(struct import *im, struct cmd *cmd, const char *key, size_t i)
{
	struct act *act = act_step(im, cmd->node, key);

	for (; i < cmd->words.n; i++) {
		const char *word = cmd->words.v[i];

		if (streq(word, "--driver"))
			i++;
		else if (str_after(word, "--device="))
			act_word(im, act, str_after(word, "--device="));
		else if (*word != '-')
			act_word(im, act, word);
	}
	if (act->words.n > 0)
		return TRUE;
	acts_cut(&im->acts, im->acts.n - 1);
	act_left(im, cmd->node, "which device is meant is not known");
	return UNKNOWN;
}

enum truth import_virsh(struct import *im, struct cmd *cmd)
{
	size_t i = 1;
	const char *verb;

	while (i < cmd->words.n && *cmd->words.v[i] == '-')
		i += streq(cmd->words.v[i], "-c") || streq(cmd->words.v[i], "--connect") ?
			     2 :
			     1;
	verb = i < cmd->words.n ? cmd->words.v[i] : "list";
	if (streq(verb, "nodedev-detach") || streq(verb, "nodedev-dettach"))
		return nodedev(im, cmd, "pci.detach", i + 1);
	if (streq(verb, "nodedev-reattach"))
		return nodedev(im, cmd, "pci.reattach", i + 1);
	if (streq(verb, "nodedev-reset"))
		return nodedev(im, cmd, "pci.reset", i + 1);
	if (str_ends(verb, "list") || str_after(verb, "dom") || strstr(verb, "info") ||
	    strstr(verb, "dumpxml"))
		return PRESENT;
	act_left(im, cmd->node,
		 "libvirt waits for its hook: virsh in it may never return");
	return UNKNOWN;
}
