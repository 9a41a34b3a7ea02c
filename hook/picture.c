/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last word of a release that could not bring the picture back.
 */
#include <fcntl.h>

#include "guard.h"
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

struct message {
	const struct host *host;
	const char *text;
};

static int do_say(void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	const struct message *message = arg;
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	fd = open(host_path(message->host, path, "/dev/console"),
		  O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC);
	return fd < 0 || write(fd, message->text, strlen(message->text)) < 0 ? -errno : 0;
}

/*
 * The lock of all consoles, which open() and write() wait for, may be held by the very bind
 * that did not return; and a serial line may have nobody who reads it.
 */
static void say_on_console(const struct host *host, const char *text)
{
	struct message message = { .host = host, .text = text };
	struct guard_job job = { .what = "message on /dev/console",
				 .fn = do_say,
				 .arg = &message };
	_cleanup_error_ struct error err = {};
	int r = guard_run_host(host, &job, NULL, &err);

	if (r < 0)
		log_warn("nothing can be said on /dev/console: %s",
			 err.msg ? error_text(&err) : strerror(-r));
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
