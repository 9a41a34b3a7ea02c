/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One executable, two names: `vfio-hook` is the command for people, any other name is
 * the hook as libvirt calls it.
 */
#include <fcntl.h>

#include "command.h"
#include "hook_mode.h"
#include "util.h"

/* Where one is closed, a file opened later would get its number, and our output. */
static void need_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	need_standard_files();
	if (argc > 0 && streq(path_base(argv[0]), "vfio-hook"))
		return command_main(argc, argv);
	return hook_main(argc, argv);
}
