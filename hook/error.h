/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "util.h"

/*
 * What a user will read about a failure: one line that names what failed, on what,
 * why, and what to do. A function that fails returns CODE, a negative errno, and
 * fills its struct error; callers may put context in front on the way out.
 */
struct error {
	int code;
	char *msg;
	char *cure; /* the commands or lines to put in alone, one a line; or NULL */
};

#define _cleanup_error_ _cleanup_(error_done)

/* Sets ERR (which may be NULL) unless it is set already; returns CODE. */
int error_set(struct error *err, int code, const char *fmt, ...) _printf_(3, 4);
/* The same with ": strerror" behind the text. */
int error_errno(struct error *err, int code, const char *fmt, ...) _printf_(3, 4);
int error_oom(struct error *err);
/* Puts "PREFIX: " in front of the message; returns the error's code. */
int error_prefix(struct error *err, const char *fmt, ...) _printf_(2, 3);
/* Puts the text behind the message; returns the error's code. */
int error_suffix(struct error *err, const char *fmt, ...) _printf_(2, 3);
/* What MSG says to do, for whoever shows it by itself. Returns the error's code. */
int error_cure(struct error *err, const char *fmt, ...) _printf_(2, 3);
const char *error_text(const struct error *err);
void error_done(struct error *err);
