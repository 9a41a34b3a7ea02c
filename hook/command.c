/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook(8): options, the table of commands, help.
 */
#include <getopt.h>

#include "command.h"
#include "log.h"
#include "print.h"

static const struct command *const commands[] = {
	&command_init,	  &command_import, &command_check, &command_plan,
	&command_test,	  &command_run,	   &command_undo,  &command_status,
	&command_devices, &command_steps,  &command_boot,
};

static const struct option long_options[] = {
	{ "conf", required_argument, NULL, 'c' },
	{ "diff", no_argument, NULL, 'D' },
	{ "gpu", no_argument, NULL, 'g' },
	{ "help", no_argument, NULL, 'h' },
	{ "hooks-dir", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "orphans", no_argument, NULL, 'O' },
	{ "boot", no_argument, NULL, 'b' },
	{ "output", required_argument, NULL, 'o' },
	{ "phase", required_argument, NULL, 'p' },
	{ "root", required_argument, NULL, 'r' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "write", no_argument, NULL, 'w' },
	{ "version", no_argument, NULL, 'V' },
	{},
};

static void print_usage(FILE *out)
{
	fprintf(out,
		"Usage: vfio-hook [OPTION…] COMMAND [ARGUMENT…]\n\n"
		"Hands devices of this host to libvirt guests, and takes them back.\n\n"
		"Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-7s %-26s %s\n", commands[i]->name, commands[i]->args,
			commands[i]->summary);
	fprintf(out,
		"\nOptions:\n"
		"  --root DIR       all of /sys /proc /dev /run /etc /var below DIR\n"
		"  --hooks-dir DIR  conf.d and qemu.d lie there (default: %s)\n"
		"  --json           for programs, where there is something to read\n"
		"  --verbose        the log on stderr, too\n"
		"  --help           this, or more about COMMAND\n"
		"  --version        the version\n\n"
		"The domain's XML is read from stdin when that is not a terminal, else from\n"
		"/etc/libvirt/qemu/DOMAIN.xml. Exit status: 0 fine, 1 failed or a problem\n"
		"was found, 2 wrong usage or a config that cannot be read.\n",
		HOOKS_DIR);
}

