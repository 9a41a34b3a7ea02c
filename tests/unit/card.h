/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A card of amdgpu and its sound on a machine made of files, and what it was before. */

#include "faketree.h"

#define GPU "0000:0a:00.0"
#define SOUND "0000:0a:00.1"
#define UUID "11111111-2222-3333-4444-555555555555"
#define JOURNAL "/run/vfio-hook/" UUID ".journal"
#define CONFIG "/etc/libvirt/hooks/conf.d/win10.ini"

extern struct host host;
/* The domain that gets it, win10: without devices of its own, so the config names them. */
extern const char card_xml[];

/* Makes the machine; what else a test wants of it comes between this and card_ready(). */
void card_setup(void);
/* The config is TEXT, and in the end all is to be as it is now. */
void card_ready(const char *text);
void card_teardown(void);
/* It is, and no journal is left; WHERE is told if not. */
void card_assert_as_before(const char *where);
