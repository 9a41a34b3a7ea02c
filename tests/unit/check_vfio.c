/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VFIO driver that a function gets by what the kernel's modules say of themselves, as
 * depmod writes it down.
 */
#include <elf.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "faketree.h"
#include "run.h"
#include "suite.h"
#include "vfio.h"

#define VARIANT "alias=vfio_pci:v00008086d000010D3sv*sd*bc*sc*i*"

static struct utsname uts;
static struct host host;

/* The least that depmod takes for a module: an object with what modinfo(8) shows. */
static void put_module(const char *name, const char *alias)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	const size_t n = strlen(alias) + 1, at = sizeof(Elf64_Ehdr), end = at + n,
		     headers = (end + sizeof(names) + 7) / 8 * 8;
	const Elf64_Ehdr elf = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_shoff = headers,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	const Elf64_Shdr sections[] = {
		{},
		{ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = at, .sh_size = n },
		{ .sh_name = 10,
		  .sh_type = SHT_STRTAB,
		  .sh_offset = end,
		  .sh_size = sizeof(names) },
	};
	char path[PATH_MAX];
	FILE *f;

	faketree_file("", "/lib/modules/%s/kernel/%s.ko", uts.release, name);
	f = fopen(host_path(&host, path, "/lib/modules/%s/kernel/%s.ko", uts.release,
			    name),
		  "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fwrite(&elf, sizeof(elf), 1, f), 1);
	ck_assert_int_eq(fwrite(alias, n, 1, f), 1);
	ck_assert_int_eq(fwrite(names, sizeof(names), 1, f), 1);
	ck_assert_int_eq(fseek(f, (long)headers, SEEK_SET), 0);
	ck_assert_int_eq(fwrite(sections, sizeof(sections), 1, f), 1);
	ck_assert_int_eq(fclose(f), 0);
}

static void run_depmod(void)
{
	static const char *const made_by_a_build[] = { "order", "builtin",
						       "builtin.modinfo" };
	const char *argv[] = { "/sbin/depmod", "-b", faketree_root(), uts.release, NULL };
	int pid, status;

	for (size_t i = 0; i < ARRAY_SIZE(made_by_a_build); i++)
		faketree_file("", "/lib/modules/%s/modules.%s", uts.release,
			      made_by_a_build[i]);
	pid = fork();
	if (pid == 0) {
		execv(argv[0], (char **)(uintptr_t)argv);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static void setup(void)
{
	uname(&uts);
	faketree_new(&host);
	faketree_link("../../lib/modules", "/usr/lib/modules"); /* depmod's, from 34 on */
	put_module("vfio-pci", "alias=vfio_pci:v*d*sv*sd*bc*sc*i*");
	run_depmod();
}

static void assert_driver(uint16_t id, const char *wanted)
{
	struct run run = { .host = host };
	const struct pci_function fn = { .vendor = 0x8086, .id = id, .class = 0x020000 };
	char driver[DRIVER_NAME_LEN];

	vfio_driver_for(&run, &fn, NULL, driver);
	ck_assert_str_eq(driver, wanted);
	free(run.variants);
	strv_done(&run.plain);
}

static void unlink_file(const char *name)
{
	char path[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, path, "/lib/modules/%s/%s", uts.release,
					  name)),
			 0);
}

START_TEST(plain_where_no_variant_is)
{
	assert_driver(0x10d3, "vfio-pci");
	/* The long table is not read for that. */
	faketree_file("alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* other\n",
		      "/lib/modules/%s/modules.alias", uts.release);
	assert_driver(0x10d3, "vfio-pci");
}
END_TEST

START_TEST(variant_for_its_devices)
{
	put_module("nic-vfio-pci", VARIANT);
	run_depmod();
	assert_driver(0x10d3, "nic_vfio_pci");
	assert_driver(0x10d4, "vfio-pci");
}
END_TEST

/* As long as there is no index, or one of before the kernel's modules had such aliases. */
START_TEST(table_without_index)
{
	put_module("nic-vfio-pci", VARIANT);
	run_depmod();
	unlink_file("modules.alias.bin");
	assert_driver(0x10d3, "nic_vfio_pci");
	unlink_file("modules.alias");
	assert_driver(0x10d3, "vfio-pci");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("vfio");

	if (access("/sbin/depmod", X_OK) < 0)
		return STATUS_SKIPPED;
	tcase_add_checked_fixture(tc, setup, faketree_free);
	tcase_add_test(tc, plain_where_no_variant_is);
	tcase_add_test(tc, variant_for_its_devices);
	tcase_add_test(tc, table_without_index);
	return suite_run("vfio", tc);
}
