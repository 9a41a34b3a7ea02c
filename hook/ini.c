/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a config file, on their way through inih.
 *
 * inih by itself would act on a file that it understood in part: the usual build cuts
 * lines at 199 and names at 49 bytes and still delivers what is left, drops what stands
 * behind a "]", takes ":" for "=", does not look for comments in continued lines, and
 * tells neither line numbers nor a continuation from a repeated key. So it is fed by a
 * reader of our own, which refuses what inih would get wrong, cuts comments off, hands
 * over long lines in pieces that fit, and remembers what the line at work is.
 */
#include <ini.h>

#include "ini_reader.h"

#define ENTRY_MAX_LEN 65536 /* with all lines that continue it */
#define BUFFER_MIN 64 /* room for the longest name and a piece of its value */

int reader_fail(struct reader *reader, int code)
{
	if (code < 0 && reader->result == 0)
		reader->result = code;
	return code;
}

void reader_flush(struct reader *reader)
{
	if (reader->key && reader->result == 0 && !reader->spoiled) {
		reader->entry.section = reader->section;
		reader->entry.key = reader->key;
		reader->entry.value = reader->value;
		reader_fail(reader, reader->calls->entry(reader->data, &reader->entry));
	}
	free(STEAL(reader->key));
	free(STEAL(reader->value));
	reader->spoiled = false;
}

/* inih's handler. It takes non-zero for success. */
static int on_value(void *user, const char *section _unused_, const char *name,
		    const char *value)
{
	struct reader *reader = user;

	if (!reader->continues) {
		reader->key = strdup(name);
		reader->value = strdup(value);
		reader->entry.line = reader->line;
		reader->entry.comment_cut = reader->comment_cut;
		if (!reader->key || !reader->value)
			reader_fail(reader, -ENOMEM);
	} else if (reader->value && strlen(reader->value) > ENTRY_MAX_LEN) {
		problem(reader,
			"the entry that begins in line %u has more than %d characters",
			reader->entry.line, ENTRY_MAX_LEN);
		free(STEAL(reader->value)); /* so that this is said once */
		reader->spoiled = true;
	} else if (reader->value) {
		char *joined;

		if (asprintf(&joined, "%s%s%s", reader->value, reader->glue ? "" : " ",
			     value) < 0)
			return reader_fail(reader, -ENOMEM), 0;
		free(reader->value);
		reader->value = joined;
		reader->entry.comment_cut |= reader->comment_cut;
	}
	return 1;
}

/* Where a piece of at most MAX bytes may end so that inih changes neither half. */
static size_t cut_position(const char *text, size_t min, size_t max)
{
	for (size_t i = max; i > min; i--) {
		if (!is_blank(text[i - 1]) && !is_blank(text[i]) && !strchr(";#", text[i]))
			return i;
	}
	return 0;
}

/* Fills BUF with as much of the line as fits; the rest follows as a continuation. */
static char *hand_over(struct reader *reader, char *buf, size_t size)
{
	const char *text = reader->rest ?: reader->text;
	const char *indent = reader->rest || reader->continues ? " " : "";
	size_t len = strlen(text), room = size - 1 - strlen(indent), min = 1;

	if (reader->rest)
		reader->continues = reader->glue = true;
	else if (!reader->continues)
		min = strcspn(text, "=") + 1;
	reader->rest = NULL;
	if (len > room) {
		len = cut_position(text, min, room);
		if (len == 0) {
			problem(reader,
				"the INI library takes %zu characters at once and "
				"finds no word to pause in: continue the line earlier, "
				"on an indented line",
				room);
			reader->spoiled = true;
			len = min;
		} else {
			reader->rest = text + len;
		}
	}
	snprintf(buf, size, "%s%.*s", indent, (int)len, text);
	return buf;
}

/* inih's reader: like fgets(). */
static char *next_line(char *buf, int size, void *stream)
{
	struct reader *reader = stream;

	if (size < BUFFER_MIN)
		reader_fail(reader, -ENOBUFS);
	while (!reader->rest) {
		if (reader->result < 0 || reader->next == reader->end)
			return NULL;
		if (reader_read_line(reader) && reader_take_line(reader))
			break;
	}
	return hand_over(reader, buf, (size_t)size);
}

int ini_read(struct config *config, const char *text, size_t len,
	     const struct ini_calls *calls, void *data)
{
	_cleanup_free_ struct reader *reader = calloc(1, sizeof(*reader));
	int r, result;

	if (!reader)
		return -ENOMEM;
	*reader = (struct reader){ .config = config,
				   .calls = calls,
				   .data = data,
				   .next = text,
				   .end = text + len };
	r = ini_parse_stream(next_line, reader, on_value, reader);
	reader_flush(reader);
	result = reader->result;
	/* Whatever inih minds, and the reader did not: the file is not acted on. */
	if (r != 0 && result == 0 && config->problems.n == 0)
		result = config_problem(config, reader->line,
					"the INI library refuses the "
					"file (%d)",
					r);
	return result;
}
