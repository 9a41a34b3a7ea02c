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
					  .conf = options->conf,
					  .phase = PHASE_NONE };
	_cleanup_error_ struct error err = {};
	size_t left = 0;

	(void)argc;
	if (options->phase) {
		request.phase = command_phase(options->phase);
		if (request.phase == PHASE_NONE)
			return STATUS_USAGE;
	}
	if (import_run(&request, stdout, &left, &err) < 0) {
		fprintf(stderr, "vfio-hook: %s\n", error_text(&err));
		return STATUS_USAGE;
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
	.args = "DIR",
	.summary = "turn start and stop scripts into a config",
	.min_args = 1,
	.max_args = 1,
	.options = COMMAND_SCRIPTS,
	.run = import_main,
	.help = "Reads the scripts of a tree like /etc/libvirt/hooks/qemu.d/DOMAIN, of a folder,\n"
		"or one script, and prints a config that does the same; it runs none of them.\n"
		"--conf FILE is their kvm.conf, if it is not near them; --phase PHASE is for\n"
		"scripts outside of a tree whose name does not tell. What is not understood is\n"
		"kept as a comment. Exit status 1 when there is such.",
};
