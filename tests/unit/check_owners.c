/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains that want the same device at the same time: one has it, the others leave it
 * alone on every way up and down, also when they were cut off in between.
 */
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "effect.h"
#include "faketree.h"
#include "hold.h"
#include "phase_of.h"
#include "suite.h"

#define NIC "0000:0b:00.0"
#define HOSTDEV                                                                \
	"<hostdev mode='subsystem' type='pci' managed='yes'><source><address " \
	"domain='0x0000' bus='0x0b' slot='0x00' function='0x0'/></source></hostdev>"

struct guest {
	const char *name, *uuid;
};

static const struct guest a = { "a", "11111111-2222-3333-4444-555555555555" },
			  b = { "b", "99999999-2222-3333-4444-555555555555" };
#define B_JOURNAL "/run/vfio-hook/99999999-2222-3333-4444-555555555555.journal"
static struct host host;
static const char *hostdevs; /* of the XML */
static int owner; /* who stands behind what is prepared */
static char *before;

static void put_program(const char *path, const char *line)
{
	char text[PATH_MAX], full[PATH_MAX];

	snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", line);
	faketree_file(text, "%s", path);
	ck_assert_int_eq(chmod(host_path(&host, full, "%s", path), 0755), 0);
}

static void setup(void)
{
	hostdevs = "";
	owner = getpid();
	faketree_new(&host);
	faketree_module("e1000e", "e1000e");
	faketree_module_load("e1000e");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
	faketree_process(owner, "libvirtd", "libvirtd.service", NULL);
	put_program("/bin/true", "true");
	before = faketree_snapshot();
}

static void teardown(void)
{
	free(STEAL(before));
	faketree_free();
}

static void config(const struct guest *g, const char *text)
{
	faketree_file(text, "/etc/libvirt/hooks/conf.d/%s.ini", g->name);
}

static int open_call(const struct guest *g, enum phase phase, struct call *call,
		     struct error *err)
{
	_cleanup_free_ char *xml = NULL;
	struct event event;
	int r;

	event_of_phase(&event, g->name, phase);
	ck_assert_int_gt(asprintf(&xml,
				  "<domain type='kvm'><name>%s</name><uuid>%s</uuid>"
				  "<memory>1024</memory><devices>%s</devices></domain>",
				  g->name, g->uuid, hostdevs),
			 0);
	r = phase_open(call, host.root, &event, xml, err);
	call->run.owner = owner;
	return r;
}

/* NULL when it went well, else the error's text, for the caller to free. */
static char *phase(const struct guest *g, enum phase phase)
{
	_cleanup_error_ struct error err = {};
	struct call call;
	int r = open_call(g, phase == PHASE_NONE ? PHASE_RELEASE : phase, &call, &err);

	if (r == 0)
		r = phase == PHASE_NONE ? phase_undo(&call.run, &err) :
					  phase_run(&call.run, &err);
	call_done(&call);
	return r == 0 ? NULL : strdup(error_text(&err));
}

static void assert_same(void)
{
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_str_eq(after, before);
}

static void assert_has_it(void)
{
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
}

/* Journals of before, and of a hook that was killed. */
static void open_journal(const struct guest *g, struct journal *journal)
{
	ck_assert_int_eq(journal_open(&host, g->uuid, g->name, true, NULL, journal, NULL),
			 0);
}

/* Does PID wait for the lock of a journal? For that alone it opens it for appending. */
static bool waits_for_journal(int pid)
{
	_cleanup_strv_ struct strv fds = {};
	const struct host real = { .root = "" };

	if (host_list(&real, &fds, "/proc/%d/fd", pid) < 0)
		return false;
	for (size_t i = 0; i < fds.n; i++) {
		char path[PATH_MAX], name[NAME_MAX + 1], text[256], *flags;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, fds.v[i]);
		if (host_link_name(&real, name, sizeof(name), "%s", path) < 0 ||
		    !str_ends(name, ".journal") ||
		    host_read(&real, text, sizeof(text), "/proc/%d/fdinfo/%s", pid,
			      fds.v[i]) < 0)
			continue;
		flags = strstr(text, "flags:");
		if (flags && strtol(flags + strlen("flags:"), NULL, 8) & O_APPEND)
			return true;
	}
	return false;
}

