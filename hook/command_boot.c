/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook boot: [boot/begin] of every config that has one, from an initramfs or a unit.
 */
#include <sys/stat.h>

#include "command.h"
#include "log.h"
#include "phase.h"
#include "print.h"

/* Links let domains share a config; it is run once, for the first of them. */
struct seen {
	dev_t dev;
	ino_t ino;
};

static bool seen_before(const struct host *host, const char *dir, const char *file,
			struct seen *seen, size_t n)
{
	char path[PATH_MAX];
	struct stat st;

	/* A broken link stays: loading it tells what is wrong. */
	if (stat(host_path(host, path, "%s/%s", dir, file), &st) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (seen[i].dev == st.st_dev && seen[i].ino == st.st_ino)
			return true;
	seen[n] = (struct seen){ .dev = st.st_dev, .ino = st.st_ino };
	return false;
}

static bool has_boot_steps(const struct config *config)
{
	for (size_t i = 0; config && i < config->n_steps; i++)
		if (config->steps[i].phase == PHASE_BOOT)
			return true;
	return false;
}

/* *ANY becomes true when there is something to run, or to complain of. */
static int run_domain(struct call *call, bool *any)
{
	_cleanup_error_ struct error err = {};
	struct run *run = &call->run;
	char why[PATH_MAX];
	int r = call_parse_domain(call, &err);

	if (r == 0)
		r = call_load_config(call, &err);
	/* Whatever is wrong with it, nothing of it would be run. */
	if (r < 0 && phase_switched_off(run, why, sizeof(why)))
		return STATUS_OK;
	if (r == 0 && !has_boot_steps(run->config))
		return STATUS_OK;
	*any = true;
	log_open(&run->host, run->event.domain);
	if (r == 0)
		r = call_scan(call, &err);
	if (r == 0)
		r = phase_up(run, &err);
	if (r < 0 && run->put_off) {
		log_info("boot/begin is put off: %s", error_text(&err));
		printf("%s: boot/begin: later: %s\n", run->event.domain, error_text(&err));
		r = 0;
	} else if (r < 0) {
		log_error("%s boot: %s", run->event.domain, error_text(&err));
		fprintf(stderr, "vfio-hook: %s: %s\n", run->event.domain,
			error_text(&err));
	} else {
		printf("%s: boot/begin: done\n", run->event.domain);
	}
	log_close();
	return r < 0 ? STATUS_FAILED : STATUS_OK;
}

/* FILE is the name of a config. One that fails keeps no other from being run. */
static int run_file(const struct command_options *options, const char *dir, char *file,
		    bool *any)
{
	_cleanup_(call_done) struct call call = CALL_NONE;

	file[strlen(file) - strlen(".ini")] = '\0';
	call_init(&call, options->root, dir);
	event_of_phase(&call.run.event, file, PHASE_BOOT);
	call_take_signals(&call);
	call.run.owner = 1; /* nobody else stands behind it */
	call.run.early = options->early;
	return run_domain(&call, any);
}

static int boot_run(const struct command_options *options, int argc, char **argv)
{
	const char *dir = options->hooks_dir ? options->hooks_dir : HOOKS_DIR;
	struct host host = { .root = options->root };
	_cleanup_free_ struct seen *seen = NULL;
	_cleanup_strv_ struct strv files = {};
	char conf[PATH_MAX];
	int status = STATUS_OK;
	bool any = false;

	(void)argc;
	(void)argv;
	snprintf(conf, sizeof(conf), "%s/conf.d", dir);
	/* Mostly it has none, or is not there. */
	(void)host_list(&host, &files, "%s", conf);
	strv_sort(&files);
	seen = calloc(files.n + 1, sizeof(*seen));
	if (!seen)
		return STATUS_FAILED;
	for (size_t i = 0; i < files.n; i++) {
		char *file = files.v[i];

		if (!str_ends(file, ".ini") || strlen(file) == strlen(".ini") ||
		    seen_before(&host, conf, file, seen, i))
			continue;
		if (run_file(options, dir, file, &any) != STATUS_OK)
			status = STATUS_FAILED;
	}
	if (!any)
		printf("no config in %s has [boot/begin]: nothing to do\n", conf);
	return status;
}

const struct command command_boot = {
	.name = "boot",
	.args = "[--early]",
	.summary = "runs [boot/begin] of every config that has one",
	.options = COMMAND_EARLY,
	.acts = true,
	.run = boot_run,
	.help = "For vfio-hook-boot.service and the script for the initramfs. What was done before,\n"
		"as in the initramfs, is not done again. No release puts it back, only\n"
		"vfio-hook undo --boot DOMAIN. --early: in an initramfs, where what wait.for waits\n"
		"for may not come: a [boot/begin] with such a line is left to the unit.",
};
