/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt's domain XML: what counts, what does not, and what is refused. */
#include "cpus.h"
#include "data.h"
#include "domain.h"
#include "suite.h"

static int parse(const char *xml, struct domain *domain, struct error *err)
{
	*domain = (struct domain){ 0 };
	return domain_parse(xml, strlen(xml), domain, err);
}

static void check_nodes(const struct cpu_list *nodes, const char *text)
{
	_cleanup_free_ char *found = cpus_text(nodes);

	ck_assert_str_eq(found, text);
}

static void check_memory(const struct domain *domain)
{
	const struct guest_cell *cells = domain->cells;
	const struct memory_device *devices = domain->memory_devices;

	ck_assert_uint_eq(domain->max_memory, 64ULL << 30);
	ck_assert_int_eq(domain->policy.mode, MEMORY_INTERLEAVE);
	check_nodes(&domain->policy.nodes, "0-1,3");
	ck_assert_uint_eq(domain->n_cells, 3);
	ck_assert_uint_eq(cells[0].memory, 8ULL << 30);
	ck_assert(!cells[0].policy.is_set);
	ck_assert_uint_eq(cells[1].memory, 4ULL << 30);
	ck_assert_int_eq(cells[1].policy.mode, MEMORY_STRICT);
	check_nodes(&cells[1].policy.nodes, "1");
	ck_assert_uint_eq(cells[2].memory, 3ULL << 30);
	ck_assert_int_eq(cells[2].policy.mode, MEMORY_PREFERRED);
	ck_assert_uint_eq(domain->n_memory_devices, 3);
	ck_assert_str_eq(devices[0].model, "dimm");
	ck_assert_uint_eq(devices[0].size, 512ULL << 20);
	ck_assert_uint_eq(devices[0].page_size, 2 << 20);
	ck_assert_int_eq(devices[0].cell, 1);
	check_nodes(&devices[0].nodes, "1-3");
	ck_assert_uint_eq(devices[1].size, 512 << 20);
	ck_assert_uint_eq(devices[1].requested, 256 << 20);
	ck_assert_uint_eq(devices[1].page_size, 0);
	ck_assert_uint_eq(devices[1].nodes.n, 0);
	ck_assert_str_eq(devices[2].model, "nvdimm");
	ck_assert_uint_eq(devices[2].size, 1 << 20);
	ck_assert_int_eq(devices[2].cell, -1);
}

START_TEST(full_domain)
{
	_cleanup_(domain_done) struct domain domain = { 0 };
	_cleanup_error_ struct error err = { 0 };
	_cleanup_free_ char *xml = NULL;
	size_t len;

	xml = data_read("domain.xml", &len);
	ck_assert_msg(domain_parse(xml, len, &domain, &err) == 0, "%s", error_text(&err));
	ck_assert_str_eq(domain.name, "win 10 & co");
	ck_assert_str_eq(domain.uuid, "c7a5fdbd-cdaf-9455-926a-d65c16db1809");
	ck_assert_uint_eq(domain.memory, 16ULL << 30);
	ck_assert(domain.hugepages);
	ck_assert_uint_eq(domain.n_pages, 2);
	ck_assert_uint_eq(domain.pages[0].size, 1 << 30);
	check_nodes(&domain.pages[0].cells, "0-1");
	ck_assert_uint_eq(domain.pages[1].size, 2 << 20);
	ck_assert(!domain.pages[1].has_cells);
	check_memory(&domain);
	ck_assert_uint_eq(domain.vcpupin.n, 2);
	ck_assert_str_eq(domain.vcpupin.v[1], "3,7");
	ck_assert_uint_eq(domain.emulatorpin.n, 1);
	ck_assert_uint_eq(domain.iothreadpin.n, 1);
	ck_assert_uint_eq(domain.n_other_hostdevs, 2);
	ck_assert_uint_eq(domain.n_hostdevs, 3);
	ck_assert_str_eq(domain.hostdevs[0].name, "0000:0a:00.0");
	ck_assert(domain.hostdevs[0].managed);
	ck_assert_str_eq(domain.hostdevs[0].model, "vfio-pci");
	ck_assert_str_eq(domain.hostdevs[1].name, "0001:0b:1f.7");
	ck_assert(!domain.hostdevs[1].managed);
	ck_assert_ptr_null(domain.hostdevs[1].model);
	ck_assert_str_eq(domain.hostdevs[2].name, "0000:03:10.2");
	ck_assert(domain.hostdevs[2].managed);
}
END_TEST

