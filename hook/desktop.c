/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's own desktop: what it is started by, and whether a plan ends it.
 */
#include "desktop.h"
#include "step.h"

const char desktop_end_advice[] =
	"what is open in it is lost: save it, and try it first (vfio-hook test) from another "
	"machine by ssh, where you can see how it goes";

/*
 * Whatever distributions install under the alias display-manager.service, since guides and
 * scripts call it by its own name, too. Who starts X or a compositor from a text console
 * (startx, sway) has none. One that is missing here is still known by the alias.
 */
static const char *const managers[] = {
	"display-manager", "cosmic-greeter", "gdm",  "gdm3",
	"greetd",	   "lightdm",	     "lxdm", "ly",
	"plasmalogin",	   "sddm",	     "slim", "xdm",
};

const char *desktop_manager(size_t i)
{
	return i < ARRAY_SIZE(managers) ? managers[i] : NULL;
}

bool desktop_is_manager(const char *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
		const char *rest = str_after(unit, managers[i]);

		if (rest && (!*rest || streq(rest, ".service")))
			return true;
	}
	return false;
}

bool desktop_is_manager_here(const struct host *host, const char *unit)
{
	char alias[NAME_MAX + 1];
	const char *rest = NULL;

	if (desktop_is_manager(unit))
		return true;
	if (host_link_name(host, alias, sizeof(alias),
			   "/etc/systemd/system/display-manager.service") >= 0)
		rest = str_after(alias, unit);
	return rest && (!*rest || streq(rest, ".service"));
}

const struct step *desktop_end(const struct run *run)
{
	for (size_t i = 0; i < run->report.n; i++) {
		const struct report_item *item = &run->report.items[i];

		if (item->kind != REPORT_CHANGE || !item->step ||
		    !phase_goes_up(item->step->phase))
			continue;
		if (streq(item->step->key, "session.end") ||
		    (item->state == &state_unit && streq(item->then, "inactive") &&
		     desktop_is_manager_here(&run->host, item->target)))
			return item->step;
	}
	return NULL;
}
