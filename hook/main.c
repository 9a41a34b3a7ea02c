/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One executable, two names: `vfio-hook` is the command for people, any other name is
 * the hook as libvirt calls it.
 */
#include "command.h"
#include "hook_mode.h"
#include "util.h"

int main(int argc, char **argv)
{
	if (argc > 0 && streq(path_base(argv[0]), "vfio-hook"))
		return command_main(argc, argv);
	return hook_main(argc, argv);
}
