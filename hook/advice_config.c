/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains and configs that have not found each other: no config, one by another name, only
 * scripts, or no domain.
 */
#include "advice.h"
#include "command.h"
#include "scripts.h"

bool advice_has_scripts(const struct host *host, const char *dir, const char *domain)
{
	return scripts_exist_in(host, dir, domain, PHASES_ALL & ~PHASE_BIT(PHASE_BOOT));
}

static bool has_config(const struct call *call)
{
	return host_exists(&call->run.host, "%s/conf.d/%s.ini", call->hooks_dir,
			   call->run.event.domain);
}

bool advice_has_files(const struct call *call)
{
	return has_config(call) || advice_has_scripts(&call->run.host, call->hooks_dir,
						      call->run.event.domain);
}

/* What nobody can look into: only who may write them, and what they call, is known. */
static void advise_scripts(const struct call *call, struct findings *findings)
{
	char cure[3 * PATH_MAX], tree[PATH_MAX + 300], word[2 * PATH_MAX];

	snprintf(tree, sizeof(tree), "%s/qemu.d/%s", call->hooks_dir,
		 call->run.event.domain);
	snprintf(cure, sizeof(cure), "vfio-hook import %s",
		 shell_word(tree, word, sizeof(word)));
	finding_add(findings, FINDING_ADVICE, cure,
		    "only scripts, no config (%s/conf.d/%s.ini): what they would do, and "
		    "whether it would work, is not known; this makes a config of them",
		    call->hooks_dir, call->run.event.domain);
}

/* MEANT is to be called as the domain is. */
static void not_read(const struct call *call, struct findings *findings, const char *meant)
{
	char from[PATH_MAX + 300], to[PATH_MAX + 300], from_word[2 * PATH_MAX],
		to_word[2 * PATH_MAX];
	char cure[4 * PATH_MAX + 8];

	snprintf(from, sizeof(from), "%s/conf.d/%s", call->hooks_dir, meant);
	snprintf(to, sizeof(to), "%s/conf.d/%s.ini", call->hooks_dir,
		 call->run.event.domain);
	snprintf(cure, sizeof(cure), "mv %s %s",
		 shell_word(from, from_word, sizeof(from_word)),
		 shell_word(to, to_word, sizeof(to_word)));
	finding_add(findings, FINDING_WARNING, cure,
		    "%s is not read for it: the file is called as the domain is, "
		    "letter by letter, and ends in .ini",
		    meant);
}

void advise_no_config(const struct call *call, struct findings *findings)
{
	const char *name = call->run.event.domain, *meant;
	char cure[SHELL_WORD_MAX + 64], buf[GUESS_LEN], word[SHELL_WORD_MAX];

	meant = guess_config(buf, &call->run.host, call->hooks_dir, name);
	if (meant)
		not_read(call, findings, meant);
	if (advice_has_scripts(&call->run.host, call->hooks_dir, name)) {
		advise_scripts(call, findings);
		return;
	}
	snprintf(cure, sizeof(cure), "vfio-hook init --write %s",
		 shell_word(name, word, sizeof(word)));
	finding_add(findings, FINDING_ADVICE, cure,
		    "no config (%s/conf.d/%s.ini): nothing is done for it",
		    call->hooks_dir, name);
}

void advise_no_domain(const struct call *call, const struct error *why,
		      struct findings *findings)
{
	const char *name = call->run.event.domain;
	const bool config = has_config(call);
	char cure[2 * SHELL_WORD_MAX + 64], buf[SHELL_WORD_MAX];
	const char *word = shell_word(name, buf, sizeof(buf));

	snprintf(cure, sizeof(cure), "virsh dumpxml --inactive %s | vfio-hook check %s",
		 word, word);
	finding_add(findings, FINDING_WARNING, cure,
		    "%s, so what %s/%s/%s%s does for it is not judged: of one that is "
		    "transient, or that libvirt keeps elsewhere, this judges it; of one "
		    "that is gone, remove it",
		    error_text(why), call->hooks_dir, config ? "conf.d" : "qemu.d", name,
		    config ? ".ini" : "");
}
