/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps say when the CPUs that they are given cannot be had.
 */
#include "machine.h"

#define CGROUP "/sys/fs/cgroup"

static void put_cpus(void)
{
	faketree_file("0-3\n", "/sys/devices/system/cpu/online");
}

START_TEST(irq_move)
{
	put_cpus();
	refused("irq.move = to=6-7", "none of the CPUs in to=6-7 is online",
		"use those that are: 0-3");
	refused("irq.move = to=0-1", "/proc/irq: cannot read",
		"No such file or directory");
	refused("irq.move =", "The step names none", "the domain's XML has no <vcpupin>");
}
END_TEST

START_TEST(cpuset_isolate)
{
	put_cpus();
	not_read("cpuset.isolate = cores", "'cores' is no list of CPUs", "like 2-7,10-15");
	refused("cpuset.isolate = 2-9", "some of the CPUs are not there or not online",
		"use those that are: 0-3");
	refused("cpuset.isolate = 0-3", "no CPU would be left to the host",
		"(online: 0-3): take fewer");
	refused("cpuset.isolate = 2-3",
		"no partition: the XML's <emulatorpin> does not lie "
		"inside of 2-3",
		"this host was not booted with systemd: leave this line out");
	faketree_file("", "/run/systemd/system/x");
	refused("cpuset.isolate = 2-3", "/sys/fs/cgroup has no cpuset controller",
		"(cgroup_disable=)");
	faketree_file("cpuset cpu\n", "/sys/fs/cgroup/cgroup.controllers");
	faketree_file("2-3\n", "/sys/fs/cgroup/system.slice/cpuset.cpus");
	faketree_program("systemctl", "echo AllowedCPUs=2-3\n");
	refused("cpuset.isolate = 2-3",
		"no CPU would be left to system.slice, which has 2-3",
		"take fewer from the host");
}
END_TEST

/* Why the CPUs become no partition: in plan, where masks would do as well. */
START_TEST(cpuset_partition)
{
	static const struct {
		const char *tune, *why;
	} cases[] = {
		{ "<emulatorpin cpuset='1'/>", "the XML's <emulatorpin> does not lie" },
		{ "<emulatorpin cpuset='2-3'/><iothreadpin iothread='1' cpuset='1'/>",
		  "an <iothreadpin> of the XML lies outside of 2-3" },
		{ "<vcpupin vcpu='0' cpuset='1'/><emulatorpin cpuset='2-3'/>",
		  "a <vcpupin> of the XML lies outside of 2-3" },
		{ "<vcpupin vcpu='0' cpuset='2'/><emulatorpin cpuset='2-3'/>",
		  "machine.slice is a partition already" },
	};
	_cleanup_free_ char *parts = NULL;

	put_cpus();
	faketree_file("", "/run/systemd/system/x");
	faketree_file("cpuset cpu\n", "/sys/fs/cgroup/cgroup.controllers");
	faketree_file("root\n", "/sys/fs/cgroup/machine.slice/cpuset.cpus.partition");
	ck_assert_int_gt(asprintf(&parts, "<cputune>%s</cputune>", cases[_i].tune), 0);
	domain(parts);
	steps("cpuset.isolate = 2-3");
	command("plan win10");
	assert_has(cases[_i].why);
}
END_TEST

/*
 * No group has the controller, and there is no machine.slice, until the first guest comes:
 * systemd makes both when it is asked.
 */
START_TEST(cpuset_partition_of_a_new_slice)
{
	put_cpus();
	faketree_file("", "/run/systemd/system/x");
	faketree_file("cpuset cpu\n", "/sys/fs/cgroup/cgroup.controllers");
	faketree_file("0-3\n", "/sys/fs/cgroup/cpuset.cpus.effective");
	faketree_program("systemctl", "s=$R/sys/fs/cgroup/machine.slice\n"
				      "case $2 in\n"
				      "start) [ \"$4\" = machine.slice ] && mkdir $s ;;\n"
				      "set-property) [ -d $s ] || exit 1; "
				      "echo member >$s/cpuset.cpus.partition; "
				      "echo ${6#AllowedCPUs=} >$s/cpuset.cpus ;;\n"
				      "esac\n");
	domain("<cputune><vcpupin vcpu='0' cpuset='2'/><emulatorpin cpuset='2-3'/>"
	       "</cputune>");
	steps("cpuset.isolate = 2-3");
	command("plan win10");
	assert_has("partition machine.slice");
	assert_hasnt("AllowedCPUs");
	ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
	ck_assert_str_eq(faketree_read("/sys/fs/cgroup/machine.slice/cpuset.cpus"), "2-3");
	ck_assert_str_eq(faketree_read(
				 "/sys/fs/cgroup/machine.slice/cpuset.cpus.partition"),
			 "root");
	ck_assert_msg(command("undo win10") == STATUS_OK, "%s", out);
	ck_assert_str_eq(faketree_read("/sys/fs/cgroup/machine.slice/cpuset.cpus"), "");
	ck_assert_str_eq(faketree_read(
				 "/sys/fs/cgroup/machine.slice/cpuset.cpus.partition"),
			 "member");
}
END_TEST

