/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `check` finds in the memory of a guest: its pages, and the nodes that they are on.
 */
#include "machine.h"

static void memory(const char *text, const char *parts)
{
	_cleanup_free_ char *xml = NULL;

	ck_assert_int_gt(asprintf(&xml,
				  "<domain type='kvm'><name>win10</name><uuid>" UUID
				  "</uuid>"
				  "<memory unit='MiB'>%s</memory>" PASSTHROUGH
				  "<memoryBacking><hugepages/></memoryBacking>%s</domain>",
				  text, parts),
			 0);
	faketree_file(xml, "/etc/libvirt/qemu/win10.xml");
}

START_TEST(check_whole_pages)
{
	install("\177ELF", 0755);
	faketree_hugepages(2048, 100, 100);
	faketree_file("Hugepagesize: 2048 kB\n", "/proc/meminfo");
	memory("5", "");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has(
		"  warning  the guest: 5 MiB are no multiple of the 2 MiB of a huge page");
	assert_has("in <domain>\n             <memory unit='KiB'>6144</memory>\n");
	memory("6", "<cpu><numa><cell id='0' memory='3' unit='MiB'/>"
		    "<cell id='1' memory='4096' unit='KiB'/></numa></cpu>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("cell 0: 3 MiB are no multiple");
	assert_has("             <cell id='0' memory='4096' unit='KiB'/>\n");
	assert_hasnt("cell 1: ");
	/* The step has its own warning; here is the line. */
	steps("hugepages.allocate =");
	memory("6", "<maxMemory slots='4' unit='MiB'>10</maxMemory>");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_has("for all of them in place of it\n"
		   "             hugepages.allocate = memory=10M\n");
	memory("5", "");
	ck_assert_int_eq(command("check win10"), STATUS_OK);
	assert_hasnt("no multiple");
	assert_has(
		"  advice   the guest would be a whole number of pages of 2 MiB with, in "
		"<domain>\n             <memory unit='KiB'>6144</memory>\n");
	memory("6", "");
	command("check win10");
	assert_hasnt("whole number");
}
END_TEST

#define GIB "<page size='1' unit='G'/>"

START_TEST(check_page_sizes)
{
	install("\177ELF", 0755);
	domain(PASSTHROUGH "<memoryBacking><hugepages>" GIB
			   "</hugepages></memoryBacking>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("in place of its <memoryBacking>\n             <memoryBacking/>\n");
	faketree_hugepages(64, 0, 100);
	faketree_hugepages(2048, 0, 100);
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has(
		"  problem  the XML asks for huge pages of 1 GiB, which this kernel does "
		"not have");
	assert_has("in place of its <page>\n"
		   "             <page size='2048' unit='KiB'/>\n");
	memory("1028", "<devices><memory model='dimm'><source><pagesize "
		       "unit='GiB'>1</pagesize></source><target><size "
		       "unit='GiB'>1</size><node>0</node></target></memory></devices>"
		       "<cpu><numa><cell id='0' memory='4' unit='MiB'/></numa></cpu>");
	faketree_file("Hugepagesize: 2048 kB\n", "/proc/meminfo");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("in place of its <pagesize>\n"
		   "             <pagesize unit='KiB'>2048</pagesize>\n");
}
END_TEST

#define CELLS                                                                     \
	"<cpu mode='host-passthrough'><numa><cell id='0' memory='4' unit='MiB'/>" \
	"<cell id='1' memory='4' unit='MiB'/></numa></cpu>"                       \
	"<memoryBacking><hugepages/></memoryBacking>"
#define MEMNODE(cell, node) \
	"<memnode cellid='" cell "' mode='strict' nodeset='" node "'/>"

/* The parts of the guest's memory on nodes: of two, there are 0 and 1. */
START_TEST(check_nodes)
{
	install("\177ELF", 0755);
	faketree_hugepages(2048, 100, 100);
	faketree_file("Hugepagesize: 2048 kB\n", "/proc/meminfo");
	faketree_file("0-1\n", "/sys/devices/system/node/online");
	for (unsigned i = 0; i < 2; i++) {
		char text[96];

		snprintf(text, sizeof(text),
			 "Node %u MemTotal: 800000 kB\nNode %u MemFree: 400000 kB\n", i,
			 i);
		faketree_file(text, "/sys/devices/system/node/node%u/meminfo", i);
	}
	domain(CELLS "<numatune>" MEMNODE("0", "0") MEMNODE("1", "1,7") "</numatune>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has(
		"  problem  the XML puts the memory of cell 1 on NUMA node 7, which this "
		"host does not have: libvirt would refuse to start; in <numatune>\n"
		"             " MEMNODE("1", "1") "\n");
	domain("<numatune><memory mode='interleave' nodeset='7'/></numatune>");
	ck_assert_int_eq(command("check win10"), STATUS_FAILED);
	assert_has("             <memory mode='interleave' nodeset='0-1'/>\n");
	domain(CELLS "<numatune>" MEMNODE("1", "1") "</numatune>");
	command("check win10");
	assert_has("  warning  cell 0 is filled before cell 1 and may take the huge pages "
		   "that lie on that one's NUMA node: bind it, too, in <numatune>\n"
		   "             " MEMNODE("0", "0") "\n");
	domain(CELLS "<numatune>" MEMNODE("0", "0") MEMNODE("1", "1") "</numatune>");
	command("check win10");
	assert_hasnt("is filled before");
}
END_TEST

/* Who never asks finds it in the log: pages that nobody allocates, or that nobody uses. */
START_TEST(the_hook_logs_pages)
{
	install("\177ELF", 0755);
	faketree_hugepages(2048, 0, 100);
	faketree_file("MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n"
		      "Hugepagesize: 2048 kB\n",
		      "/proc/meminfo");
	memory("4", "");
	steps("wait.for = path=/etc");
	hook_prepares();
	assert_has(
		"WARNING check: the XML asks for 2 huge pages of 2 MiB, 0 are free, and "
		"no step allocates any: add to [prepare/begin]\n");
	ck_assert_int_eq(command("run win10 release"), STATUS_OK);
	steps("hugepages.allocate = memory=4M");
	hook_prepares();
	assert_hasnt("WARNING hugepages.allocate");
	ck_assert_int_eq(command("run win10 release"), STATUS_OK);
	domain(PASSTHROUGH);
	hook_prepares();
	assert_has("WARNING hugepages.allocate: the guest will not use the pages: its XML "
		   "has no <memoryBacking><hugepages/>\n");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, check_whole_pages);
	tcase_add_test(tc, check_page_sizes);
	tcase_add_test(tc, check_nodes);
	tcase_add_test(tc, the_hook_logs_pages);
}

int main(void)
{
	return machine_run("advice_memory", add);
}
