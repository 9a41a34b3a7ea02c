/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What scripts are turned into: steps, notes, and what is left over. A step is judged by
 * the parser of config files itself, so that what is printed can be read again.
 */
#include "import.h"
#include "ini_lines.h"
#include "pci.h"

#define ACTS_MAX 4096

static struct act *push(struct import *im, const struct act *act)
{
	struct acts *acts = &im->acts;

	if (acts->n == acts->size) {
		size_t size = acts->size * 2 + 32;
		struct act *more;

		if (size > 2 * ACTS_MAX + 64)
			longjmp(*im->arena.out, 1);
		more = arena_alloc(&im->arena, size * sizeof(*more));
		if (acts->n > 0)
			memcpy(more, acts->v, acts->n * sizeof(*more));
		acts->v = more;
		acts->size = size;
	}
	acts->v[acts->n] = *act;
	return &acts->v[acts->n++];
}

struct act *act_step(struct import *im, const struct node *node, const char *key)
{
	return push(im, &(struct act){ .kind = ACT_STEP,
				       .phase = im->phase,
				       .key = key,
				       .node = node });
}

_printf_(2, 0) static char *format(struct import *im, const char *fmt, va_list ap)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	return arena_strndup(&im->arena, text, strlen(text));
}

void act_option(struct import *im, struct act *act, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	words_push(&im->arena, &act->options, format(im, fmt, ap));
	va_end(ap);
}

void act_word(struct import *im, struct act *act, const char *word)
{
	words_push(&im->arena, &act->words, word);
}

static void push_text(struct import *im, enum act_kind kind, const struct node *node,
		      const char *text)
{
	push(im, &(struct act){
			 .kind = kind, .phase = im->phase, .node = node, .text = text });
}

void act_note(struct import *im, const struct node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	push_text(im, ACT_NOTE, node, format(im, fmt, ap));
	va_end(ap);
}

void act_left(struct import *im, const struct node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	push_text(im, ACT_LEFT, node, format(im, fmt, ap));
	va_end(ap);
}

bool act_equal(const struct act *a, const struct act *b)
{
	return a->kind == ACT_STEP && b->kind == ACT_STEP && a->phase == b->phase &&
	       streq(a->key, b->key) && words_equal(&a->options, &b->options) &&
	       words_equal(&a->words, &b->words);
}

size_t acts_count(const struct acts *acts, size_t from, enum act_kind kind)
{
	size_t n = 0;

	for (size_t i = from; i < acts->n; i++)
		n += acts->v[i].kind == kind;
	return n;
}

void acts_cut(struct acts *acts, size_t n)
{
	acts->n = n;
}

bool act_is(const struct act *act, const char *key)
{
	return act->kind == ACT_STEP && streq(act->key, key);
}

void acts_remove(struct acts *acts, size_t i)
{
	memmove(&acts->v[i], &acts->v[i + 1], (acts->n - i - 1) * sizeof(*acts->v));
	acts->n--;
}

void acts_insert(struct import *im, size_t i, const struct act *act)
{
	struct act copy = *act;

	push(im, &copy);
	memmove(&im->acts.v[i + 1], &im->acts.v[i], (im->acts.n - i - 1) * sizeof(copy));
	im->acts.v[i] = copy;
}

void act_to_note(struct act *act, const char *text)
{
	act->kind = ACT_NOTE;
	act->text = text;
}

/* ---- as text */

static bool add_quoted(struct import *im, struct buf *buf, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_@%+=:,./*?-[]{}~^!$()<>|&";

	if (strstr(word, " ;") || strstr(word, "\t;"))
		return false; /* a comment begins there, quotes or not */
	for (const char *p = word; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			return false;
	if (!utf8_is_valid(word, strlen(word)))
		return false;
	if (*word && strspn(word, plain) == strlen(word)) {
		buf_puts(&im->arena, buf, word);
		return true;
	}
	buf_puts(&im->arena, buf, "\"");
	for (; *word; word++) {
		if (strchr("\"\\$`", *word))
			buf_puts(&im->arena, buf, "\\");
		buf_add(&im->arena, buf, word, 1);
	}
	buf_puts(&im->arena, buf, "\"");
	return true;
}

char *act_value(struct import *im, const struct act *act)
{
	struct buf buf = { 0 };

	for (size_t i = 0; i < act->options.n + act->words.n; i++) {
		if (i > 0)
			buf_puts(&im->arena, &buf, " ");
		if (!add_quoted(im, &buf,
				i < act->options.n ? act->options.v[i] :
						     act->words.v[i - act->options.n]))
			return NULL;
	}
	return buf.s ? buf.s : arena_strndup(&im->arena, "", 0);
}

static const char *unknown_word(const struct act *act)
{
	const struct words *lists[] = { &act->options, &act->words };

	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			if (!is_known(lists[k]->v[i]))
				return lists[k]->v[i];
	return NULL;
}

static const char *bad_device(const struct act *act)
{
	for (size_t i = 0; str_after(act->key, "pci.") && i < act->words.n; i++) {
		struct pci_addr addr;
		uint16_t vendor, device;
		bool all;

		if (pci_parse_addr(act->words.v[i], &addr, &all) < 0 &&
		    pci_parse_id(act->words.v[i], &vendor, &device) < 0)
			return act->words.v[i];
	}
	return NULL;
}

static const char *judge(struct import *im, const struct act *act, const char *value)
{
	struct config config = { 0 };
	const struct ini_entry entry = {
		.section = phase_name(act->phase),
		.key = arena_printf(&im->arena, "%s%s", act->optional ? "-" : "",
				    act->key),
		.value = value,
		.line = 1,
	};
	const char *why = NULL;

	config.path = strdup("");
	if (!config.path || config_add_step(&config, act->phase, &entry) < 0)
		why = "there is no memory to look at it";
	else if (config.problems.n > 0)
		why = arena_printf(&im->arena, "%s",
				   str_after(config.problems.v[0], ":1: ") ?:
					   config.problems.v[0]);
	config_done(&config);
	if (why && strchr(why, ';')) /* a list of what there is instead */
		why = arena_strndup(&im->arena, why, strcspn(why, ";"));
	return why;
}

const char *act_check(struct import *im, const struct act *act)
{
	const char *word = unknown_word(act), *value;

	if (word && import_has_any_domain(word))
		return arena_printf(&im->arena,
				    "%s is whichever domain it is called for: name that, "
				    "vfio-hook import %s NAME",
				    import_shown(im, word), path_base(im->dir));
	word = word ? import_shown(im, word) : NULL;
	if (word)
		return arena_printf(&im->arena, "%s is known only when it runs%s", word,
				    *word == '$' && word[1] != '(' && !im->conf ?
					    ", or is in a kvm.conf: give it with --conf" :
					    "");
	word = bad_device(act);
	if (word)
		return arena_printf(&im->arena, "%s is no address of a device", word);
	value = act_value(im, act);
	if (!value)
		return "its words cannot be written in a config file";
	if (strlen(value) > 3000)
		return "it is too long for a line";
	return judge(im, act, value);
}
