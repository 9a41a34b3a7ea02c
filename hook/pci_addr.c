/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI addresses and ids, as people, sysfs and libvirt write them.
 */
#include <ctype.h>

#include "pci.h"

/* Between MIN and MAX hex digits at *P, which moves behind them. */
static int parse_hex(const char **p, unsigned min, unsigned max, uint32_t *ret)
{
	const char *s = *p;
	uint32_t value = 0;
	unsigned n;

	for (n = 0; n < max && isxdigit((unsigned char)s[n]); n++)
		value = value << 4 | (uint32_t)(isdigit((unsigned char)s[n]) ?
							s[n] - '0' :
							(s[n] | 0x20) - 'a' + 10);
	if (n < min)
		return -EINVAL;
	*p = s + n;
	*ret = value;
	return 0;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

/* BB:DD.F, with SEPARATOR for ':' and DOT for '.'. */
static int parse_bus_part(const char *p, char separator, char dot, struct pci_addr *ret,
			  bool *ret_all)
{
	uint32_t bus, device, function = 0;
	bool all;

	if (parse_hex(&p, 2, 2, &bus) < 0 || !skip(&p, separator) ||
	    parse_hex(&p, 2, 2, &device) < 0 || device > 0x1f || !skip(&p, dot))
		return -EINVAL;
	all = ret_all && skip(&p, '*');
	if (!all && (parse_hex(&p, 1, 1, &function) < 0 || function > 7))
		return -EINVAL;
	if (*p)
		return -EINVAL;
	ret->bus = (uint8_t)bus;
	ret->device = (uint8_t)device;
	ret->function = (uint8_t)function;
	if (ret_all)
		*ret_all = all;
	return 0;
}

int pci_parse_addr(const char *s, struct pci_addr *ret, bool *ret_all)
{
	const char *libvirt = str_after(s, "pci_"), *p = libvirt ? libvirt : s;
	char separator = libvirt ? '_' : ':';
	struct pci_addr addr = { 0 };

	if (parse_hex(&p, 4, 8, &addr.domain) < 0) {
		if (libvirt)
			return -EINVAL;
	} else if (!skip(&p, separator)) {
		return -EINVAL;
	}
	if (parse_bus_part(p, separator, libvirt ? '_' : '.', &addr, ret_all) < 0)
		return -EINVAL;
	*ret = addr;
	return 0;
}

int pci_parse_id(const char *s, uint16_t *ret_vendor, uint16_t *ret_device)
{
	uint32_t vendor, device;

	if (parse_hex(&s, 4, 4, &vendor) < 0 || !skip(&s, ':') ||
	    parse_hex(&s, 4, 4, &device) < 0 || *s)
		return -EINVAL;
	*ret_vendor = (uint16_t)vendor;
	*ret_device = (uint16_t)device;
	return 0;
}

bool pci_same_slot(const struct pci_addr *a, const struct pci_addr *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device;
}

void pci_format_addr(const struct pci_addr *addr, char buf[PCI_ADDR_LEN])
{
	snprintf(buf, PCI_ADDR_LEN, "%04x:%02x:%02x.%x", addr->domain,
		 (unsigned)addr->bus, addr->device & 0x1fU, addr->function & 7U);
}
