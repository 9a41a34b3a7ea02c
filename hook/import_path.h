/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "import.h"

/* A value that a script writes to one of the kernel's files, and what becomes of it. */
struct writing {
	const struct node *node;
	const char *path;
	const char *value; /* without blanks around it */
};

typedef enum truth writer(struct import *im, const struct writing *w);

struct path_writer {
	const char *pattern; /* NULL: the end of a table */
	writer *write;
};

/* Files of PCI functions and drivers, by name; the others are in import_path.c. */
extern const struct path_writer import_pci_writers[];

bool path_goes_down(const struct import *im);
/* The step KEY, with WORD unless that is NULL. */
enum truth path_step(struct import *im, const struct writing *w, const char *key,
		     const char *word);
/* The part of the path behind PREFIX, up to the next slash; "": no such prefix. */
char *path_component(struct import *im, const char *path, const char *prefix);
/* That behind "/devices/". */
char *path_device(struct import *im, const struct writing *w);
/* import_path_cpu.c: the step KEY, for the CPUs that the path names. */
enum truth path_cpus(struct import *im, const struct writing *w, const char *key);
writer path_irq;
/* As it is, for a file that no step of its own serves. */
writer path_sysfs;
