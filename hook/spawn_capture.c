/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs print, of which a part is kept.
 */
#include "spawn_capture.h"

int capture_init(struct capture *capture, size_t max, bool tail)
{
	*capture = (struct capture){ .data = malloc(max + 1), .max = max, .tail = tail };
	return capture->data ? 0 : -ENOMEM;
}

void capture_add(struct capture *capture, const char *data, size_t n)
{
	size_t drop;

	if (capture->tail && n > capture->max) {
		data += n - capture->max;
		n = capture->max;
	}
	if (n > capture->max - capture->n) {
		drop = n - (capture->max - capture->n);
		if (capture->tail) {
			memmove(capture->data, capture->data + drop, capture->n - drop);
			capture->n -= drop;
		} else {
			n -= drop;
		}
	}
	memcpy(capture->data + capture->n, data, n);
	capture->n += n;
}

/* A NUL in the middle would hide the rest. */
char *capture_steal(struct capture *capture)
{
	for (size_t i = 0; i < capture->n; i++)
		if (capture->data[i] == '\0')
			capture->data[i] = '?';
	capture->data[capture->n] = '\0';
	return STEAL(capture->data);
}
