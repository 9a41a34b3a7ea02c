/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "util.h"

#define JSON_DEPTH_MAX 8

/*
 * JSON for `--json`, written as it comes. NAME is the member's in an object and NULL in
 * an array; members of the outermost two levels get a line each.
 */
struct json {
	FILE *out;
	unsigned depth;
	bool filled[JSON_DEPTH_MAX]; /* has this level anything yet? */
	char close[JSON_DEPTH_MAX];
};

void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
/* The end of what was begun last; that of the outermost one ends the line. */
void json_end(struct json *json);
/* VALUE may be NULL: null. */
void json_string(struct json *json, const char *name, const char *value);
void json_number(struct json *json, const char *name, int64_t value);
void json_bool(struct json *json, const char *name, bool value);
/* VALUE with quotes; bytes that are no UTF-8 become U+FFFD. */
void json_quote(FILE *out, const char *value);
