/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last word of a release that could not bring the picture back.
 */
#include <fcntl.h>

#include "log.h"
#include "picture.h"

static bool is_display(const struct host *host, const char *name)
{
	char class[16];

	return host_read(host, class, sizeof(class), "/sys/bus/pci/devices/%s/class",
			 name) > 0 &&
	       str_after(class, "0x03");
}

static bool is_back(const struct host *host, const struct baseline *b)
{
	char driver[64];

	return host_link_name(host, driver, sizeof(driver),
			      "/sys/bus/pci/devices/%s/driver", b->name) == 0 &&
	       streq(driver, b->driver);
}

/* A console that nobody reads (a serial line without flow control) must not hold us. */
static void say_on_console(const struct host *host, const char *text)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	fd = open(host_path(host, path, "/dev/console"),
		  O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		log_warn("nothing can be said on %s: %m", path);
}

void picture_check(struct run *run)
{
	for (size_t i = 0; run->journal && i < run->journal->n_baselines; i++) {
		const struct baseline *b = &run->journal->baselines[i];
		_cleanup_free_ char *text = NULL;
		char word[SHELL_WORD_MAX];

		if (!*b->driver || !is_display(&run->host, b->name) ||
		    is_back(&run->host, b))
			continue;
		if (asprintf(&text,
			     "\r\nvfio-hook: the display %s did not come back to %s after "
			     "%s ended.\r\nLog in over the network or on another console: "
			     "/var/log/vfio-hook/%s.log tells why,\r\n`vfio-hook undo %s` "
			     "tries again, else reboot.\r\n",
			     b->name, b->driver, run->domain->name, run->domain->name,
			     shell_word(run->domain->name, word, sizeof(word))) < 0) {
			text = NULL;
			return;
		}
		log_error("the display %s did not come back to %s", b->name, b->driver);
		say_on_console(&run->host, text);
	}
}
