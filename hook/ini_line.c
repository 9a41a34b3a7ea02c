/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a line of a config file may be. Everything that inih would take for something
 * else than the writer meant is found here, before inih sees the line.
 */
#include "ini_reader.h"

#define NO_TEXT_MAX 5 /* so many lines of noise, and it is no config file at all */
#define BOM "\xef\xbb\xbf"

static const char *skip_blanks(const char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* The line's bytes are checked before anything else looks at them. */
static bool is_text(struct reader *reader, const char *line, size_t len)
{
	const char *what = NULL;

	for (size_t i = 0; i < len && !what; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c == '\0')
			what = "a NUL byte (saved as UTF-16?)";
		else if (c == '\r')
			what = "a carriage return inside";
		else if ((c < ' ' && c != '\t') || c == 0x7f)
			what = "a control character";
	}
	if (!what && !utf8_is_valid(line, len))
		what = "bytes that are not UTF-8";
	if (!what)
		return true;
	if (++reader->no_text < NO_TEXT_MAX) {
		problem(reader, "the line holds %s: a config file is plain UTF-8 text",
			what);
	} else {
		problem(reader,
			"the line holds %s, as %d lines above: this is no config "
			"file, the rest was not read",
			what, NO_TEXT_MAX - 1);
		reader->next = reader->end;
	}
	return false;
}

/*
 * Blank and ";" begin a comment wherever they stand, quotes or not: so inih has it, and
 * who reads a file must not have to count quotes.
 */
static void cut_comment(struct reader *reader, char *text)
{
	reader->comment_cut = false;
	for (char *p = text + 1; *text && *p; p++) {
		if (*p == ';' && is_blank(p[-1])) {
			*p = '\0';
			reader->comment_cut = true;
		}
	}
}