static const struct {
	const char *attribute, *text;
	uint64_t bytes;
} units[] = {
	{ "", "2097152", 2ULL << 30 },	     { "unit='b'", "512", 512 },
	{ "unit='bytes'", "512", 512 },	     { "unit='KB'", "3", 3000 },
	{ "unit='k'", "3", 3072 },	     { "unit='KiB'", "3", 3072 },
	{ "unit='MB'", "3", 3000000 },	     { "unit='M'", "3", 3ULL << 20 },
	{ "unit='MiB'", "3", 3ULL << 20 },   { "unit='GB'", "3", 3000000000 },
	{ "unit='G'", "3", 3ULL << 30 },     { "unit='GiB'", " 3\n", 3ULL << 30 },
	{ "unit='TB'", "3", 3000000000000 }, { "unit='T'", "3", 3ULL << 40 },
	{ "unit='TiB'", "3", 3ULL << 40 },   { "unit=''", "3", 3072 },
	{ "unit='byte'", "512", 512 },	     { "unit='PiB'", "3", 3ULL << 50 },
	{ "unit='EiB'", "3", 3ULL << 60 },
};

START_TEST(memory_units)
{
	_cleanup_(domain_done) struct domain domain = { 0 };
	_cleanup_error_ struct error err = { 0 };
	char xml[256];

	snprintf(xml, sizeof(xml),
		 "<domain><name>x</name><maxMemory unit='TiB'>9</maxMemory><memory %s>%s</memory>"
		 "<currentMemory>1</currentMemory></domain>",
		 units[_i].attribute, units[_i].text);
	ck_assert_msg(parse(xml, &domain, &err) == 0, "%s", error_text(&err));
	ck_assert_uint_eq(domain.memory, units[_i].bytes);
}
END_TEST

#define GUEST(type, parts) "<domain type='" type "'><name>x</name>" parts "</domain>"
#define TOPOEXT(policy) "<feature policy='" policy "' name='topoext'/>"

static const struct {
	const char *xml;
	struct domain_features features;
} features[] = {
	{ GUEST("qemu", "<cpu><topology sockets='1' cores='2' threads='2'/></cpu>"), {} },
	{ GUEST("kvm", ""), { .kvm = true } },
	{ GUEST("kvm",
		"<cpu mode='host-passthrough' check='none'>" TOPOEXT("require") "</cpu>"),
	  { .kvm = true, .cpu = DOMAIN_CPU_PASSTHROUGH, .topoext = true } },
	{ GUEST("qemu", "<cpu mode='maximum'>" TOPOEXT("disable") "</cpu>"),
	  { .cpu = DOMAIN_CPU_PASSTHROUGH } },
	{ GUEST("qemu", "<cpu mode='host-model'/>"), { .cpu = DOMAIN_CPU_HOST_MODEL } },
	{ GUEST("qemu", "<cpu match='exact'><model>EPYC</model></cpu>"),
	  { .cpu = DOMAIN_CPU_CUSTOM } },
	{ GUEST("qemu", "<metadata><cpu mode='host-model'/></metadata><features><hyperv>"
			"<relaxed state='on'/><vendor_id state='on' value='a'/></hyperv>"
			"<kvm><hidden state='on'/></kvm></features>"),
	  { .hyperv = true, .vendor_id = true, .kvm_hidden = true } },
	{ GUEST("qemu", "<features><hyperv mode='passthrough'/></features>"),
	  { .hyperv = true } },
	{ GUEST("qemu", "<features><hyperv><relaxed state='off'/><vendor_id state='off'/>"
			"</hyperv><kvm><hidden state='off'/></kvm></features>"),
	  {} },
};

