/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config file, with a comment for all that is not a step.
 */
#include "import.h"
#include "ini_lines.h"

#define WIDTH 88

/* Scripts may hold any bytes, a config file only text. */
static void put_text(FILE *out, const char *text, size_t n)
{
	bool valid = true;
	char copy[1024];

	if (n > sizeof(copy) - 1)
		n = sizeof(copy) - 1;
	memcpy(copy, text, n);
	copy[n] = '\0';
	for (char *p = copy; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
			*p = '?';
	valid = utf8_is_valid(copy, strlen(copy));
	for (char *p = copy; *p && !valid; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	fputs(copy, out);
}

/* Wraps TEXT into lines of a comment. */
static void put_comment(FILE *out, const char *text)
{
	while (*text) {
		size_t n = strlen(text);

		if (n > WIDTH - 2) {
			n = WIDTH - 2;
			while (n > 30 && text[n] != ' ')
				n--;
			if (n == 30)
				n = strlen(text);
		}
		fputs("; ", out);
		put_text(out, text, n);
		fputc('\n', out);
		text += n;
		text += strspn(text, " ");
	}
}

static void put_left(FILE *out, struct import *im, const struct act *act)
{
	const struct node *node = act->node;
	const char *p = node->begin, *end = node->end;
	unsigned lines = 0;

	put_comment(out, arena_printf(&im->arena, "NOT CONVERTED, %s:%u: %s",
				      node->source->name, node->line,
				      import_shown(im, act->text ?: "")));
	while (p < end && lines++ < 40) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((newline ?: end) - p);

		fputs(";     ", out);
		put_text(out, p, n);
		fputc('\n', out);
		p += n + (newline != NULL);
	}
	if (p < end)
		fputs(";     …\n", out);
}

/* Devices by the name of their set. */
static char *value_of(struct import *im, const struct act *act,
		      const struct import_set *sets, size_t n)
{
	struct act named = *act;
	struct words done = { 0 };

	named.words = (struct words){ 0 };
	if (!str_after(act->key, "pci."))
		return act_value(im, act);
	for (size_t k = 0; k < act->words.n; k++) {
		const char *word = act->words.v[k];
		const struct import_set *set = NULL;
		bool whole = true;

		for (size_t i = 0; i < n && !set; i++)
			if (words_have(&sets[i].addresses, word))
				set = &sets[i];
		for (size_t i = 0; set && i < set->addresses.n; i++)
			whole = whole && words_have(&act->words, set->addresses.v[i]);
		if (!set || !whole) {
			words_push(&im->arena, &named.words, word);
		} else if (!words_have(&done, set->name)) {
			words_push(&im->arena, &done, set->name);
			words_push(&im->arena, &named.words, set->name);
		}
	}
	return act_value(im, &named);
}

static void put_step(FILE *out, struct import *im, const struct act *act,
		     const struct import_set *sets, size_t n)
{
	char *value = value_of(im, act, sets, n);

	fprintf(out, "%s%s =%s%s\n", act->optional ? "-" : "", act->key,
		value && *value ? " " : "", value ?: "");
}

static void put_acts(FILE *out, struct import *im, enum phase phase,
		     const struct import_set *sets, size_t n_sets)
{
	struct words said = { 0 };

	for (size_t i = 0; i < im->acts.n; i++) {
		const struct act *act = &im->acts.v[i];

		if (act->phase != phase)
			continue;
		if (act->kind == ACT_STEP) {
			put_step(out, im, act, sets, n_sets);
		} else if (act->kind == ACT_LEFT) {
			put_left(out, im, act);
		} else if (!words_have(&said, act->text)) {
			words_push(&im->arena, &said, act->text);
			put_comment(out, import_shown(im, act->text));
		}
	}
}

static void put_sets(FILE *out, const struct import_set *sets, size_t n)
{
	if (n == 0)
		return;
	fputs("\n[devices]\n", out);
	for (size_t i = 0; i < n; i++) {
		fputs("; ", out);
		put_text(out, sets[i].variables, strlen(sets[i].variables));
		fprintf(out, "\n%s =", sets[i].name);
		for (size_t k = 0; k < sets[i].addresses.n; k++)
			fprintf(out, " %s", sets[i].addresses.v[k]);
		fputc('\n', out);
	}
}

static bool has(const struct import *im, enum phase phase)
{
	for (size_t i = 0; i < im->acts.n; i++)
		if (im->acts.v[i].phase == phase)
			return true;
	return false;
}

size_t import_write(struct import *im, FILE *out)
{
	static const enum phase phases[] = { PHASE_BOOT,    PHASE_PREPARE, PHASE_START,
					     PHASE_STARTED, PHASE_STOPPED, PHASE_RELEASE };
	struct import_set *sets;
	size_t n_sets = import_sets(im, &sets), left = acts_count(&im->acts, 0, ACT_LEFT);

	put_comment(out, arena_printf(&im->arena, "Converted from the scripts of %s.",
				      path_base(im->dir)));
	put_comment(out,
		    "Read it, then try it: vfio-hook plan DOMAIN shows what it would do.");
	if (!has(im, PHASE_RELEASE))
		put_comment(out,
			    "Without a section for release all is put back as it was found, "
			    "newest first.");
	if (left > 0)
		put_comment(out, arena_printf(&im->arena,
					      "Look for NOT CONVERTED: %zu place%s.",
					      left, left > 1 ? "s" : ""));
	put_sets(out, sets, n_sets);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		if (!has(im, phases[i]))
			continue;
		fprintf(out, "\n[%s]\n", phase_name(phases[i]));
		put_acts(out, im, phases[i], sets, n_sets);
	}
	return left;
}
