/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules by what their aliases match, from the index that depmod makes of them.
 */
#include <libkmod.h>

#include "kmod.h"

int kmod_aliased(const struct host *host, const char *alias, struct strv *ret)
{
	const char *no_config[] = { NULL };
	char dir[PATH_MAX], rooted[PATH_MAX];
	struct kmod_list *list = NULL, *l;
	struct kmod_ctx *ctx;
	int r;

	kmod_modules_dir(host, dir);
	ctx = kmod_new(host_path(host, rooted, "%s", dir), no_config);
	if (!ctx)
		return -ENOMEM;
	kmod_set_log_priority(ctx, -1);
	r = kmod_module_new_from_lookup(ctx, alias, &list);
	for (l = list; l && r >= 0; l = kmod_list_next(list, l)) {
		struct kmod_module *mod = kmod_module_get_module(l);

		r = strv_add(ret, kmod_module_get_name(mod));
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
	kmod_unref(ctx);
	return r < 0 ? r : 0;
}
