/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libvirt's domain XML: what counts, what does not, and what is refused. */
#include "data.h"
#include "domain.h"
#include "suite.h"

static int parse(const char *xml, struct domain *domain, struct error *err)
{
	*domain = (struct domain){ 0 };
	return domain_parse(xml, strlen(xml), domain, err);
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
	ck_assert_str_eq(domain.pages[0].nodeset, "0-1");
	ck_assert_uint_eq(domain.pages[1].size, 2 << 20);
	ck_assert_ptr_null(domain.pages[1].nodeset);
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
	{ "unit='TiB'", "3", 3ULL << 40 },
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
	  "no size of a page" },
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
	tcase_add_test(tcase, nested_too_deep);
	tcase_add_test(tcase, long_names);
	tcase_add_test(tcase, torn);
	return suite_run("domain", tcase);
}
