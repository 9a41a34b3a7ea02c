/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _must_check_ __attribute__((warn_unused_result))
#define _unused_ __attribute__((unused))
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
#define _cleanup_fclose_ _cleanup_(fclosep)
#define _cleanup_strv_ _cleanup_(strv_done)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Hands over what P owns and leaves NULL behind. */
#define STEAL(p)                    \
	({                          \
		typeof(p) _p = (p); \
		(p) = NULL;         \
		_p;                 \
	})

#define STEAL_FD(fd)            \
	({                      \
		int _fd = (fd); \
		(fd) = -1;      \
		_fd;            \
	})

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Is S one of LIST, which ends with NULL? */
bool str_in_list(const char *s, const char *const *list);
#define STR_IN(s, ...) str_in_list(s, (const char *const[]){ __VA_ARGS__, NULL })

/* vasprintf() whose result is NULL when there is no memory; the caller frees. */
char *str_format(const char *fmt, va_list ap) _printf_(1, 0);

/* The rest of S after PREFIX, or NULL. */
static inline const char *str_after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && streq(s + n - m, suffix);
}

/* A growing list of owned strings; V ends with NULL once anything was added. */
struct strv {
	char **v;
	size_t n;
};

int strv_add(struct strv *strv, const char *s);
int strv_addf(struct strv *strv, const char *fmt, ...) _printf_(2, 3);
bool strv_contains(const struct strv *strv, const char *s);
void strv_sort(struct strv *strv);
/* "a b c"; the caller frees. NULL: out of memory. */
char *strv_join(const struct strv *strv, const char *separator);
void strv_done(struct strv *strv);

/* Makes room for one more element of SIZE bytes in the array *ARRAY that holds N. */
int array_grow(void *array, size_t n, size_t size);

/*
 * WORD as a shell has to be given it, for who copies a command from a message: in quotes if
 * it needs them, and behind -- if it would be taken for an option. In BUF, or WORD itself.
 */
#define SHELL_WORD_MAX 1100 /* for a name of 255 bytes, quotes and all */
const char *shell_word(const char *word, char *buf, size_t size);

/* The base name of PATH, never NULL. */
const char *path_base(const char *path);

/* Milliseconds on CLOCK_BOOTTIME, which counts through a suspend of the host. */
int64_t now_ms(void);

/* A decimal number that fills S: 0, or -EINVAL, -ERANGE. */
int parse_u64(const char *s, uint64_t *ret);
/* "30", "30s", "500ms", "2min", "1h" to milliseconds. 0 or -EINVAL. */
int parse_duration(const char *s, int64_t *ret_ms);
/* "4096", "2M", "1G" to bytes, suffixes of 1024. 0 or -EINVAL, -ERANGE. */
int parse_size(const char *s, uint64_t *ret);

/* A CPU list as the kernel writes it: "0-3,8". */
struct cpu_list {
	unsigned *cpu;
	size_t n;
};
int parse_cpu_list(const char *s, struct cpu_list *ret);
bool cpu_list_contains(const struct cpu_list *list, unsigned cpu);
void cpu_list_done(struct cpu_list *list);
