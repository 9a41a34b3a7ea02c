/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the caller gave (names, XML, a config file) to a run.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "call.h"
#include "scripts.h"

#define XML_MAX (16U << 20)
#define XML_WAIT_MS 20000 /* libvirt has written it all before we are asked */
#define STORED_XML "/etc/libvirt/qemu/%s.xml"

void call_init(struct call *call, const char *root, const char *hooks_dir)
{
	*call = (struct call)CALL_NONE;
	call->run.host.root = root;
	snprintf(call->hooks_dir, sizeof(call->hooks_dir), "%s", hooks_dir);
	call->run.hooks_dir = call->hooks_dir;
	call->run.host.server = &call->server;
	call->run.host.lock = &call->lock;
}

bool call_has_files(const struct call *call)
{
	const struct run *run = &call->run;
	char path[PATH_MAX];
	struct stat st;

	/* Not stat(): a link that broke is an error to be told, not a domain without. */
	host_path(&run->host, path, "%s/conf.d/%s.ini", run->hooks_dir, run->event.domain);
	return lstat(path, &st) == 0 ||
	       scripts_exist(&run->host, run->hooks_dir, &run->event);
}

bool call_has_journal(const struct call *call)
{
	const struct run *run = &call->run;
	_cleanup_free_ char *uuid = NULL;

	if (run->domain)
		return host_exists(&run->host, "/run/vfio-hook/%s.journal",
				   run->domain->uuid);
	return journal_find_by_name(&run->host, run->event.domain, &uuid) == 0;
}

/* Nothing hangs libvirt, not even a caller that forgot to close our stdin. */
static int wait_readable(int fd, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t left = deadline - now_ms();
	int r = left > 0 ? poll(&pfd, 1, (int)left) : 0;

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r > 0 ? 1 : -ETIMEDOUT;
}

int call_read_xml(struct call *call, int fd, struct error *err)
{
	int64_t deadline = now_ms() + XML_WAIT_MS;
	struct run *run = &call->run;
	size_t room = 0;

	for (;;) {
		int r = wait_readable(fd, deadline);
		ssize_t n;

		if (r == -ETIMEDOUT)
			return error_set(err, r,
					 "the domain XML on stdin does not end within %d s",
					 XML_WAIT_MS / 1000);
		if (r == 0)
			continue;
		if (room - run->xml_len < 2) {
			char *p = realloc(run->xml, room = room ? room * 2 : 16384);

			if (!p)
				return error_oom(err);
			run->xml = p;
		}
		n = read(fd, run->xml + run->xml_len, room - run->xml_len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "cannot read the domain XML");
		if (n == 0)
			break;
		run->xml_len += (size_t)n;
		if (run->xml_len > XML_MAX)
			return error_set(err, -EFBIG, "the domain XML is over %u MiB",
					 XML_MAX >> 20);
	}
	run->xml[run->xml_len] = '\0';
	return 0;
}

static int refuse_xml(const struct call *call, int code, const char *path,
		      struct error *err)
{
	if (code == -EACCES)
		return error_set(err, code,
				 "%s: only root may read it: type sudo in front", path);
	if (code != -ENOENT)
		return error_errno(err, code, "%s: cannot read it", path);
	return error_set(err, code, "libvirt has no domain %s (no %s)",
			 call->run.event.domain, path);
}

int call_read_stored_xml(struct call *call, struct error *err)
{
	_cleanup_close_ int fd = -1;
	char path[PATH_MAX];

	host_path(&call->run.host, path, STORED_XML, call->run.event.domain);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return refuse_xml(call, -errno, path, err);
	return call_read_xml(call, fd, err);
}

static bool uuid_is_sane(const char *uuid)
{
	return strlen(uuid) == 36 && strspn(uuid, "0123456789abcdef-") == 36;
}

