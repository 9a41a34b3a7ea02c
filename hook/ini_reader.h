/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The reader that feeds inih: ini.c runs it, ini_line.c knows what a line may be. */

#include "ini_lines.h"

#define LINE_MAX_LEN 4096
#define NAME_MAX_LEN 49 /* inih's MAX_NAME and MAX_SECTION, less the NUL */

/* What an indented line would continue. */
enum above {
	ABOVE_NOTHING,
	ABOVE_ENTRY,
	ABOVE_REFUSED, /* a line with a mistake: do not complain about its rest, too */
};

struct reader {
	struct config *config;
	const struct ini_calls *calls;
	void *data;

	const char *next, *end; /* what is not read yet */
	unsigned line;
	unsigned no_text;
	char text[LINE_MAX_LEN + 1]; /* the line at work, without blanks at both ends */
	bool indented, comment_cut;

	const char *rest; /* of it, when inih could not take all at once */
	bool continues; /* what inih has now belongs to the entry above, */
	bool glue; /* without a blank between them */

	char section[NAME_MAX_LEN + 1];
	bool section_seen, section_known;
	enum above above;
	bool after_blank;

	struct ini_entry entry; /* key and value are owned; key is NULL: none */
	char *key, *value;
	bool spoiled; /* part of it is missing: told already, do not look at the rest */
	int result;
};

/* Notes the first failure, which ends the reading; returns CODE. */
int reader_fail(struct reader *reader, int code);
/* The entry is complete when a line comes that does not continue it. */
void reader_flush(struct reader *reader);

/* Reads the next line into reader->text; false when it must be passed over. */
bool reader_read_line(struct reader *reader);
/* Sorts the line into section, key or continuation; false: it is not for inih. */
bool reader_take_line(struct reader *reader);

#define problem(reader, ...) \
	reader_fail(reader, config_problem((reader)->config, (reader)->line, __VA_ARGS__))
