/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /sys/module says about a module: whether it is there, who depends on it, how
 * often it is in use, its parameters, and the PCI functions that it drives.
 */
#include <sys/utsname.h>

#include "kmod.h"
#include "pci.h"

#define NAME_LEN 128

void kmod_modules_dir(const struct host *host, char buf[PATH_MAX])
{
	static const char *const places[] = {
		"/lib/modules", "/usr/lib/modules",
		"/run/booted-system/kernel-modules/lib/modules", /* NixOS */
	};
	struct utsname u = { 0 };

	uname(&u);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(buf, PATH_MAX, "%s/%s", places[i], u.release);
		if (host_exists(host, "%s", buf))
			return;
	}
	snprintf(buf, PATH_MAX, "%s/%s", places[0], u.release);
}

char *kmod_normalise(const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s", name);
	for (char *p = buf; *p; p++)
		if (*p == '-')
			*p = '_';
	return buf;
}

/* modules.builtin: "kernel/drivers/tty/serial/8250/8250.ko" */
static bool is_builtin(const struct host *host, const char *name)
{
	_cleanup_free_ char *text = NULL;
	char dir[PATH_MAX], buf[NAME_LEN], *save = NULL;

	kmod_modules_dir(host, dir);
	if (host_read_all(host, &text, "%s/modules.builtin", dir) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		kmod_normalise(path_base(line), buf, sizeof(buf));
		buf[strcspn(buf, ".")] = '\0';
		if (streq(buf, name))
			return true;
	}
	return false;
}

enum kmod_state kmod_state_of(const struct host *host, const char *name)
{
	char state[32], buf[NAME_LEN];

	kmod_normalise(name, buf, sizeof(buf));
	if (host_read(host, state, sizeof(state), "/sys/module/%s/initstate", buf) >= 0)
		return streq(state, "live") ? KMOD_LIVE : KMOD_BUSY;
	/* Built-in code has a directory only when it has parameters, and no initstate. */
	if (host_exists(host, "/sys/module/%s", buf) || is_builtin(host, buf))
		return KMOD_BUILTIN;
	return KMOD_ABSENT;
}

int kmod_holders(const struct host *host, const char *name, struct strv *ret)
{
	char buf[NAME_LEN];
	int r = host_list(host, ret, "/sys/module/%s/holders",
			  kmod_normalise(name, buf, sizeof(buf)));

	return r == -ENOENT ? 0 : r;
}

int kmod_refcount(const struct host *host, const char *name)
{
	char buf[NAME_LEN];
	uint64_t count;
	int r = host_read_u64(host, &count, "/sys/module/%s/refcnt",
			      kmod_normalise(name, buf, sizeof(buf)));

	if (r < 0)
		return r;
	return count > INT_MAX ? INT_MAX : (int)count;
}

int kmod_parameters(const struct host *host, const char *name, struct strv *ret)
{
	_cleanup_strv_ struct strv names = { 0 };
	char buf[NAME_LEN], value[4096];
	int r;

	kmod_normalise(name, buf, sizeof(buf));
	r = host_list(host, &names, "/sys/module/%s/parameters", buf);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.n; i++) {
		/* Some can only be written, some vanish with their module. */
		if (host_read(host, value, sizeof(value), "/sys/module/%s/parameters/%s",
			      buf, names.v[i]) < 0)
			continue;
		r = strv_addf(ret, "%s=%s", names.v[i], value);
		if (r < 0)
			return r;
	}
	return 0;
}

static int functions_of(const struct host *host, const char *driver, struct strv *ret)
{
	_cleanup_strv_ struct strv names = { 0 };
	struct pci_addr addr;
	int r = host_list(host, &names, "/sys/bus/pci/drivers/%s", driver);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.n; i++) {
		if (pci_parse_addr(names.v[i], &addr, NULL) < 0)
			continue; /* bind, new_id, module, … */
		r = strv_add(ret, names.v[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int kmod_pci_functions(const struct host *host, const char *name, struct strv *ret)
{
	_cleanup_strv_ struct strv drivers = { 0 };
	char buf[NAME_LEN];
	int r;

	kmod_normalise(name, buf, sizeof(buf));
	r = host_list(host, &drivers, "/sys/module/%s/drivers", buf);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < drivers.n; i++) {
		/* "pci:vfio-pci" */
		const char *driver = str_after(drivers.v[i], "pci:");

		r = driver ? functions_of(host, driver, ret) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}
