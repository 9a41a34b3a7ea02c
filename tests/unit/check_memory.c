/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a guest's memory is to be where, by its XML; and hugepages.allocate on a host
 * of two NUMA nodes.
 */
#include "advice.h"
#include "cpus.h"
#include "faketree.h"
#include "guest_goals.h"
#include "phase_of.h"
#include "suite.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define GUEST(xml) \
	"<domain type='kvm'><name>win10</name><uuid>" UUID "</uuid>" xml "</domain>"
#define BACKING(pages) "<memoryBacking><hugepages>" pages "</hugepages></memoryBacking>"
#define NUMA(cells) "<cpu><numa>" cells "</numa></cpu>"
#define CELL(id, mib) "<cell id='" #id "' memory='" #mib "' unit='MiB'/>"
#define DEVICE(model, source, target)                                                   \
	"<devices><memory model='" model "'><source>" source "</source><target>" target \
	"</target></memory></devices>"

static struct host host;

static void pool(const char *dir, unsigned size_kb)
{
	faketree_file("0\n", "%s/hugepages-%ukB/nr_hugepages", dir, size_kb);
	faketree_file("0\n", "%s/hugepages-%ukB/free_hugepages", dir, size_kb);
	faketree_file("0\n", "%s/hugepages-%ukB/surplus_hugepages", dir, size_kb);
}

static void node_memory(unsigned node, unsigned free_mib)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "Node %u MemTotal: 16777216 kB\nNode %u MemFree: %u kB\n", node, node,
		 free_mib * 1024);
	faketree_file(text, "/sys/devices/system/node/node%u/meminfo", node);
}

static void setup(void)
{
	static const unsigned sizes[] = { 2048, 1048576 };

	faketree_new(&host);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		faketree_hugepages(sizes[i], 0, 10000);
		pool("/sys/devices/system/node/node0/hugepages", sizes[i]);
		pool("/sys/devices/system/node/node1/hugepages", sizes[i]);
	}
	faketree_file("0-1\n", "/sys/devices/system/node/online");
	node_memory(0, 12000);
	node_memory(1, 12000);
	faketree_file("MemTotal: 33554432 kB\nMemAvailable: 25165824 kB\n"
		      "Hugepagesize: 2048 kB\n",
		      "/proc/meminfo");
}

static void teardown(void)
{
	faketree_free();
}

/* --- the parts ------------------------------------------------------------- */

static const struct {
	const char *xml, *parts;
} cases[] = {
	{ GUEST("<memory>4096</memory>"), "the guest: 4096, strict" },
	{ GUEST("<memory>4096</memory>" BACKING("")), "the guest: 4096 of 2048, strict" },
	{ GUEST("<memory>4096</memory>" BACKING("<page size='1' unit='G'/>")),
	  "the guest: 4096 of 1048576, strict" },
	/* the size of an ordinary page is no huge page; cell 0 stands for all without cells */
	{ GUEST("<memory>4096</memory>" BACKING("<page size='4'/>")),
	  "the guest: 4096, strict" },
	{ GUEST("<memory>4096</memory>" BACKING("<page size='2048' nodeset='0'/>")),
	  "the guest: 4096 of 2048, strict" },
	/* each cell its size, the page without nodeset is for the others */
	{ GUEST(BACKING("<page size='2048'/><page size='1048576' nodeset='1,3'/>"
			"<page size='4' nodeset='2'/>")
			NUMA(CELL(0, 1) CELL(1, 2) CELL(2, 3) CELL(3, 4))),
	  "cell 0: 1024 of 2048, strict; cell 1: 2048 of 1048576, strict; "
	  "cell 2: 3072, strict; cell 3: 4096 of 1048576, strict" },
	/* none for the others: they are of ordinary memory */
	{ GUEST(BACKING("<page size='2048' nodeset='1'/>") NUMA(CELL(0, 1) CELL(1, 2))),
	  "cell 0: 1024, strict; cell 1: 2048 of 2048, strict" },
	/* where: its memnode, else the domain's */
	{ GUEST(BACKING("") "<numatune><memory mode='interleave' nodeset='0-1'/>"
			    "<memnode cellid='1' mode='preferred' nodeset='1'/>"
			    "<memnode cellid='2' nodeset='0'/></numatune>" NUMA(
				    CELL(0, 1) CELL(1, 2) CELL(2, 3))),
	  "cell 0: 1024 of 2048, interleave 0-1; cell 1: 2048 of 2048, preferred 1; "
	  "cell 2: 3072 of 2048, strict 0" },
	{ GUEST("<memory>4096</memory>" BACKING(
		  "") "<numatune><memory mode='restrictive' nodeset='1'/></numatune>"),
	  "the guest: 4096 of 2048, restrictive 1" },
	{ GUEST("<memory>4096</memory><numatune><memory placement='auto'/></numatune>"),
	  "the guest: 4096, strict" },
	/* a dimm: <memory> holds it, it may say all itself, and is else as its cell */
	{ GUEST("<memory unit='MiB'>4</memory>" DEVICE(
		  "dimm", "<pagesize>2048</pagesize><nodemask>1</nodemask>",
		  "<size unit='MiB'>1</size>")),
	  "the guest: 3072, strict; dimm 0: 1024 of 2048, strict 1" },
	{ GUEST(BACKING("<page size='2048' nodeset='1'/>") "<numatune><memnode cellid='1' nodeset='0'/></numatune>" NUMA(
		  CELL(0, 1) CELL(1, 1))
			DEVICE("dimm", "", "<size>512</size><node>1</node>")),
	  "cell 0: 1024, strict; cell 1: 1024 of 2048, strict 0; "
	  "dimm 0 of cell 1: 512 of 2048, strict 0" },
	/* a virtio-mem begins with what is requested; an nvdimm has a file of its own */
	{ GUEST("<memory unit='MiB'>8</memory>" BACKING("") DEVICE(
		  "virtio-mem", "",
		  "<size unit='MiB'>6</size><requested unit='MiB'>4</requested>")),
	  "the guest: 2048 of 2048, strict; virtio-mem 0: 4096 of 2048, strict" },
	{ GUEST("<memory unit='MiB'>8</memory>" BACKING("")
			DEVICE("nvdimm", "<path>/x</path>", "<size unit='MiB'>6</size>")),
	  "the guest: 2048 of 2048, strict" },
};

