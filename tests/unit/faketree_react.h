/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the two halves of the made-up machine; tests include faketree.h. */
#pragma once

#include "util.h"

void fake_die(const char *what, const char *path) __attribute__((noreturn));
char *fake_path(char buf[4096], const char *fmt, ...) _printf_(2, 3);
bool fake_exists(const char *fmt, ...) _printf_(1, 2);
void fake_remove_tree(const char *path);
/* Binds a function without a driver to what driver_override or its ids want. */
void fake_probe(const char *function);
void fake_failure_reset(void);
/* Whatever hangs by FAKE_HANG comes to its end. */
void fake_end_hung(void);
/* It returns at last, and does what it was to do: until who hung there has ended. */
void fake_return_hung(void);

/* Counts a change; true when it has the fault, with its result in *RET. */
bool fake_fault(const char *path, int *ret);
void fake_fault_done(void);
/* Does it tell what to do? */
bool fake_has_cure(const char *problem);
void fake_assert_cures(void);
