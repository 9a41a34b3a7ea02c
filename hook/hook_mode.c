/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hook mode: /etc/libvirt/hooks/qemu as libvirt calls it.
 */
#include "advice.h"
#include "call.h"
#include "caller.h"
#include "hook_mode.h"
#include "log.h"
#include "phase.h"
#include "print.h"
#include "scripts.h"

/*
 * conf.d and qemu.d lie beside the executable as libvirt named it, which is right on
 * NixOS, too; libvirt's own qemu.d, if we were put there, is not part of that.
 */
static void find_hooks_dir(const char *argv0, char *buf, size_t size)
{
	const char *slash = strrchr(argv0, '/');

	if (argv0[0] != '/' || slash == argv0) {
		snprintf(buf, size, "%s", HOOKS_DIR);
		return;
	}
	snprintf(buf, size, "%.*s", (int)(slash - argv0), argv0);
	if (str_ends(buf, "/qemu.d"))
		buf[strlen(buf) - strlen("/qemu.d")] = '\0';
}

/* Operations without sections of ours: the script tree, and nothing ever fails. */
static int other_operation(struct call *call)
{
	struct run *run = &call->run;
	_cleanup_error_ struct error err = {};

	if (streq(run->event.operation, "reconnect") && run->domain)
		phase_reconnect(run);
	run->budget = run->deadline = now_ms() + 120000;
	if (scripts_exist(&run->host, run->hooks_dir, &run->event) &&
	    scripts_run(run, NULL, &err) < 0)
		log_error("%s", error_text(&err));
	return 0;
}

/* `check` tells it to people who ask; others find it in the log when something is odd. */
static void log_disagreements(struct call *call)
{
	_cleanup_(findings_done) struct findings findings = {};

	if (!call->run.config || call->run.event.phase != PHASE_PREPARE)
		return;
	advise_domain(call, false, &findings);
	for (size_t i = 0; i < findings.n; i++)
		if (findings.items[i].level != FINDING_ADVICE)
			log_warn("check: %s", findings.items[i].text);
}

/* Devices are looked at for steps, and for what is to be put back. */
static bool needs_devices(const struct call *call)
{
	const struct run *run = &call->run;

	return !run->config || run->event.phase == PHASE_PREPARE ||
	       !phase_goes_up(run->event.phase) ||
	       config_has_phase(run->config, run->event.phase);
}

int hook_phase(struct call *call, struct error *err)
{
	struct run *run = &call->run;
	bool up = phase_goes_up(run->event.phase);
	int config = call_load_config(call, err);
	char why[PATH_MAX];
	int r;

	if (config == 0 && needs_devices(call))
		config = call_scan(call, err);
	if (config < 0 && up && !phase_switched_off(run, why, sizeof(why))) {
		phase_note_refusal(run);
		return config;
	}
	/* It keeps no release from putting things back, and no switch from being heard. */
	if (config < 0) {
		log_error("%s", error_text(err));
		error_done(err);
	}
	r = up ? phase_up(run, err) : phase_down(run, err);
	if (r == 0)
		log_disagreements(call);
	return r;
}

static int dry_run(struct call *call, struct error *err)
{
	int r = call_load_config(call, err);

	if (r == 0)
		r = call_scan(call, err);
	if (r < 0) {
		print_problems(&call->config, err);
		return r;
	}
	r = phase_check(&call->run, err);
	print_plan_whole(&call->run, stdout);
	return r;
}

/*
 * Without the XML nobody knows whose journal to tell, but its beginning may be there, and of
 * a persistent domain libvirt has a copy.
 */
static void note_unread(struct call *call)
{
	if (call_torn_domain(call) == 0) {
		phase_note_refusal(&call->run);
		return;
	}
	free(STEAL(call->run.xml));
	call->run.xml_len = 0;
	if (call_read_stored_xml(call, NULL) == 0 && call_parse_domain(call, NULL) == 0)
		phase_note_refusal(&call->run);
}

static int handle(struct call *call, bool dry, struct error *err)
{
	struct run *run = &call->run;
	bool has_files = call_has_files(call);
	int r;

	if (!has_files && !journal_any(&run->host))
		return 0;
	r = call_read_xml(call, STDIN_FILENO, err);
	if (r == 0 || !phase_goes_up(run->event.phase))
		r = call_parse_domain(call, err);
	if (!has_files && !call_has_journal(call))
		return 0;
	log_open(&run->host, run->event.domain);
	if (run->event.phase == PHASE_NONE)
		return other_operation(call);
	if (r < 0 && !dry)
		note_unread(call);
	if (r < 0)
		return r;
	if (dry)
		return dry_run(call, err);
	run->caller = getppid();
	r = hook_phase(call, err);
	caller_note(&run->host, run->caller);
	return r;
}

int hook_main(int argc, char **argv)
{
	bool dry = argc > 1 && streq(argv[1], "--dry-run");
	char **arg = argv + 1 + dry, hooks_dir[PATH_MAX];
	_cleanup_error_ struct error err = {};
	_cleanup_(call_done) struct call call;
	int n = argc - 1 - dry, r;

	find_hooks_dir(argv[0], hooks_dir, sizeof(hooks_dir));
	call_init(&call, "", hooks_dir);
	/* A session daemon runs the same file as an ordinary user: none of our business. */
	if (geteuid() != 0 || n < 2 || !domain_name_is_safe(arg[0]))
		return 0;
	event_init(&call.run.event, arg[0], arg[1], n > 2 ? arg[2] : "-",
		   n > 3 ? arg[3] : "-");
	call_take_signals(&call);
	r = handle(&call, dry, &err);
	if (r < 0) {
		log_error("%s %s: %s", arg[0], arg[1], error_text(&err));
		dprintf(STDERR_FILENO, "vfio-hook: %s\n", error_text(&err));
	}
	log_close();
	/* The start has failed already, and said what could not be put back. */
	return r < 0 && !call.run.after_refusal ? 1 : 0;
}
