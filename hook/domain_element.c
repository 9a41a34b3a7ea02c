/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The elements of a domain's XML that matter to us, each at its own place only.
 */
#include "domain_parser.h"

const char *attribute(const char **atts, const char *name)
{
	for (; *atts; atts += 2) {
		if (streq(atts[0], name))
			return atts[1];
	}
	return NULL;
}

bool attribute_is(const char **atts, const char *name, const char *value)
{
	const char *found = attribute(atts, name);

	return found && streq(found, value);
}

/*
 * One part of a PCI address. libvirt writes 0x…, and reads with base 0 as strtoul()
 * does; a missing part is 0.
 */
static bool address_part(struct parser *parser, const char **atts, const char *name,
			 unsigned long max, unsigned long *ret)
{
	const char *value = attribute(atts, name);
	char *end;
	unsigned long n;

	*ret = 0;
	if (!value)
		return true;
	errno = 0;
	n = strtoul(value, &end, 0);
	if (*value < '0' || *value > '9' || *end || errno || n > max) {
		parser_stop(parser,
			    "%s='%.32s' of a PCI address is no number up to 0x%lx", name,
			    value, max);
		return false;
	}
	*ret = n;
	return true;
}

static void on_source_address(struct parser *parser, const char **atts)
{
	const char *type = attribute(atts, "type");
	unsigned long domain, bus, slot, function;

	if (type && !streq(type, "pci")) {
		parser->is_pci = false; /* an <interface> may be of a USB device */
		return;
	}
	if (!attribute(atts, "bus") || !attribute(atts, "slot")) {
		parser_stop(parser,
			    "the source address of a PCI device has no bus or slot");
		return;
	}
	if (!address_part(parser, atts, "domain", UINT32_MAX, &domain) ||
	    !address_part(parser, atts, "bus", 0xff, &bus) ||
	    !address_part(parser, atts, "slot", 0x1f, &slot) ||
	    !address_part(parser, atts, "function", 7, &function))
		return;
	parser->device.addr = (struct pci_addr){
		.domain = (uint32_t)domain,
		.bus = (uint8_t)bus,
		.device = (uint8_t)slot,
		.function = (uint8_t)function,
	};
	parser->have_address = true;
}

static void on_device(struct parser *parser, const char **atts, bool is_hostdev,
		      bool is_pci)
{
	free(parser->device.model); /* of a network interface that was no PCI device */
	parser->device =
		(struct hostdev){ .managed = attribute_is(atts, "managed", "yes") };
	parser->is_hostdev = is_hostdev;
	parser->is_pci = is_pci;
	parser->have_address = false;
}

static void on_hostdev(struct parser *parser, const char **atts)
{
	const char *mode = attribute(atts, "mode");

	on_device(parser, atts, true,
		  (!mode || streq(mode, "subsystem")) &&
			  attribute_is(atts, "type", "pci"));
}

static void on_interface(struct parser *parser, const char **atts)
{
	bool is_hostdev = attribute_is(atts, "type", "hostdev");

	on_device(parser, atts, is_hostdev, is_hostdev);
}

static void on_driver(struct parser *parser, const char **atts)
{
	const char *name = attribute(atts, "name"), *model = attribute(atts, "model");

	if (!model || (name && !streq(name, "vfio")))
		return;
	free(parser->device.model);
	parser->device.model = strdup(model);
	if (!parser->device.model)
		parser_stop_oom(parser);
}

static void device_end(struct parser *parser)
{
	struct domain *domain = parser->domain;
	struct hostdev *device = &parser->device;

	if (!parser->is_pci) {
		domain->n_other_hostdevs += parser->is_hostdev;
		free(STEAL(device->model));
		return;
	}
	if (!parser->have_address) {
		parser_stop(parser, "a PCI hostdev without <source><address/></source>");
		return;
	}
	pci_format_addr(&device->addr, device->name);
	if (array_grow(&domain->hostdevs, domain->n_hostdevs, sizeof(*device)) < 0) {
		parser_stop_oom(parser);
		return;
	}
	domain->hostdevs[domain->n_hostdevs++] = *device;
	*device = (struct hostdev){ 0 };
}

static void on_pin(struct parser *parser, struct strv *list, const char **atts)
{
	const char *cpus = attribute(atts, "cpuset");

	if (cpus && strv_add(list, cpus) < 0)
		parser_stop_oom(parser);
}

static void on_vcpupin(struct parser *parser, const char **atts)
{
	struct domain *domain = parser->domain;

	on_pin(parser, &domain->vcpupin, atts);
	if (domain->vcpupin.n > domain->pinned_vcpus.n &&
	    strv_add(&domain->pinned_vcpus, attribute(atts, "vcpu") ?: "") < 0)
		parser_stop_oom(parser);
}

void element_begin(struct parser *parser, const char **atts)
{
	struct domain *domain = parser->domain;
	const char *path = str_after(parser->path, "/domain"), *device;

	if (!path)
		return;
	features_begin(&domain->features, path, atts);
	memory_begin(parser, path, atts);
	if (streq(path, "/cpu/topology"))
		domain->threads =
			(unsigned)strtoul(attribute(atts, "threads") ?: "0", NULL, 10);
	else if (streq(path, "/devices/memballoon"))
		domain->balloon = !attribute_is(atts, "model", "none");
	else if (streq(path, "/cputune/vcpupin"))
		on_vcpupin(parser, atts);
	else if (streq(path, "/cputune/emulatorpin"))
		on_pin(parser, &domain->emulatorpin, atts);
	else if (streq(path, "/cputune/iothreadpin"))
		on_pin(parser, &domain->iothreadpin, atts);
	else if (streq(path, "/devices/hostdev"))
		on_hostdev(parser, atts);
	else if (streq(path, "/devices/interface"))
		on_interface(parser, atts);

	device = str_after(path, "/devices/hostdev") ?:
			 str_after(path, "/devices/interface");
	if (device && parser->is_pci && streq(device, "/source/address"))
		on_source_address(parser, atts);
	else if (device && parser->is_pci && streq(device, "/driver"))
		on_driver(parser, atts);
}

char *trimmed(struct parser *parser)
{
	char *text = parser->text;

	text[parser->text_len] = '\0';
	while (parser->text_len > 0 && strchr(" \t\r\n", text[parser->text_len - 1]))
		text[--parser->text_len] = '\0';
	return text + strspn(text, " \t\r\n");
}

/* libvirt strips nothing from a name, so neither do we. */
static void take_text(struct parser *parser, char **ret, bool trim, bool lower)
{
	char *text;

	if (*ret)
		return; /* libvirt reads name[1], too */
	parser->text[parser->text_len] = '\0';
	text = trim ? trimmed(parser) : parser->text;
	*ret = strdup(text);
	if (!*ret) {
		parser_stop_oom(parser);
		return;
	}
	for (char *p = *ret; lower && *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	}
}

void element_end(struct parser *parser)
{
	const char *path = str_after(parser->path, "/domain");

	if (!path)
		return;
	memory_end(parser, path);
	if (streq(path, "/name"))
		take_text(parser, &parser->domain->name, false, false);
	else if (streq(path, "/uuid"))
		take_text(parser, &parser->domain->uuid, true, true);
	else if (streq(path, "/vcpu"))
		parser->domain->vcpus = (unsigned)strtoul(trimmed(parser), NULL, 10);
	else if (streq(path, "/devices/hostdev") || streq(path, "/devices/interface"))
		device_end(parser);
}
