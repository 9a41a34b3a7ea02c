/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The command for people on a machine made of files: what it prints, and its status. */

#include <check.h>

#include "command.h"
#include "faketree.h"

#define GPU "0000:0a:00.0"
#define SOUND "0000:0a:00.1"
#define NIC "0000:0b:00.0"
#define UUID "11111111-2222-3333-4444-555555555555"
#define PASSTHROUGH "<cpu mode='host-passthrough'/>"
#define HOSTDEV(bus, function)                                                          \
	"<hostdev mode='subsystem' type='pci' managed='yes'><source><address bus='" bus \
	"' slot='0' function='" function "'/></source></hostdev>"

extern struct host host;
extern char *out; /* of the last command, stdout and stderr */

/* The fixture: a card of nvidia with sound, a network card, and a bridge. */
void machine_setup(void);
void machine_teardown(void);
/* Runs the command with the words of LINE; returns its exit status. */
int command(const char *line);
/* The same with PATH for stdout; out has stderr then. */
int command_to(const char *path, const char *line);
/* The same on a terminal of 120 columns where TYPED was typed: out has what it shows. */
int command_on_terminal(const char *line, const char *typed);
void assert_has(const char *text);
void assert_hasnt(const char *text);
/* Prepare of win10 as libvirt calls it; out has the log then. */
void hook_prepares(void);
/* The stored XML of win10: the parts between its memory and its end. */
void domain(const char *parts);
/* vfio-hook where libvirt looks for it. */
void install(const char *text, mode_t mode);
/* The hook, and a config of win10 with LINES in [prepare/begin]. */
void steps(const char *lines);
/* Prepare with LINES is refused: CAUSE and CURE are in its one line, and all is as it was. */
void refused(const char *lines, const char *cause, const char *cure);
/* The config with LINES is not read, for CAUSE, which is in its first step. */
void not_read(const char *lines, const char *cause, const char *cure);
/* Runs the tests of TC with the fixture; the exit status. */
int machine_run(const char *name, void (*add)(TCase *tc));