static char *parts_text(const struct guest_memory *memory)
{
	static const char *const modes[] = { "strict", "restrictive", "preferred",
					     "interleave" };
	_cleanup_strv_ struct strv list = {};

	for (size_t i = 0; i < memory->n; i++) {
		const struct guest_part *part = &memory->parts[i];
		_cleanup_free_ char *nodes = part->nodes ? cpus_text(part->nodes) : NULL;
		char page[32] = "";

		if (part->page_size)
			snprintf(page, sizeof(page), " of %u",
				 (unsigned)(part->page_size >> 10));
		strv_addf(&list, "%s: %u%s, %s%s%s", part->name,
			  (unsigned)(part->bytes >> 10), page, modes[part->mode],
			  nodes ? " " : "", nodes ?: "");
	}
	return strv_join(&list, "; ");
}

START_TEST(parts)
{
	_cleanup_(guest_memory_done) struct guest_memory memory = {};
	_cleanup_(domain_done) struct domain domain = {};
	_cleanup_error_ struct error err = {};
	_cleanup_free_ char *text = NULL;
	const char *xml = cases[_i].xml;

	ck_assert_msg(domain_parse(xml, strlen(xml), &domain, &err) == 0, "%s",
		      error_text(&err));
	ck_assert_msg(guest_memory_read(&host, &domain, &memory, &err) == 0, "%s",
		      error_text(&err));
	text = parts_text(&memory);
	ck_assert_str_eq(text, cases[_i].parts);
}
END_TEST

START_TEST(no_huge_pages_in_the_kernel)
{
	_cleanup_(guest_memory_done) struct guest_memory memory = {};
	_cleanup_(domain_done) struct domain domain = {};
	const char *xml = cases[1].xml;

	faketree_file("MemTotal: 1 kB\n", "/proc/meminfo");
	ck_assert_int_eq(domain_parse(xml, strlen(xml), &domain, NULL), 0);
	ck_assert_int_eq(guest_memory_read(&host, &domain, &memory, NULL), -ENODEV);
}
END_TEST

/* --- the step -------------------------------------------------------------- */

static char *findings_text;

static void take_findings(struct call *call)
{
	struct findings findings = {};
	size_t size;
	FILE *out;

	free(findings_text);
	out = open_memstream(&findings_text, &size);
	advise_memory(call, &findings);
	findings_print(&findings, out);
	fclose(out);
	findings_done(&findings);
}

