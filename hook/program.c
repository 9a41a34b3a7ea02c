/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs of exec.run and exec.undo: made from a step, run, and kept in the journal, so
 * that an undo needs no config file.
 */

#include <inttypes.h>

#include "log.h"
#include "program.h"
#include "spawn.h"
#include "spawn_child.h"
#include "trust.h"

static int add_env(const struct step *step, struct strv *env, struct error *err)
{
	for (size_t i = 0; i < step->n_options; i++) {
		_cleanup_strv_ struct strv words = {};
		int r;

		if (!streq(step->options[i].spec->name, "env"))
			continue;
		r = words_split(step->options[i].value, &words, err);
		if (r < 0)
			return r;
		for (size_t k = 0; k < words.n; k++) {
			if (!strchr(words.v[k], '=') || *words.v[k] == '=')
				return error_set(err, -EINVAL,
						 "env=%s: write NAME=VALUE, several as "
						 "\"env=A=1 B=2\"",
						 step->options[i].value);
			if (strv_add(env, words.v[k]) < 0)
				return error_oom(err);
		}
	}
	return 0;
}

static int find_program(const struct host *host, const char *name, char *buf, size_t size,
			struct error *err)
{
	if (*name == '/') {
		snprintf(buf, size, "%s", name);
		return 0;
	}
	if (strchr(name, '/'))
		return error_set(
			err, -EINVAL,
			"%s: write the program's whole path, from / on, or its name "
			"alone",
			name);
	if (spawn_find(host, name, buf, size) < 0)
		return error_set(
			err, -ENOENT,
			"there is no program %s in /usr/local/sbin, /usr/local/bin, "
			"/usr/sbin, /usr/bin, /sbin or /bin: install it, or write its whole "
			"path",
			name);
	return 0;
}

int program_of_step(const struct host *host, const struct step *step, struct program *ret,
		    struct error *err)
{
	_cleanup_(program_done) struct program program = {};
	const char *user = step_option(step, "user");
	char path[PATH_MAX];
	int r;

	r = find_program(host, step->words.v[0], path, sizeof(path), err);
	if (r < 0)
		return r;
	r = strv_add(&program.argv, path);
	for (size_t i = 1; i < step->words.n && r >= 0; i++)
		r = strv_add(&program.argv, step->words.v[i]);
	if (r < 0 || (user && !(program.user = strdup(user))))
		return error_oom(err);
	r = add_env(step, &program.env, err);
	if (r < 0)
		return r;
	program.timeout_ms = step_duration(step, "timeout", step->type->timeout_ms);
	*ret = program;
	program = (struct program){};
	return 0;
}

static int make_env(struct run *run, const struct program *program, struct strv *env)
{
	const char *uuid = run->domain && run->domain->uuid ? run->domain->uuid : NULL;
	int r = 0;

	if (!uuid)
		uuid = run->journal && run->journal->uuid ? run->journal->uuid : "";
	for (size_t i = 0; i < program->env.n && r >= 0; i++)
		r = strv_add(env, program->env.v[i]);
	if (r < 0 || (r = spawn_env_default(env, "LC_ALL", "C")) < 0 ||
	    (r = spawn_env_default(env, "PATH", SPAWN_PATH)) < 0 ||
	    (r = spawn_env_default(env, "VFIO_HOOK_DOMAIN", run->event.domain)) < 0 ||
	    (r = spawn_env_default(env, "VFIO_HOOK_UUID", uuid)) < 0 ||
	    (r = spawn_env_default(env, "VFIO_HOOK_PHASE",
				   phase_name(run->event.phase))) < 0)
		return r;
	if (program->user)
		return 0; /* spawn_run() has the user's */
	if ((r = spawn_env_default(env, "HOME", "/root")) < 0 ||
	    (r = spawn_env_default(env, "USER", "root")) < 0)
		return r;
	return spawn_env_default(env, "LOGNAME", "root");
}

static const char *last_line(const char *text)
{
	const char *line = strrchr(text, '\n');

	return line ? line + 1 : text;
}

