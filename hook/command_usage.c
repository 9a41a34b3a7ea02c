/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was typed wrong, told so that the next try is right: what it is, the name that was
 * meant most likely, and the right form.
 */
#include <ctype.h>
#include <sys/stat.h>

#include "command.h"
#include "ini_lines.h"

#define FEW 8

int usage_error(const struct command *command, const char *fmt, ...)
{
	va_list ap;

	fputs("vfio-hook: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	if (command)
		fprintf(stderr, "\nUsage: vfio-hook %s%s%s (more: vfio-hook %s --help)\n",
			command->name, *command->args ? " " : "", command->args,
			command->name);
	else
		fputs("; see: vfio-hook --help\n", stderr);
	return STATUS_USAGE;
}

const char *did_you_mean(char buf[GUESS_LEN], const char *word,
			 const struct strv *candidates)
{
	const char *nearest = words_nearest(word, candidates);

	buf[0] = '\0';
	if (nearest && *word)
		snprintf(buf, GUESS_LEN, ": did you mean %s?", nearest);
	return buf;
}

int command_names(const struct host *host, const char *dir, const char *suffix,
		  struct strv *ret)
{
	_cleanup_strv_ struct strv files = {};
	int r = host_list(host, &files, "%s", dir);

	for (size_t i = 0; i < files.n && r == 0; i++) {
		size_t len = strlen(files.v[i]);

		if (len == strlen(suffix) || !str_ends(files.v[i], suffix))
			continue;
		files.v[i][len - strlen(suffix)] = '\0';
		r = strv_add(ret, files.v[i]);
	}
	return r;
}

/* Which there are, if they are few. */
static void tell_domains(char buf[GUESS_LEN], const struct strv *names)
{
	_cleanup_strv_ struct strv known = {};
	_cleanup_free_ char *list = NULL;

	for (size_t i = 0; i < names->n; i++)
		if (!strv_contains(&known, names->v[i]) &&
		    strv_add(&known, names->v[i]) < 0)
			return;
	strv_sort(&known);
	list = known.n && known.n <= FEW ? strv_join(&known, ", ") : NULL;
	if (list && strlen(list) < GUESS_LEN / 2)
		snprintf(buf, GUESS_LEN, "; known: %s", list);
}

const char *guess_domain(char buf[GUESS_LEN], const struct command_options *options,
			 const char *word)
{
	struct host host = { .root = options->root };
	_cleanup_strv_ struct strv names = {};
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/conf.d",
		 options->hooks_dir ? options->hooks_dir : HOOKS_DIR);
	/* What cannot be read has no guess to give. */
	(void)command_names(&host, "/etc/libvirt/qemu", ".xml", &names);
	(void)command_names(&host, dir, ".ini", &names);
	buf[0] = '\0';
	if (strv_contains(&names, word))
		return buf; /* no slip */
	if (!*did_you_mean(buf, word, &names))
		tell_domains(buf, &names);
	return buf;
}

/* FILE without its ending, which is ".ini" in any case of letters, or ".conf". */
static void base_of(const char *file, char *buf, size_t size)
{
	static const char *const endings[] = { ".ini", ".conf", ".cfg", ".ini.txt" };
	size_t len = strlen(file);

	snprintf(buf, size, "%s", file);
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i]);

		if (len > n && len < size && strcasecmp(file + len - n, endings[i]) == 0)
			buf[len - n] = '\0';
	}
}

const char *guess_config(char buf[GUESS_LEN], const struct host *host,
			 const char *hooks_dir, const char *domain)
{
	_cleanup_strv_ struct strv files = {}, slips = {};
	const char *nearest;
	char base[GUESS_LEN];

	if (host_list(host, &files, "%s/conf.d", hooks_dir) < 0)
		return NULL;
	for (size_t i = 0; i < files.n; i++) {
		base_of(files.v[i], base, sizeof(base));
		if (strcasecmp(base, domain) == 0) {
			snprintf(buf, GUESS_LEN, "%.*s", GUESS_LEN - 1, files.v[i]);
			return buf;
		}
		/* One that another domain has is meant for that. */
		if (!host_exists(host, "/etc/libvirt/qemu/%s.xml", base) &&
		    str_ends(files.v[i], ".ini") && strv_add(&slips, base) < 0)
			return NULL;
	}
	nearest = words_nearest(domain, &slips);
	if (!nearest)
		return NULL;
	snprintf(buf, GUESS_LEN, "%.*s.ini", GUESS_LEN - 5, nearest);
	return buf;
}

