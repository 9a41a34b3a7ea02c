/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error value that travels up to whoever shows it. The first message stays: who
 * saw the failure knows most. libvirt shows a hook's stderr inside one line of its own,
 * so messages never hold a line break.
 */
#include "error.h"

static char *one_line(char *text)
{
	for (char *p = text; p && *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
	return text;
}

static _printf_(1, 0) char *format(const char *fmt, va_list ap)
{
	return one_line(str_format(fmt, ap));
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->code != 0)
		return code;
	va_start(ap, fmt);
	*err = (struct error){ .code = code, .msg = format(fmt, ap) };
	va_end(ap);
	return code;
}

int error_errno(struct error *err, int code, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	if (!err || err->code != 0)
		return code;
	va_start(ap, fmt);
	text = format(fmt, ap);
	va_end(ap);
	return error_set(err, code, "%s: %s", text ?: "failed", strerror(-code));
}

int error_oom(struct error *err)
{
	if (err && err->code == 0)
		err->code =
			-ENOMEM; /* error_text() has words for it that need no memory */
	return -ENOMEM;
}

static int reword(struct error *err, const char *before, const char *between,
		  const char *after)
{
	char *text;

	if (before && after && asprintf(&text, "%s%s%s", before, between, after) >= 0) {
		free(err->msg);
		err->msg = text;
	}
	return err->code ?: -EIO;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	_cleanup_free_ char *prefix = NULL;
	va_list ap;

	if (!err)
		return -EIO; /* the code is lost, but a failure stays one */
	va_start(ap, fmt);
	prefix = format(fmt, ap);
	va_end(ap);
	return reword(err, prefix, ": ", error_text(err));
}

int error_suffix(struct error *err, const char *fmt, ...)
{
	_cleanup_free_ char *suffix = NULL;
	va_list ap;

	if (!err)
		return -EIO;
	va_start(ap, fmt);
	suffix = format(fmt, ap);
	va_end(ap);
	return reword(err, error_text(err), "", suffix);
}

int error_cure(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -EIO;
	free(err->cure);
	va_start(ap, fmt);
	err->cure = str_format(fmt, ap);
	va_end(ap);
	return err->code ?: -EIO;
}

const char *error_text(const struct error *err)
{
	if (err && err->msg)
		return err->msg;
	if (err && err->code == -ENOMEM)
		return "out of memory";
	return err && err->code < 0 ? strerror(-err->code) : "unknown error";
}

void error_done(struct error *err)
{
	if (!err)
		return;
	free(err->msg);
	free(err->cure);
	*err = (struct error){ 0 };
}