START_TEST(cpu_and_features)
{
	const struct domain_features *wanted = &features[_i].features, *got;
	_cleanup_(domain_done) struct domain domain = { 0 };
	_cleanup_error_ struct error err = { 0 };

	ck_assert_msg(parse(features[_i].xml, &domain, &err) == 0, "%s", error_text(&err));
	got = &domain.features;
	ck_assert_int_eq(got->kvm, wanted->kvm);
	ck_assert_int_eq(got->cpu, wanted->cpu);
	ck_assert_int_eq(got->topoext, wanted->topoext);
	ck_assert_int_eq(got->kvm_hidden, wanted->kvm_hidden);
	ck_assert_int_eq(got->hyperv, wanted->hyperv);
	ck_assert_int_eq(got->vendor_id, wanted->vendor_id);
}
END_TEST

#define MEMORY(xml) "<domain><name>x</name><memory>4096</memory>" xml "</domain>"
#define PAGE(attributes)                                                      \
	MEMORY("<memoryBacking><hugepages><page " attributes "/></hugepages>" \
	       "</memoryBacking>")
#define CELLS(cells) MEMORY("<cpu><numa>" cells "</numa></cpu>")
#define CELL0 "<cell id='0' memory='1024'/>"
#define MEMNODE(attributes)                                                      \
	MEMORY("<numatune><memnode " attributes "/></numatune><cpu><numa>" CELL0 \
	       "</numa></cpu>")
#define DEVICE(source, target)                                 \
	MEMORY("<devices><memory model='dimm'><source>" source \
	       "</source><target>" target "</target></memory></devices>")

#define HOSTDEV(source)                                                               \
	"<domain><name>x</name><devices><hostdev mode='subsystem' type='pci'>" source \
	"</hostdev></devices></domain>"

