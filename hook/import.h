/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * vfio-hook import: scripts as people write them, read and never run.
 *
 * A file becomes nodes (import_lex.c, import_parse.c). Walking them with the variables
 * known so far (import_walk*.c, import_expand.c, import_arith.c, import_subst.c) gives
 * the simple commands that would run, in order. A table of recognisers (import_command*.c,
 * import_path.c) turns each into acts: a step, a note, or what is left over.
 * import_merge.c and import_reverse.c then make a config of them, import_write.c prints.
 */

#include <setjmp.h>

#include "event.h"
#include "host.h"
#include "util.h"

/*
 * All memory of an import is freed at its end. Its size is bounded: when it, or the
 * machine's memory, runs out, the import ends with a jump back to its caller, so that no
 * function in between has to look for that.
 */
struct arena {
	struct arena_chunk *chunks;
	size_t total;
	jmp_buf *out;
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed */
char *arena_strndup(struct arena *arena, const char *s, size_t n);
char *arena_printf(struct arena *arena, const char *fmt, ...) _printf_(2, 3);
void arena_done(struct arena *arena);

/* A growing text. */
struct buf {
	char *s; /* NULL while nothing was added */
	size_t n, size;
};
void buf_add(struct arena *arena, struct buf *buf, const char *s, size_t n);
void buf_puts(struct arena *arena, struct buf *buf, const char *s);
const char *buf_text(const struct buf *buf);

struct words {
	char **v;
	size_t n, size;
};
void words_push(struct arena *arena, struct words *words, const char *s);
bool words_have(const struct words *words, const char *s);
bool words_equal(const struct words *a, const struct words *b);

/* ---- what was read */

struct source {
	const char *name; /* as shown to people */
	const char *path;
	const char *text;
	unsigned line; /* of its first line: more than 1 for a part of another */
};

enum redir_op {
	REDIR_IN,
	REDIR_OUT,
	REDIR_APPEND,
	REDIR_DUP, /* >&2, <&3 */
	REDIR_HERE, /* its text instead of a word */
	REDIR_HERE_STRING,
};

struct redir {
	enum redir_op op;
	int fd; /* -1: both stdout and stderr */
	const char *word; /* not expanded */
};

enum node_kind {
	NODE_COMMAND,
	NODE_PIPE, /* of FIRST and those behind it */
	NODE_AND, /* A && B */
	NODE_OR,
	NODE_LIST, /* FIRST and those behind it */
	NODE_IF, /* A: condition, B: then, C: else */
	NODE_WHILE, /* A: condition, B: body; negated: until */
	NODE_FOR, /* NAME in WORDS do B */
	NODE_COUNT, /* for ((NAME)) do B */
	NODE_CASE, /* WORDS[0]; FIRST…: B for the patterns WORDS */
	NODE_GROUP, /* { B } or ( B ) */
	NODE_FUNCTION, /* NAME() B */
	NODE_ARITH, /* ((NAME)) */
};

struct node {
	enum node_kind kind;
	bool negated, background;
	unsigned line;
	const struct source *source;
	const char *begin; /* its text, up to */
	const char *end;
	const char *name;
	struct words words; /* not expanded */
	struct redir *redirs;
	size_t n_redirs;
	struct node *a, *b, *c, *first, *next;
};

/* ---- what was found */

enum act_kind {
	ACT_STEP,
	ACT_NOTE, /* a comment and no more */
	ACT_LEFT, /* not understood */
};

struct act {
	enum act_kind kind;
	enum phase phase;
	bool optional;
	bool final; /* of a release: not undone by an undo, stays a step */
	bool either; /* a unit that is there if another one is not */
	bool cpus_are_guests; /* of cpuset.isolate: else they are the host's, to be turned */
	bool quiet; /* a note worth nothing without a step behind it */
	const char *key; /* "pci.detach" */
	struct words options; /* "timeout=15s" */
	struct words words;
	const char *text; /* a note's; of what is left over, why; may be NULL */
	const struct node *node;
};

struct acts {
	struct act *v;
	size_t n, size;
};

struct variable {
	const char *name;
	struct words values;
	struct words keys; /* of an associative array, one for each value; else none */
	struct variable *next;
};

struct function {
	const char *name;
	const struct node *body;
	struct function *next;
};

/* A value that is not known until the script runs: the text between these two. */
#define UNKNOWN_BEGIN '\x01'
#define UNKNOWN_END '\x02'

struct import {
	struct arena arena;
	struct host host;
	const char *conf; /* kvm.conf, or NULL */
	const char *dir; /* of the scripts, for kvm.conf near them */
	const char *domain;
	bool any_domain; /* its name is not known: import_domain.c */
	const char *meant; /* the first that is asked for then, a name or a pattern */
	bool meant_is_name;
	enum phase meant_phase; /* in which it was asked for */
	enum phase phase;
	struct variable *variables;
	struct variable *named; /* every assignment of addresses, in their order */
	struct variable *files; /* what was written to state files */
	struct function *functions;
	struct words args; /* $0 $1 … */
	struct acts acts;
	struct words asked; /* units that the script looks for before it stops them */
	unsigned steps, depth;
	unsigned highest_cpu; /* of a mask that is put back */
	const char *switched_off; /* a script that cannot be executed, or NULL */
	bool huge_2m; /* the scripts ask for the size of huge pages */
	unsigned nesting, calls;
	const char *user; /* of su and sudo around */
	const char *piped; /* what a loop that reads lines is given, as $(…); or NULL */
	enum {
		GO_ON,
		GO_CONTINUE,
		GO_BREAK,
		GO_RETURN,
		GO_EXIT
	} go;
	bool in_doubt; /* a function might have returned before, which nobody knows */
	bool go_failed; /* exit or return with a status that is not 0 */
};

/* How a command ends, as far as that is known. */
enum truth {
	FALSE,
	TRUE,
	ABSENT, /* depends on the machine: most likely false there, */
	PRESENT, /* or true, as what is asked for is what the script is about */
	UNKNOWN,
};

/* import_parse.c: NULL when SOURCE is not to be understood, then the line and why. */
struct node *import_parse(struct arena *arena, const struct source *source,
			  unsigned *ret_line, const char **ret_why);

/* import_expand.c: words as the shell would make them of RAW. */
void import_expand(struct import *im, const char *raw, struct words *ret);
char *import_expand_text(struct import *im, const char *raw); /* without splitting */
bool is_known(const char *s);
const char *import_shown(struct import *im, const char *s); /* as it was written */
char *import_unknown(struct import *im, const char *text);

/* import_variable.c */
struct words *import_get(struct import *im, const char *name);
void import_set(struct import *im, const char *name, const struct words *values);
void import_set_text(struct import *im, const char *name, const char *value);
/* Of an associative array, in the order written; NULL: it is none. */
const struct words *import_keys(struct import *im, const char *name);
/* The value of its element KEY, or NULL. */
const char *import_element(struct import *im, const char *name, const char *key);
bool import_assign(struct import *im, const char *word); /* NAME=VALUE, if it is one */
size_t import_name_length(const char *s);
/* ${…}: adds the words that the TEXT between the braces stands for. */
void import_parameter(struct import *im, const char *text, struct words *ret);

/* import_modify.c: VALUE, which is known, through the operator at OP of ${TEXT}. */
const char *import_modify(struct import *im, const char *text, const char *value,
			  const char *op);

/* import_arith.c: false when something in it is not known. */
bool import_arith(struct import *im, const char *text, long long *ret);

/* import_subst.c: what $(TEXT) is, unknown pieces included. */
char *import_substitute(struct import *im, const char *text);

/* import_walk.c */
enum truth import_walk(struct import *im, const struct node *node);
void import_script(struct import *im, const struct source *source);
/* What is left over of a whole file, or of its LINE. */
void import_left_at(struct import *im, const struct source *source, unsigned line,
		    const char *why);
bool import_read(struct import *im, const char *path, struct source **ret);
/* TEXT at NODE's place, as sh -c would have it. */
enum truth import_nested(struct import *im, const struct node *node, const char *text);
/* What the state file at PATH holds: its value, or NULL. */
struct words *import_file(struct import *im, const char *path);
void import_set_file(struct import *im, const char *path, const char *value);
struct variable *import_copy_variables(struct import *im);
/* import_walk_if.c, import_walk_and.c, import_walk_loop.c, import_test.c */
enum truth import_walk_if(struct import *im, const struct node *node);
enum truth import_walk_and_or(struct import *im, const struct node *node);
enum truth import_walk_case(struct import *im, const struct node *node);
enum truth import_walk_while(struct import *im, const struct node *node);
enum truth import_walk_for(struct import *im, const struct node *node);
enum truth import_walk_count(struct import *im, const struct node *node);
/* import_domain.c: $1 of scripts that are in no tree; NAMED may be NULL. */
void import_any_domain(struct import *im, const char *named);
bool import_has_any_domain(const char *s);
/* Do A and B, compared by OP, name the domain that is meant? UNKNOWN: neither is it. */
enum truth import_ask_domain(struct import *im, const char *a, const char *op,
			     const char *b);
/* A comment on which one it is. */
void import_tell_domain(struct import *im);
enum truth import_combine(enum truth a, enum truth b, bool and);
/* LIKELY or nothing, then OTHER, of which only what does no harm is kept. */
enum truth import_take(struct import *im, const struct node *likely,
		       const struct node *other);
enum truth import_test(struct import *im, const struct words *words);
/* import_simple.c */
enum truth import_walk_simple(struct import *im, const struct node *node);
enum truth import_walk_pipe(struct import *im, const struct node *node);
enum truth truth_not(enum truth truth);

/* A simple command, expanded. */
struct cmd {
	const struct node *node;
	struct words words;
	struct words env; /* NAME=VALUE in front of it */
	const char *user; /* of sudo -u */
	struct words priority; /* from nice, chrt, ionice or taskset on, with the command */
	const char *input; /* what a pipe, here document or string gives it, or NULL */
	bool piped; /* its input or output is another command */
};

/* import_command.c: TRUE, or what the command asks. */
enum truth import_command(struct import *im, struct cmd *cmd);
bool import_is_query(const struct words *words);
/* import_prefix.c: takes off sudo, nohup, …; false: there is none. */
bool import_shift_prefix(struct import *im, struct cmd *cmd);
/* su - USER -c TEXT; with SHELL: sh -c TEXT. */
enum truth import_walk_text(struct import *im, struct cmd *cmd, bool shell);

/* One family of commands: UNKNOWN when it is not understood. */
typedef enum truth recogniser(struct import *im, struct cmd *cmd);
recogniser import_modprobe, import_rmmod, import_virsh, import_systemctl, import_service,
	import_kill, import_fuser, import_pkill, import_loginctl, import_sleep,
	import_cpupower, import_cset, import_sysctl, import_rtcwake, import_inhibit,
	import_echo, import_tee, import_exec_run, import_pair, import_chown, import_chmod,
	import_files;

/* import_exec.c: what echo or printf print, without the newline at its end. */
char *import_printed(struct import *im, const struct words *words);

/* import_path.c: VALUE written to PATH. */
enum truth import_write_path(struct import *im, const struct node *node, const char *path,
			     const char *value);
bool import_is_state_file(const char *path);
/* Does its output go to a file that is more than a log or a note to itself? */
bool import_writes_file(struct import *im, const struct node *node);

/* import_act.c */
struct act *act_step(struct import *im, const struct node *node, const char *key);
void act_option(struct import *im, struct act *act, const char *fmt, ...) _printf_(3, 4);
void act_word(struct import *im, struct act *act, const char *word);
void act_note(struct import *im, const struct node *node, const char *fmt, ...)
	_printf_(3, 4);
void act_left(struct import *im, const struct node *node, const char *fmt, ...)
	_printf_(3, 4);
/* Is it a step KEY? */
bool act_is(const struct act *act, const char *key);
void act_to_note(struct act *act, const char *text);
bool act_equal(const struct act *a, const struct act *b);
size_t acts_count(const struct acts *acts, size_t from, enum act_kind kind);
void acts_remove(struct acts *acts, size_t i);
void acts_insert(struct import *im, size_t i, const struct act *act);
/* Takes back those from N on. */
void acts_cut(struct acts *acts, size_t n);
/* The step of the kind as the config would have it: NULL, or what is wrong with it. */
const char *act_check(struct import *im, const struct act *act);
/* "pci.detach = …" without the key, quoted; NULL: it cannot be said. */
char *act_value(struct import *im, const struct act *act);

/* import_path_cpu.c: the CPUs from FROM on, up to that in front of END, to a list. */
void import_add_cpus(struct import *im, struct buf *buf, unsigned from, unsigned end);

/* import_merge.c: rows of equal steps become one. */
void import_merge(struct import *im);
void import_merge_sleeps(struct import *im);
/* import_units.c */
void import_merge_units(struct import *im);
/* import_merge_devices.c */
void import_merge_devices(struct import *im);
void import_order_nvidia(struct import *im);
void import_complete_nvidia(struct import *im);
void import_name_rescans(struct import *im);
/* import_reverse.c: takes away what undo does by itself. */
void import_reverse(struct import *im);
/* import_sets.c: names for devices; adds "name" and "addresses" pairs. */
struct import_set { /* of devices */
	const char *name;
	const char *variables;
	struct words addresses;
};
size_t import_sets(struct import *im, struct import_set **ret);

/* import_write.c: returns how much is left over. */
size_t import_write(struct import *im, FILE *out);