bool reader_read_line(struct reader *reader)
{
	const char *line = reader->next;
	const char *newline = memchr(line, '\n', (size_t)(reader->end - line));
	size_t len = (size_t)((newline ?: reader->end) - line);

	reader->next = newline ? newline + 1 : reader->end;
	reader->line++;
	if (reader->line == 1 && len >= strlen(BOM) &&
	    memcmp(line, BOM, strlen(BOM)) == 0) {
		line += strlen(BOM);
		len -= strlen(BOM);
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (!is_text(reader, line, len)) {
		reader->above = ABOVE_REFUSED;
		return false;
	}
	reader->indented = len > 0 && is_blank(*line);
	while (len > 0 && is_blank(*line))
		line++, len--;
	if (len > 0 && strchr(";#", *line))
		return false;
	if (len > LINE_MAX_LEN) {
		problem(reader,
			"the line has %zu characters, more than %d: continue it on an "
			"indented line",
			len, LINE_MAX_LEN);
		reader->above = ABOVE_REFUSED;
		return false;
	}
	memcpy(reader->text, line, len);
	reader->text[len] = '\0';
	cut_comment(reader, reader->text);
	len = strlen(reader->text);
	while (len > 0 && is_blank(reader->text[len - 1]))
		reader->text[--len] = '\0';
	return true;
}

/* In sh a backslash would continue the line; here it would quote the joining blank. */
static bool ends_in_backslash(const char *text)
{
	size_t len = strlen(text), n = 0;

	while (n < len && text[len - 1 - n] == '\\')
		n++;
	return n % 2 == 1;
}

/* Is an indented line meant to be one of its own? */
static bool looks_like_key(const struct reader *reader, const char *text)
{
	const char *equals = strchr(text, '=');
	_cleanup_free_ char *name = NULL;
	size_t len;

	text += *text == '-';
	len = strcspn(text, " \t=");
	if (!equals || len == 0 || skip_blanks(text + len) != equals)
		return false;
	name = strndup(text, len);
	if (!name)
		return false;
	if (phase_from_name(reader->section) == PHASE_NONE)
		return !streq(name, "id");
	if (step_find(name, NULL))
		return true;
	/* An option has no blank before its "=", and a name with a dot is never one. */
	return is_blank(equals[-1]) && strchr(name, '.') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz_-.") == len;
}

/* May TEXT go to inih as the next part of the entry above? */
static bool take_continuation(struct reader *reader)
{
	const char *text = reader->text;

	if (*text == '[') {
		problem(reader,
			"an indented line continues the one above, but \"%.*s\" looks "
			"like a section: remove the indentation",
			words_shown(text), text);
		return false;
	}
	if (reader->above == ABOVE_REFUSED && !looks_like_key(reader, text))
		return true;
	if (reader->above == ABOVE_NOTHING) {
		problem(reader,
			"an indented line continues the one above, and there is none "
			"in this section: remove the indentation");
		return false;
	}
	if (looks_like_key(reader, text)) {
		problem(reader,
			"an indented line continues the one above, but \"%.*s\" looks "
			"like a line of its own: remove the indentation",
			words_shown(text), text);
		return false;
	}
	if (reader->after_blank)
		problem(reader,
			"an indented line continues the one above, but a blank line "
			"stands between them: remove the blank line, or the indentation");
	return true;
}

/* "[name]": tells it to the caller, as inih calls nobody for an empty section. */
static bool take_section(struct reader *reader)
{
	char *name = reader->text + 1, *close = strchr(name, ']');

	reader_flush(reader);
	reader->section_seen = true;
	reader->section_known = false;
	reader->above = ABOVE_NOTHING;
	if (!close || close[1]) {
		problem(reader,
			close ? "text behind the \"]\": a section stands alone on its "
				"line, as in [prepare/begin]" :
				"no \"]\": a section is written as in [prepare/begin]");
		return false;
	}
	*close = '\0';
	reader->section_known = true;
	reader_fail(reader, reader->calls->section(reader->data, name, reader->line,
						   &reader->section_known));
	if (strlen(name) > NAME_MAX_LEN)
		reader->section_known = false; /* and the caller has complained */
	if (!reader->section_known)
		return false;
	snprintf(reader->section, sizeof(reader->section), "%s", name);
	*close = ']';
	return true;
}

static void complain_no_equals(struct reader *reader)
{
	const char *text = reader->text, *key = text + (*text == '-');
	size_t len = strcspn(key, " \t:=");
	_cleanup_free_ char *name = strndup(key, len);
	const char *words = skip_blanks(key + len);

	words = skip_blanks(words + (*words == ':'));
	if (name && phase_from_name(reader->section) != PHASE_NONE &&
	    step_find(name, NULL))
		problem(reader, "no \"=\" behind \"%s\": write \"%.*s =%s%.*s\"", name,
			(int)(key + len - text), text, *words ? " " : "",
			words_shown(words), words);
	else
		problem(reader,
			"no \"=\" in \"%.*s\": a line is NAME = WORDS (of scripts "
			"`vfio-hook import` makes such)",
			words_shown(text), text);
}

/* "name = value" */
static bool take_key(struct reader *reader)
{
	const char *text = reader->text;
	size_t len = strcspn(text, "=:"), name_len = len;

	reader_flush(reader);
	reader->above = ABOVE_REFUSED;
	if (!reader->section_seen) {
		problem(reader,
			"\"%.*s\" stands before the first section: begin with "
			"[domain], [devices] or a phase such as [prepare/begin]",
			words_shown(text), text);
		reader->section_seen = true;
		return false;
	}
	if (!reader->section_known)
		return false;
	if (text[len] != '=') { /* inih would take a ':' for it */
		complain_no_equals(reader);
		return false;
	}
	while (name_len > 0 && is_blank(text[name_len - 1]))
		name_len--;
	if (name_len == 0 || name_len > NAME_MAX_LEN) {
		if (name_len == 0)
			problem(reader,
				"nothing in front of the \"=\": a line is NAME = WORDS");
		else
			problem(reader,
				"the name \"%.*s…\" has %zu characters, at most %d are "
				"possible",
				20, text, name_len, NAME_MAX_LEN);
		return false;
	}
	reader->above = ABOVE_ENTRY;
	return true;
}

bool reader_take_line(struct reader *reader)
{
	bool is_continuation = false, bad_end;

	if (!*reader->text) {
		reader->after_blank = true;
		return false;
	}
	if (reader->indented && reader->section_known)
		is_continuation = take_continuation(reader);
	reader->after_blank = false;
	if (is_continuation && reader->above == ABOVE_REFUSED)
		return false;
	if (!is_continuation && *reader->text == '[')
		return reader->continues = false, take_section(reader);
	bad_end = ends_in_backslash(reader->text);
	if (!is_continuation && !take_key(reader))
		return false;
	reader->continues = is_continuation;
	reader->glue = false;
	if (bad_end) {
		problem(reader,
			"a backslash at the end of a line: without it, an indented "
			"next line continues this one (a blank or backslash that is "
			"meant needs quotes)");
		reader->text[strlen(reader->text) - 1] = '\0';
	}
	return true;
}