static const struct {
	const char *xml, *text;
} bad[] = {
	{ "", "line 1, column 1: it is empty" },
	{ " \n ", "line 2, column" },
	{ "hello", "line 1, column 1: " },
	{ "<domain><name>x</name>", "line 1, column 23: " },
	{ "<domain>\n<name>x</nam", "line 2, column " },
	{ "<domain/>", "no <name> below <domain>" },
	{ "<domain><name/></domain>", "no <name>" },
	{ "<domain><metadata><name>x</name></metadata></domain>", "no <name>" },
	{ "<network><name>x</name></network>",
	  "the root element is <network>, not <domain>" },
	{ "<!DOCTYPE d [<!ENTITY a 'b'>]><domain><name>&a;</name></domain>", "DOCTYPE" },
	{ "<domain><name>&a;</name></domain>", "undefined entity" },
	{ "<domain><name>x</name><memory>1.5</memory></domain>",
	  "\"1.5\", which is no size" },
	{ "<domain><name>x</name><memory>-1</memory></domain>", "no size" },
	{ "<domain><name>x</name><memory unit='TiB'>99999999999</memory></domain>",
	  "no size" },
	{ "<domain><name>x</name><memory unit='XB'>1</memory></domain>", "unknown unit" },
	{ "<domain><name>x</name><memoryBacking><hugepages><page size='a'/></hugepages>"
	  "</memoryBacking></domain>",
	  "<page size='a' unit='KiB'> holds no size" },
	{ PAGE("size='0'"), "no size" },
	{ PAGE("size='-2048'"), "<page size='-2048' unit='KiB'> holds no size" },
	{ PAGE("size='18446744073709551615' unit='KiB'"), "no size" },
	{ PAGE("size='99999999999999999999999'"), "no size" },
	{ PAGE("size='2' unit='XiB'"), "unit='XiB'" },
	{ PAGE("size='2048' nodeset=''"), "\"\" is no set of NUMA nodes" },
	{ PAGE("size='2048' nodeset='1-0'"), "\"1-0\" is no set" },
	{ PAGE("size='2048' nodeset='-1'"), "\"-1\" is no set" },
	{ PAGE("size='2048' nodeset='0,^0'"), "is no set" },
	{ PAGE("size='2048' nodeset='1024'"), "is no set" },
	{ PAGE("size='2048' nodeset='0-99999999999999999999'"), "is no set" },
	{ CELLS("<cell id='0'/>"), "<cell memory='' unit='KiB'> holds no size" },
	{ CELLS("<cell id='0' memory='-1'/>"), "memory='-1'" },
	{ CELLS("<cell id='0' memory='0'/>"), "memory='0'" },
	{ CELLS("<cell id='0' memory='1' unit='parsec'/>"), "unit='parsec'" },
	{ CELLS("<cell id='-1' memory='1'/>"), "'-1' is no number of a guest NUMA cell" },
	{ CELLS("<cell id='4294967296' memory='1'/>"), "no number of a guest NUMA cell" },
	{ CELLS(CELL0 "<cell id='0' memory='2048'/>"), "two <cell> with id='0'" },
	{ CELLS("<cell id='1' memory='1'/><cell memory='1'/><cell memory='1'/>"),
	  "two <cell> with id='1'" },
	{ CELLS(CELL0 "<cell id='2' memory='2048'/>"), "no <cell id='1'>" },
	{ CELLS("<cell id='0' memory='9' unit='EiB'/><cell id='1' memory='9' unit='EiB'/>"),
	  "more than 16 EiB" },
	{ MEMNODE("nodeset='0'"), "'' is no number of a guest NUMA cell" },
	{ MEMNODE("cellid='1' nodeset='0'"), "no <cell id='1'>" },
	{ MEMNODE("cellid='0' nodeset='x'"), "<memnode>: \"x\" is no set" },
	{ MEMNODE("cellid='0' nodeset='0'/><memnode cellid='0' nodeset='1'"),
	  "two <memnode> with cellid='0'" },
	{ MEMORY("<numatune><memory nodeset='0,a'/></numatune>"), "is no set" },
	{ MEMORY("<maxMemory slots='1' unit='KiB'>many</maxMemory>"),
	  "<maxMemory> holds \"many\"" },
	{ DEVICE("", ""), "a <memory> device without a <size>" },
	{ DEVICE("", "<size>-1</size>"), "<size> holds \"-1\"" },
	{ DEVICE("", "<size unit='EiB'>16</size>"), "no size" },
	{ DEVICE("", "<size unit='x'>1</size>"), "<size unit='x'>: unknown unit" },
	{ DEVICE("", "<size>1</size><node>-1</node>"), "<node> holds \"-1\"" },
	{ DEVICE("", "<size>1</size><node>1024</node>"), "no guest NUMA cell" },
	{ DEVICE("<pagesize>2M</pagesize>", "<size>1</size>"), "<pagesize> holds \"2M\"" },
	{ DEVICE("<nodemask>a</nodemask>", "<size>1</size>"), "<nodemask>: \"a\"" },
	{ DEVICE("", "<size>4097</size>"), "devices are larger than <memory>" },
	{ HOSTDEV(""), "a PCI hostdev without <source>" },
	{ HOSTDEV("<address type='pci' bus='0x1' slot='0x0' function='0x0'/>"),
	  "without <source>" },
	{ HOSTDEV("<source><address slot='0'/></source>"), "no bus or slot" },
	{ HOSTDEV("<source><address bus='0x100' slot='0'/></source>"), "bus='0x100'" },
	{ HOSTDEV("<source><address bus='1' slot='32'/></source>"), "slot='32'" },
	{ HOSTDEV("<source><address bus='1' slot='1' function='8'/></source>"),
	  "function='8'" },
	{ HOSTDEV("<source><address bus='-1' slot='1'/></source>"), "bus='-1'" },
	{ HOSTDEV("<source><address bus='1' slot='x'/></source>"), "slot='x'" },
};