enum phase command_phase(const struct command *command, const char *name)
{
	enum phase phase = phase_from_name(name);
	_cleanup_strv_ struct strv all = {};
	char guess[GUESS_LEN];

	if (phase != PHASE_NONE)
		return phase;
	for (enum phase p = PHASE_PREPARE; p < PHASE_NONE; p++) {
		const char *long_name = phase_name(p);
		char text[32];

		snprintf(text, sizeof(text), "%.*s", (int)strcspn(long_name, "/"),
			 long_name);
		if (strv_add(&all, text) < 0)
			return PHASE_NONE;
	}
	usage_error(command,
		    "%s is no phase%s (prepare, start, started, stopped, release, boot)",
		    name, did_you_mean(guess, name, &all));
	return PHASE_NONE;
}

/* The name of argument N: "PHASE" is 1 of "DOMAIN [PHASE] [--diff]". */
static void argument_name(const struct command *command, unsigned n, char *buf,
			  size_t size)
{
	const char *s = command->args;

	snprintf(buf, size, "argument %u", n + 1);
	while (*s) {
		size_t len = 0;

		s += strspn(s, " [");
		while (isupper((unsigned char)s[len]))
			len++;
		if (len > 1 && n-- == 0) {
			snprintf(buf, size, "%.*s", (int)len, s);
			return;
		}
		s += len + strcspn(s + len, " ");
	}
}

int check_arguments(const struct command *command, int argc, char **argv)
{
	char name[32];

	if ((unsigned)argc < command->min_args) {
		argument_name(command, (unsigned)argc, name, sizeof(name));
		return usage_error(command, "%s: %s is missing", command->name, name);
	}
	if ((unsigned)argc > command->max_args)
		return usage_error(command, "%s: one argument too many: \"%s\"",
				   command->name, argv[command->max_args]);
	for (int i = 0; i < argc; i++) {
		argument_name(command, (unsigned)i, name, sizeof(name));
		if (!*argv[i])
			return usage_error(command, "%s: %s is empty", command->name,
					   name);
		if (streq(name, "DOMAIN") && !domain_name_is_safe(argv[i]))
			return usage_error(command,
					   "\"%s\" cannot be the name of a domain",
					   argv[i]);
	}
	return STATUS_OK;
}

int check_option(int c, const char *word, const struct option *options,
		 const struct command *command)
{
	_cleanup_strv_ struct strv names = {};
	char bare[64], guess[GUESS_LEN];

	if (c == ':')
		return usage_error(command, "option %s needs a value", word);
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word, "="), word);
	for (const struct option *o = options; o->name; o++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s", o->name);
		if (streq(name, bare))
			return usage_error(command, "option %s takes no value", bare);
		if (strv_add(&names, name) < 0)
			break;
	}
	return usage_error(command, "unknown option %s%s", word,
			   did_you_mean(guess, bare, &names));
}

int check_folder(const char *option, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return usage_error(NULL, "%s \"%s\": %s", option, path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return usage_error(NULL, "%s \"%s\" is no folder", option, path);
	return STATUS_OK;
}

int finish_output(const struct command *command, int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	/* Of an earlier write the reason is not known any more. */
	fprintf(stderr, "vfio-hook: cannot write to standard output%s%s\n",
		errno ? ": " : "", errno ? strerror(errno) : "");
	/* What was done to the host is done, whoever has heard of it. */
	if (command && command->acts)
		return status;
	return status == STATUS_OK ? STATUS_FAILED : status;
}
