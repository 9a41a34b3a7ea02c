/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters of a module that was unloaded and loaded again. A new load has what
 * modprobe.d says; what was set by hand before is set again where that is possible.
 */
#include <sys/stat.h>

#include "guard.h"
#include "kmod.h"
#include "parameters.h"

/* Does a parameter that NOW ("name=value" each) knows begin at P? */
static bool starts_parameter(const char *p, const struct strv *now)
{
	for (size_t i = 0; i < now->n; i++) {
		size_t n = strcspn(now->v[i], "=") + 1;

		if (strncmp(p, now->v[i], n) == 0)
			return true;
	}
	return false;
}

/* The value that parameter NAME= (with the '=') has in DATA; values may have blanks. */
static char *recorded_value(const char *data, const char *name, size_t len,
			    const struct strv *now)
{
	const char *p = data, *end;

	while (strncmp(p, name, len) != 0) {
		p = strchr(p, ' ');
		if (!p)
			return NULL;
		p++;
	}
	p += len;
	for (end = p; *end; end++)
		if (*end == ' ' && starts_parameter(end + 1, now))
			break;
	return strndup(p, (size_t)(end - p));
}

static void restore_parameter(struct run *run, const char *module, const char *name,
			      const char *now, const char *then)
{
	_cleanup_error_ struct error err = { 0 };
	char path[PATH_MAX], rooted[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	host_path(&run->host, rooted, "%s", path);
	if (streq(then, "(null)") || stat(rooted, &st) < 0 || !(st.st_mode & 0222))
		run_note(run,
			 "module %s: parameter %s is %s and was %s; it can only be set while"
			 " the module is loaded (a file in modprobe.d)",
			 module, name, now, then);
	/* Tried twice, as nothing comes back to it: no release may fail for ever by this. */
	else if (guard_write(run, path, then, NULL) < 0 &&
		 guard_write(run, path, then, &err) < 0)
		run_note(run, "module %s: parameter %s: %s", module, name,
			 error_text(&err));
}

void parameters_restore(struct run *run, const char *target, const char *data)
{
	_cleanup_strv_ struct strv now = { 0 };
	char module[128];

	kmod_normalise(target, module, sizeof(module));
	kmod_parameters(&run->host, module, &now);
	for (size_t i = 0; i < now.n; i++) {
		size_t len = strcspn(now.v[i], "=") + 1;
		_cleanup_free_ char *then = recorded_value(data, now.v[i], len, &now);

		if (!then || streq(then, now.v[i] + len))
			continue;
		now.v[i][len - 1] = '\0';
		restore_parameter(run, module, now.v[i], now.v[i] + len, then);
		now.v[i][len - 1] = '=';
	}
}
