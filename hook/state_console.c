/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text console's driver and the firmware's framebuffer: who else draws on the card.
 *
 * Consoles are known by their description only: fbcon is vtcon0 after a BIOS boot,
 * vtcon1 after an EFI boot, gone while no framebuffer is registered, and may come back
 * under another number.
 */
#include "guard.h"

#define CONSOLES "/sys/class/vtconsole"

struct console {
	char name[32]; /* "vtcon1" */
	bool system; /* "(S)": the driver that the others fall back to */
};

/* Finds the console driver DESCRIPTION; with NULL any "(S)" one. */
static int console_find(const struct host *host, const char *description,
			struct console *ret)
{
	_cleanup_strv_ struct strv names = { 0 };
	char text[128];

	if (host_list(host, &names, CONSOLES) < 0)
		return -ENOENT;
	for (size_t i = 0; i < names.n; i++) {
		/* "(M) frame buffer device" */
		if (host_read(host, text, sizeof(text), CONSOLES "/%s/name", names.v[i]) <
		    5)
			continue;
		ret->system = text[1] == 'S';
		if (description ? streq(text + 4, description) : ret->system) {
			snprintf(ret->name, sizeof(ret->name), "%s", names.v[i]);
			return 0;
		}
	}
	return -ENOENT;
}

static int vtcon_read(const struct host *host, const char *target, char **ret,
		      struct error *err)
{
	char path[PATH_MAX], text[16] = "";
	struct console console;
	int r = console_find(host, target, &console);

	if (r == 0)
		snprintf(path, sizeof(path), CONSOLES "/%s/bind", console.name);
	/* Takes the console lock, which a graphics driver that hangs may hold. */
	if (r == 0)
		r = guard_read_host(host, path, text, sizeof(text), err);
	if (r < 0 && r != -ENOENT)
		return error_errno(err, r,
				   "console '%s': cannot read whether it is bound",
				   target);
	*ret = strdup(text);
	return *ret ? 0 : error_oom(err);
}

/* The store always reports success; these are the cases in which it does nothing. */
static int not_taken(const struct host *host, const struct console *console,
		     const char *target, const char *to, struct error *err)
{
	struct console other;
	bool fallback = console_find(host, NULL, &other) == 0;

	if (streq(to, "1") && !fallback)
		return error_set(
			err, -EOPNOTSUPP,
			"console '%s' cannot be bound again by hand: there is no"
			" (S) console driver to take the screens from; it comes back"
			" when a driver registers a framebuffer",
			target);
	if (console->system)
		return error_set(
			err, -EOPNOTSUPP,
			"console '%s' cannot be unbound, it is the system's own that"
			" others fall back to: leave it out",
			target);
	return error_set(err, -EIO,
			 "console '%s' was not %s: the kernel reports success but changed"
			 " nothing (is CONFIG_VT_HW_CONSOLE_BINDING on?)",
			 target, streq(to, "1") ? "bound" : "unbound");
}

static int vtcon_change(struct run *run, const struct record *record,
			_unused_ const char *from, const char *to, struct error *err)
{
	const char *target = record->target;
	_cleanup_free_ char *now = NULL;
	struct console console;
	char path[PATH_MAX];
	int r = console_find(&run->host, target, &console);

	if (r < 0)
		return error_set(err, r,
				 "there is no console '%s' now: no framebuffer is"
				 " registered",
				 target);
	snprintf(path, sizeof(path), CONSOLES "/%s/bind", console.name);
	r = guard_write(run, path, to, err);
	if (r == 0)
		r = vtcon_read(&run->host, target, &now, err);
	if (r < 0)
		return r;
	/* Unbound and gone is unbound, too. */
	if (streq(now, to) || (streq(to, "0") && !*now))
		return 0;
	return not_taken(&run->host, &console, target, to, err);
}

static int vtcon_undo(struct run *run, const struct record *record, const char *now,
		      struct error *err)
{
	/* Gone with its framebuffer: the next one to be registered brings it, bound. */
	if (!streq(now, "0") || !streq(record->old, "1"))
		return 0;
	return vtcon_change(run, record, now, "1", err);
}

const struct state_kind state_vtcon = {
	.name = "vtcon",
	.shared = true,
	.read = vtcon_read,
	.change = vtcon_change,
	.undo = vtcon_undo,
};

