/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "host.h"

/* Interrupts. A target of the kind "irq" is the number and the actions: "24 nvme0q1". */
#define IRQ_DIR "/proc/irq"
#define IRQ_ACTIONS_LEN 256

/* The names of those who handle the interrupt, "a,b": their length, 0 none, or -errno. */
int irq_actions(const struct host *host, unsigned irq, char *buf, size_t size);
