/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook init: a config to begin with, from the domain's XML and this host.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "command.h"
#include "propose.h"

static int fail(const struct error *err)
{
	fprintf(stderr, "vfio-hook: %s\n", error_text(err));
	return STATUS_FAILED;
}

static int make_text(struct call *call, char **ret, struct error *err)
{
	_cleanup_(inventory_done) struct inventory inventory = {};
	size_t size;
	FILE *f;
	int r = inventory_scan(&call->run.host, NULL, INVENTORY_NAMES | INVENTORY_DETAILS,
			       &inventory, err);

	if (r < 0)
		return r;
	f = open_memstream(ret, &size);
	if (!f)
		return error_oom(err);
	r = propose_config(call, &inventory, f);
	if (fclose(f) != 0 || r < 0)
		return error_oom(err);
	return 0;
}

/* A file that is there has somebody's work in it: it stays as it is. */
static int write_new(const char *path, const char *text, struct error *err)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	size_t n = strlen(text);

	if (fd < 0 && errno == EEXIST)
		return error_set(err, -EEXIST,
				 "%s is there already, and is not written over: print "
				 "with `vfio-hook init DOMAIN` and take from that what you "
				 "need",
				 path);
	if (fd < 0)
		return error_errno(err, -errno, "cannot make %s", path);
	if (write(fd, text, n) != (ssize_t)n || fsync(fd) < 0) {
		int r = error_errno(err, -errno, "cannot write %s", path);

		unlink(path);
		return r;
	}
	return 0;
}

static int write_out(const struct command_options *options, const struct call *call,
		     const char *text, struct error *err)
{
	const char *name = call->run.event.domain;
	char path[PATH_MAX], dir[PATH_MAX], word[SHELL_WORD_MAX];
	int r;

	if (options->output) {
		snprintf(path, sizeof(path), "%s", options->output);
	} else {
		mkdir(host_path(&call->run.host, dir, "%s", call->hooks_dir), 0755);
		mkdir(host_path(&call->run.host, dir, "%s/conf.d", call->hooks_dir), 0755);
		host_path(&call->run.host, path, "%s/conf.d/%s.ini", call->hooks_dir,
			  name);
	}
	r = write_new(path, text, err);
	if (r == 0)
		printf("%s: written; now: vfio-hook check %s\n", path,
		       shell_word(name, word, sizeof(word)));
	return r;
}

static int init_run(const struct command_options *options, _unused_ int argc, char **argv)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call = CALL_NONE;
	_cleanup_free_ char *text = NULL;
	bool to_file;
	int r;

	if (options->output && options->write)
		return usage_error(&command_init,
				   "--write and --output FILE: only one of them");
	r = command_open_domain(options, argv[0], PHASE_PREPARE, &call);
	if (r != STATUS_OK)
		return r;
	/* As with other commands, "-" is standard output. */
	to_file = options->write || (options->output && !streq(options->output, "-"));
	r = make_text(&call, &text, &err);
	if (r == 0 && to_file)
		r = write_out(options, &call, text, &err);
	else if (r == 0)
		fputs(text, stdout);
	return r < 0 ? fail(&err) : STATUS_OK;
}

const struct command command_init = {
	.name = "init",
	.args = "DOMAIN [--write | -o FILE]",
	.summary = "a config for this domain on this host",
	.min_args = 1,
	.max_args = 1,
	.options = COMMAND_OUTPUT,
	.run = init_run,
	.help = "Makes a config from the domain's XML and what this host has: the devices as sets\n"
		"with their ids, and the steps that they need here, with comments. Prints it, or\n"
		"with --write puts it into conf.d/DOMAIN.ini, with --output into FILE (-: prints it).\n"
		"A file that is there already is never written over.",
};
