/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What configure would write for Linux with glibc. */
#pragma once

#include "rename.h"

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64

#define PACKAGE "kmod"
#define VERSION "30"
#define SYSCONFDIR "/etc"

#define ENABLE_LOGGING 1
#define ENABLE_XZ 1
#define ENABLE_ZLIB 1
#define ENABLE_ZSTD 1

#define HAVE_DECL_BE32TOH 1
#define HAVE_DECL_STRNDUPA 1
#define HAVE_LINUX_MODULE_H 1
#define HAVE_NORETURN 1
#define HAVE_SECURE_GETENV 1
#define HAVE_STATIC_ASSERT 1
#define HAVE_STRUCT_STAT_ST_MTIM 1
#define HAVE___BUILTIN_UADDL_OVERFLOW 1
#define HAVE___BUILTIN_UADDLL_OVERFLOW 1