/* The write succeeds, and the partition is invalid: it ends, and masks do instead. */
START_TEST(cpuset_partition_that_the_kernel_refuses)
{
	_cleanup_free_ char *before = NULL, *after = NULL, *log = NULL;

	put_cpus();
	faketree_file("", "/.fake/no-partition");
	faketree_file("", "/run/systemd/system/x");
	faketree_file("cpuset cpu\n", CGROUP "/cgroup.controllers");
	faketree_file("0-3\n", CGROUP "/cpuset.cpus.effective");
	faketree_file("member\n", CGROUP "/machine.slice/cpuset.cpus.partition");
	faketree_file("\n", CGROUP "/machine.slice/cpuset.cpus");
	faketree_file("\n", CGROUP "/system.slice/cpuset.cpus");
	faketree_program("systemctl", "case $2 in\n"
				      "show) echo AllowedCPUs= ;;\n"
				      "set-property) echo ${6#AllowedCPUs=} "
				      ">$R" CGROUP "/$5/cpuset.cpus ;;\n"
				      "esac\n");
	domain("<cputune><vcpupin vcpu='0' cpuset='2'/><emulatorpin cpuset='2-3'/>"
	       "</cputune>");
	steps("cpuset.isolate = 2-3");
	before = faketree_snapshot();
	ck_assert_msg(command("run win10 prepare") == STATUS_OK, "%s", out);
	ck_assert_int_eq(host_read_all(&host, &log, "/var/log/vfio-hook/win10.log"), 0);
	ck_assert_msg(strstr(log, "machine.slice cannot be a partition of its own: the "
				  "kernel says 'root invalid (Cpu list in cpuset.cpus not "
				  "exclusive)'") != NULL,
		      "%s", log);
	ck_assert_msg(strstr(log, "no partition, as the kernel refuses it: AllowedCPUs of "
				  "what systemd started instead") != NULL,
		      "%s", log);
	ck_assert_str_eq(faketree_read(CGROUP "/machine.slice/cpuset.cpus.partition"),
			 "member");
	ck_assert_str_eq(faketree_read(CGROUP "/machine.slice/cpuset.cpus"), "");
	ck_assert_str_eq(faketree_read(CGROUP "/system.slice/cpuset.cpus"), "0-1");
	ck_assert_msg(command("undo win10") == STATUS_OK, "%s", out);
	after = faketree_snapshot();
	ck_assert_str_eq(after, before);
}
END_TEST

START_TEST(cpuset_partition_refused_and_no_masks)
{
	put_cpus();
	faketree_file("", "/.fake/no-partition");
	faketree_file("0-3\n", CGROUP "/cpuset.cpus.effective");
	faketree_file("member\n", CGROUP "/machine.slice/cpuset.cpus.partition");
	faketree_file("\n", CGROUP "/machine.slice/cpuset.cpus");
	domain("<cputune><vcpupin vcpu='0' cpuset='2'/><emulatorpin cpuset='2-3'/>"
	       "</cputune>");
	steps("cpuset.isolate = 2-3");
	ck_assert_int_eq(command("run win10 prepare"), STATUS_FAILED);
	assert_has("no partition: the kernel refuses it; and no masks either");
	ck_assert_str_eq(faketree_read(CGROUP "/machine.slice/cpuset.cpus.partition"),
			 "member");
	ck_assert_str_eq(faketree_read(CGROUP "/machine.slice/cpuset.cpus"), "");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, irq_move);
	tcase_add_test(tc, cpuset_isolate);
	tcase_add_loop_test(tc, cpuset_partition, 0, 4);
	tcase_add_test(tc, cpuset_partition_of_a_new_slice);
	tcase_add_test(tc, cpuset_partition_that_the_kernel_refuses);
	tcase_add_test(tc, cpuset_partition_refused_and_no_masks);
}

int main(void)
{
	return machine_run("step_cpus", add);
}
