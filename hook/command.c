/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook(8): options, the table of commands, help.
 */
#include "command.h"
#include "log.h"

static const struct command *const commands[] = {
	&command_init,	  &command_import, &command_check, &command_plan,
	&command_test,	  &command_run,	   &command_undo,  &command_status,
	&command_devices, &command_steps,  &command_boot,
};

static const struct option long_options[] = {
	{ "conf", required_argument, NULL, 'c' },
	{ "diff", no_argument, NULL, 'D' },
	{ "early", no_argument, NULL, 'e' },
	{ "forget", no_argument, NULL, 'f' },
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

/* Of the arguments of all, in letters. */
static int widest_args(void)
{
	size_t widest = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strlen(commands[i]->args) > widest)
			widest = strlen(commands[i]->args);
	return (int)widest;
}

static void print_usage(FILE *out)
{
	int width = widest_args();

	fprintf(out,
		"Usage: vfio-hook [OPTION…] COMMAND [ARGUMENT…]\n\n"
		"Hands devices of this host to libvirt guests, and takes them back.\n\n"
		"Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-7s %-*s  %s\n", commands[i]->name, width,
			commands[i]->args, commands[i]->summary);
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

static bool refuse_option(const struct command *command, bool given,
			  enum command_option option, const char *name)
{
	if (!given || (command->options & option))
		return false;
	usage_error(command, "%s has no option %s", command->name, name);
	return true;
}

/* A folder that is not there has nothing in it, and all would look fine. */
static int check_folders(const struct command *command,
			 const struct command_options *options)
{
	const struct host host = { .root = options->root };
	char path[PATH_MAX];
	int r = *options->root ? check_folder("--root", options->root) : STATUS_OK;

	/* These two do with one that is not there yet. */
	if (r != STATUS_OK || !options->hooks_dir || command == &command_init ||
	    command == &command_boot)
		return r;
	return check_folder("--hooks-dir",
			    host_path(&host, path, "%s", options->hooks_dir));
}

static bool is_root(const struct command_options *options)
{
	if (geteuid() == 0 || *options->root)
		return true;
	fprintf(stderr, "vfio-hook: only root may do this: type sudo in front\n");
	return false;
}

static int run_command(const struct command *command,
		       const struct command_options *options, int argc, char **argv)
{
	int r;

	if (refuse_option(command, options->json, COMMAND_JSON, "--json") ||
	    refuse_option(command, options->orphans, COMMAND_ORPHANS, "--orphans") ||
	    refuse_option(command, options->boot, COMMAND_BOOT, "--boot") ||
	    refuse_option(command, options->early, COMMAND_EARLY, "--early") ||
	    refuse_option(command, options->forget, COMMAND_FORGET, "--forget") ||
	    refuse_option(command, options->diff, COMMAND_DIFF, "--diff") ||
	    refuse_option(command, options->gpu, COMMAND_GPU, "--gpu") ||
	    refuse_option(command, options->write, COMMAND_OUTPUT, "--write") ||
	    refuse_option(command, options->output, COMMAND_OUTPUT, "--output") ||
	    refuse_option(command, options->conf, COMMAND_SCRIPTS, "--conf") ||
	    refuse_option(command, options->phase, COMMAND_SCRIPTS, "--phase"))
		return STATUS_USAGE;
	r = check_arguments(command, argc, argv);
	if (r == STATUS_OK)
		r = check_folders(command, options);
	if (r != STATUS_OK)
		return r;
	if (command->acts && !is_root(options))
		return STATUS_USAGE;
	log_set_stderr(options->verbose ? LOG_DEBUG : -1);
	return finish_output(command, command->run(options, argc, argv));
}

/* The first word that is a command's name. */
static const struct command *guess_command(int argc, char **argv)
{
	const struct command *command = NULL;

	for (int i = 1; i < argc && !command; i++)
		command = find_command(argv[i]);
	return command;
}

/* Takes what getopt_long() has found; STATUS_OK, or STATUS_USAGE, told. */
static int take_option(int c, struct command_options *options)
{
	if (optarg && !*optarg)
		return usage_error(NULL, "the value of an option is empty");
	switch (c) {
	case 'b':
		options->boot = true;
		break;
	case 'c':
		options->conf = optarg;
		break;
	case 'D':
		options->diff = true;
		break;
	case 'e':
		options->early = true;
		break;
	case 'f':
		options->forget = true;
		break;
	case 'g':
		options->gpu = true;
		break;
	case 'h':
		options->help = true;
		break;
	case 'd':
		options->hooks_dir = optarg;
		break;
	case 'j':
		options->json = true;
		break;
	case 'o':
		options->output = optarg;
		break;
	case 'O':
		options->orphans = true;
		break;
	case 'p':
		options->phase = optarg;
		break;
	case 'r':
		options->root = optarg;
		break;
	case 'v':
		options->verbose = true;
		break;
	case 'V':
		options->version = true;
		break;
	case 'w':
		options->write = true;
		break;
	}
	return STATUS_OK;
}

static int parse_options(int argc, char **argv, struct command_options *options)
{
	int c, r = STATUS_OK;

	opterr = 0;
	while (r == STATUS_OK &&
	       (c = getopt_long(argc, argv, ":hjo:v", long_options, NULL)) != -1) {
		char letter[] = { '-', (char)optopt, '\0' };
		/* optopt is a letter's, unless the word is a long option. */
		const char *word = argv[optind - 1];

		if (c == '?' || c == ':')
			r = check_option(c, str_after(word, "--") ? word : letter,
					 long_options, guess_command(argc, argv));
		else
			r = take_option(c, options);
	}
	return r;
}

static int no_command(const char *name)
{
	_cleanup_strv_ struct strv names = {};
	char guess[GUESS_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strv_add(&names, commands[i]->name) < 0)
			break;
	return usage_error(NULL, "there is no command \"%s\"%s", name,
			   did_you_mean(guess, name, &names));
}

int command_main(int argc, char **argv)
{
	struct command_options options = { .root = "" };
	const struct command *command;
	int r = parse_options(argc, argv, &options);

	if (r != STATUS_OK)
		return r;
	command = optind < argc ? find_command(argv[optind]) : NULL;
	if (options.version) {
		printf("vfio-hook %s\n", VERSION);
		return finish_output(NULL, STATUS_OK);
	}
	if (optind < argc && !command)
		return no_command(argv[optind]);
	if (!command && !options.help) {
		print_usage(stderr);
		return STATUS_USAGE;
	}
	if (options.help) {
		command ? print_command_help(command) : print_usage(stdout);
		return finish_output(NULL, STATUS_OK);
	}
	return run_command(command, &options, argc - optind - 1, argv + optind + 1);
}
