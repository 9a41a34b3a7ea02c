/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parser at work: domain.c drives expat, domain_element.c knows the elements. */

#include <expat.h>

#include "domain.h"

#define PATH_LEN 256
#define TEXT_LEN 4096

struct parser {
	XML_Parser xml;
	struct domain *domain;
	char path[PATH_LEN]; /* "/domain/devices/hostdev" */
	unsigned depth;
	unsigned too_deep; /* elements below a path that does not fit: none of ours */
	char text[TEXT_LEN];
	size_t text_len;
	uint64_t unit; /* of the size whose text is read */
	bool have_memory;
	size_t cells_seen;

	/* The <hostdev> or <interface> that is open. */
	struct hostdev device;
	bool is_hostdev, is_pci, have_address;
	struct error *err;
	int result;
};

/* Ends the parsing, with the place in the XML; the first reason stays. */
void parser_stop(struct parser *parser, const char *fmt, ...) _printf_(2, 3);
void parser_stop_oom(struct parser *parser);

/* The path has grown by an element; the element at its end is complete. */
void element_begin(struct parser *parser, const char **atts);
void element_end(struct parser *parser);

/* Of an element: the value, or NULL. */
const char *attribute(const char **atts, const char *name);
bool attribute_is(const char **atts, const char *name, const char *value);
/* An element at PATH below <domain>, "" for itself, if it is one of <cpu> or <features>. */
void features_begin(struct domain_features *features, const char *path, const char **atts);
/* The element's text without white space around it. */
char *trimmed(struct parser *parser);

/* Those at PATH below <domain> that tell of memory; the whole of the domain was read. */
void memory_begin(struct parser *parser, const char *path, const char **atts);
void memory_end(struct parser *parser, const char *path);
void memory_finish(struct parser *parser);
/* Is the text of the element at PATH below <domain> one that memory_end() takes? */
bool memory_has_text(const char *path);
void memory_done(struct domain *domain);
