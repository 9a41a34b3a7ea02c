/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the last phases of a domain went, from its log. After the reset button the log is
 * all there is: the step that was begun last and never ended is where it hung.
 */
#include "log.h"
#include "log_read.h"

struct reader {
	const char *domain;
	struct phase_log log;
	struct logged_phase *phase; /* the open one, or NULL */
	struct logged_step *step; /* the one begun last, until it has ended */
};

/* What follows "MARK DOMAIN " in TEXT, or NULL: dead domains are undone in our log, too. */
static const char *after_mark(const struct reader *reader, const char *text,
			      const char *mark)
{
	text = str_after(text, mark);
	text = text ? str_after(text, reader->domain) : NULL;
	return text && *text == ' ' ? text + 1 : NULL;
}

static int begin_phase(struct reader *reader, const char *line, const char *name)
{
	struct logged_phase *phase;
	int r = array_grow(&reader->log.phases, reader->log.n, sizeof(*phase));

	if (r < 0)
		return r;
	phase = &reader->log.phases[reader->log.n++];
	*phase = (struct logged_phase){ .ms = -1 };
	reader->phase = phase;
	reader->step = NULL;
	phase->name = strdup(name);
	phase->when = strndup(line, strcspn(line, ". "));
	if (!phase->name || !phase->when)
		return -ENOMEM;
	phase->when[strcspn(phase->when, "T")] = ' ';
	return 0;
}

/* "prepare/begin: done in 12 ms", "prepare/begin: failed after 12 ms: why" */
static int end_phase(struct reader *reader, const char *text)
{
	struct logged_phase *phase = reader->phase;
	const char *result = phase ? str_after(text, phase->name) : NULL;
	long long ms;
	int end = 0;

	if (!result)
		return 0;
	if (sscanf(result, ": done in %lld ms", &ms) == 1) {
		phase->result = LOGGED_DONE;
	} else if (sscanf(result, ": failed after %lld ms: %n", &ms, &end) == 1 && end) {
		phase->result = LOGGED_FAILED;
		phase->error = strdup(result + end);
		if (!phase->error)
			return -ENOMEM;
	} else {
		return 0;
	}
	phase->ms = ms;
	reader->phase = NULL;
	return 0;
}

/* "kmod.unload = nvidia ...": the dots are the step's beginning. */
static int begin_step(struct reader *reader, const char *text)
{
	struct logged_phase *phase = reader->phase;
	struct logged_step *step;
	int r = array_grow(&phase->steps, phase->n_steps, sizeof(*step));

	if (r < 0)
		return r;
	text += *text == '-'; /* an optional one's later lines are without it */
	if (reader->step)
		reader->step->done = true; /* scripts do not tell */
	step = &phase->steps[phase->n_steps++];
	*step = (struct logged_step){ .ms = -1 };
	step->text = strndup(text, strlen(text) - strlen(" ..."));
	reader->step = step;
	return step->text ? 0 : -ENOMEM;
}

/* "kmod.unload: done in 12 ms", or "kmod.unload (win10.ini:9): why" */
static void end_step(struct reader *reader, const char *text)
{
	struct logged_step *step = reader->step;
	size_t key = strcspn(step->text, " ");
	const char *rest;
	long long ms;

	if (strncmp(text, step->text, key) != 0)
		return;
	rest = text + key;
	if (sscanf(rest, ": done in %lld ms", &ms) == 1)
		step->ms = ms;
	else if (str_after(rest, " ("))
		step->failed = true;
	else
		return;
	step->done = true;
	reader->step = NULL;
}

static int read_line(struct reader *reader, const char *line)
{
	const char *text = log_text_of(line), *rest;

	rest = after_mark(reader, text, LOG_PHASE_BEGIN);
	if (rest)
		return begin_phase(reader, line, rest);
	rest = after_mark(reader, text, LOG_PHASE_END);
	if (rest)
		return end_phase(reader, rest);
	if (reader->phase && str_ends(text, " ..."))
		return begin_step(reader, text);
	if (reader->phase && reader->step)
		end_step(reader, text);
	return 0;
}

int log_read(const struct host *host, const char *domain, struct phase_log *ret,
	     struct error *err)
{
	struct reader reader = { .domain = domain };
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	int r = host_read_all(host, &text, LOG_DIR "/%s.log", domain);

	if (r == -ENOENT) {
		*ret = (struct phase_log){};
		return 0;
	}
	if (r < 0)
		return error_errno(err, r, "cannot read " LOG_DIR "/%s.log", domain);
	rest = text;
	while (r >= 0 && (line = strsep(&rest, "\n")))
		r = read_line(&reader, line);
	if (r < 0) {
		phase_log_done(&reader.log);
		return error_oom(err);
	}
	*ret = reader.log;
	return 0;
}

char *logged_step_text(const struct logged_step *step, char *buf, size_t size)
{
	size_t key = strcspn(step->text, " ");
	const char *words = str_after(step->text + key, " =");

	if (!words) {
		snprintf(buf, size, "%s", step->text);
		return buf;
	}
	for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
		size_t n = strcspn(words, " ");

		if (!memchr(words, '=', n))
			break;
		words += n;
	}
	snprintf(buf, size, "%.*s%s%s", (int)key, step->text, *words ? " " : "", words);
	return buf;
}

char *logged_place(const struct logged_phase *phase)
{
	const struct logged_step *last =
		phase->n_steps ? &phase->steps[phase->n_steps - 1] : NULL;
	int name = (int)strcspn(phase->name, "/");
	char text[512], *place;
	int r;

	if (!last)
		r = asprintf(&place, "in %.*s, before its first step", name, phase->name);
	else
		r = asprintf(&place, "in %.*s %s %s", name, phase->name,
			     last->done ? "after" : "at",
			     logged_step_text(last, text, sizeof(text)));
	return r < 0 ? NULL : place;
}

const struct logged_step *logged_slowest(const struct logged_phase *phase)
{
	const struct logged_step *slowest = NULL;

	for (size_t i = 0; i < phase->n_steps; i++)
		if (phase->steps[i].ms > (slowest ? slowest->ms : 0))
			slowest = &phase->steps[i];
	return slowest;
}

void phase_log_done(struct phase_log *log)
{
	for (size_t i = 0; i < log->n; i++) {
		struct logged_phase *phase = &log->phases[i];

		for (size_t k = 0; k < phase->n_steps; k++)
			free(phase->steps[k].text);
		free(phase->steps);
		free(phase->when);
		free(phase->name);
		free(phase->error);
	}
	free(log->phases);
	*log = (struct phase_log){};
}
