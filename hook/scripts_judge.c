/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts before they are run: who could have written them, and do they call virsh?
 */
#include <ctype.h>

#include "log.h"
#include "scripts_judge.h"
#include "trust.h"

#define VIRSH_SEARCH_MAX (64 * 1024)

/* Going up it was told while the plan was made; coming down nobody makes one. */
static void warn(struct run *run, const char *text)
{
	if (run->simulate)
		run_warn(run, "%s", text);
	else if (!phase_goes_up(run->event.phase))
		log_warn("%s", text);
}

/*
 * A script is run by its path: by a descriptor $0 would be /dev/fd/5, and scripts find what
 * lies beside them by dirname "$0". Nobody but those who are named here could put another
 * file there in between.
 */
int scripts_judge(struct run *run, const char *path, bool strict, struct error *err)
{
	_cleanup_free_ char *why = NULL, *text = NULL;
	int trust = trust_of(&run->host, path, &why, err);

	if (trust < 0)
		return trust;
	if (trust == TRUST_FULL)
		return 0;
	if (asprintf(&text, "%s runs as root, but %s", path, why) < 0) {
		text = NULL;
		return error_oom(err);
	}
	run_cure(run, "%s", trust_cure(why));
	if (phase_goes_up(run->event.phase) && (strict || trust == TRUST_NONE)) {
		int r = run_problem(run, -EPERM, err, "%s", text);

		return r < 0 ? r : 1;
	}
	warn(run, text);
	return 0;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* Does a line that is no comment call virsh? */
static bool has_virsh(const char *text)
{
	for (const char *p = text; (p = strstr(p, "virsh")); p += strlen("virsh")) {
		const char *line = p;

		if ((p > text && is_word_char(p[-1])) || is_word_char(p[strlen("virsh")]))
			continue;
		while (line > text && line[-1] != '\n')
			line--;
		line += strspn(line, " \t");
		if (*line != '#' || line > p)
			return true;
	}
	return false;
}

/* A script of the domain's tree becomes steps; another one's folder has no phases. */
static void cure_by_import(struct run *run, const char *path)
{
	char tree[PATH_MAX], word[PATH_MAX + 64];

	snprintf(tree, sizeof(tree), "%s/qemu.d/%s", run->hooks_dir, run->event.domain);
	if (str_after(path, tree) && path[strlen(tree)] == '/')
		run_cure(run, "vfio-hook import %s", shell_word(tree, word, sizeof(word)));
}

void scripts_warn_of_virsh(struct run *run, const char *path)
{
	_cleanup_free_ char *buf = calloc(1, VIRSH_SEARCH_MAX + 1);
	_cleanup_free_ char *message = NULL;
	_cleanup_fclose_ FILE *f = NULL;
	char rooted[PATH_MAX];
	size_t n;

	f = fopen(host_path(&run->host, rooted, "%s", path), "re");
	if (!f || !buf)
		return;
	n = fread(buf, 1, VIRSH_SEARCH_MAX, f);
	if (memchr(buf, '\0', n) || !has_virsh(buf))
		return; /* a compiled program may name what it likes */
	if (asprintf(&message,
		     "%s calls virsh: libvirt waits for its hook, so a hook that waits for "
		     "libvirt can hang both (instead of nodedev-detach: pci.detach)",
		     path) < 0) {
		message = NULL;
		return;
	}
	cure_by_import(run, path);
	warn(run, message);
}