static int platform_read(const struct host *host, const char *target, char **ret,
			 struct error *err)
{
	char driver[128] = "";
	int r = host_link_name(host, driver, sizeof(driver),
			       "/sys/bus/platform/devices/%s/driver", target);

	if (r < 0 && r != -ENOENT)
		return error_errno(err, r, "%s: cannot read its driver", target);
	*ret = strdup(driver);
	return *ret ? 0 : error_oom(err);
}

static int platform_write(struct run *run, const char *target, const char *driver,
			  const char *file, struct error *err)
{
	_cleanup_error_ struct error local = { 0 };
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/%s/%s", driver, file);
	r = guard_write(run, path, target, &local);
	if (r == -ENODEV || r == -ENOENT)
		return error_set(
			err, r,
			"%s: cannot %s driver %s: the device or the driver is gone (a"
			" graphics driver removes it for good, until the next boot)",
			target, file, driver);
	return r < 0 ? error_set(err, r, "%s", error_text(&local)) : 0;
}

static int platform_change(struct run *run, const struct record *record, const char *from,
			   const char *to, struct error *err)
{
	const char *target = record->target;
	_cleanup_free_ char *now = NULL;
	int r = 0;

	if (from[0] && !streq(from, to))
		r = platform_write(run, target, from, "unbind", err);
	if (r == 0 && to[0] && !streq(from, to))
		r = platform_write(run, target, to, "bind", err);
	if (r == 0)
		r = platform_read(&run->host, target, &now, err);
	if (r < 0 || streq(now, to))
		return r;
	return error_set(err, -EIO, "%s has driver '%s' where '%s' was wanted", target,
			 now, to);
}

/*
 * Is the memory that the picture lies in where it was? RANGE is a line of /proc/iomem
 * without its indentation, "c0000000-c0ffffff : 0000:00:02.0", or the part before " : ".
 */
static bool memory_is_there(const struct host *host, const char *range)
{
	_cleanup_free_ char *text = NULL;
	char *save = NULL;

	if (!*range || host_read_all(host, &text, "/proc/iomem") < 0)
		return true; /* nothing known */
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *rest = str_after(line + strspn(line, " "), range);

		if (rest && (!*rest || str_after(rest, " :")))
			return true;
	}
	return false;
}

/* The name of a framebuffer on the owner's card, or, with no owner known, of any. */
static bool framebuffer_there(const struct host *host, const char *range, char *buf,
			      size_t size)
{
	_cleanup_strv_ struct strv names = { 0 };
	const char *owner = strstr(range, " : ");
	char device[128];

	if (host_list(host, &names, "/sys/class/graphics") < 0)
		return host_read(host, buf, size, "/proc/fb") > 0;
	for (size_t i = 0; i < names.n; i++) {
		if (!str_after(names.v[i], "fb") || streq(names.v[i], "fbcon"))
			continue;
		if (owner && strchr(owner + 3, ':') &&
		    host_link_name(host, device, sizeof(device),
				   "/sys/class/graphics/%s/device", names.v[i]) == 0 &&
		    strchr(device, ':') && !streq(device, owner + 3))
			continue; /* another card's */
		snprintf(buf, size, "%s", names.v[i]);
		return true;
	}
	return false;
}

/* The driver draws to the address and in the mode of the boot, whatever is there now. */
static int platform_undo(struct run *run, const struct record *record, const char *now,
			 struct error *err)
{
	const char *target = record->target, *data = record->data ? record->data : "";
	char fb[128];

	if (now[0] || !record->old[0]) /* (a): it is not we who unbound it */
		return 0;
	if (!host_exists(&run->host, "/sys/bus/platform/devices/%s", target))
		run_note(run,
			 "%s is gone until the next boot: a graphics driver or vfio took its"
			 " place; the console needs a driver with a framebuffer of its own",
			 target);
	else if (!memory_is_there(&run->host, data))
		run_note(run, "%s is left unbound: its memory (%s) has moved", target,
			 data);
	else if (framebuffer_there(&run->host, data, fb, sizeof(fb)))
		run_note(run, "%s is left unbound: %s draws on the card now", target, fb);
	else
		return platform_change(run, record, now, record->old, err);
	return 0;
}

const struct state_kind state_platform = {
	.name = "platform",
	.shared = true,
	.read = platform_read,
	.change = platform_change,
	.undo = platform_undo,
};
