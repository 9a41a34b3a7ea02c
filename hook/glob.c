/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names with * ? [] in them, below the root. glob(3) knows neither a root nor how to do
 * without NSS (for ~), and sysfs is made of symlinks: a file that two names lead to must
 * be one target, and a link must not lead out of where it may lie.
 */
#include <fnmatch.h>

#include "glob.h"

bool glob_is_pattern(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

/* SO_FAR is a path without wildcards that exists; REST is what is still to be matched. */
static int walk(const struct host *host, const char *so_far, const char *rest,
		struct strv *ret)
{
	char part[NAME_MAX + 1], path[PATH_MAX];
	_cleanup_strv_ struct strv names = {};
	size_t n;
	int r = 0;

	rest += strspn(rest, "/");
	n = strcspn(rest, "/");
	if (n == 0)
		return strv_add(ret, so_far);
	if (n >= sizeof(part))
		return 0;
	snprintf(part, sizeof(part), "%.*s", (int)n, rest);
	rest += n;
	if (!glob_is_pattern(part))
		r = strv_add(&names, part);
	else if (host_list(host, &names, "%s", *so_far ? so_far : "/") < 0)
		return 0;
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		if (glob_is_pattern(part) && fnmatch(part, names.v[i], FNM_PERIOD) != 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", so_far, names.v[i]) >=
			    (int)sizeof(path) ||
		    !host_exists(host, "%s", path))
			continue;
		r = walk(host, path, rest, ret);
	}
	return r;
}

int host_glob_names(const struct host *host, const char *pattern, struct strv *ret)
{
	return walk(host, "", pattern, ret);
}

/* Without the root, which may be a link itself. */
int host_resolve(const struct host *host, const char *path, char *buf, struct error *err)
{
	char rooted[PATH_MAX], real[PATH_MAX], root[PATH_MAX] = "";
	const char *below;

	if (*host->root && !realpath(host->root, root))
		return error_errno(err, -errno, "%s", host->root);
	if (!realpath(host_path(host, rooted, "%s", path), real))
		return error_errno(err, -errno, "%s", path);
	below = str_after(real, root);
	if (!below || *below != '/')
		return error_set(err, -EPERM, "%s leads to %s, out of the root", path,
				 real);
	snprintf(buf, PATH_MAX, "%s", below);
	return 0;
}

int host_glob(const struct host *host, const char *pattern, const char *below,
	      struct strv *ret, struct error *err)
{
	_cleanup_strv_ struct strv found = {}, resolved = {};
	char path[PATH_MAX];
	const char *rest;
	int r = walk(host, "", pattern, &found);

	if (r < 0)
		return error_oom(err);
	for (size_t i = 0; i < found.n; i++) {
		r = host_resolve(host, found.v[i], path, err);
		if (r < 0)
			return r;
		rest = str_after(path, below);
		if (!rest || *rest != '/')
			return error_set(
				err, -EPERM,
				"%s leads to %s, which is not below %s: name what is",
				found.v[i], path, below);
		if (!strv_contains(&resolved, path) && strv_add(&resolved, path) < 0)
			return error_oom(err);
	}
	if (!resolved.n)
		return error_set(err, -ENOENT, "%s is not there", pattern);
	strv_sort(&resolved);
	*ret = resolved;
	resolved = (struct strv){};
	return 0;
}
