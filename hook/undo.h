/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "effect.h"

#define RECORD_TIMEOUT_MS 30000

/* Puts one record back and strikes it; the record stays open when that fails. */
int undo_record(struct run *run, const struct record *record, struct error *err);