static void print_command_help(const struct command *command)
{
	printf("Usage: vfio-hook [OPTION…] %s%s%s\n\n%s\n", command->name,
	       *command->args ? " " : "", command->args, command->help);
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int usage_error(const char *before, const char *what, const char *behind)
{
	fprintf(stderr, "vfio-hook: %s%s%s; see: vfio-hook --help\n", before, what,
		behind);
	return STATUS_USAGE;
}

static bool refuse_option(const struct command *command, bool given,
			  enum command_option option, const char *name)
{
	if (!given || (command->options & option))
		return false;
	fprintf(stderr, "vfio-hook: %s has no option %s; see: vfio-hook %s --help\n",
		command->name, name, command->name);
	return true;
}

static int run_command(const struct command *command,
		       const struct command_options *options, int argc, char **argv)
{
	if ((unsigned)argc < command->min_args || (unsigned)argc > command->max_args) {
		fprintf(stderr, "Usage: vfio-hook %s %s\n", command->name, command->args);
		return STATUS_USAGE;
	}
	if (refuse_option(command, options->json, COMMAND_JSON, "--json") ||
	    refuse_option(command, options->orphans, COMMAND_ORPHANS, "--orphans") ||
	    refuse_option(command, options->boot, COMMAND_BOOT, "--boot") ||
	    refuse_option(command, options->diff, COMMAND_DIFF, "--diff") ||
	    refuse_option(command, options->gpu, COMMAND_GPU, "--gpu") ||
	    refuse_option(command, options->write, COMMAND_OUTPUT, "--write") ||
	    refuse_option(command, options->output, COMMAND_OUTPUT, "--output") ||
	    refuse_option(command, options->conf, COMMAND_SCRIPTS, "--conf") ||
	    refuse_option(command, options->phase, COMMAND_SCRIPTS, "--phase"))
		return STATUS_USAGE;
	log_set_stderr(options->verbose ? LOG_DEBUG : -1);
	return command->run(options, argc, argv);
}

enum phase command_phase(const char *name)
{
	enum phase phase = phase_from_name(name);

	if (phase == PHASE_NONE)
		fprintf(stderr,
			"vfio-hook: %s is no phase: prepare, start, started, stopped, "
			"release, boot\n",
			name);
	return phase;
}

int command_main(int argc, char **argv)
{
	struct command_options options = { .root = "" };
	const struct command *command;
	bool help = false;
	int c;

	while ((c = getopt_long(argc, argv, "hjo:v", long_options, NULL)) != -1) {
		switch (c) {
		case 'b':
			options.boot = true;
			break;
		case 'c':
			options.conf = optarg;
			break;
		case 'D':
			options.diff = true;
			break;
		case 'g':
			options.gpu = true;
			break;
		case 'h':
			help = true;
			break;
		case 'd':
			options.hooks_dir = optarg;
			break;
		case 'j':
			options.json = true;
			break;
		case 'o':
			options.output = optarg;
			break;
		case 'O':
			options.orphans = true;
			break;
		case 'p':
			options.phase = optarg;
			break;
		case 'r':
			options.root = optarg;
			break;
		case 'v':
			options.verbose = true;
			break;
		case 'w':
			options.write = true;
			break;
		case 'V':
			printf("vfio-hook %s\n", VERSION);
			return STATUS_OK;
		default:
			return STATUS_USAGE;
		}
	}
	command = optind < argc ? find_command(argv[optind]) : NULL;
	if (optind < argc && !command)
		return usage_error("there is no command ", argv[optind], "");
	if (help && command)
		return print_command_help(command), STATUS_OK;
	if (help || !command) {
		print_usage(help ? stdout : stderr);
		return help ? STATUS_OK : STATUS_USAGE;
	}
	return run_command(command, &options, argc - optind - 1, argv + optind + 1);
}

static int read_xml(struct call *call, struct error *err)
{
	int r = 0;

	if (!isatty(STDIN_FILENO))
		r = call_read_xml(call, STDIN_FILENO, err);
	if (r == 0 && call->run.xml_len == 0)
		r = call_read_stored_xml(call, err);
	return r;
}

static int load(struct call *call, struct error *err)
{
	int r = call->run.event.phase == PHASE_BOOT ? 0 : read_xml(call, err);

	if (r == 0 || journal_any(&call->run.host)) {
		error_done(err);
		r = call_parse_domain(call, err);
	}
	return r;
}

int command_open_domain(const struct command_options *options, const char *domain,
			enum phase phase, struct call *call)
{
	_cleanup_error_ struct error err = {};
	char hooks_dir[PATH_MAX];

	snprintf(hooks_dir, sizeof(hooks_dir), "%s",
		 options->hooks_dir ? options->hooks_dir : HOOKS_DIR);
	call_init(call, options->root, hooks_dir);
	if (!domain_name_is_safe(domain)) {
		fprintf(stderr, "vfio-hook: \"%s\" cannot be the name of a domain\n",
			domain);
		return STATUS_USAGE;
	}
	event_of_phase(&call->run.event, domain, phase);
	if (load(call, &err) == 0)
		return STATUS_OK;
	fprintf(stderr, "vfio-hook: %s\n", error_text(&err));
	return STATUS_USAGE;
}

int command_open(const struct command_options *options, const char *domain,
		 enum phase phase, struct call *call)
{
	_cleanup_error_ struct error err = {};
	int r = command_open_domain(options, domain, phase, call);

	if (r != STATUS_OK)
		return r;
	r = call_load_config(call, &err);
	if (r == 0)
		r = call_scan(call, &err);
	if (r == 0)
		return STATUS_OK;
	print_problems(&call->config, &err);
	return STATUS_USAGE;
}

static int steps_run(const struct command_options *options, int argc, char **argv)
{
	(void)options;
	if (argc == 0)
		return print_steps(stdout), STATUS_OK;
	if (print_step(argv[0], stdout) < 0)
		return usage_error("there is no step ", argv[0],
				   " (vfio-hook steps tells all)");
	return STATUS_OK;
}

const struct command command_steps = {
	.name = "steps",
	.args = "[STEP]",
	.summary = "the steps and their arguments",
	.max_args = 1,
	.run = steps_run,
	.help = "Without STEP: all steps, a line each. With one: its options, the phases where\n"
		"it is legal and what its undo does, from the table that the parser uses.",
};
