/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All journals, for those who look for what other domains have.
 */
#include "journals.h"

static void found_done(struct found_journal *found)
{
	free(found->uuid);
	journal_done(&found->journal);
	error_done(&found->why);
}

static int add(struct run *run, const char *uuid, struct journals *journals)
{
	struct found_journal *found;

	if (array_grow(&journals->found, journals->n, sizeof(*found)) < 0)
		return -ENOMEM;
	found = &journals->found[journals->n];
	found->journal.fd = -1;
	found->uuid = strdup(uuid);
	if (!found->uuid)
		return -ENOMEM;
	found->code = journal_read(&run->host, uuid, &found->journal, &found->why);
	journals->n++;
	return 0;
}

static int read_all(struct run *run, struct journals *journals, struct error *err)
{
	static const char text[] = "only root may see which devices other domains have";
	_cleanup_strv_ struct strv uuids = {};
	int r = journal_list(&run->host, &uuids);

	if (r < 0 && (r != -EACCES || !run->simulate || geteuid() == 0))
		return error_errno(err, r, "cannot read other domains' journals");
	if (r < 0 && !run_said(run, text))
		run_warn(run, "%s", text);
	for (size_t i = 0; i < uuids.n; i++) {
		if (run->journal && streq(uuids.v[i], run->journal->uuid))
			continue;
		if (add(run, uuids.v[i], journals) < 0)
			return error_oom(err);
	}
	journals->read = true;
	return 0;
}

int journals_look(struct run *run, struct journals *once, const struct journals **ret,
		  struct error *err)
{
	struct journals *journals = run->journals ? run->journals : once;
	int r = journals->read ? 0 : read_all(run, journals, err);

	if (r < 0)
		journals_done(journals);
	*ret = journals;
	return r;
}

bool journals_is_own(const struct run *run, const struct found_journal *found)
{
	return run->domain && streq(found->uuid, run->domain->uuid);
}

void journals_done(struct journals *journals)
{
	for (size_t i = 0; i < journals->n; i++)
		found_done(&journals->found[i]);
	free(journals->found);
	*journals = (struct journals){};
}
