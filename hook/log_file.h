/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "host.h"

/*
 * Opens DOMAIN's log for lines at its end, with room made for another phase. Negative: it
 * cannot be written. May wait for the disk, as all of these.
 */
int log_file_open(const struct host *host, const char *domain);
/* All of DATA, or false. */
bool log_file_write(int fd, const char *data, size_t n);
