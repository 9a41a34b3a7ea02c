/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nvidia's remove() polls its usage count for ever when it is not zero, and as the card
 * is off the driver's list by then, the count never drops any more: only a reboot helps.
 * delete_module refuses instead. So the module goes first, or, when another card needs
 * it, the count is proved to be zero: no open node, no persistence mode, no output.
 */
#include "holders.h"
#include "modules.h"
#include "nvidia.h"
#include "preflight.h"
#include "spawn.h"

#define NVIDIA "nvidia"
#define SMI_TIMEOUT_MS 10000

/* "kmod.unload = …" of nvidia and all that uses it, to be freed; NULL: no memory. */
static char *unload_line(const struct run *run)
{
	_cleanup_strv_ struct strv names = {}, order = {};
	_cleanup_free_ char *modules = NULL;
	char *line;

	if (strv_add(&names, NVIDIA) < 0 ||
	    module_unload_order(&run->host, &names, &order) < 0)
		return NULL;
	modules = strv_join(&order, " ");
	return modules && asprintf(&line, "kmod.unload = %s", modules) >= 0 ? line : NULL;
}

static int refuse_loaded(struct run *run, const char *name, struct error *err)
{
	_cleanup_free_ char *line = unload_line(run);

	if (!line)
		return error_oom(err);
	run_cure(run, "%s", line);
	return run_problem(
		run, -EBUSY, err,
		"%s is on nvidia, which is still loaded here, and an unbind of a GPU "
		"in use never returns: add above this step: %s (or, "
		"when another card needs nvidia, while-loaded=yes)",
		name, line);
}

/* As what speaks against while-loaded=yes does not against kmod.unload. */
static void cure_by_unload(struct run *run)
{
	_cleanup_free_ char *line = unload_line(run);

	if (line)
		run_cure(run, "%s", line);
}

static int check_other_card(struct run *run, const char *name,
			    const struct pci_list *planned, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list cards = {};
	int r = module_functions(run, NVIDIA, &cards, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cards.n; i++)
		if (!streq(cards.fn[i].name, name) && !pci_find(planned, cards.fn[i].name))
			return 0;
	cure_by_unload(run);
	return run_problem(
		run, -EBUSY, err,
		"%s: while-loaded=yes is for hosts where another card stays on "
		"nvidia, and here none does: use kmod.unload, which is the safe way",
		name);
}

static int check_outputs(struct run *run, const char *name, struct error *err)
{
	_cleanup_strv_ struct strv cards = {};
	int r = 0;

	if (host_list(&run->host, &cards, "/sys/bus/pci/devices/%s/drm", name) < 0)
		return 0; /* nvidia_drm is not loaded, or not for this card */
	for (size_t i = 0; i < cards.n; i++) {
		_cleanup_strv_ struct strv outputs = {};
		const char *card = cards.v[i];

		if (host_list(&run->host, &outputs, "/sys/bus/pci/devices/%s/drm/%s",
			      name, card) < 0)
			continue;
		for (size_t j = 0; j < outputs.n && r == 0; j++) {
			char value[32] = "";

			if (!str_after(outputs.v[j], card))
				continue;
			host_read(&run->host, value, sizeof(value),
				  "/sys/bus/pci/devices/%s/drm/%s/%s/enabled", name, card,
				  outputs.v[j]);
			if (!streq(value, "enabled"))
				continue;
			cure_by_unload(run);
			r = run_problem(run, -EBUSY, err,
					"nvidia_drm drives the output %s of %s: disconnect "
					"that screen or use kmod.unload",
					outputs.v[j], name);
		}
	}
	return r;
}

/* No file tells the mode that `nvidia-smi -pm` sets; the daemon's shows as a holder. */
static int check_persistence(struct run *run, const char *name, struct error *err)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	_cleanup_error_ struct error why = {};
	char path[PATH_MAX];
	const char *argv[] = {
		path, "-i", name, "--query-gpu=persistence_mode", "--format=csv,noheader",
		NULL
	};
	struct spawn spawn = {
		.argv = argv,
		.deadline = now_ms() + SMI_TIMEOUT_MS,
		.keep_output = true,
	};
	const char *answer;

	if (spawn_find(&run->host, "nvidia-smi", path, sizeof(path)) < 0 ||
	    spawn_run(&run->host, &spawn, &result, &why) < 0 || result.timed_out ||
	    result.status != 0) {
		cure_by_unload(run);
		return run_problem(run, -EBUSY, err,
				   "cannot prove that the persistence mode of %s is off, as "
				   "nvidia-smi does not answer: use kmod.unload instead",
				   name);
	}
	answer = result.output ? result.output : "";
	if (str_after(answer, "Disabled"))
		return 0;
	run_cure(run,
		 "nvidia-smi -i %s -pm 0\nsystemctl stop nvidia-persistenced.service",
		 name);
	return run_problem(
		run, -EBUSY, err,
		"the persistence mode of %s is on, so an unbind would never return: "
		"run nvidia-smi -i %s -pm 0, and stop nvidia-persistenced.service",
		name, name);
}

/* A holder that nobody sees makes the unbind wait for ever, as one that is seen. */
static int check_all_seen(struct run *run, const struct pci_list *one, const char *name,
			  struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list list = {};
	_cleanup_free_ char *unseen = NULL;
	int r = holders_scan(&run->host, one, &list, err);

	if (r < 0 || !holders_are_unknown(&list))
		return r;
	unseen = holders_unreadable(&list);
	if (!unseen)
		return error_oom(err);
	cure_by_unload(run);
	return run_problem(
		run, -EBUSY, err,
		"cannot prove that nobody holds %s, as %s: use kmod.unload instead", name,
		unseen);
}

int nvidia_may_unbind(struct run *run, const struct pci_function *fn, bool while_loaded,
		      const struct pci_list *planned, struct error *err)
{
	struct pci_list one = { .fn = (struct pci_function *)(uintptr_t)fn, .n = 1 };
	_cleanup_free_ char *driver = NULL;
	int r = state_get(&run->host, &state_driver, fn->name, &driver, err);

	if (r < 0 || !streq(driver, NVIDIA))
		return r;
	if (!while_loaded)
		return refuse_loaded(run, fn->name, err);
	r = check_other_card(run, fn->name, planned, err);
	if (r == 0)
		r = check_outputs(run, fn->name, err);
	if (r == 0)
		r = check_persistence(run, fn->name, err);
	if (r == 0)
		r = check_all_seen(run, &one, fn->name, err);
	/* Last, so that nothing comes between: the unbind follows at once. */
	if (r == 0)
		r = preflight_wait_unheld(run, &one, fn->name, err);
	return r;
}
