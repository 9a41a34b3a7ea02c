/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the kernel's own counts tell that nobody holds a device.
 */
#include "holders_nodes.h"
#include "kmod.h"

/* Nobody can have opened what the kernel offers no file for. */
static bool is_there(const struct host *host, const struct node *node)
{
	if (str_after(node->path, "/dev/i2c-"))
		return host_exists(host, "/sys/class/i2c-dev/%s", path_base(node->path));
	return !node->is_vfio || host_exists(host, "%s", node->path);
}

/* As far as no module's count tells. */
static bool is_free(const struct host *host, const struct node *node, bool blocking)
{
	return node->hold == NODE_COUNTED || (node->hold == NODE_HARMLESS && blocking) ||
	       !is_there(host, node);
}

/* A driver that is built in counts nobody. */
static bool driver_is_free(const struct host *host, const char *driver)
{
	char module[64];

	return pci_driver_module(host, driver, module, sizeof(module)) == 0 &&
	       kmod_refcount(host, module) == 0;
}

static bool has_counted(const struct node_list *nodes, const char *function)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (nodes->node[i].hold == NODE_COUNTED &&
		    streq(nodes->node[i].function, function))
			return true;
	return false;
}

/* libvirt may have passed QEMU a device's descriptor without its group's. */
static bool function_is_free(const struct host *host, const char *function,
			     const struct node_list *nodes, bool blocking)
{
	char driver[64];

	if (host_link_name(host, driver, sizeof(driver), "/sys/bus/pci/devices/%s/driver",
			   function) < 0)
		return true;
	if (pci_driver_is_vfio(host, function, driver))
		return blocking && driver_is_free(host, driver);
	return !has_counted(nodes, function) || driver_is_free(host, driver);
}

bool nodes_are_free(const struct host *host, const struct pci_list *functions,
		    const struct node_list *nodes, bool blocking)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (!is_free(host, &nodes->node[i], blocking))
			return false;
	for (size_t i = 0; i < functions->n; i++)
		if (!function_is_free(host, functions->fn[i].name, nodes, blocking))
			return false;
	return true;
}
