/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook.conf(5) has what the parser's tables have: steps with their options, defaults,
 * choices and phases, and the keys of [domain].
 */
#include <ctype.h>

#include "config.h"
#include "suite.h"

static struct host host = { .root = "" };

static const char *source(void)
{
	const char *dir = getenv("SOURCE");

	ck_assert_msg(dir != NULL, "SOURCE is not set");
	return dir;
}

/* The line of PAGE that heads the entry of step NAME; it is cut off there. */
static char *heading(char *page, const char *name)
{
	char start[80], *line, *end;

	snprintf(start, sizeof(start), "\n.It Ic %s", name);
	line = page;
	do {
		line = strstr(line + 1, start);
	} while (line && !strchr(" \n", line[strlen(start)]));
	ck_assert_msg(line != NULL, "%s has no entry in vfio-hook.conf(5)", name);
	line += strlen(start);
	end = strchr(line, '\n');
	ck_assert_ptr_nonnull(end);
	ck_assert_msg(!str_after(end, "\n.It Ic ") && !str_after(end, "\n.El"),
		      "%s: vfio-hook.conf(5) has nothing to say of it", name);
	*end = '\0';
	return line;
}

/* What LINE has behind the option's "=" in BUF. */
static void shown(const char *line, const struct option_spec *option, char buf[80])
{
	char start[80];
	const char *at;

	snprintf(start, sizeof(start), "Cm %s= Ns Ar ", option->name);
	at = strstr(line, start);
	ck_assert_msg(at != NULL, "%s= has no value in vfio-hook.conf(5)", option->name);
	at += strlen(start);
	snprintf(buf, 80, "%.*s", (int)strcspn(at, " "), at);
}

/* A word for what the option takes, that nobody takes for its default. */
static bool is_no_value(const struct option_spec *option, const char *word)
{
	uint64_t n;
	int64_t ms;

	switch (option->kind) {
	case VALUE_DURATION:
		return parse_duration(word, &ms) < 0;
	case VALUE_SIZE:
		return parse_size(word, &n) < 0;
	case VALUE_UINT:
		return parse_u64(word, &n) < 0;
	case VALUE_CPUS:
		return streq(word, "cpus");
	default:
		return !strpbrk(word, "0123456789");
	}
}

/* What the page has behind the "=" is as its introduction to the steps says. */
static void assert_shown(const char *name, const char *line,
			 const struct option_spec *option)
{
	const char *def = option->def;
	char word[80], required[80];
	bool good;

	shown(line, option, word);
	if (option->kind == VALUE_CHOICE)
		good = streq(word, option->choices) &&
		       (!def || (str_after(word, def) && word[strlen(def)] == '|'));
	else if (option->kind == VALUE_BOOL)
		good = streq(word, "yes|no") && streq(def, "no");
	else if (def && !strchr(def, ' '))
		good = streq(word, def);
	else
		good = is_no_value(option, word);
	ck_assert_msg(good, "%s: %s=%s in vfio-hook.conf(5), and its default is %s", name,
		      option->name, word, def ? def : "none");
	snprintf(required, sizeof(required), "Oo Cm %s=", option->name);
	if (def && streq(def, "none, required"))
		ck_assert_msg(!strstr(line, required), "%s: %s= is required", name,
			      option->name);
}

/* Each option is in the line, and no other. */
static void explains(const char *line, const char *name, const struct option_spec *options)
{
	size_t n = 0, found = 0;

	for (const struct option_spec *o = options; o && o->name; o++, n++) {
		char word[80];

		snprintf(word, sizeof(word), "Cm %s=", o->name);
		ck_assert_ptr_nonnull(o->text);
		ck_assert_msg(strstr(line, word) != NULL,
			      "%s: %s= is not in its line of vfio-hook.conf(5)", name,
			      o->name);
		assert_shown(name, line, o);
	}
	for (const char *p = line; (p = strstr(p, "Cm ")); p += 3)
		found += p[3 + strcspn(p + 3, "= ")] == '=';
	ck_assert_msg(found == n, "%s: %zu options, and %zu in vfio-hook.conf(5)", name,
		      n, found);
}

