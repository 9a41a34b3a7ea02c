/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "util.h"

/* What people read on a terminal: aligned columns, a little colour. */
enum tone {
	TONE_PLAIN,
	TONE_HEAD,
	TONE_GOOD,
	TONE_WARN,
	TONE_BAD,
	TONE_DIM,
};

/* The escape for TONE when OUT is a terminal and NO_COLOR is not set, else "". */
const char *tone(FILE *out, enum tone tone);

#define TABLE_COLUMNS 8

/* Rows of COLUMNS cells; the tone is a row's. */
struct table {
	size_t columns;
	struct strv cells;
	unsigned char tones[TABLE_COLUMNS]; /* of a column, where the row has none */
	unsigned char *row_tones;
	size_t rows;
};

/* Adds a row of COLUMNS strings (NULL: "-"); 0 or -ENOMEM. */
int table_row(struct table *table, enum tone row_tone, const char *const *cells);
/* Each row behind INDENT blanks; columns that are empty in every row are left out. */
void table_print(const struct table *table, unsigned indent, FILE *out);
void table_done(struct table *table);

/* How many columns S takes on a terminal. */
size_t text_width(const char *s);
/* "1.2 s", "340 ms", "2 min 5 s" in BUF. */
const char *format_ms(int64_t ms, char buf[32]);
