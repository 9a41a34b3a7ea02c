/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook import: from scripts to a config.
 */
#include "command.h"
#include "import_run.h"

static int import_main(const struct command_options *options, int argc, char **argv)
{
	struct import_request request = { .root = options->root,
					  .dir = argv[0],
					  .domain = argc > 1 ? argv[1] : NULL,
					  .conf = options->conf,
					  .phase = PHASE_NONE };
	_cleanup_error_ struct error err = {};
	size_t left = 0;
	int r;

	if (options->phase) {
		request.phase = command_phase(&command_import, options->phase);
		if (request.phase == PHASE_NONE)
			return STATUS_USAGE;
	}
	if (options->conf && access(options->conf, R_OK) < 0)
		return usage_error(&command_import, "--conf %s: %s", options->conf,
				   strerror(errno));
	if (access(argv[0], R_OK) < 0 && errno == EACCES)
		return usage_error(&command_import, "cannot read %s: %s", argv[0],
				   strerror(errno));
	r = import_run(&request, stdout, &left, &err);
	if (r < 0) {
		fflush(stdout);
		fprintf(stderr, "vfio-hook: %s\n", error_text(&err));
		return r == -ENODATA ? STATUS_FAILED : STATUS_USAGE;
	}
	if (left == 0)
		return STATUS_OK;
	fflush(stdout);
	fprintf(stderr, "vfio-hook: %zu place%s not converted: see the comments\n", left,
		left > 1 ? "s were" : " was");
	return STATUS_FAILED;
}

const struct command command_import = {
	.name = "import",
	.args = "DIR [DOMAIN]",
	.summary = "turn start and stop scripts into a config",
	.min_args = 1,
	.max_args = 2,
	.options = COMMAND_SCRIPTS,
	.run = import_main,
	.help = "Reads the scripts of a tree like /etc/libvirt/hooks/qemu.d/DOMAIN, of a folder,\n"
		"or one script, and prints a config that does the same; it runs none of them.\n"
		"Scripts outside of a tree may ask for several domains: DOMAIN says for which one\n"
		"they are read; by default, for the first. --conf FILE is their kvm.conf, if it is\n"
		"not near them; --phase PHASE is for scripts outside of a tree whose name does not\n"
		"tell. What is not understood is kept as a comment. Exit status 1 when there is\n"
		"such, or when no step came of it.",
};
