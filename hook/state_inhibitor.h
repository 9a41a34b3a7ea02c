/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "state.h"

/*
 * The kind "inhibitor": a lock of logind against sleep, held by a transient unit. Target:
 * "vfio-hook-inhibit-UUID.service", values "active" and "", data the guest's name.
 */
extern const struct state_kind state_inhibitor;
