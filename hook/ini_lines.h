/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the files that read a config share: lines become entries (ini.c, ini_reader.c), entries become
 * settings (config.c), sets (config_sets.c) or steps (config_step.c), texts become words (words.c).
 */

#include "config.h"

/* KEY = VALUE, with the lines that continue it joined by a blank. */
struct ini_entry {
	const char *section;
	const char *key;
	const char *value;
	unsigned line; /* of the key */
	bool comment_cut; /* a " ;" was found, and what followed it dropped */
};

/*
 * The text of the config file at PATH, if only root could have written it: 0, -ENOENT,
 * -EPERM or another negative errno with ERR.
 */
int config_read_file(const struct host *host, const char *path, char **ret,
		     size_t *ret_len, struct error *err);

/* Both return 0 or a negative errno, which ends the reading. */
struct ini_calls {
	/* May clear *RET_KNOWN: then the section's lines are passed over. */
	int (*section)(void *data, const char *name, unsigned line, bool *ret_known);
	int (*entry)(void *data, const struct ini_entry *entry);
};

/* Mistakes go to CONFIG->problems; 0 even then, or a negative errno. */
int ini_read(struct config *config, const char *text, size_t len,
	     const struct ini_calls *calls, void *data);

/* Adds "FILE:LINE: text" to CONFIG->problems, in the order of the lines. */
int config_problem(struct config *config, unsigned line, const char *fmt, ...)
	_printf_(3, 4);
/* A line that names devices, of these words: adds a set, or problems. 0 or -ENOMEM. */
int config_add_set(struct config *config, const struct ini_entry *entry,
		   const struct strv *words);
void device_set_done(struct device_set *set);
/* A line of a phase's section: adds a step, or problems. 0 or -ENOMEM. */
int config_add_step(struct config *config, enum phase phase,
		    const struct ini_entry *entry);

/*
 * The next word of *TEXT: 1, *RET_START is where it begins in the text and *TEXT is
 * moved behind it; 0 at the end; or a negative errno as from words_split().
 */
int words_next(const char **text, const char **ret_start, char **ret_word,
	       struct error *err);
/* The one of CANDIDATES that WORD is most likely a slip of, or NULL. */
const char *words_nearest(const char *word, const struct strv *candidates);
#define SLIP_LEN 256
/* Of what is no PCI address: the one or those that may be meant, in BUF, or NULL. */
const char *slip_address(const char *word, char buf[SLIP_LEN]);
/* How many bytes of S to show in a message. */
int words_shown(const char *s);

/* Is S well-formed UTF-8? */
bool utf8_is_valid(const char *s, size_t len);

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}