/* STEP in [prepare/begin]; check only, or really. */
static int run_phase(const char *operation, const char *step, const char *xml, bool check,
		     struct error *err)
{
	struct event event = {};
	char config[512];
	struct call call;
	int r;

	snprintf(config, sizeof(config), "[prepare/begin]\n%s\n", step);
	faketree_file(config, "/etc/libvirt/hooks/conf.d/win10.ini");
	event_init(&event, "win10", operation,
		   streq(operation, "prepare") ? "begin" : "end", "-");
	r = phase_open(&call, host.root, &event, xml, err);
	call.run.owner = getpid();
	if (r == 0 && check)
		take_findings(&call);
	else if (r == 0)
		r = phase_run(&call.run, err);
	call_done(&call);
	return r;
}

static void prepare(const char *step, const char *xml)
{
	_cleanup_error_ struct error err = {};

	ck_assert_msg(run_phase("prepare", step, xml, false, &err) == 0, "%s",
		      error_text(&err));
}

static void release(const char *xml)
{
	_cleanup_error_ struct error err = {};

	ck_assert_msg(run_phase("release", "", xml, false, &err) == 0, "%s",
		      error_text(&err));
}

static void refused(const char *step, const char *xml, const char *text)
{
	_cleanup_error_ struct error err = {};

	ck_assert_int_lt(run_phase("prepare", step, xml, false, &err), 0);
	ck_assert_msg(strstr(error_text(&err), text), "%s", error_text(&err));
	ck_assert_ptr_null(strchr(error_text(&err), '\n'));
}

static void assert_pages(unsigned node, unsigned size_kb, const char *wanted)
{
	ck_assert_str_eq(faketree_read("/sys/devices/system/node/node%u/hugepages/"
				       "hugepages-%ukB/nr_hugepages",
				       node, size_kb),
			 wanted);
}

/* Cells on nodes, of two sizes, and a dimm: each pool has its own, and gives it back. */
START_TEST(each_cell_its_pages)
{
	static const char xml[] = GUEST(BACKING(
		"<page size='2048'/><page size='1048576' nodeset='1'/>") "<numatune><memnode cellid='0' nodeset='0'/>"
									 "<memnode cellid='1' nodeset='1'/></numatune>" NUMA(
										 CELL(0, 64) CELL(
											 1,
											 2048))
										 DEVICE("dimm",
											"<nodemask>1</nodemask>",
											"<size unit='MiB'>6</size><node>0</node>"));
	_cleanup_free_ char *before = faketree_snapshot(), *after = NULL;

	prepare("hugepages.allocate =", xml);
	assert_pages(0, 2048, "32");
	assert_pages(1, 2048, "3");
	assert_pages(0, 1048576, "0");
	assert_pages(1, 1048576, "2");
	release(xml);
	after = faketree_snapshot();
	ck_assert_str_eq(after, before);
}
END_TEST

/* What is said in the step is so, whatever the XML says. */
START_TEST(the_step_overrides)
{
	static const char xml[] =
		GUEST(BACKING("<page size='1048576'/>") "<numatune><memnode cellid='0' "
							"nodeset='0'/></numatune>" NUMA(
								CELL(0, 64) CELL(1, 64)));

	prepare("hugepages.allocate = size=2M node=1", xml);
	assert_pages(0, 2048, "0");
	assert_pages(1, 2048, "64");
	release(xml);
	prepare("hugepages.allocate = size=2M memory=8M", xml);
	assert_pages(0, 2048, "2");
	assert_pages(1, 2048, "2");
	release(xml);
	assert_pages(0, 2048, "0");
	assert_pages(1, 2048, "0");
}
END_TEST

/* Preferred: there first, and what is not to be had there from the others. */
START_TEST(preferred)
{
	static const char xml[] = GUEST("<memory unit='MiB'>20</memory>" BACKING(
		"") "<numatune><memory mode='preferred' nodeset='1'/></numatune>");

	prepare("hugepages.allocate =", xml);
	assert_pages(0, 2048, "0");
	assert_pages(1, 2048, "10");
	release(xml);
	faketree_file("6\n", "/.fake/pages-2048kB");
	prepare("hugepages.allocate =", xml);
	assert_pages(0, 2048, "4");
	assert_pages(1, 2048, "6");
	release(xml);
	assert_pages(0, 2048, "0");
	assert_pages(1, 2048, "0");
}
END_TEST

