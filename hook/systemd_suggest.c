/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be meant by the name of a unit that there is not.
 */
#include "systemd.h"

/* Do the names share their first letters, or is one within the other? */
static bool is_like(const char *a, const char *b)
{
	size_t n = 0, stem = strcspn(a, ".@");

	while (n < stem && a[n] && a[n] == b[n])
		n++;
	return n >= 4 ||
	       (stem >= 3 && strcspn(b, ".@") >= 3 && memmem(b, strlen(b), a, stem));
}

const char *unit_suggest(const struct host *host, const char *unit, bool user, char *buf,
			 size_t size)
{
	static const char *const folders[] = { "/etc/systemd/system",
					       "/usr/lib/systemd/system",
					       "/lib/systemd/system" };
	_cleanup_strv_ struct strv found = {};
	_cleanup_free_ char *names = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_strv_ struct strv all = {};

		if (host_list(host, &all, "%s", folders[i]) < 0)
			continue;
		for (size_t k = 0; k < all.n && found.n < 3; k++)
			if (str_ends(all.v[k], ".service") && is_like(unit, all.v[k]) &&
			    !strv_contains(&found, all.v[k]) &&
			    strv_add(&found, all.v[k]) < 0)
				break;
	}
	names = found.n ? strv_join(&found, " or ") : NULL;
	if (names)
		snprintf(buf, size, ": did you mean %s?", names);
	else
		snprintf(buf, size, ": systemctl%s list-unit-files shows all",
			 user ? " --user" : "");
	return buf;
}
