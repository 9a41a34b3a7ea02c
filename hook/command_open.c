/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain that a command is about, as the hook would find it: its XML, then its config.
 */
#include "command.h"
#include "print.h"

static int read_xml(struct call *call, struct error *err)
{
	int r = 0;

	if (!isatty(STDIN_FILENO))
		r = call_read_xml(call, STDIN_FILENO, err);
	if (r == 0 && call->run.xml_len == 0)
		r = call_read_stored_xml(call, err);
	return r;
}

int command_load(const struct command_options *options, const char *domain,
		 enum phase phase, struct call *call, struct error *err)
{
	_cleanup_error_ struct error unknown = {};
	int r;

	call_init(call, options->root,
		  options->hooks_dir ? options->hooks_dir : HOOKS_DIR);
	event_of_phase(&call->run.event, domain, phase);
	r = phase == PHASE_BOOT ? 0 : read_xml(call, err);
	if (r == 0)
		return call_parse_domain(call, err);
	/* What was done for it tells who it is, without any XML. */
	if (!journal_any(&call->run.host) || call_parse_domain(call, &unknown) < 0)
		return r;
	error_done(err);
	return 0;
}

/* A config is that of a name, the XML of another domain would be judged by it. */
static int check_name(const struct call *call)
{
	const char *name = call->domain.name;

	if (!name || streq(name, call->run.event.domain))
		return STATUS_OK;
	fprintf(stderr, "vfio-hook: the XML is of the domain \"%s\", not of \"%s\"\n",
		name, call->run.event.domain);
	return STATUS_USAGE;
}

int command_loaded(const struct command_options *options, const struct call *call, int r,
		   const struct error *err)
{
	const char *domain = call->run.event.domain;
	char guess[GUESS_LEN], word[SHELL_WORD_MAX];

	if (r == 0)
		return check_name(call);
	fprintf(stderr, "vfio-hook: %s%s\n", error_text(err),
		r == -ENOENT ? guess_domain(guess, options, domain) : "");
	if (r == -ENOENT && !strstr(guess, "did you mean"))
		fprintf(stderr,
			"Of one that libvirt keeps elsewhere: virsh dumpxml --inactive %s | "
			"vfio-hook …\n",
			shell_word(domain, word, sizeof(word)));
	return STATUS_USAGE;
}

int command_load_config(struct call *call)
{
	_cleanup_error_ struct error err = {};
	int r = call_load_config(call, &err);

	if (r == 0)
		r = call_scan(call, &err);
	if (r == 0)
		return STATUS_OK;
	print_problems(&call->config, &err);
	return STATUS_USAGE;
}

int command_open_domain(const struct command_options *options, const char *domain,
			enum phase phase, struct call *call)
{
	_cleanup_error_ struct error err = {};
	int r = command_load(options, domain, phase, call, &err);

	return command_loaded(options, call, r, &err);
}

int command_open(const struct command_options *options, const char *domain,
		 enum phase phase, struct call *call)
{
	int r = command_open_domain(options, domain, phase, call);

	return r == STATUS_OK ? command_load_config(call) : r;
}
