/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words as people who know a shell expect them: quotes and backslash mean what they
 * mean to sh, and nothing is ever expanded, so that no value of a config file can turn
 * into something else on the way to the kernel or to a program.
 */
#include "ini_lines.h"

#define SHOWN_MAX 60
#define NEAREST_LEN 64

static bool is_separator(char c)
{
	return is_blank(c) || c == '\n';
}

/* Copies what is quoted from *P, behind the opening QUOTE, to *OUT. */
static int copy_quoted(const char **p, char quote, char **out, struct error *err)
{
	while (**p && **p != quote) {
		/* POSIX: inside "…" a backslash is special before these only. */
		if (quote == '"' && **p == '\\' && (*p)[1] && strchr("$`\"\\\n", (*p)[1]))
			(*p)++;
		*(*out)++ = *(*p)++;
	}
	if (!**p)
		return error_set(err, -EINVAL, "unclosed quote %c", quote);
	(*p)++;
	return 0;
}

static int copy_word(const char **p, char *out, struct error *err)
{
	while (**p && !is_separator(**p)) {
		char c = *(*p)++;

		if (c == '\'' || c == '"') {
			int r = copy_quoted(p, c, &out, err);

			if (r < 0)
				return r;
			continue;
		}
		if (c == '\\') {
			if (!**p)
				return error_set(err, -EINVAL,
						 "a backslash with nothing behind it");
			c = *(*p)++;
		}
		*out++ = c;
	}
	*out = '\0';
	return 0;
}

int words_next(const char **text, const char **ret_start, char **ret_word,
	       struct error *err)
{
	_cleanup_free_ char *word = NULL;
	const char *start = *text, *p;
	int r;

	while (is_separator(*start))
		start++;
	if (!*start)
		return 0;
	word = malloc(strlen(start) + 1);
	if (!word)
		return error_oom(err);
	p = start;
	r = copy_word(&p, word, err);
	if (r < 0)
		return r;
	*text = p;
	if (ret_start)
		*ret_start = start;
	*ret_word = STEAL(word);
	return 1;
}

int words_split(const char *text, struct strv *ret, struct error *err)
{
	_cleanup_strv_ struct strv words = { 0 };

	for (;;) {
		_cleanup_free_ char *word = NULL;
		int r = words_next(&text, NULL, &word, err);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (strv_add(&words, word) < 0)
			return error_oom(err);
	}
	*ret = words;
	words = (struct strv){ 0 };
	return 0;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* How many letters must be changed, added, dropped or swapped with their neighbour. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned d[3][NEAREST_LEN + 1];
	size_t n = strlen(b);

	for (unsigned j = 0; j <= n; j++)
		d[0][j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned *now = d[i % 3], *last = d[(i + 2) % 3],
			 *before = d[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
				      last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return d[strlen(a) % 3][n];
}

const char *words_nearest(const char *word, const struct strv *candidates)
{
	size_t len = strlen(word);
	unsigned best = len < 4 ? 2 :
			len < 9 ? 3 :
				  4; /* as far off is no slip any more */
	const char *nearest = NULL;

	if (len > NEAREST_LEN)
		return NULL;
	for (size_t i = 0; i < candidates->n; i++)
		if (strcasecmp(word, candidates->v[i]) == 0)
			return candidates->v[i];
	for (size_t i = 0; i < candidates->n; i++) {
		unsigned distance;

		if (strlen(candidates->v[i]) > NEAREST_LEN)
			continue;
		distance = edit_distance(word, candidates->v[i]);
		if (distance < best) {
			best = distance;
			nearest = candidates->v[i];
		}
	}
	return nearest;
}

int words_shown(const char *s)
{
	size_t len = strnlen(s, SHOWN_MAX + 1);

	if (len > SHOWN_MAX) {
		len = SHOWN_MAX;
		while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--; /* not through the middle of a character */
	}
	return (int)len;
}

/* The length of the character at S, or 0 when it is none. */
static size_t utf8_char(const unsigned char *s, size_t len)
{
	size_t n = s[0] < 0x80 ? 1 :
		   s[0] < 0xc2 ? 0 :
		   s[0] < 0xe0 ? 2 :
		   s[0] < 0xf0 ? 3 :
				 4;

	if (n == 0 || n > len || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0; /* overlong, a surrogate, or beyond the last code point */
	return n;
}

bool utf8_is_valid(const char *s, size_t len)
{
	while (len > 0) {
		size_t n = utf8_char((const unsigned char *)s, len);

		if (n == 0)
			return false;
		s += n;
		len -= n;
	}
	return true;
}
