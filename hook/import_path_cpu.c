/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of CPUs, and of interrupts, which go to CPUs.
 */
#include <ctype.h>
#include <fnmatch.h>
#include <regex.h>

#include "import_path.h"

static bool matches(const char *text, const char *expression)
{
	_cleanup_(regfree) regex_t regex;

	return regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB) == 0 &&
	       regexec(&regex, text, 0, NULL, 0) == 0;
}

/* The number in cpu…/ or policy…/ when it is known only when it runs: that of every CPU? */
static bool is_every_cpu(struct import *im, const char *at)
{
	static const char all[] =
		"^\\$\\((ls .*|seq 0 \\$\\(\\( *\\$\\((nproc( --all)?|"
		"getconf _NPROCESSORS_(ONLN|CONF))\\) *- *1 *\\)\\))\\)$";
	const char *end = strchr(at, UNKNOWN_END);

	return *at == UNKNOWN_BEGIN && end && end[1] == '/' &&
	       matches(arena_strndup(&im->arena, at + 1, (size_t)(end - at - 1)), all);
}

enum truth path_cpus(struct import *im, const struct writing *w, const char *key)
{
	const char *below = str_after(w->path, "/sys/devices/system/cpu/");
	const char *at = str_after(below, "cpufreq/policy") ?: str_after(below, "cpu");
	unsigned from, to;
	size_t digits, n;
	struct act *act;
	int used = 0;

	if (!at)
		at = below;
	if (sscanf(at, "[%1u-%1u]/%n", &from, &to, &used) == 2 && used > 0)
		at = arena_printf(&im->arena, "%u-%u/", from, to);
	digits = strspn(at, "0123456789-");
	n = strcspn(at, "/");
	if (!(digits > 0 && at[digits] == '/') && !is_every_cpu(im, at) && *at != '*' &&
	    !str_after(at, "[0-9]*")) {
		act_left(im, w->node,
			 "which CPUs it is for is not known: %s = cpus=LIST "
			 "VALUE",
			 key);
		return UNKNOWN;
	}
	act = act_step(im, w->node, key);
	if (digits > 0)
		act_option(im, act, "cpus=%.*s", (int)n, at);
	act_word(im, act, w->value);
	return TRUE;
}

void import_add_cpus(struct import *im, struct buf *buf, unsigned from, unsigned end)
{
	buf_puts(&im->arena, buf,
		 arena_printf(&im->arena, end - from > 1 ? "%s%u-%u" : "%s%u",
			      buf->n ? "," : "", from, end - 1));
}

/* f0: "4-7". NULL: it is no mask. */
static char *list_of_mask(struct import *im, const char *mask)
{
	const char *digits = str_after(mask, "0x");
	struct buf buf = { 0 };
	unsigned cpu = 0, from = 0;
	size_t n;

	if (digits)
		mask = digits;
	n = strlen(mask);
	if (n == 0 || n > 512 || strspn(mask, "0123456789abcdefABCDEF,") != n)
		return NULL;
	for (size_t i = n + 1; i > 0; i--) { /* a zero in front of it ends the last row */
		char digit = i > 1 ? mask[i - 2] : '0';
		const char *hex = "0123456789abcdef";
		unsigned bits;

		if (digit == ',')
			continue;
		bits = (unsigned)(strchr(hex, tolower((unsigned char)digit)) - hex);
		for (unsigned k = 0; k < 4; k++, cpu++) {
			if (bits >> k & 1)
				continue;
			if (from < cpu)
				import_add_cpus(im, &buf, from, cpu);
			from = cpu + 1;
		}
	}
	return buf.s;
}

/* The first word of grep's, or what is between the slashes of awk's program; or NULL. */
static const char *searched_word(struct import *im, const char *text)
{
	const char *awk = strstr(text, "awk"), *grep = strstr(text, "grep"), *p;

	p = awk && (!grep || awk < grep) ? strstr(awk, "'/") : NULL;
	p = p ? p + 1 : awk && (!grep || awk < grep) ? strstr(awk, " /") : NULL;
	if (p && *p == ' ' && str_after(p, " /proc"))
		p = NULL;
	if (p)
		p += strspn(p, " ");
	if (p && strchr(p + 1, '/'))
		return arena_strndup(&im->arena, p + 1, strcspn(p + 1, "/"));
	if (!grep)
		return NULL;
	p = grep + strlen("grep");
	for (p += strspn(p, " "); *p == '-'; p += strspn(p, " "))
		p += strcspn(p, " ");
	p += *p == '"' || *p == '\'';
	return arena_strndup(&im->arena, p, strcspn(p, " |\"'"));
}

/*
 * Which interrupts: of the actions in *ACTION, all (NULL), or it cannot be told: false. A
 * number says nothing, as an interrupt has another one after the next boot.
 */
static bool which_irqs(struct import *im, const struct writing *w, const char **action)
{
	const char *number = str_after(w->path, "/proc/irq/");
	const char *shown = import_shown(im, number);

	*action = NULL;
	if (*number == '*' || *number == '[' || str_after(shown, "$(ls "))
		return true;
	if (!strstr(shown, "/proc/interrupts"))
		return false;
	*action = searched_word(im, shown);
	return !*action ||
	       (**action && strspn(*action, "0123456789:.[]*^$") < strlen(*action));
}

static void name_action(struct import *im, struct act *act, const char *action)
{
	const char *at = action && *action ? strpbrk(action, "*?[]\\^$.+(){}") : NULL;

	if (action && *action)
		act_word(im, act,
			 arena_printf(&im->arena, "*%.*s*",
				      (int)(at ? at - action : (long)strlen(action)),
				      action));
}

enum truth path_irq(struct import *im, const struct writing *w)
{
	bool is_list = str_ends(w->path, "_list");
	const char *action, *to;
	struct act *act;

	if (!which_irqs(im, w, &action)) {
		act_left(im, w->node,
			 "which interrupt that is changes with each boot: name what asks "
			 "for it (the end of its line in /proc/interrupts), as in irq.move "
			 "= to=CPUS 'nvme*'");
		return UNKNOWN;
	}
	to = is_list ? w->value : list_of_mask(im, w->value);
	if (!to && action && *action) {
		/* without to= the step would move them away from the guest's CPUs */
		act_left(im, w->node,
			 "which CPUs %s means is not known: irq.move = to=CPUS '*%s*'",
			 import_shown(im, w->value), action);
		return UNKNOWN;
	}
	if (!to)
		act_note(im, w->node, "a mask: the CPUs that the guest does not have");
	act = act_step(im, w->node, "irq.move");
	if (to)
		act_option(im, act, "to=%s", to);
	name_action(im, act, action);
	return TRUE;
}
