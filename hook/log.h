/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <syslog.h>

#include "host.h"

/*
 * DOMAIN.log, a line each: "TIME LEVEL TEXT". The text of a phase's first line is "==
 * DOMAIN PHASE", that of its last one "-- DOMAIN PHASE: done in N ms" or "… failed …".
 */
#define LOG_DIR "/var/log/vfio-hook"
#define LOG_PHASE_BEGIN "== "
#define LOG_PHASE_END "-- "

/* The text in a line of the file. */
const char *log_text_of(const char *line);

/*
 * Lines go to syslog, to the domain's log file and, when asked for, to stderr. Levels are
 * syslog's. The file is a child's.
 */
void log_open(const struct host *host, const char *domain);
/*
 * Before anything that the machine might not survive: the log is what is left after the
 * reset button, and its last line tells what that was. A disk that hangs is waited for
 * once, for some seconds, and what comes later is left to the child.
 */
void log_sync(void);
/* While it holds, log_sync() does not wait: with the host's lock held. */
void log_hold(bool hold);
/* Lines of this level and above go to stderr; -1: none (hook mode). */
void log_set_stderr(int level);
void log_at(int level, const char *fmt, ...) _printf_(2, 3);
void log_close(void);

#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERR, __VA_ARGS__)
