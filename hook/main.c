/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One executable, two names: `vfio-hook` is the command for people, any other name is
 * the hook as libvirt calls it.
 */
#include <fcntl.h>

#include "command.h"
#include "hook_mode.h"
#include "util.h"

/*
 * Where one is closed, a file opened later would get its number, and our output. Output
 * that somebody wanted and nobody gets is to be an error: standard output cannot be
 * written to then.
 */
static void need_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == STDERR_FILENO ? O_RDWR : O_RDONLY);
}

int main(int argc, char **argv)
{
	need_standard_files();
	if (argc > 0 && streq(path_base(argv[0]), "vfio-hook"))
		return command_main(argc, argv);
	return hook_main(argc, argv);
}