static void log_lines(const char *name, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		log_debug("%s: %.*s", name, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/*
 * Its own time; on the way down at most half of what is left for all: one that hangs,
 * however long it may, must leave something to what comes after it.
 */
static int64_t end_of(const struct run *run, const struct program *program)
{
	int64_t now = now_ms(), left = run->budget - now, most = now + left / 2;

	if (run_is_way_up(run))
		return now + program->timeout_ms;
	if (most < run->promised)
		most = run->promised;
	return most < now + program->timeout_ms ? most : now + program->timeout_ms;
}

/*
 * Once more, now: between the plan and this there may have been hours. By its path it is
 * run all the same: through a descriptor its name would be /dev/fd/5, for a script's $0 and
 * for whoever looks for the process. Who could put another file there after this is named
 * here.
 */
static int judge(struct run *run, const struct program *program, struct error *err)
{
	_cleanup_free_ char *why = NULL;
	int trust;

	if (program->user && !streq(program->user, "root"))
		return 0;
	trust = trust_of(&run->host, program->argv.v[0], &why, NULL);
	if (trust <= 0) /* that it is not there is told better by who runs it */
		return 0;
	if (run_is_way_up(run))
		return error_set(err, -EPERM, "%s runs as root, but %s",
				 program->argv.v[0], why);
	log_warn("%s runs as root, but %s", program->argv.v[0], why);
	return 0;
}

int program_run(struct run *run, const struct program *program, struct error *err)
{
	_cleanup_(spawn_result_done) struct spawn_result result = {};
	_cleanup_strv_ struct strv env = {};
	struct spawn spawn = { .user = program->user, .keep_output = true, .run = run };
	const char *name = program->argv.v[0];
	int64_t begin = now_ms();
	int r = judge(run, program, err);

	if (r < 0)
		return r;
	if (make_env(run, program, &env) < 0)
		return error_oom(err);
	run->deadline = end_of(run, program);
	spawn.argv = (const char *const *)program->argv.v;
	spawn.env = (const char *const *)env.v;
	spawn.deadline = run_deadline(run);
	r = spawn_run(&run->host, &spawn, &result, err);
	if (r < 0)
		return r;
	log_lines(path_base(name), result.output);
	log_lines(path_base(name), result.errors);
	if (result.cancelled)
		return run_cancelled(run, err);
	if (result.timed_out)
		return error_set(err, -ETIMEDOUT,
				 "%s did not end within %" PRId64
				 " s and was killed: give "
				 "timeout= more, or let it go to the background",
				 name, (spawn.deadline - begin + 500) / 1000);
	if (result.status == 0)
		return 0;
	return error_set(err, -EIO, "%s failed with status %d%s%s", name, result.status,
			 *result.errors ? ": " : "", last_line(result.errors));
}

/* One word of the data: a blank and what is not printable as %XX; "" is %00. */
static void put_word(FILE *f, const char *prefix, const char *word)
{
	fputs(prefix, f);
	if (!*word && !*prefix)
		fputs("%00", f);
	for (; *word; word++) {
		unsigned char c = (unsigned char)*word;

		if (c <= ' ' || c == '%' || c == ';' || c == 0x7f)
			fprintf(f, "%%%02x", c);
		else
			fputc(c, f);
	}
	fputc(' ', f);
}

static void put_program(FILE *f, const struct program *program)
{
	fprintf(f, "timeout=%" PRId64 " ", program->timeout_ms);
	if (program->user)
		put_word(f, "user=", program->user);
	for (size_t i = 0; i < program->env.n; i++)
		put_word(f, "env=", program->env.v[i]);
	fputs("-- ", f);
	for (size_t i = 0; i < program->argv.n; i++)
		put_word(f, "", program->argv.v[i]);
}

char *program_encode(const struct program *forward, const struct program *undo)
{
	char *data = NULL;
	size_t size;
	FILE *f = open_memstream(&data, &size);
	bool bad;

	if (!f)
		return NULL;
	put_program(f, forward);
	fputs("; ", f);
	put_program(f, undo);
	bad = ferror(f);
	if (fclose(f) != 0 || bad) {
		free(data);
		return NULL;
	}
	return data;
}

/* In place; -EINVAL when it was not written by put_word(). */
static int decode_word(char *word)
{
	unsigned value;
	char *out = word;

	for (; *word; word++) {
		if (*word != '%') {
			*out++ = *word;
			continue;
		}
		if (sscanf(word, "%%%2x", &value) != 1 || !word[1] || !word[2])
			return -EINVAL;
		if (value)
			*out++ = (char)value;
		word += 2;
	}
	*out = '\0';
	return 0;
}

static int take_option(struct program *program, const char *word)
{
	const char *value;
	uint64_t ms;

	if ((value = str_after(word, "timeout=")) && parse_u64(value, &ms) == 0 &&
	    ms <= INT32_MAX) {
		program->timeout_ms = (int64_t)ms;
		return 0;
	}
	if ((value = str_after(word, "env=")))
		return strv_add(&program->env, value);
	if ((value = str_after(word, "user=")) && !program->user)
		return (program->user = strdup(value)) ? 0 : -ENOMEM;
	return -EINVAL;
}

int program_decode(const char *data, bool undo, struct program *ret)
{
	_cleanup_(program_done) struct program program = { .timeout_ms = 30000 };
	_cleanup_free_ char *copy = strdup(data);
	char *rest = copy, *word;
	bool options = true;
	int r = copy ? 0 : -ENOMEM;

	if (undo && rest) {
		rest = strchr(rest, ';');
		rest = rest ? rest + 1 : NULL;
	}
	while (r >= 0 && (word = strsep(&rest, " "))) {
		if (streq(word, ";"))
			break;
		if (!*word)
			continue;
		if (options && streq(word, "--")) {
			options = false;
			continue;
		}
		r = decode_word(word);
		if (r >= 0)
			r = options ? take_option(&program, word) :
				      strv_add(&program.argv, word);
	}
	if (r < 0 || !program.argv.n)
		return r < 0 ? r : -EINVAL;
	*ret = program;
	program = (struct program){};
	return 0;
}

void program_done(struct program *program)
{
	strv_done(&program->argv);
	strv_done(&program->env);
	free(program->user);
	program->user = NULL;
}
