/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <getopt.h>

#include "call.h"

/* The exit statuses of the command for people. */
enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILED = 1, /* it failed, or a problem was found */
	STATUS_USAGE = 2, /* wrong usage, or a config that cannot be read */
};

struct command_options {
	const char *root;
	const char *hooks_dir;
	bool json;
	bool verbose;
	bool orphans;
	bool forget;
	bool boot;
	bool early;
	bool gpu;
	bool diff;
	bool write;
	bool help;
	bool version;
	const char *output;
	const char *conf;
	const char *phase;
};

/* Options that only some commands have. */
enum command_option {
	COMMAND_JSON = 1 << 0,
	COMMAND_ORPHANS = 1 << 1,
	COMMAND_GPU = 1 << 2,
	COMMAND_OUTPUT = 1 << 3, /* --write and --output */
	COMMAND_SCRIPTS = 1 << 4, /* --conf and --phase */
	COMMAND_DIFF = 1 << 5,
	COMMAND_BOOT = 1 << 6,
	COMMAND_FORGET = 1 << 7,
	COMMAND_EARLY = 1 << 8,
};

struct command {
	const char *name;
	const char *args;
	const char *summary;
	unsigned min_args, max_args;
	unsigned options; /* enum command_option */
	bool acts; /* changes the host: for root, and not done for what it prints */
	int (*run)(const struct command_options *options, int argc, char **argv);
	const char *help; /* more about it, for --help */
};

extern const struct command command_devices;
extern const struct command command_import;
extern const struct command command_init;
extern const struct command command_plan;
extern const struct command command_check;
extern const struct command command_run;
extern const struct command command_boot;
extern const struct command command_test;
extern const struct command command_undo;
extern const struct command command_status;
extern const struct command command_steps;

/*
 * Tells what is wrong, and the command's right form (NULL: that there is --help). Returns
 * STATUS_USAGE, for the caller to return.
 */
int usage_error(const struct command *command, const char *fmt, ...) _printf_(2, 3);
#define GUESS_LEN 320
/* ": did you mean NAME?" in BUF, if WORD is most likely a slip of one of them, else "". */
const char *did_you_mean(char buf[GUESS_LEN], const char *word,
			 const struct strv *candidates);
/*
 * The same of the domains that libvirt or conf.d knows; else "; known: NAME, …" of a few. ""
 * for one of them.
 */
const char *guess_domain(char buf[GUESS_LEN], const struct command_options *options,
			 const char *word);
/*
 * The file in conf.d that is most likely meant for DOMAIN, which has none of its own:
 * another case, another ending, a slip. In BUF, or NULL.
 */
const char *guess_config(char buf[GUESS_LEN], const struct host *host,
			 const char *hooks_dir, const char *domain);
/* The names in DIR that end in SUFFIX, without it. 0 or a negative errno. */
int command_names(const struct host *host, const char *dir, const char *suffix,
		  struct strv *ret);
/* STATUS_OK, or STATUS_USAGE, told: number of arguments, empty ones, names of domains. */
int check_arguments(const struct command *command, int argc, char **argv);
/* What getopt_long() answered C to the word WORD. STATUS_USAGE, told. */
int check_option(int c, const char *word, const struct option *options,
		 const struct command *command);
/* Is PATH, the value of OPTION, a folder? STATUS_OK, or STATUS_USAGE, told. */
int check_folder(const char *option, const char *path);
/* STATUS, or what becomes of it when what was printed could not be written; told. */
int finish_output(const struct command *command, int status);

/* The phase that a person named; PHASE_NONE when there is none such, told on stderr. */
enum phase command_phase(const struct command *command, const char *name);

/* `vfio-hook COMMAND …`; returns the exit status. */
int command_main(int argc, char **argv);

/*
 * Fills CALL for the domain and phase as the hook would find them: the XML from stdin
 * unless that is a terminal or empty, else the one libvirt keeps. Returns an enum
 * exit_status; what is wrong was told on stderr.
 */
int command_open(const struct command_options *options, const char *domain,
		 enum phase phase, struct call *call);
/* The same without its config, which may be missing or wrong. */
int command_open_domain(const struct command_options *options, const char *domain,
			enum phase phase, struct call *call);
/* The parts of it: negative errno, -ENOENT when libvirt has no such domain. */
int command_load(const struct command_options *options, const char *domain,
		 enum phase phase, struct call *call, struct error *err);
/* What command_load() has returned in R and ERR, as an exit status; told. */
int command_loaded(const struct command_options *options, const struct call *call, int r,
		   const struct error *err);
/* STATUS_OK, also when there is none, or STATUS_USAGE, told. */
int command_load_config(struct call *call);
