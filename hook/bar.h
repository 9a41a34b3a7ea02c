/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "state.h"

/*
 * Memory windows of PCI functions. A target of the kind "bar" is "0000:0a:00.0 1", its
 * value the window's size, "256M".
 */
#define BAR_SIZE_LEN 32

/* "256M", "16G", as the values of the kind are written; returns BUF. */
const char *bar_size_text(uint64_t size, char buf[BAR_SIZE_LEN]);
/* Bit N: the window can have 2^N MiB. 0: it cannot be resized. */
uint64_t bar_offered(const struct host *host, const char *function, unsigned bar);
/* "256M, 512M, 1G"; the caller frees. NULL: out of memory. */
char *bar_sizes_text(uint64_t offered);