/* Free pages count, but what one cell is bound to is not there for the next. */
START_TEST(free_pages_count_once)
{
	static const char xml[] = GUEST(
		BACKING("") "<numatune><memnode cellid='0' nodeset='0'/></numatune>" NUMA(
			CELL(0, 8) CELL(1, 8)));

	ck_assert_int_eq(host_write(&host, "3",
				    "/sys/devices/system/node/node0/hugepages/"
				    "hugepages-2048kB/nr_hugepages"),
			 0);
	prepare("hugepages.allocate =", xml);
	ck_assert_str_eq(faketree_read(
				 "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"),
			 "8");
	release(xml);
	assert_pages(0, 2048, "3");
	assert_pages(1, 2048, "0");
}
END_TEST

#define BOUND                                                                  \
	GUEST(BACKING("") "<numatune><memnode cellid='0' nodeset='0'/>"        \
			  "<memnode cellid='1' nodeset='1'/></numatune>" NUMA( \
				  CELL(0, 64) CELL(1, 64)))

/* The second goal comes out short: the first goes back, too. */
START_TEST(short_means_none)
{
	_cleanup_free_ char *before = NULL, *after = NULL;

	faketree_file("20\n", "/.fake/pages-2048kB");
	before = faketree_snapshot();
	refused("hugepages.allocate =", BOUND,
		"hugepages: cell 0: got 20 of 32 pages of 2 MiB on node 0 (40 of 64 MiB)");
	after = faketree_snapshot();
	ck_assert_str_eq(after, before);
	prepare("hugepages.allocate = partial=yes", BOUND);
	assert_pages(0, 2048, "20");
	assert_pages(1, 2048, "20");
	release(BOUND);
	assert_pages(0, 2048, "0");
	assert_pages(1, 2048, "0");
}
END_TEST

/* Before the first change: too little memory on a node, a node that there is not. */
START_TEST(seen_beforehand)
{
	static const char seven[] = GUEST(
		BACKING("") "<numatune><memnode cellid='1' nodeset='7'/></numatune>" NUMA(
			CELL(0, 64) CELL(1, 64)));
	unsigned writes;

	node_memory(1, 1650);
	writes = faketree_writes();
	refused("hugepages.allocate =", BOUND,
		"hugepages: cell 1: 64 MiB more are needed (32 x 2 MiB) on node 1, but it "
		"can spare 11 MiB only (1.6 GiB available, 1.5 GiB of it kept back)");
	refused("hugepages.allocate =", seven, "this machine has no NUMA node 7");
	refused("hugepages.allocate = size=512M", BOUND, "no pages of 512 MiB");
	ck_assert_uint_eq(faketree_writes(), writes);
}
END_TEST

static const struct {
	const char *step, *xml, *text;
} lacking[] = {
	{ "memory=8M",
	  GUEST(BACKING("<page size='2048'/><page size='1048576' nodeset='1'/>")
			NUMA(CELL(0, 64) CELL(1, 64))),
	  "(win10.ini:2): the XML wants pages of several sizes: add size=" },
	{ "", GUEST("<memory>4096</memory>"),
	  "(win10.ini:2): the XML has no <memoryBacking><hugepages/>: add it, or the guest will "
	  "not use the pages" },
	{ "", GUEST("<memory>4096</memory>" BACKING("<page size='4'/>")),
	  "(win10.ini:2): nothing says how many pages: add memory= or pages=" },
	/* all that a number has counts, and not its lower half, which would be node 0, or -1 */
	{ "memory=8M node=4294967296", GUEST("<memory>4096</memory>" BACKING("")),
	  "node=4294967296 is no NUMA node: use one of those in /sys/devices/system/node" },
	{ "memory=8M node=4294967295", GUEST("<memory>4096</memory>" BACKING("")),
	  "node=4294967295 is no NUMA node: use one of those in /sys/devices/system/node" },
	{ "memory=8M node=2147483647", GUEST("<memory>4096</memory>" BACKING("")),
	  "this machine has no NUMA node 2147483647: set node=" },
};

START_TEST(what_is_lacking)
{
	unsigned writes = faketree_writes();
	char step[128];

	snprintf(step, sizeof(step), "hugepages.allocate = %s", lacking[_i].step);
	refused(step, lacking[_i].xml, lacking[_i].text);
	ck_assert_uint_eq(faketree_writes(), writes);
}
END_TEST

