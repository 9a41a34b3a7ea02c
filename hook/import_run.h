/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "error.h"
#include "event.h"

struct import_request {
	const char *root; /* "" or where /etc and /var are */
	const char *dir; /* a tree, a folder of scripts, or a script */
	const char *conf; /* kvm.conf; NULL: near them */
	const char *domain; /* that is asked for outside of a tree; NULL: the first one */
	enum phase phase; /* of scripts outside of a tree; PHASE_NONE: by their names */
};

/*
 * Writes a config to OUT. 0; -ENODATA: no step came of it; or another negative errno,
 * all with ERR. RET_LEFT: how much was not understood.
 */
int import_run(const struct import_request *request, FILE *out, size_t *ret_left,
	       struct error *err);
