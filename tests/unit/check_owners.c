/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains that want the same device at the same time: one has it, the others leave it
 * alone on every way up and down, also when they were cut off in between.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "faketree.h"
#include "phase_of.h"
#include "suite.h"

#define NIC "0000:0b:00.0"

struct guest {
	const char *name, *uuid;
};

static const struct guest a = { "a", "11111111-2222-3333-4444-555555555555" };
static struct host host;
static char *before;

static void setup(void)
{
	faketree_new(&host);
	faketree_module("e1000e", "e1000e");
	faketree_module_load("e1000e");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
	/* Who calls and thereby stands behind all of them. */
	faketree_process(getpid(), "libvirtd", "libvirtd.service", NULL);
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
				  "<memory>1024</memory><devices/></domain>",
				  g->name, g->uuid),
			 0);
	r = phase_open(call, host.root, &event, xml, err);
	call->run.owner = getpid();
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

static void assert_fine(char *error)
{
	ck_assert_msg(error == NULL, "%s", error);
}

static void assert_error(char *error, const char *text)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, text) != NULL, "%s", error);
	free(error);
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

static void open_journal(const struct guest *g, struct journal *journal)
{
	ck_assert_int_eq(journal_open(&host, g->uuid, g->name, true, journal, NULL), 0);
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
	assert_fine(phase(&a, PHASE_PREPARE));
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
	assert_error(phase(&a, PHASE_NONE), "a has just been started");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	assert_has_it();
	assert_fine(phase(&a, PHASE_NONE));
	assert_same();
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("owners");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, undo_looks_again);
	return suite_run_as_root("owners", tc);
}
