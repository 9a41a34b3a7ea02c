/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables and colours of the command for people. Colour only says again what the text
 * says: a pipe, a log or NO_COLOR loses nothing.
 */
#include "table.h"

#define GAP 2

const char *tone(FILE *out, enum tone tone)
{
	static const char *const escapes[] = {
		[TONE_PLAIN] = "\033[0m",  [TONE_HEAD] = "\033[1m",
		[TONE_GOOD] = "\033[32m",  [TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[1;31m", [TONE_DIM] = "\033[2m",
	};
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if ((no_color && *no_color) || (term && streq(term, "dumb")) ||
	    !isatty(fileno(out)))
		return "";
	return escapes[tone];
}

size_t text_width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

int table_row(struct table *table, enum tone row_tone, const char *const *cells)
{
	int r = array_grow(&table->row_tones, table->rows, sizeof(*table->row_tones));

	for (size_t i = 0; r == 0 && i < table->columns; i++)
		r = strv_add(&table->cells, cells[i] ? cells[i] : "-");
	if (r < 0)
		return r;
	table->row_tones[table->rows++] = (unsigned char)row_tone;
	return 0;
}

static const char *cell(const struct table *table, size_t row, size_t column)
{
	return table->cells.v[row * table->columns + column];
}

static void print_row(const struct table *table, size_t row, const size_t *widths,
		      unsigned indent, FILE *out)
{
	size_t pad = indent;

	for (size_t i = 0; i < table->columns; i++) {
		const char *text = cell(table, row, i);
		enum tone t = (enum tone)table->row_tones[row];

		if (widths[i] == 0)
			continue;
		if (t == TONE_PLAIN)
			t = (enum tone)table->tones[i];
		if (*text) {
			fprintf(out, "%*s", (int)pad, "");
			if (t == TONE_PLAIN)
				fputs(text, out);
			else
				fprintf(out, "%s%s%s", tone(out, t), text,
					tone(out, TONE_PLAIN));
			pad = 0;
		}
		pad += widths[i] + GAP - text_width(text);
	}
	putc('\n', out);
}

void table_print(const struct table *table, unsigned indent, FILE *out)
{
	size_t widths[TABLE_COLUMNS] = {};

	for (size_t row = 0; row < table->rows; row++)
		for (size_t i = 0; i < table->columns; i++) {
			size_t width = text_width(cell(table, row, i));

			widths[i] = width > widths[i] ? width : widths[i];
		}
	for (size_t row = 0; row < table->rows; row++)
		print_row(table, row, widths, indent, out);
}

void table_done(struct table *table)
{
	strv_done(&table->cells);
	free(table->row_tones);
	*table = (struct table){};
}

const char *format_ms(int64_t ms, char buf[32])
{
	long long n = (long long)ms;

	if (ms < 1000)
		snprintf(buf, 32, "%lld ms", n);
	else if (ms < 60000)
		snprintf(buf, 32, "%lld.%lld s", n / 1000, n % 1000 / 100);
	else
		snprintf(buf, 32, "%lld min %lld s", n / 60000, n % 60000 / 1000);
	return buf;
}
