/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What we need of libvirt's domain XML. An element counts only at its own place: guests
 * may carry anything below <metadata>, and a hostdev's <address> outside <source> is the
 * guest's side of it. The path from the root is kept as text, so a place is a string.
 */
#include "domain_parser.h"

#define DEPTH_MAX 64
#define XML_MAX_BYTES (16 * 1024 * 1024)

void parser_stop(struct parser *parser, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (parser->result == 0)
		parser->result = error_set(parser->err, -EINVAL,
					   "domain XML, line %lu, column %lu: %s",
					   XML_GetCurrentLineNumber(parser->xml),
					   XML_GetCurrentColumnNumber(parser->xml) + 1,
					   text);
	XML_StopParser(parser->xml, XML_FALSE);
}

void parser_stop_oom(struct parser *parser)
{
	if (parser->result == 0)
		parser->result = error_oom(parser->err);
	XML_StopParser(parser->xml, XML_FALSE);
}

static void XMLCALL on_start(void *user, const char *name, const char **atts)
{
	struct parser *parser = user;
	size_t len = strlen(parser->path);

	if (++parser->depth > DEPTH_MAX) {
		parser_stop(parser, "elements nested more than %d deep", DEPTH_MAX);
		return;
	}
	if (parser->depth == 1 && !streq(name, "domain")) {
		parser_stop(parser, "the root element is <%.32s>, not <domain>", name);
		return;
	}
	if (parser->too_deep > 0 || len + 1 + strlen(name) >= sizeof(parser->path)) {
		parser->too_deep++;
		return;
	}
	snprintf(parser->path + len, sizeof(parser->path) - len, "/%s", name);
	parser->text_len = 0;
	element_begin(parser, atts);
}

static void XMLCALL on_end(void *user, const char *name _unused_)
{
	struct parser *parser = user;

	parser->depth--;
	if (parser->too_deep > 0) {
		parser->too_deep--;
		return;
	}
	element_end(parser);
	*strrchr(parser->path, '/') = '\0';
	parser->text_len = 0;
}

static void XMLCALL on_text(void *user, const char *text, int len)
{
	struct parser *parser = user;
	size_t room = sizeof(parser->text) - 1 - parser->text_len;
	const char *path = str_after(parser->path, "/domain/");

	if (!path || parser->too_deep > 0 ||
	    !(streq(path, "name") || streq(path, "uuid") || streq(path, "vcpu") ||
	      memory_has_text(path)))
		return;
	if ((size_t)len > room) {
		parser_stop(parser, "<%s> holds more than %d characters", path_base(path),
			    TEXT_LEN - 1);
		return;
	}
	memcpy(parser->text + parser->text_len, text, (size_t)len);
	parser->text_len += (size_t)len;
}

/* libvirt writes none, and entities are how a small text becomes a large one. */
static void XMLCALL on_doctype(void *user, const char *name _unused_,
			       const char *sysid _unused_, const char *pubid _unused_,
			       int has_subset _unused_)
{
	parser_stop(user, "a DOCTYPE, which no domain XML has");
}

static int parse(struct parser *parser, const char *xml, size_t len)
{
	if (len > XML_MAX_BYTES)
		return error_set(parser->err, -EINVAL,
				 "domain XML of %zu bytes, at most %d are "
				 "read",
				 len, XML_MAX_BYTES);
	XML_SetUserData(parser->xml, parser);
	XML_SetElementHandler(parser->xml, on_start, on_end);
	XML_SetCharacterDataHandler(parser->xml, on_text);
	XML_SetStartDoctypeDeclHandler(parser->xml, on_doctype);
	if (XML_Parse(parser->xml, xml, (int)len, XML_TRUE) != XML_STATUS_OK) {
		enum XML_Error code = XML_GetErrorCode(parser->xml);

		if (code == XML_ERROR_NO_MEMORY)
			parser_stop_oom(parser);
		else
			parser_stop(parser, "%s",
				    len > 0 ? XML_ErrorString(code) : "it is empty");
	}
	if (parser->result == 0 && (!parser->domain->name || !*parser->domain->name))
		parser_stop(parser, "no <name> below <domain>");
	if (parser->result == 0)
		memory_finish(parser);
	return parser->result;
}

int domain_parse(const char *xml, size_t len, struct domain *ret, struct error *err)
{
	_cleanup_(domain_done) struct domain domain = { 0 };
	_cleanup_free_ struct parser *parser = calloc(1, sizeof(*parser));
	int r;

	if (!parser)
		return error_oom(err);
	parser->domain = &domain;
	parser->err = err;
	parser->xml = XML_ParserCreate(NULL);
	if (!parser->xml)
		return error_oom(err);
	r = parse(parser, xml, len);
	XML_ParserFree(parser->xml);
	free(parser->device.model);
	if (r < 0)
		return r;
	*ret = domain;
	domain = (struct domain){ 0 };
	return 0;
}

bool domain_has_device(const struct domain *domain, const char *name)
{
	for (size_t i = 0; i < domain->n_hostdevs; i++)
		if (streq(domain->hostdevs[i].name, name))
			return true;
	return false;
}

void domain_done(struct domain *domain)
{
	for (size_t i = 0; i < domain->n_hostdevs; i++)
		free(domain->hostdevs[i].model);
	free(domain->hostdevs);
	memory_done(domain);
	strv_done(&domain->vcpupin);
	strv_done(&domain->pinned_vcpus);
	strv_done(&domain->emulatorpin);
	strv_done(&domain->iothreadpin);
	free(domain->name);
	free(domain->uuid);
	*domain = (struct domain){ 0 };
}
