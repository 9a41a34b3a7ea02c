/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel does not do in time: nobody waits for it, it is told what it is, and once it
 * returns the child that was left with it puts its function back.
 */
#include "faketree.h"
#include "faketree_react.h"
#include "log.h"
#include "phase_of.h"
#include "suite.h"

#define GPU "0000:0a:00.0"
#define NIC "0000:0b:00.0"
#define DEVICE "/sys/bus/pci/devices/"

static const char xml[] = "<domain type='kvm'><name>win10</name>"
			  "<uuid>11111111-2222-3333-4444-555555555555</uuid>"
			  "<memory>1024</memory></domain>";

static struct host host;
static char *before;

static void setup(void)
{
	char proc[PATH_MAX];

	faketree_new(&host);
	faketree_module("nouveau", "nouveau");
	faketree_module("e1000e", "e1000e");
	faketree_module_load("nouveau");
	faketree_module_load("e1000e");
	faketree_pci(GPU, "10de:1e84", "030000", "nouveau", "14");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
	/* Of children that are left behind the journal asks whether they live. */
	fake_remove_tree(fake_path(proc, "/proc"));
	faketree_link("/proc", "/proc");
	before = faketree_snapshot();
}

static void teardown(void)
{
	free(STEAL(before));
	faketree_free();
}

static void config(const char *steps)
{
	_cleanup_free_ char *text = NULL;

	ck_assert_int_gt(asprintf(&text, "[domain]\nheadless = yes\n[prepare/begin]\n%s",
				  steps),
			 0);
	faketree_file(text, "/etc/libvirt/hooks/conf.d/win10.ini");
}

static char *phase(enum phase phase)
{
	struct event event;

	event_of_phase(&event, "win10", phase);
	return phase_of(host.root, &event, xml);
}

static void assert_same(void)
{
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_msg(streq(after, before), "not as before");
}

static const struct {
	const char *step, *hangs, *told, *left;
} late[] = {
	{ "pci.detach = timeout=1s " NIC "\n", "/e1000e/unbind",
	  "unbind of " NIC " from e1000e has not returned from the kernel after",
	  NIC ": process " },
	{ "pci.detach = timeout=1s " NIC "\n", "/vfio-pci/bind",
	  "bind of " NIC " to vfio-pci has not returned from the kernel after",
	  "still inside the kernel (bind of " NIC
	  " to vfio-pci); once it has ended and the "
	  "function is not back, run vfio-hook undo" },
	{ "pci.detach = timeout=1s " NIC "\n", "/driver_override",
	  "write of 'vfio-pci' to " DEVICE NIC "/driver_override has not returned",
	  "still inside the kernel (write of 'vfio-pci' to " },
	{ "pci.remove = timeout=1s " NIC "\n", "/remove",
	  "write of '1' to " DEVICE NIC "/remove has not returned", NULL },
};

START_TEST(puts_its_function_back)
{
	config(late[_i].step);
	faketree_fail(late[_i].hangs, FAKE_HANG, 0);
	assert_error_has(phase(PHASE_PREPARE), late[_i].told);
	faketree_fail(NULL, FAKE_ERRNO, 0);
	/* It is in there still: whoever comes by is told. */
	if (late[_i].left)
		assert_error_has(phase(PHASE_RELEASE), late[_i].left);
	fake_return_hung();
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	assert_no_error(phase(PHASE_RELEASE));
	assert_same();
}
END_TEST

/* The lock of the consoles may be held by what did not return: that holds up nobody. */
START_TEST(a_console_that_hangs)
{
	_cleanup_free_ char *log = NULL;
	int fd;

	config("pci.detach = " GPU "\n");
	faketree_file("", "/dev/console");
	assert_no_error(phase(PHASE_PREPARE));
	faketree_wedge(GPU);
	faketree_fail("/remove", FAKE_ERRNO, EIO); /* no second way either */
	fd = faketree_stuck("/dev/console");
	log_open(&host, "win10");
	assert_error_has(phase(PHASE_RELEASE), GPU);
	log_close();
	close(fd);
	ck_assert_int_eq(host_read_all(&host, &log, LOG_DIR "/win10.log"), 0);
	ck_assert_msg(strstr(log, "nothing can be said on /dev/console: message on "
				  "/dev/console has not returned from the kernel"),
		      "%s", log);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("late");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, puts_its_function_back, 0, ARRAY_SIZE(late));
	tcase_add_test(tc, a_console_that_hangs);
	tcase_set_timeout(tc, 120);
	return suite_run_as_root("late", tc);
}
