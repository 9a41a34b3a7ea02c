/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON for programs that read what the commands print.
 */
#include <inttypes.h>

#include "json.h"

/* The length of the well-formed UTF-8 sequence at S, or 0. */
static size_t sequence(const unsigned char *s)
{
	size_t n = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;

	if (*s > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void json_quote(FILE *out, const char *value)
{
	putc('"', out);
	for (const unsigned char *s = (const unsigned char *)value; *s;) {
		size_t n = sequence(s);

		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < 0x20)
			fprintf(out, "\\u%04x", (unsigned)*s);
		else if (n == 0)
			fputs("\\ufffd", out);
		else
			fwrite(s, 1, n, out);
		s += n ? n : 1;
	}
	putc('"', out);
}

static void next(struct json *json, const char *name)
{
	if (json->depth > 0) {
		bool *filled = &json->filled[json->depth - 1];

		if (*filled)
			putc(',', json->out);
		if (json->depth <= 2)
			fprintf(json->out, "\n%*s", (int)json->depth, "");
		else if (*filled)
			putc(' ', json->out);
		*filled = true;
	}
	if (name) {
		json_quote(json->out, name);
		fputs(": ", json->out);
	}
}

static void open_level(struct json *json, const char *name, char begin, char end)
{
	next(json, name);
	putc(begin, json->out);
	if (json->depth == JSON_DEPTH_MAX)
		abort(); /* no command nests so deep */
	json->filled[json->depth] = false;
	json->close[json->depth++] = end;
}

void json_object(struct json *json, const char *name)
{
	open_level(json, name, '{', '}');
}

void json_array(struct json *json, const char *name)
{
	open_level(json, name, '[', ']');
}

void json_end(struct json *json)
{
	json->depth--;
	putc(json->close[json->depth], json->out);
	if (json->depth == 0)
		putc('\n', json->out);
}

void json_string(struct json *json, const char *name, const char *value)
{
	next(json, name);
	if (value)
		json_quote(json->out, value);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *name, int64_t value)
{
	next(json, name);
	fprintf(json->out, "%" PRId64, value);
}

void json_bool(struct json *json, const char *name, bool value)
{
	next(json, name);
	fputs(value ? "true" : "false", json->out);
}
