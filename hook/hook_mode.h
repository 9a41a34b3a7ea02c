/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "call.h"

/*
 * libvirt's call: HOOK DOMAIN OPERATION SUBOPERATION EXTRA with the XML on stdin, or
 * --dry-run in front of them for people. Returns the exit status, 0 or 1. Writes
 * nothing to stdout (migrate and restore would take it for the XML) but the plan of
 * --dry-run, and one line to stderr when it fails: libvirt shows that to the user.
 */
int hook_main(int argc, char **argv);

/* The part behind the XML: CALL knows its domain; loads its config and runs the phase. */
int hook_phase(struct call *call, struct error *err);