static int domain_from_journal(struct call *call)
{
	const char *name = call->run.event.domain;
	struct domain domain = {};
	int r = journal_find_by_name(&call->run.host, name, &domain.uuid);

	if (r < 0)
		return -ENOENT;
	domain.name = strdup(name);
	if (!domain.name) {
		domain_done(&domain);
		return -ENOMEM;
	}
	call->domain = domain;
	call->run.domain = &call->domain;
	return 0;
}

/*
 * At boot there is no XML yet, in an initramfs never. So that [boot/begin] means the same
 * wherever it is run, none is read: the config has to name devices and amounts.
 */
static int domain_at_boot(struct call *call, struct error *err)
{
	struct domain *domain = &call->domain;

	domain->hugepages = true; /* as far as anybody knows */
	domain->name = strdup(call->run.event.domain);
	if (!domain->name || journal_boot_name(domain->name, &domain->uuid) < 0)
		return error_oom(err);
	call->run.domain = domain;
	return 0;
}

int call_parse_domain(struct call *call, struct error *err)
{
	struct run *run = &call->run;
	int r;

	if (run->event.phase == PHASE_BOOT)
		return domain_at_boot(call, err);
	r = domain_parse(run->xml ? run->xml : "", run->xml_len, &call->domain, err);

	if (r == 0 && !(call->domain.uuid && uuid_is_sane(call->domain.uuid)))
		r = error_set(err, -EINVAL, "the domain XML has no <uuid>");
	if (r < 0) {
		domain_done(&call->domain);
		call->domain = (struct domain){};
		if (phase_goes_up(run->event.phase) || domain_from_journal(call) < 0)
			return error_prefix(err, "cannot read the domain XML");
		error_done(err);
		return 0;
	}
	run->domain = &call->domain;
	return 0;
}

int call_torn_domain(struct call *call)
{
	struct run *run = &call->run;
	const char *uuid = NULL;

	if (run->xml) {
		run->xml[run->xml_len] = '\0'; /* a read that failed has not */
		uuid = strstr(run->xml, "<uuid>");
	}
	if (!uuid || !str_after(uuid + strcspn(uuid, "\n/"), "/uuid>"))
		return -ENOENT;
	uuid += strlen("<uuid>");
	call->domain.uuid = strndup(uuid, strcspn(uuid, "<"));
	call->domain.name = strdup(run->event.domain);
	if (!call->domain.uuid || !call->domain.name || !uuid_is_sane(call->domain.uuid)) {
		domain_done(&call->domain);
		call->domain = (struct domain){};
		return -EINVAL;
	}
	run->domain = &call->domain;
	return 0;
}

int call_load_config(struct call *call, struct error *err)
{
	struct run *run = &call->run;
	char path[PATH_MAX];
	int r;

	host_path(&run->host, path, "%s/conf.d/%s.ini", run->hooks_dir, run->event.domain);
	r = config_load(&run->host, path, &call->config, err);
	if (r == -ENOENT) {
		error_done(err);
		return 0;
	}
	if (r == 0) {
		run->config = &call->config;
		return 0;
	}
	if (call->config.problems.n)
		error_set(err, r, "%s%s", call->config.problems.v[0],
			  call->config.problems.n > 1 ?
				  " (and more: vfio-hook check tells all)" :
				  "");
	return r;
}

int call_scan(struct call *call, struct error *err)
{
	if (!call->run.config || call->run.pci.n)
		return 0;
	return pci_scan(&call->run.host, &call->run.pci, err);
}

void call_take_signals(struct call *call)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	call->run.cancel_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void call_done(struct call *call)
{
	guard_server_done(&call->server);
	closep(&call->lock.fd);
	report_done(&call->run.report);
	free(call->run.variants);
	strv_done(&call->run.plain);
	strv_done(&call->run.dead);
	pci_list_done(&call->run.pci);
	config_done(&call->config);
	domain_done(&call->domain);
	free(call->run.xml);
	closep(&call->run.cancel_fd);
}