/* Undo by hand, typed while prepare is at work. */
START_TEST(undo_looks_again)
{
	int ready[2], parent = getpid(), pid, status;
	char byte;

	config(&a, "[prepare/begin]\npci.detach = " NIC "\n");
	assert_no_error(phase(&a, PHASE_PREPARE));
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct journal journal;

		open_journal(&a, &journal);
		journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		while (!waits_for_journal(parent))
			usleep(1000);
		journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_COMPLETE, NULL);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	assert_error_has(phase(&a, PHASE_NONE), "a has just been started");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	assert_has_it();
	assert_no_error(phase(&a, PHASE_NONE));
	assert_same();
}
END_TEST

#define DETACH "[prepare/begin]\npci.detach = " NIC "\n"
#define RESCAN "[started/begin]\npci.rescan = " NIC "\n"
#define NOTHING "[prepare/begin]\nexec.run = /bin/true\n"

static void assert_gone_again(const struct guest *g)
{
	ck_assert(!host_exists(&host, "/run/vfio-hook/%s.journal", g->uuid));
}

/* B has planned the card and came no further: A gets it, and B's way back leaves it. */
static void write_baseline_of_b(void)
{
	static char driver[] = "e1000e", override[] = "", power[] = "auto",
		    d3cold[] = "1", reset[] = "flr bus", id[] = "8086:10d3";
	const struct baseline baseline = { NIC,	  driver, driver, override,
					   power, d3cold, reset,  id };
	struct journal journal;

	open_journal(&b, &journal);
	ck_assert_int_eq(journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL),
			 0);
	ck_assert_int_eq(journal_baseline(&journal, &baseline, NULL), 0);
	journal_done(&journal);
}

START_TEST(way_back_leaves_what_another_has)
{
	static const enum phase back[] = { PHASE_RELEASE, PHASE_NONE, PHASE_PREPARE };

	config(&a, DETACH);
	config(&b, DETACH);
	write_baseline_of_b();
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_has_it();
	if (back[_i] == PHASE_PREPARE) /* B is started again, which undoes first */
		assert_error_has(phase(&b, PHASE_PREPARE), "belongs to domain a");
	else
		assert_no_error(phase(&b, back[_i]));
	assert_has_it();
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_gone_again(&b);
	assert_has_it();
	ck_assert_str_eq(faketree_read("/sys/bus/pci/devices/" NIC "/driver_override"),
			 "vfio-pci");
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
}
END_TEST

static const struct {
	const struct state_kind *kind;
	const char *target, *value;
} records[] = {
	{ &state_hold, NIC, "" },	  { &state_override, NIC, "" },
	{ &state_driver, NIC, "e1000e" }, { &state_function, NIC, "present" },
	{ &state_bar, NIC " 0", "0" },
};

/* Cut off as soon as the card was B's by any record: it is, until that is put back. */
START_TEST(held_by_any_record)
{
	struct journal journal;

	config(&a, DETACH);
	open_journal(&b, &journal);
	ck_assert_int_eq(journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL),
			 0);
	ck_assert_int_eq(journal_owner(&journal, owner, (uint64_t)owner, NULL), 0);
	ck_assert_int_eq(journal_record(&journal, records[_i].kind, records[_i].target,
					records[_i].value, records[_i].value, "",
					PHASE_PREPARE, NULL),
			 0);
	journal_done(&journal);
	assert_error_has(phase(&a, PHASE_PREPARE), NIC " belongs to domain b now");
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_gone_again(&b);
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_has_it();
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
}
END_TEST

/*
 * What is ours is changed without asking others, whatever they are at; what is not waits for
 * the lock, and what another has is refused.
 */
