/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * [boot/begin]: what it took waits for any domain, outlives each of them, is taken once,
 * and goes back when somebody says so.
 */
#include <getopt.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "faketree.h"
#include "journal.h"
#include "phase_of.h"
#include "suite.h"

#define NIC "0000:0b:00.0"
#define WIN10 "11111111-2222-3333-4444-555555555555"
#define LINUX "99999999-2222-3333-4444-555555555555"
#define BOOT "/run/vfio-hook/boot.win10.journal"

static const char config[] = "[boot/begin]\n"
			     "hugepages.allocate = pages=8 size=2M\n"
			     "pci.detach = 0b:00.0\n"
			     "[prepare/begin]\n"
			     "hugepages.allocate = pages=8 size=2M\n"
			     "pci.detach = 0b:00.0\n";

static struct host host;
static char *before;

static void setup(void)
{
	faketree_new(&host);
	faketree_module("e1000e", "e1000e");
	faketree_module_load("e1000e");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
	faketree_hugepages(2048, 4, 64);
	faketree_file(
		"MemTotal: 8000000 kB\nMemAvailable: 7000000 kB\nHugepagesize: 2048 kB\n",
		"/proc/meminfo");
	faketree_file(config, "/etc/libvirt/hooks/conf.d/win10.ini");
	before = faketree_snapshot();
}

static void teardown(void)
{
	free(STEAL(before));
	faketree_free();
}

/* The command's exit status; nothing of ours is read from stdin. */
static int command(const char *a, const char *b, const char *c)
{
	const char *words[] = { "vfio-hook", "--root", faketree_root(), a, b, c, NULL };
	int argc = 0;
	char *argv[7];

	for (; words[argc]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc];
	argv[argc] = NULL;
	optind = 0;
	return command_main(argc, argv);
}

static int phase(const char *name, const char *uuid, const char *operation,
		 struct error *err)
{
	_cleanup_free_ char *xml = NULL;
	struct event event;
	struct call call;
	int r;

	event_init(&event, name, operation, streq(operation, "prepare") ? "begin" : "end",
		   "-");
	ck_assert_int_gt(asprintf(&xml,
				  "<domain type='kvm'><name>%s</name><uuid>%s</uuid>"
				  "<memory>16384</memory><memoryBacking><hugepages/>"
				  "</memoryBacking></domain>",
				  name, uuid),
			 0);
	r = phase_open(&call, host.root, &event, xml, err);
	call.run.owner = getpid();
	if (r == 0)
		r = phase_run(&call.run, err);
	call_done(&call);
	return r;
}

static void assert_phase(const char *name, const char *uuid, const char *operation)
{
	_cleanup_error_ struct error err = {};

	ck_assert_msg(phase(name, uuid, operation, &err) == 0, "%s %s: %s", name,
		      operation, error_text(&err));
}

static void assert_same(const char *wanted)
{
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_str_eq(after, wanted);
}

static const char *pages(void)
{
	return faketree_read("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
}

static void assert_logged(const char *text)
{
	char log[16384] = "";

	host_read(&host, log, sizeof(log), "/var/log/vfio-hook/win10.log");
	ck_assert_msg(strstr(log, text) != NULL, "no %s in:\n%s", text, log);
}

START_TEST(outlives_the_domains)
{
	_cleanup_free_ char *taken = NULL;

	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
	ck_assert(host_exists(&host, BOOT));
	taken = faketree_snapshot();
	for (int i = 0; i < 2; i++) {
		assert_phase("win10", WIN10, "prepare");
		assert_phase("win10", WIN10, "release");
		assert_same(taken);
		ck_assert(host_exists(&host, BOOT));
		ck_assert(!host_exists(&host, "/run/vfio-hook/" WIN10 ".journal"));
	}
	ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_OK);
	assert_same(before);
	ck_assert(!host_exists(&host, BOOT));
}
END_TEST

START_TEST(is_done_once)
{
	unsigned writes;

	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	writes = faketree_writes();
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	ck_assert_int_eq(command("run", "win10", "boot"), STATUS_OK);
	ck_assert_uint_eq(faketree_writes(), writes);
	/* Somebody has put the device back by hand: that is not what the journal says. */
	ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_OK);
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
}
END_TEST

/* The pages of the boot are the domain's to use: no more are made for it. */
START_TEST(pages_wait)
{
	const char *had = pages();
	char at_boot[16];

	ck_assert_str_eq(had, "4");
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	snprintf(at_boot, sizeof(at_boot), "%s", pages());
	ck_assert_str_eq(at_boot, "8"); /* four were free already */
	assert_phase("win10", WIN10, "prepare");
	ck_assert_str_eq(pages(), at_boot);
	assert_phase("win10", WIN10, "release");
	ck_assert_str_eq(pages(), at_boot);
}
END_TEST

START_TEST(domains_exclude_each_other)
{
	_cleanup_error_ struct error err = {};

	faketree_process(getpid(), "libvirtd", "libvirtd.service",
			 NULL); /* stands behind them */
	faketree_file("[prepare/begin]\npci.detach = 0b:00.0\n",
		      "/etc/libvirt/hooks/conf.d/linux.ini");
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	assert_phase("linux", LINUX, "prepare");
	ck_assert_int_lt(phase("win10", WIN10, "prepare", &err), 0);
	ck_assert_msg(strstr(error_text(&err), "belongs to domain linux") != NULL, "%s",
		      error_text(&err));
	ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_FAILED);
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
	assert_phase("linux", LINUX, "release");
	assert_phase("win10", WIN10, "prepare");
	assert_phase("win10", WIN10, "release");
	ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_OK);
	assert_same(before);
}
END_TEST

