/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of an import: freed at once, bounded, and never NULL, see import.h.
 */
#include "import.h"

#define TOTAL_MAX (64UL << 20)
#define CHUNK_SIZE (64UL << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

static struct arena_chunk *add_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = NULL;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	if (size <= TOTAL_MAX - arena->total)
		chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		longjmp(*arena->out, 1);
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->total += size;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_chunk *chunk = arena->chunks;
	void *p;

	if (size > TOTAL_MAX)
		longjmp(*arena->out, 1);
	size = (size + align - 1) / align * align;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = add_chunk(arena, size);
	p = chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
	char *copy = arena_alloc(arena, n + 1);

	memcpy(copy, s, n);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = arena_alloc(arena, n < 0 ? 1 : (size_t)n + 1);
	if (n >= 0)
		vsnprintf(text, (size_t)n + 1, fmt, again);
	va_end(again);
	return text;
}

void arena_done(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
}

void buf_add(struct arena *arena, struct buf *buf, const char *s, size_t n)
{
	if (buf->size - buf->n <= n) {
		size_t size = (buf->n + n + 32) * 2;
		char *more = arena_alloc(arena, size);

		if (buf->n > 0)
			memcpy(more, buf->s, buf->n);
		buf->s = more;
		buf->size = size;
	}
	memcpy(buf->s + buf->n, s, n);
	buf->n += n;
	buf->s[buf->n] = '\0';
}

void buf_puts(struct arena *arena, struct buf *buf, const char *s)
{
	buf_add(arena, buf, s, strlen(s));
}

const char *buf_text(const struct buf *buf)
{
	return buf->s ? buf->s : "";
}

void words_push(struct arena *arena, struct words *words, const char *s)
{
	if (words->n + 1 >= words->size) {
		size_t size = words->size * 2 + 4;
		char **more = arena_alloc(arena, size * sizeof(*more));

		if (words->n > 0)
			memcpy(more, words->v, words->n * sizeof(*more));
		words->v = more;
		words->size = size;
	}
	words->v[words->n++] = arena_strndup(arena, s, strlen(s));
}

bool words_have(const struct words *words, const char *s)
{
	for (size_t i = 0; i < words->n; i++)
		if (streq(words->v[i], s))
			return true;
	return false;
}

bool words_equal(const struct words *a, const struct words *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!streq(a->v[i], b->v[i]))
			return false;
	return true;
}
