/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and their groups from /etc/passwd and /etc/group. getpwnam(3) and the like load
 * NSS modules at run time, which a static program cannot; what those would add (LDAP,
 * systemd-homed) is not seen here, and the error says so.
 */

#include "spawn.h"

/* Cuts LINE at each ':' into up to MAX fields; how many there are. */
static size_t split_fields(char *line, char **field, size_t max)
{
	size_t n = 0;
	char *p;

	while (n < max && (p = strsep(&line, ":")))
		field[n++] = p;
	return n;
}

/* The next line of passwd with sensible numbers in it; false at the end. */
static bool next_user(char **text, char *field[7], uid_t *uid, gid_t *gid)
{
	uint64_t u, g;
	char *line;

	while ((line = strsep(text, "\n"))) {
		if (split_fields(line, field, 7) < 6 || parse_u64(field[2], &u) < 0 ||
		    parse_u64(field[3], &g) < 0 || u > UINT32_MAX || g > UINT32_MAX)
			continue;
		*uid = (uid_t)u;
		*gid = (gid_t)g;
		return true;
	}
	return false;
}

int user_find(const struct host *host, const char *name, struct user *ret,
	      struct error *err)
{
	_cleanup_free_ char *passwd = NULL;
	char *field[7], *text;
	uint64_t number;
	bool by_uid = parse_u64(name, &number) >= 0;
	uid_t uid;
	gid_t gid;
	int r;

	r = host_read_all(host, &passwd, "/etc/passwd");
	if (r < 0)
		return error_errno(err, r, "cannot read /etc/passwd");

	text = passwd;
	while (next_user(&text, field, &uid, &gid)) {
		if (!streq(field[0], name) && !(by_uid && number == uid))
			continue;
		struct user found = { uid, gid, strdup(field[0]), strdup(field[5]) };

		if (!found.name || !found.home) {
			user_done(&found);
			return error_oom(err);
		}
		*ret = found;
		return 0;
	}
	return error_set(err, -ENOENT,
			 "user %s is not in /etc/passwd (users that LDAP or systemd-homed "
			 "provide are not seen here): name one that is",
			 name);
}

int user_name(const struct host *host, uid_t uid, char *buf, size_t size)
{
	_cleanup_free_ char *passwd = NULL;
	char *field[7], *text;
	uid_t found;
	gid_t gid;

	snprintf(buf, size, "%u", (unsigned)uid);
	if (host_read_all(host, &passwd, "/etc/passwd") < 0)
		return -ENOENT;
	text = passwd;
	while (next_user(&text, field, &found, &gid)) {
		if (found != uid)
			continue;
		snprintf(buf, size, "%s", field[0]);
		return 0;
	}
	return -ENOENT;
}

static bool is_member(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ",")))
		if (streq(member, name))
			return true;
	return false;
}

int user_groups(const struct host *host, const struct user *user, gid_t **ret,
		size_t *ret_n, struct error *err)
{
	_cleanup_free_ char *group = NULL;
	_cleanup_free_ gid_t *gids = malloc(sizeof(*gids));
	char *field[4], *text, *line;
	size_t n = 0;
	uint64_t gid;
	int r;

	if (!gids)
		return error_oom(err);
	gids[n++] = user->gid;

	r = host_read_all(host, &group, "/etc/group");
	if (r < 0 && r != -ENOENT)
		return error_errno(err, r, "cannot read /etc/group");
	text = group;
	while ((line = strsep(&text, "\n"))) {
		if (split_fields(line, field, 4) < 4 || parse_u64(field[2], &gid) < 0 ||
		    gid > UINT32_MAX || gid == user->gid ||
		    !is_member(field[3], user->name))
			continue;
		if (array_grow(&gids, n, sizeof(*gids)) < 0)
			return error_oom(err);
		gids[n++] = (gid_t)gid;
	}
	*ret = STEAL(gids);
	*ret_n = n;
	return 0;
}

int group_find(const struct host *host, const char *name, gid_t *ret, struct error *err)
{
	_cleanup_free_ char *group = NULL;
	char *field[4], *text, *line;
	uint64_t gid, number;
	bool by_gid = parse_u64(name, &number) >= 0;
	int r = host_read_all(host, &group, "/etc/group");

	if (r < 0)
		return error_errno(err, r, "cannot read /etc/group");
	text = group;
	while ((line = strsep(&text, "\n"))) {
		if (split_fields(line, field, 4) < 3 || parse_u64(field[2], &gid) < 0 ||
		    gid > UINT32_MAX)
			continue;
		if (!streq(field[0], name) && !(by_gid && number == gid))
			continue;
		*ret = (gid_t)gid;
		return 0;
	}
	return error_set(err, -ENOENT,
			 "group %s is not in /etc/group (groups that LDAP or systemd-homed "
			 "provide are not seen here): name one that is",
			 name);
}

void user_done(struct user *user)
{
	free(user->name);
	free(user->home);
	user->name = user->home = NULL;
}