START_TEST(no_lock_for_what_is_ours)
{
	_cleanup_error_ struct error err = {};
	_cleanup_(journal_unlock) struct journal_lock lock = {};
	struct journal journal;
	struct call call;

	ck_assert_int_eq(open_call(&a, PHASE_PREPARE, &call, &err), 0);
	open_journal(&a, &journal);
	call.run.journal = &journal;
	run_start_clock(&call.run);
	if (_i)
		ck_assert_int_eq(hold_function(&call.run, NIC, NULL, &err), 0);
	ck_assert_int_eq(journal_lock(&host, now_ms() + 20000, &lock, NULL), 0);
	call.run.deadline = now_ms();
	ck_assert_int_eq(effect_set(&call.run, &state_override, NIC, "vfio-pci", NULL,
				    &err),
			 _i ? 0 : -ETIMEDOUT);
	ck_assert_msg(_i || strstr(error_text(&err), "/lock is held"), "%s",
		      error_text(&err));
	ck_assert_int_eq(journal_find(&journal, &state_override, NIC) != NULL, _i);
	if (_i)
		ck_assert_int_eq(hold_function(&call.run, NIC, NULL, &err), 0);
	journal_done(&journal);
	call_done(&call);
}
END_TEST

/* What the boot has is not its alone: a domain may have come for it since. */
START_TEST(boot_asks_for_what_it_has)
{
	_cleanup_error_ struct error err = {};
	static char uuid[] = "boot.a";
	struct journal boot, journal;
	struct domain domain;
	struct call call;

	ck_assert_int_eq(open_call(&a, PHASE_BOOT, &call, &err), 0);
	domain = *call.run.domain;
	domain.uuid = uuid;
	call.run.domain = &domain;
	open_journal(&(struct guest){ "a", uuid }, &boot);
	call.run.journal = &boot;
	run_start_clock(&call.run);
	ck_assert_int_eq(hold_function(&call.run, NIC, NULL, &err), 0);
	open_journal(&b, &journal);
	ck_assert_int_eq(journal_record(&journal, &state_hold, NIC, "", "", "",
					PHASE_PREPARE, NULL),
			 0);
	ck_assert_int_eq(effect_set(&call.run, &state_override, NIC, "vfio-pci", NULL,
				    &err),
			 -EBUSY);
	ck_assert(strstr(error_text(&err), NIC " belongs to domain b now"));
	journal_done(&journal);
	journal_done(&boot);
	call_done(&call);
}
END_TEST

/* Whatever the steps ask about others, a plan reads their journals once. */
START_TEST(plan_reads_a_journal_once)
{
	const int opened = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	_cleanup_error_ struct error err = {};
	struct inotify_event event[3];
	struct journal journal;
	struct call call;

	config(&a, DETACH);
	open_journal(&b, &journal);
	ck_assert_int_ge(inotify_add_watch(opened, journal.path, IN_OPEN | IN_CLOSE), 0);
	ck_assert_int_eq(open_call(&a, PHASE_PREPARE, &call, &err), 0);
	ck_assert_int_eq(phase_check(&call.run, &err), 0);
	ck_assert_int_eq(read(opened, event, sizeof(event)), 2 * sizeof(*event));
	ck_assert_uint_eq(event[0].mask, IN_OPEN);
	ck_assert_uint_eq(event[1].mask, IN_CLOSE_NOWRITE);
	close(opened);
	journal_done(&journal);
	call_done(&call);
}
END_TEST

/* A step that forgets to ask is refused all the same. */
START_TEST(final_effect_asks)
{
	_cleanup_error_ struct error err = {};
	struct journal journal;
	struct call call;

	config(&a, DETACH);
	assert_no_error(phase(&a, PHASE_PREPARE));
	ck_assert_int_eq(open_call(&b, PHASE_RELEASE, &call, &err), 0);
	open_journal(&b, &journal);
	call.run.journal = &journal;
	run_start_clock(&call.run);
	ck_assert_int_eq(effect_set(&call.run, &state_driver, NIC, "", NULL, &err),
			 -EBUSY);
	ck_assert(strstr(error_text(&err), NIC " belongs to domain a now"));
	assert_has_it();
	ck_assert(!journal_has_open_records(&journal));
	journal_done(&journal);
	call_done(&call);
}
END_TEST

/* Starts a phase in another process. */
static int start(const struct guest *g, enum phase phase_of_it)
{
	int pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		_cleanup_free_ char *error = phase(g, phase_of_it);

		if (error && !strstr(error, "belongs to domain")) {
			fprintf(stderr, "%s: %s\n", g->name, error);
			_exit(2);
		}
		_exit(error ? 1 : 0);
	}
	return pid;
}