START_TEST(refused)
{
	struct domain domain;
	_cleanup_error_ struct error err = { 0 };

	ck_assert_int_eq(parse(bad[_i].xml, &domain, &err), -EINVAL);
	ck_assert_msg(strstr(error_text(&err), bad[_i].text), "%s", error_text(&err));
	ck_assert_msg(strstr(error_text(&err), "domain XML, line "), "%s",
		      error_text(&err));
	ck_assert_ptr_null(domain.name);
}
END_TEST

/* libvirt counts cells without an id, and sums them up where <memory> is missing. */
START_TEST(cells)
{
	_cleanup_(domain_done) struct domain domain = { 0 };
	_cleanup_error_ struct error err = { 0 };
	static const char xml[] =
		"<domain><name>x</name><numatune><memory mode='strict' placement='auto' "
		"nodeset='1'/></numatune><cpu><numa><cell memory='1' unit='MiB'/>"
		"<cell memory='2048'/></numa></cpu><devices><memory model='dimm'><target>"
		"<size unit='MiB'>4</size></target></memory></devices></domain>";

	ck_assert_msg(parse(xml, &domain, &err) == 0, "%s", error_text(&err));
	ck_assert_uint_eq(domain.n_cells, 2);
	ck_assert_uint_eq(domain.cells[0].memory, 1 << 20);
	ck_assert_uint_eq(domain.cells[1].memory, 2 << 20);
	ck_assert_uint_eq(domain.memory, 7 << 20);
	ck_assert(domain.policy.is_set);
	ck_assert_uint_eq(domain.policy.nodes.n, 0);
}
END_TEST

START_TEST(nested_too_deep)
{
	_cleanup_strv_ struct strv parts = { 0 };
	_cleanup_error_ struct error err = { 0 };
	_cleanup_free_ char *xml = NULL;
	struct domain domain;

	for (int i = 0; i < 70; i++)
		strv_add(&parts, i == 0 ? "<domain>" : "<a>");
	xml = strv_join(&parts, "");
	ck_assert_int_eq(parse(xml, &domain, &err), -EINVAL);
	ck_assert_msg(strstr(error_text(&err), "nested more than"), "%s",
		      error_text(&err));
}
END_TEST

/* An element with a name too long for the path hides what is below it, not beside it. */
START_TEST(long_names)
{
	_cleanup_(domain_done) struct domain domain = { 0 };
	_cleanup_error_ struct error err = { 0 };
	_cleanup_free_ char *xml = NULL;
	char tag[400];

	memset(tag, 'a', sizeof(tag) - 1);
	tag[sizeof(tag) - 1] = '\0';
	ck_assert_int_gt(
		asprintf(&xml, "<domain><%s><name>no</name></%s><name>yes</name></domain>",
			 tag, tag),
		0);
	ck_assert_msg(parse(xml, &domain, &err) == 0, "%s", error_text(&err));
	ck_assert_str_eq(domain.name, "yes");
}
END_TEST

/* Every beginning of a good file is torn, and says so. */
START_TEST(torn)
{
	_cleanup_free_ char *xml = NULL;
	size_t len;

	xml = data_read("domain.xml", &len);
	for (size_t n = 0; n + 10 < len; n += 7) {
		_cleanup_error_ struct error err = { 0 };
		struct domain domain = { 0 };

		ck_assert_int_eq(domain_parse(xml, n, &domain, &err), -EINVAL);
		ck_assert_ptr_nonnull(strstr(error_text(&err), ", column "));
		ck_assert_ptr_null(domain.name);
	}
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("xml");

	tcase_add_test(tcase, full_domain);
	tcase_add_loop_test(tcase, cpu_and_features, 0, ARRAY_SIZE(features));
	tcase_add_loop_test(tcase, memory_units, 0, ARRAY_SIZE(units));
	tcase_add_loop_test(tcase, refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(tcase, cells);
	tcase_add_test(tcase, nested_too_deep);
	tcase_add_test(tcase, long_names);
	tcase_add_test(tcase, torn);
	return suite_run("domain", tcase);
}