START_TEST(is_nobodys_orphan)
{
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	ck_assert_int_eq(command("undo", "--orphans", NULL), STATUS_OK);
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
	ck_assert(host_exists(&host, BOOT));
	ck_assert_int_eq(command("undo", "win10", NULL), STATUS_USAGE); /* no XML of it */
	ck_assert(host_exists(&host, BOOT));
}
END_TEST

START_TEST(links_run_once)
{
	faketree_link("win10.ini", "/etc/libvirt/hooks/conf.d/win11.ini");
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	ck_assert(host_exists(&host, BOOT));
	ck_assert(!host_exists(&host, "/run/vfio-hook/boot.win11.journal"));
}
END_TEST

START_TEST(one_bad_file_fails_alone)
{
	faketree_file("[boot/begin]\nno.such = step\n",
		      "/etc/libvirt/hooks/conf.d/bad.ini");
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_FAILED);
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
}
END_TEST

/* The function had no driver yet when it was taken; now it has the one that wants it. */
START_TEST(gives_it_to_the_driver_that_came_later)
{
	faketree_pci("0000:0c:00.0", "8086:1572", "020000", "i40e", "16");
	faketree_file("[boot/begin]\npci.detach = 0c:00.0\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_str_eq(faketree_driver_of("0000:0c:00.0"), "");
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	faketree_module("i40e", "i40e");
	faketree_module_load("i40e");
	ck_assert_str_eq(faketree_driver_of("0000:0c:00.0"), "vfio-pci");
	ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_OK);
	ck_assert_str_eq(faketree_driver_of("0000:0c:00.0"), "i40e");
	assert_logged("undo: driver 0000:0c:00.0: none → i40e\n");
	/* What the kernel makes of it, and udev's rules, not what it was without a driver. */
	ck_assert_str_eq(faketree_read(
				 "/sys/devices/pci0000:00/0000:0c:00.0/power/control"),
			 "on");
	ck_assert(!host_exists(&host, BOOT));
}
END_TEST

/* Without a unit nobody would do it: then, and only then, it is waited for. */
START_TEST(waits_for_nothing_in_the_initramfs)
{
	faketree_file("[boot/begin]\npci.detach = 0b:00.0\n"
		      "wait.for = path=/dev/there timeout=1s\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_FAILED);
	ck_assert_int_eq(command("boot", "--early", NULL), STATUS_OK);
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	ck_assert(!host_exists(&host, BOOT));
	faketree_file("", "/dev/there");
	ck_assert_int_eq(command("boot", "--early", NULL), STATUS_OK);
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
	ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_OK);
	/* Nothing manages units there. */
	faketree_file("[boot/begin]\nwait.for = unit=network-online.target\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("boot", "--early", NULL), STATUS_OK);
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_FAILED);
	/* What fails for another reason fails there as well. */
	faketree_file("[boot/begin]\npci.detach = 0c:00.0\n",
		      "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("boot", "--early", NULL), STATUS_FAILED);
}
END_TEST

/* What the config says does not matter then. */
START_TEST(is_switched_off_with_a_bad_config)
{
	faketree_file("", "/etc/libvirt/hooks/disable");
	faketree_file("[boot/begin\n", "/etc/libvirt/hooks/conf.d/win10.ini");
	ck_assert_int_eq(command("boot", NULL, NULL), 0);
	assert_same(before);
}
END_TEST

START_TEST(is_switched_off)
{
	faketree_file("quiet vfio_hook=off\n", "/proc/cmdline");
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	assert_same(before);
}
END_TEST

/* In the initramfs the power fails at every change; then the unit, or a person, comes. */
START_TEST(killed)
{
	unsigned all;

	faketree_fault(0, FAULT_ERRNO, 0);
	ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
	all = faketree_faults(NULL);
	ck_assert_uint_gt(all, 8);
	ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_OK);
	for (unsigned n = 1; n <= all; n++) {
		int status, pid;

		faketree_fault(0, FAULT_KILL, 0); /* the memory is shared from here on */
		pid = fork();
		if (pid == 0) {
			faketree_fault(n, FAULT_KILL, 0);
			_exit(command("boot", NULL, NULL));
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status), "%u of %u", n, all);
		faketree_fault(0, FAULT_ERRNO, 0);
		if (n % 2) {
			ck_assert_int_eq(command("boot", NULL, NULL), STATUS_OK);
			ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
			ck_assert_str_eq(pages(), "8");
		}
		ck_assert_int_eq(command("undo", "--boot", "win10"), STATUS_OK);
		assert_same(before);
		ck_assert(!host_exists(&host, BOOT));
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("boot");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, outlives_the_domains);
	tcase_add_test(tc, is_done_once);
	tcase_add_test(tc, pages_wait);
	tcase_add_test(tc, domains_exclude_each_other);
	tcase_add_test(tc, is_nobodys_orphan);
	tcase_add_test(tc, links_run_once);
	tcase_add_test(tc, one_bad_file_fails_alone);
	tcase_add_test(tc, gives_it_to_the_driver_that_came_later);
	tcase_add_test(tc, waits_for_nothing_in_the_initramfs);
	tcase_add_test(tc, is_switched_off_with_a_bad_config);
	tcase_add_test(tc, is_switched_off);
	tcase_add_test(tc, killed);
	tcase_set_timeout(tc, 300);
	return suite_run("boot", tc);
}