static int result(int pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(two_at_once)
{
	config(&a, DETACH);
	config(&b, DETACH);
	for (int i = 0; i < 20; i++) {
		int first = start(&a, PHASE_PREPARE), second = start(&b, PHASE_PREPARE);
		int of_a = result(first), of_b = result(second);

		ck_assert_int_eq(of_a + of_b, 1);
		assert_has_it();
		/* libvirt sends the loser a release. */
		assert_no_error(phase(of_a ? &a : &b, PHASE_RELEASE));
		assert_has_it();
		assert_no_error(phase(of_a ? &b : &a, PHASE_RELEASE));
		assert_same();
	}
}
END_TEST

/*
 * B's release has put the card back and is at its display manager: the card is B's until
 * it has been compared with what it was.
 */
START_TEST(held_until_the_end_of_the_way_back)
{
	char path[PATH_MAX];
	int pid, fd;

	config(&a, DETACH);
	config(&b, NOTHING "exec.undo = /bin/slow\npci.detach = " NIC "\n");
	ck_assert_int_eq(mkfifo(host_path(&host, path, "/bin/fifo"), 0600), 0);
	put_program("/bin/slow", "cat ${0%slow}fifo");
	assert_no_error(phase(&b, PHASE_PREPARE));
	pid = start(&b, PHASE_RELEASE);
	fd = open(path, O_WRONLY | O_CLOEXEC); /* until it is at the program */
	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	assert_error_has(phase(&a, PHASE_PREPARE), NIC " belongs to domain b now");
	close(fd);
	ck_assert_int_eq(result(pid), 0);
	assert_same();
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_has_it();
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
}
END_TEST

static void put_qemu(int pid, const struct guest *g)
{
	char path[PATH_MAX];
	FILE *f;

	faketree_process(pid, "qemu-system-x86", "machine.slice", NULL);
	faketree_link("/usr/bin/qemu-system-x86_64", "/proc/%d/exe", pid);
	faketree_file("", "/proc/%d/cmdline", pid);
	f = fopen(host_path(&host, path, "/proc/%d/cmdline", pid), "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "qemu-system-x86_64%c-uuid%c%s%c", 0, 0, g->uuid, 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* A's device is libvirt's to move: it is A's all the same until A's guest has it. */
START_TEST(planned_for_libvirt)
{
	config(&a, NOTHING);
	config(&b, DETACH);
	hostdevs = HOSTDEV;
	assert_no_error(phase(&a, PHASE_PREPARE));
	hostdevs = "";
	assert_error_has(phase(&b, PHASE_PREPARE), NIC " belongs to domain a now");
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_same();
	/* It runs, and has given the card back: virsh detach-device. */
	put_qemu(4242, &a);
	assert_no_error(phase(&b, PHASE_PREPARE));
	assert_has_it();
	config(&b, DETACH RESCAN);
	assert_no_error(phase(&b, PHASE_STARTED));
	faketree_process_gone(4242);
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_has_it();
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_same();
}
END_TEST

static void by_hand(const char *value, const char *path)
{
	ck_assert_int_eq(host_write(&host, value, "%s", path), 0);
}

/* A's guest is up, on a card that libvirt has moved, and has not opened it yet. */
START_TEST(moved_by_libvirt)
{
	config(&a, NOTHING);
	config(&b, DETACH);
	hostdevs = HOSTDEV;
	assert_no_error(phase(&a, PHASE_PREPARE));
	hostdevs = "";
	by_hand("vfio-pci", "/sys/bus/pci/devices/" NIC "/driver_override");
	by_hand(NIC, "/sys/bus/pci/drivers/e1000e/unbind");
	by_hand(NIC, "/sys/bus/pci/drivers_probe");
	assert_has_it();
	put_qemu(4242, &a);
	assert_error_has(phase(&b, PHASE_PREPARE), NIC " belongs to domain a now");
	assert_no_error(phase(&b, PHASE_RELEASE));
	config(&b, NOTHING "[release/end]\npci.reattach = " NIC "\n");
	assert_no_error(phase(&b, PHASE_PREPARE));
	assert_error_has(phase(&b, PHASE_RELEASE), NIC " belongs to domain a now");
	assert_has_it();
	faketree_process_gone(4242);
	by_hand(NIC, "/sys/bus/pci/drivers/vfio-pci/unbind");
	by_hand("\n", "/sys/bus/pci/devices/" NIC "/driver_override");
	by_hand(NIC, "/sys/bus/pci/drivers_probe");
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
}
END_TEST

/* Nobody is behind B any more: what it did is put back, then A gets the card. */
START_TEST(dead_owner_is_undone_first)
{
	config(&a, DETACH);
	config(&b, DETACH);
	if (_i == 0) {
		owner = 99999; /* no such process */
		assert_no_error(phase(&b, PHASE_PREPARE));
		owner = getpid();
	} else { /* by libvirt, which then died */
		write_baseline_of_b();
		ck_assert_int_eq(host_write(&host, "vfio-pci",
					    "/sys/bus/pci/devices/" NIC
					    "/driver_override"),
				 0);
		ck_assert_int_eq(host_write(&host, NIC,
					    "/sys/bus/pci/drivers/e1000e/unbind"),
				 0);
		ck_assert_int_eq(host_write(&host, NIC,
					    "/sys/bus/pci/drivers/vfio-pci/bind"),
				 0);
	}
	assert_has_it();
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_gone_again(&b);
	assert_has_it();
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
}
END_TEST

static const char *const up[] = {
	"[prepare/begin]\npci.remove = " NIC "\n",
	"[prepare/begin]\npci.reset = " NIC "\n",
	"[prepare/begin]\npci.power = control=on " NIC "\n",
	DETACH,
};

/* Whatever B does to the card: it is A's. */
START_TEST(refused_on_the_way_up)
{
	config(&a, DETACH);
	config(&b, up[_i]);
	faketree_file("", "/sys/devices/pci0000:00/" NIC "/reset");
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_error_has(phase(&b, PHASE_PREPARE), NIC " belongs to domain a now");
	assert_has_it();
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_has_it();
	assert_no_error(phase(&a, PHASE_RELEASE));
}
END_TEST

/* What A has taken off the bus is not found again by others. */
START_TEST(removed_stays_removed)
{
	config(&a, "[prepare/begin]\npci.remove = " NIC "\n");
	config(&b, "[prepare/begin]\npci.rescan = 0000:0c:00.0\n");
	faketree_pci("0000:0c:00.0", "8086:10d3", "020000", "e1000e", "16");
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_error_has(phase(&b, PHASE_PREPARE), NIC " belongs to domain a now");
	ck_assert(!host_exists(&host, "/sys/bus/pci/devices/" NIC));
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_no_error(phase(&a, PHASE_RELEASE));
	ck_assert(host_exists(&host, "/sys/bus/pci/devices/" NIC));
	assert_no_error(phase(&b, PHASE_PREPARE));
	assert_no_error(phase(&b, PHASE_RELEASE));
}
END_TEST

static const char *const down[] = {
	NOTHING "[release/end]\npci.reattach = " NIC "\n",
	NOTHING "[release/end]\npci.remove = " NIC "\n",
	NOTHING "[release/end]\npci.reset = " NIC "\n",
};

START_TEST(refused_on_the_way_down)
{
	config(&a, DETACH);
	config(&b, down[_i]);
	faketree_file("", "/sys/devices/pci0000:00/" NIC "/reset");
	assert_no_error(phase(&b, PHASE_PREPARE));
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_error_has(phase(&b, PHASE_RELEASE), NIC " belongs to domain a now");
	ck_assert(host_exists(&host, "/sys/bus/pci/devices/" NIC));
	assert_has_it();
	assert_gone_again(&b);
	assert_no_error(phase(&a, PHASE_RELEASE));
}
END_TEST

/* The same steps when nobody has the card; nothing of that is left in the journal. */
START_TEST(allowed_on_the_way_down)
{
	config(&a, DETACH);
	config(&b, down[_i]);
	faketree_file("", "/sys/devices/pci0000:00/" NIC "/reset");
	assert_no_error(phase(&b, PHASE_PREPARE));
	if (_i == 2) { /* a reset is for what vfio has */
		ck_assert_int_eq(host_write(&host, NIC,
					    "/sys/bus/pci/drivers/e1000e/unbind"),
				 0);
	}
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_gone_again(&b);
	ck_assert_int_eq(host_exists(&host, "/sys/bus/pci/devices/" NIC), _i != 1);
}
END_TEST

/* A step marked "-" is left out when the card is another domain's. */
START_TEST(optional_goes_without)
{
	config(&a, DETACH);
	config(&b, "[prepare/begin]\n-pci.detach = " NIC "\n");
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_no_error(phase(&b, PHASE_PREPARE));
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_has_it();
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
	assert_no_error(phase(&b, PHASE_PREPARE));
	assert_has_it();
	assert_no_error(phase(&b, PHASE_RELEASE));
	assert_same();
}
END_TEST

/* Of another version, which knows whose the card is and cannot tell us. */
START_TEST(unreadable_journal_may_own_all)
{
	static const char file[] = B_JOURNAL;
	char path[PATH_MAX];

	config(&a, DETACH);
	faketree_file("vfio-hook\t999\tb007\t99999999\tb\t.\n", "%s", file);
	ck_assert_int_eq(chmod(host_path(&host, path, "/run/vfio-hook"), 0700), 0);
	assert_error_has(phase(&a, PHASE_PREPARE), file);
	assert_same();
	ck_assert_int_eq(unlink(host_path(&host, path, "%s", file)), 0);
	assert_no_error(phase(&a, PHASE_PREPARE));
	faketree_file("vfio-hook\t999\tb007\t99999999\tb\t.\n", "%s", file);
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
}
END_TEST

#define CPU0 "/sys/devices/system/cpu/cpufreq/policy0/"

static void console_and_policy(void)
{
	faketree_vtcon(0, "(S) dummy device", false);
	faketree_vtcon(1, "(M) frame buffer device", true);
	faketree_file("active\n", "/sys/devices/system/cpu/intel_pstate/status");
	faketree_file("0\n", CPU0 "related_cpus");
	faketree_file("0\n", CPU0 "affected_cpus");
	faketree_file("intel_pstate\n", CPU0 "scaling_driver");
	faketree_file("performance powersave\n", CPU0 "scaling_available_governors");
	faketree_file("powersave\n", CPU0 "scaling_governor");
	faketree_file("performance balance_power power\n",
		      CPU0 "energy_performance_available_preferences");
	faketree_file("balance_power\n", CPU0 "energy_performance_preference");
	free(before);
	before = faketree_snapshot();
}

static void assert_tuned(const char *epp)
{
	ck_assert_str_eq(faketree_read(CPU0 "energy_performance_preference"), epp);
	ck_assert_str_eq(faketree_read("/sys/class/vtconsole/vtcon1/bind"), "0");
}

/* Consoles and EPP come back with the last of two, whoever that is. */
START_TEST(shared_until_the_last_leaves)
{
	const struct guest *first = _i ? &b : &a, *last = _i ? &a : &b;

	console_and_policy();
	config(&a, "[prepare/begin]\nvtconsole.unbind =\nepp.set = power\n");
	config(&b, "[prepare/begin]\nvtconsole.unbind =\nepp.set = performance\n");
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_tuned("power");
	assert_no_error(phase(&b, PHASE_PREPARE));
	assert_tuned("performance");
	assert_no_error(phase(first, PHASE_RELEASE));
	assert_tuned(_i ? "power" : "performance");
	assert_no_error(phase(last, PHASE_RELEASE));
	assert_same();
}
END_TEST

/* Others may set it at the same time, so it is tried again; but not for ever. */
START_TEST(a_value_that_never_stays)
{
	console_and_policy();
	config(&a, "[prepare/begin]\nepp.set = power\n");
	config(&b, "[prepare/begin]\nepp.set = performance\n");
	assert_no_error(phase(&a, PHASE_PREPARE));
	faketree_fail("/energy_performance_preference", FAKE_SILENT, 0);
	assert_error_has(phase(&b, PHASE_PREPARE),
			 "is power after it was set to performance");
	faketree_fail(NULL, FAKE_ERRNO, 0);
	assert_no_error(phase(&a, PHASE_RELEASE));
	assert_same();
}
END_TEST

/*
 * Who leaves has nothing to set of a module that it did not load, nor the other's plan; what it
 * was loaded with before both of them comes back with the last.
 */
START_TEST(parameters_of_a_module_that_both_load)
{
	static const char debug[] = "/sys/module/dummy/parameters/debug";
	const bool swapped = _i & 1, found = _i & 2;
	const struct guest *first = swapped ? &b : &a, *last = swapped ? &a : &b;

	faketree_module("dummy", NULL);
	if (found) {
		faketree_module_load("dummy");
		faketree_file("4\n", "%s", debug);
		free(before);
		before = faketree_snapshot();
	}
	config(&a, found ? "[prepare/begin]\nkmod.unload = dummy\n"
			   "kmod.load = dummy debug=1\n" :
			   "[prepare/begin]\nkmod.load = dummy debug=1\n");
	config(&b, "[prepare/begin]\nkmod.load = dummy debug=2\n");
	assert_no_error(phase(&a, PHASE_PREPARE));
	assert_no_error(phase(&b, PHASE_PREPARE));
	ck_assert_str_eq(faketree_read("%s", debug), "1");
	assert_no_error(phase(first, PHASE_RELEASE));
	ck_assert_str_eq(faketree_read("%s", debug), "1");
	assert_no_error(phase(last, PHASE_RELEASE));
	assert_same();
}
END_TEST

/*
 * Another domain leaves at the begin of our way back, while we put the module back, or just
 * before a later phase sets it once more.
 */
START_TEST(parameters_handed_on_meanwhile)
{
	static const char debug[] = "/sys/module/dummy/parameters/debug",
			  handed_on[] = "data\tmodule\tdummy\tdebug=4\\n\t.\n"
					"old\tmodule\tdummy\tloaded\t.\n",
			  *const when[] = { "/driver_override", debug, "/mm/x" };

	faketree_module("dummy", NULL);
	faketree_module_load("dummy");
	faketree_file("3\n", "%s", debug);
	faketree_file("1\n", "/sys/kernel/mm/x");
	config(&b, "[prepare/begin]\nkmod.unload = dummy\nkmod.load = dummy debug=2\n"
		   "pci.detach = 0b:00.0\n"
		   "[started/begin]\nsysfs.write = /sys/kernel/mm/x 2\n"
		   "kmod.load = dummy debug=5\n");
	assert_no_error(phase(&b, PHASE_PREPARE));
	ck_assert_str_eq(faketree_read("%s", debug), "2");
	if (_i < 2)
		assert_no_error(phase(&b, PHASE_STARTED));
	faketree_meanwhile(when[_i], B_JOURNAL, handed_on);
	if (_i == 2)
		assert_no_error(phase(&b, PHASE_STARTED));
	assert_no_error(phase(&b, PHASE_STOPPED));
	assert_no_error(phase(&b, PHASE_RELEASE));
	ck_assert_str_eq(faketree_read("%s", debug), "4");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("owners");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, undo_looks_again);
	tcase_add_loop_test(tc, way_back_leaves_what_another_has, 0, 3);
	tcase_add_loop_test(tc, held_by_any_record, 0, (int)ARRAY_SIZE(records));
	tcase_add_loop_test(tc, no_lock_for_what_is_ours, 0, 2);
	tcase_add_test(tc, boot_asks_for_what_it_has);
	tcase_add_test(tc, plan_reads_a_journal_once);
	tcase_add_test(tc, final_effect_asks);
	tcase_add_test(tc, two_at_once);
	tcase_add_test(tc, held_until_the_end_of_the_way_back);
	tcase_add_test(tc, planned_for_libvirt);
	tcase_add_test(tc, moved_by_libvirt);
	tcase_add_loop_test(tc, dead_owner_is_undone_first, 0, 2);
	tcase_add_loop_test(tc, refused_on_the_way_up, 0, (int)ARRAY_SIZE(up));
	tcase_add_test(tc, removed_stays_removed);
	tcase_add_loop_test(tc, refused_on_the_way_down, 0, (int)ARRAY_SIZE(down));
	tcase_add_loop_test(tc, allowed_on_the_way_down, 0, (int)ARRAY_SIZE(down));
	tcase_add_loop_test(tc, shared_until_the_last_leaves, 0, 2);
	tcase_add_loop_test(tc, parameters_of_a_module_that_both_load, 0, 4);
	tcase_add_loop_test(tc, parameters_handed_on_meanwhile, 0, 3);
	tcase_add_test(tc, a_value_that_never_stays);
	tcase_add_test(tc, optional_goes_without);
	tcase_add_test(tc, unreadable_journal_may_own_all);
	return suite_run_as_root("owners", tc);
}
