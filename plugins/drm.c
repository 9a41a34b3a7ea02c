/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wayland compositors can lose one of several cards: told by udev that it was removed,
 * they close its nodes and go on with the others. So they are told, before it is true.
 */
#include "effect.h"
#include "holders.h"
#include "progress.h"
#include "step.h"

static int release_apply(struct run *run, const struct step *step, struct error *err);

static const struct option_spec options[] = {
	{ "timeout", VALUE_DURATION, .def = "10s",
	  .text = "how long to wait for processes to close the nodes" },
	{}
};

static const struct step_type types[] = {
	{
		.action = "release",
		.summary =
			"tell compositors that a graphics card is removed, and wait until "
			"they have let go of it",
		.undo = "they are told that it was added",
		.args = "[DEVICE…]",
		.max_args = 64,
		.phases = PHASES_UP,
		.timeout_ms = 10000,
		.options = options,
		.apply = release_apply,
	},
	{}
};

const struct plugin plugin_drm = { .name = "drm", .types = types };

/* The nodes of all functions: "0000:0a:00.0/drm/card1". */
static int find_nodes(struct run *run, const struct pci_list *functions, struct strv *ret,
		      struct error *err)
{
	for (size_t i = 0; i < functions->n; i++) {
		const char *name = functions->fn[i].name;
		_cleanup_strv_ struct strv nodes = {};

		if (host_list(&run->host, &nodes, "/sys/bus/pci/devices/%s/drm", name) < 0)
			continue;
		for (size_t k = 0; k < nodes.n; k++)
			if ((str_after(nodes.v[k], "card") ||
			     str_after(nodes.v[k], "renderD")) &&
			    strv_addf(ret, "%s/drm/%s", name, nodes.v[k]) < 0)
				return error_oom(err);
	}
	return 0;
}

/* Those who have DRM nodes open; while simulating without those that end before. */
static int holders_of_drm(struct run *run, const struct pci_list *functions,
			  struct holder_list *ret, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list all = {};
	int r = holders_scan(&run->host, functions, &all, err);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		const struct holder *holder = &all.holder[i];

		if (!str_after(holder->node, "/dev/dri/") ||
		    (run->simulate && holder_ends(&run->host, holder)))
			continue;
		if (array_grow(&ret->holder, ret->n, sizeof(*holder)) < 0)
			return error_oom(err);
		ret->holder[ret->n++] = *holder;
	}
	return r;
}

struct wait {
	const struct pci_list *functions;
	struct holder_list last;
};

static void wait_done(struct wait *wait)
{
	holder_list_done(&wait->last);
}

static int released(struct run *run, void *arg, struct error *err)
{
	struct wait *wait = arg;
	int r;

	holder_list_done(&wait->last);
	wait->last = (struct holder_list){};
	r = holders_of_drm(run, wait->functions, &wait->last, err);
	run_awaits_holders(run, &wait->last);
	return r < 0 ? r : wait->last.n == 0;
}

/* At once, since a step with '-' in front undoes nothing when it fails. */
static void tell_them_again(struct run *run, const struct strv *nodes)
{
	const int64_t deadline = run->deadline; /* undo has its own */

	for (size_t i = 0; i < nodes->n; i++) {
		_cleanup_error_ struct error err = {};

		if (effect_restore(run, &state_drm, nodes->v[i], &err) < 0 && err.msg)
			run_warn(run, "%s", error_text(&err));
	}
	run->deadline = deadline;
}

static int blame(const struct step *step, const struct holder_list *list,
		 struct error *err)
{
	_cleanup_free_ char *names = holders_describe(list), *cure = holders_cure(list);

	if (!names || !cure || !list->n)
		return error_oom(err);
	return error_set(
		err, -EBUSY,
		"%s was told to be removed, and is still held by %s after %lld s: %s",
		list->holder[0].function, names,
		(long long)(step_duration(step, "timeout", 10000) + 500) / 1000, cure);
}

static int note_holders(struct run *run, const struct pci_list *functions,
			struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list list = {};
	_cleanup_free_ char *names = NULL;
	int r = holders_of_drm(run, functions, &list, err);

	if (r < 0 || !list.n)
		return r;
	names = holders_describe(&list);
	if (!names)
		return error_oom(err);
	run_note(run,
		 "%s is held by %s: that has to close it when told of the removal, as "
		 "Wayland compositors with another card do, else the start is refused",
		 list.holder[0].function, names);
	return 0;
}

static int release_apply(struct run *run, const struct step *step, struct error *err)
{
	_cleanup_(pci_list_done) struct pci_list functions = {};
	_cleanup_(wait_done) struct wait wait = { .functions = &functions };
	_cleanup_strv_ struct strv nodes = {};
	int r = run_devices(run, &step->words, &functions, err);

	if (r == 0)
		r = find_nodes(run, &functions, &nodes, err);
	if (r < 0)
		return r;
	if (!nodes.n) {
		run_note(run, "no DRM node: nothing has to be released");
		return 0;
	}
	for (size_t i = 0; i < nodes.n && r == 0; i++)
		r = effect_set(run, &state_drm, nodes.v[i], "removed", NULL, err);
	if (run->simulate)
		return r == 0 ? note_holders(run, &functions, err) : r;
	if (r == 0)
		r = run_wait(run, released, &wait, err);
	if (r == -ETIMEDOUT)
		r = blame(step, &wait.last, err);
	if (r < 0)
		tell_them_again(run, &nodes);
	return r;
}