static void put_free(const char *pages)
{
	faketree_file(pages, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
	faketree_file(pages, "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/"
			     "free_hugepages");
}

/* Three are in use, and no surplus comes of them. */
START_TEST(pages_that_the_kernel_keeps)
{
	static const char xml[] = GUEST("<memory>8192</memory>" BACKING(""));
	_cleanup_error_ struct error err = {};

	prepare("hugepages.allocate = node=0", xml);
	assert_pages(0, 2048, "4");
	put_free("1");
	ck_assert_int_eq(run_phase("release", "", xml, false, &err), -EBUSY);
	ck_assert_msg(strstr(error_text(&err),
			     "hugepages-2048kB/node0: gave back 1 of our 4 pages, the "
			     "kernel kept the others: try vfio-hook undo again"),
		      "%s", error_text(&err));
	assert_pages(0, 2048, "3");
	put_free("3");
	release(xml);
	assert_pages(0, 2048, "0");
}
END_TEST

/* Steps of one plan share the host's memory. */
START_TEST(several_steps)
{
	static const char xml[] = GUEST("<memory unit='MiB'>64</memory>" BACKING(""));
	unsigned writes = faketree_writes();

	refused("hugepages.allocate = size=2M memory=14G\n"
		"hugepages.allocate = size=1G memory=14G",
		xml, "14 GiB more are needed (14 x 1 GiB), but the host can spare 8.");
	ck_assert_uint_eq(faketree_writes(), writes);
	prepare("hugepages.allocate = size=2M memory=8M\n"
		"hugepages.allocate = size=2M memory=8M node=1",
		xml);
	ck_assert_str_eq(faketree_read(
				 "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"),
			 "8");
	release(xml);
	assert_pages(0, 2048, "0");
	assert_pages(1, 2048, "0");
}
END_TEST

static void assert_finding(const char *step, const char *xml, const char *text)
{
	_cleanup_error_ struct error err = {};

	ck_assert_msg(run_phase("prepare", step, xml, true, &err) == 0, "%s",
		      error_text(&err));
	if (text)
		ck_assert_msg(strstr(findings_text, text), "%s", findings_text);
	else
		ck_assert_str_eq(findings_text, "");
}

START_TEST(advice)
{
	assert_finding("hugepages.allocate =", BOUND, NULL);
	assert_finding("", BOUND,
		       "the XML asks for 32 huge pages of 2 MiB on node 0 for cell 0, 0 are "
		       "free, and no step allocates any");
	assert_finding("", BOUND, "32 huge pages of 2 MiB on node 1 for cell 1");
	assert_finding("",
		       GUEST(BACKING("<page size='32' unit='MiB'/>") NUMA(CELL(0, 64))),
		       "huge pages of 32 MiB, which this kernel does not have");
	assert_finding("", GUEST(BACKING("") NUMA(CELL(0, 63))),
		       "cell 0: 63 MiB are no multiple of the 2 MiB of a huge page");
	assert_finding("",
		       GUEST("<memory>4096</memory>"
			     "<numatune><memory nodeset='1,5'/></numatune>"),
		       "puts the memory of the guest on NUMA node 5, which this host does "
		       "not have");
	assert_finding("hugepages.allocate =",
		       GUEST(BACKING("") "<numatune><memnode cellid='1' nodeset='1'/>"
					 "</numatune>" NUMA(CELL(0, 64) CELL(1, 64))),
		       "cell 0 is filled before cell 1 and may take the huge pages");
	assert_finding(
		"hugepages.allocate =",
		GUEST("<maxMemory slots='4'>8192</maxMemory><memory>4096</memory>" BACKING(
			"")),
		"memory that is plugged in later (<maxMemory>)");
	free(STEAL(findings_text));
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("memory");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, parts, 0, ARRAY_SIZE(cases));
	tcase_add_test(tcase, no_huge_pages_in_the_kernel);
	tcase_add_test(tcase, each_cell_its_pages);
	tcase_add_test(tcase, the_step_overrides);
	tcase_add_test(tcase, preferred);
	tcase_add_test(tcase, free_pages_count_once);
	tcase_add_test(tcase, short_means_none);
	tcase_add_test(tcase, seen_beforehand);
	tcase_add_loop_test(tcase, what_is_lacking, 0, ARRAY_SIZE(lacking));
	tcase_add_test(tcase, pages_that_the_kernel_keeps);
	tcase_add_test(tcase, several_steps);
	tcase_add_test(tcase, advice);
	return suite_run_as_root("memory", tcase);
}
