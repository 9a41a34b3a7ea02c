/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "util.h"

/* What a program printed: its first MAX bytes, or with TAIL its last. */
struct capture {
	char *data;
	size_t n, max;
	bool tail;
};

int capture_init(struct capture *capture, size_t max, bool tail);
void capture_add(struct capture *capture, const char *data, size_t n);
/* As a string, to be freed. */
char *capture_steal(struct capture *capture);