/* Those that the entry at LINE names; all, if it names none. */
static void assert_phases(const char *name, const char *line, unsigned phases)
{
	const char *end = strstr(line, "\n.It Ic "), *last = strstr(line, "\n.El");
	const char *at = strstr(line, "\nPhases: ");
	char list[80];

	if (!end || last < end)
		end = last;
	snprintf(list, sizeof(list), "%.*s", at ? (int)strcspn(at + 1, ".") : 0,
		 at ? at + 1 : "");
	for (unsigned i = 0; i < PHASE_NONE; i++) {
		const char *phase = phase_name((enum phase)i);
		char word[32];
		bool named = true;

		snprintf(word, sizeof(word), " %.*s", (int)strcspn(phase, "/"), phase);
		if (at && at < end) {
			const char *found = strstr(list, word);

			while (found && isalpha((unsigned char)found[strlen(word)]))
				found = strstr(found + 1, word);
			named = found != NULL;
		}
		ck_assert_msg(named == ((phases & PHASE_BIT(i)) != 0),
			      "%s:%s, and \"%s\"", name, word, list);
	}
}

START_TEST(every_step_is_explained)
{
	_cleanup_free_ char *page = NULL;

	ck_assert_int_eq(host_read_all(&host, &page, "%s/man/vfio-hook.conf.5", source()),
			 0);
	for (const struct plugin *const *p = step_plugins(); *p; p++) {
		for (const struct step_type *t = (*p)->types; t->summary; t++) {
			char name[64], *line;

			ck_assert_ptr_nonnull(t->apply);
			ck_assert_uint_ne(t->phases, 0);
			step_type_name(*p, t, name);
			line = heading(page, name);
			explains(line, name, t->options);
			line[strlen(line)] = '\n';
			assert_phases(name, line, t->phases);
		}
	}
}
END_TEST

/* The time that is shown is the one that is waited. */
START_TEST(default_times_are_true)
{
	unsigned n = 0;

	for (const struct plugin *const *p = step_plugins(); *p; p++)
		for (const struct step_type *t = (*p)->types; t->summary; t++)
			for (const struct option_spec *o = t->options; o && o->name; o++) {
				int64_t ms;

				if (!streq(o->name, "timeout"))
					continue;
				ck_assert_int_eq(parse_duration(o->def, &ms), 0);
				ck_assert_msg(ms == t->timeout_ms, "%s.%s", (*p)->name,
					      t->action);
				n++;
			}
	ck_assert_uint_ge(n, 15);
}
END_TEST

/* Of what stands from START on up to END. */
static unsigned entries(const char *start, const char *end)
{
	unsigned n = 0;

	for (const char *p = start; (p = strstr(p, "\n.It Ic ")) && p < end; p++)
		n++;
	return n;
}

START_TEST(every_domain_key_is_explained)
{
	static const char *const takes[] = {
		[VALUE_DURATION] = "time", [VALUE_BOOL] = "yes|no"
	};
	const struct option_spec *key = config_domain_keys();
	_cleanup_free_ char *page = NULL;
	const char *section, *end;
	unsigned n = 0;

	ck_assert_int_eq(host_read_all(&host, &page, "%s/man/vfio-hook.conf.5", source()),
			 0);
	section = strstr(page, "\n.Sh DOMAIN SETTINGS\n");
	end = strstr(page, "\n.Sh DEVICES\n");
	ck_assert(section && end);
	for (; key->name; key++, n++) {
		char head[80], def[80];
		const char *at, *next;

		snprintf(head, sizeof(head), "\n.It Ic %s No = Ar %s\n", key->name,
			 takes[key->kind]);
		snprintf(def, sizeof(def), "\nThe default is\n.Li %s .\n", key->def);
		at = strstr(section, head);
		ck_assert_msg(at && at < end, "no entry of %s", key->name);
		next = strstr(at + 1, "\n.It Ic ");
		at = strstr(at, def);
		ck_assert_msg(at && at < end && at < next, "%s: its default is %s",
			      key->name, key->def);
	}
	ck_assert_uint_eq(entries(section, end), n);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("man page");

	tcase_add_test(tc, every_step_is_explained);
	tcase_add_test(tc, default_times_are_true);
	tcase_add_test(tc, every_domain_key_is_explained);
	return suite_run("man page", tc);
}
