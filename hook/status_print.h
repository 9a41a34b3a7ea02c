/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "json.h"
#include "status.h"
#include "table.h"

enum tone status_tone(enum domain_state state);
/* "release done in 1.2 s"; the caller frees. */
char *status_phase_text(const struct logged_phase *phase);
/* All of one domain, for people; 0 or -ENOMEM. */
int status_print(const struct host *host, const struct domain_status *status, FILE *out);
void status_print_json(struct json *json, const struct host *host,
		       const struct domain_status *status);
