/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes in the way. The remove() of many drivers waits for the last close of their
 * nodes, without a limit and deaf to signals: so who holds them is asked before, and
 * blamed by name.
 */
#include "preflight.h"
#include "progress.h"
#include "storage.h"

/* Steps that end processes which are not to be told beforehand. */
static bool step_may_end(const struct step *step, const struct holder *holder)
{
	if (STR_IN(step->key, "process.stop", "holders.kill", "holders.wait",
		   "drm.release", "exec.run", "scripts.run"))
		return true;
	if (streq(step->key, "session.end"))
		return holder_is_session(holder);
	/* A display manager takes its users' sessions along, mostly. */
	return streq(step->key, "service.stop") && holder_is_session(holder);
}

static bool may_end(const struct run *run, const struct holder *holder)
{
	const struct config *config = run->config;

	for (size_t i = 0; config && i < config->n_steps; i++) {
		const struct step *step = &config->steps[i];

		if (step == run->step)
			return false;
		if (step->phase == run->event.phase && step_may_end(step, holder))
			return true;
	}
	return false;
}

/* Copies the entries of ALL that are of FUNCTION (NULL: of any) and are of this sort. */
static int pick(const struct run *run, const struct holder_list *all,
		const char *function, bool want_may_end, struct holder_list *ret)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct holder *holder = &all->holder[i];

		if ((function && !streq(holder->function, function)) ||
		    holder_ends(&run->host, holder) ||
		    (!holder->is_vfio && may_end(run, holder)) != want_may_end)
			continue;
		if (array_grow(&ret->holder, ret->n, sizeof(*holder)) < 0)
			return -ENOMEM;
		ret->holder[ret->n++] = *holder;
	}
	return 0;
}

static int refuse(struct run *run, const struct holder_list *list, const char *what,
		  struct error *err)
{
	_cleanup_free_ char *names = holders_describe(list), *cure = holders_cure(list),
			    *lines = holders_cure_lines(list);

	if (!names || !cure || !lines)
		return error_oom(err);
	run_cure(run, "%s", lines);
	return run_problem(run, -EBUSY, err, "%s is held by %s: %s", what, names, cure);
}

static int report_holders(struct run *run, const struct holder_list *all,
			  const char *function, const char *what, struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list stay = {}, may = {};
	_cleanup_free_ char *names = NULL;

	if (pick(run, all, function, false, &stay) < 0 ||
	    pick(run, all, function, true, &may) < 0)
		return error_oom(err);
	if (may.n) {
		names = holders_describe(&may);
		if (!names)
			return error_oom(err);
		/* Of a start that is refused nothing waits. */
		run_note(run, "%s is held by %s; an earlier step may end that%s", what,
			 names,
			 stay.n ? "" :
				  ", else this step waits to its deadline, gives up and "
				  "undoes");
	}
	return stay.n ? refuse(run, &stay, what, err) : 0;
}

static int refuse_storage(struct run *run, const struct pci_list *functions,
			  struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < functions->n && r == 0; i++)
		r = storage_refuse(run, &functions->fn[i], err);
	return r;
}

int preflight_holders(struct run *run, const struct pci_list *functions, const char *what,
		      struct error *err)
{
	_cleanup_(holder_list_done) struct holder_list all = {};
	_cleanup_free_ char *unseen = NULL;
	int r;

	if (!functions->n)
		return 0;
	r = refuse_storage(run, functions, err);
	if (r < 0)
		return r;
	r = holders_scan(&run->host, functions, &all, err);
	if (r < 0)
		return r;
	unseen = holders_unreadable(&all);
	if (unseen)
		run_warn(run, "%s: whether one of them holds %s is not known", unseen,
			 what ? what : "a device");
	if (what)
		return report_holders(run, &all, NULL, what, err);
	for (size_t i = 0; i < functions->n && r == 0; i++)
		r = report_holders(run, &all, functions->fn[i].name,
				   functions->fn[i].name, err);
	return r;
}

struct wait {
	const struct pci_list *functions;
	bool blocking;
	struct holder_list last;
};

static int unheld(struct run *run, void *arg, struct error *err)
{
	struct wait *wait = arg;
	int r;

	holder_list_done(&wait->last);
	wait->last = (struct holder_list){};
	r = wait->blocking ?
		    holders_scan_blocking(&run->host, wait->functions, &wait->last, err) :
		    holders_scan(&run->host, wait->functions, &wait->last, err);
	if (r < 0)
		return r;
	run_awaits_holders(run, &wait->last);
	return wait->last.n == 0;
}

static int wait_unheld(struct run *run, const struct pci_list *functions,
		       const char *what, bool blocking, struct error *err)
{
	struct wait wait = { .functions = functions, .blocking = blocking };
	int r = 0;

	if (!run->simulate && functions->n)
		r = run_wait(run, unheld, &wait, err);
	if (r == -ETIMEDOUT)
		r = refuse(run, &wait.last, what ? what : wait.last.holder[0].function,
			   err);
	holder_list_done(&wait.last);
	/* Something may have been mounted since the plan was made. */
	return r == 0 && !run->simulate ? refuse_storage(run, functions, err) : r;
}

int preflight_wait_unheld(struct run *run, const struct pci_list *functions,
			  const char *what, struct error *err)
{
	return wait_unheld(run, functions, what, false, err);
}

int preflight_wait_unbindable(struct run *run, const struct pci_list *functions,
			      const char *what, struct error *err)
{
	return wait_unheld(run, functions, what, true, err);
}
