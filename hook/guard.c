/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel calls that may never return, made by a child that can be left behind.
 *
 * The remove() of some drivers waits for the last user of the device without a limit
 * (vfio-pci, snd_hda_intel, nvidia, every i2c adapter), with the device lock held, and
 * no signal ends that wait. So the process that answers to libvirt must never be the
 * one that makes such a call.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "guard_child.h"
#include "log.h"

/*
 * A call that was begun gets this much whatever the time is: else the last try at the
 * deadline would be taken for one that hangs, and undo could do nothing late.
 */
#define PATIENCE_MS 1000
#define READ_MS 5000 /* for a read outside any phase */
#define READ_ALL_MAX (64U << 10)

static int64_t guard_deadline(const struct run *run, int64_t now)
{
	int64_t deadline = run_deadline(run);

	return deadline < now + PATIENCE_MS ? now + PATIENCE_MS : deadline;
}

/* A way back never gives up, and what reads is done rather so than not at all. */
static bool may_do_alone(const struct run *run, const struct guard_job *job)
{
	return job->reads || (!run_is_way_up(run) && !job->waits);
}

/* A write(2) of no bytes never reaches the attribute. */
static int write_value(const struct host *host, const char *path, const char *value)
{
	return host_write(host, *value ? value : "\n", "%s", path);
}

int guard_do(const struct guard_job *job, char text[GUARD_TEXT_MAX])
{
	const struct guard_access *access = job->access;

	if (!access)
		return job->fn(job->arg, text);
	if (!access->value)
		return host_read(access->host, text, GUARD_TEXT_MAX, "%s", access->path);
	return write_value(access->host, access->path, access->value);
}

void guard_do_late(const struct guard_access *access)
{
	for (const struct guard_late *late = access->late; late && late->path; late++)
		(void)write_value(access->host, late->path, late->value);
}

static int do_alone(const struct guard_job *job, int why, char text[GUARD_TEXT_MAX])
{
	char own[GUARD_TEXT_MAX] = "";

	log_warn("%s: no child process can be had for it (%s), done without one",
		 job->what, strerror(-why));
	return guard_do(job, text ? text : own);
}

/* Whoever does the job: a child of its own, or the server's. */
struct worker {
	struct guard_server *server; /* NULL: its own */
	int pid, fd;
};

static int find_worker(const struct guard_job *job, struct worker *ret)
{
	const struct guard_access *access = job->access;

	*ret = (struct worker){ .fd = -1 };
	if (access && guard_server_takes(access))
		ret->server = access->host->server;
	ret->pid = ret->server ? guard_server_start(ret->server, access->host, &ret->fd) :
				 guard_fork(job, &ret->fd);
	return ret->pid < 0 ? ret->pid : 0;
}

/* The server's next child is another one. */
static void forget_worker(const struct worker *worker)
{
	if (worker->server)
		*worker->server = (struct guard_server){ 0 };
}

static uint64_t worker_start(const struct host *host, const struct worker *worker)
{
	if (!worker->server)
		return guard_start_time(host, worker->pid);
	if (!worker->server->start)
		worker->server->start = guard_start_time(host, worker->pid);
	return worker->server->start;
}

/* It is gone, or has nothing more to do than to end; the server's goes on. */
static int end_worker(const struct worker *worker, bool gone)
{
	if (worker->server && !gone)
		return 0;
	forget_worker(worker);
	return guard_reap(worker->pid, worker->fd);
}

/* -ECHILD: it has died, or does not know what it is to do. */
static int ask_worker(const struct worker *worker, const struct guard_job *job,
		      int64_t deadline, struct guard_answer *answer)
{
	int r = worker->server ? guard_server_ask(worker->fd, job->access) :
				 guard_go(worker->fd);

	return r < 0 ? -ECHILD : guard_answer(worker->fd, deadline, answer);
}

int guard_run(struct run *run, const struct guard_job *job, char text[GUARD_TEXT_MAX],
	      struct error *err)
{
	struct guard_answer answer = { 0 };
	int64_t since = now_ms();
	struct worker worker;
	int r, status;

	r = find_worker(job, &worker);
	if (r < 0 && may_do_alone(run, job))
		return do_alone(job, r, text);
	if (r < 0)
		return error_errno(err, r, "%s: cannot start a child process", job->what);
	if (run->journal)
		r = guard_begin(run, job, worker.pid, worker_start(&run->host, &worker),
				err);
	if (r < 0) {
		end_worker(&worker, false); /* it has not done anything */
		return r;
	}
	r = ask_worker(&worker, job, guard_deadline(run, since), &answer);
	if (r < 0 && r != -ECHILD) {
		forget_worker(&worker);
		close(worker.fd);
		return guard_leave(run, job, worker.pid, since, err);
	}
	status = end_worker(&worker, r < 0);
	/* Should that fail, its pid is to tell that it is gone. */
	if (run->journal && journal_returned(run->journal, worker.pid, NULL) < 0 &&
	    worker.server)
		guard_server_done(worker.server);
	if (r < 0)
		return error_set(err, -EIO, "%s: the child process died (%s %d)",
				 job->what, WIFSIGNALED(status) ? "signal" : "status",
				 WIFSIGNALED(status) ? WTERMSIG(status) :
						       WEXITSTATUS(status));
	if (text)
		memcpy(text, answer.text, sizeof(answer.text));
	return answer.result;
}

struct call {
	int (*fn)(void *arg);
	void *arg;
};

static int do_call(void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	const struct call *call = arg;

	return call->fn(call->arg);
}

int guard_call(struct run *run, const char *what, int (*fn)(void *arg), void *arg,
	       struct error *err)
{
	struct call call = { .fn = fn, .arg = arg };
	struct guard_job job = { .what = what, .fn = do_call, .arg = &call };

	return guard_run(run, &job, NULL, err);
}

int guard_write(struct run *run, const char *path, const char *value, struct error *err)
{
	return guard_write_late(run, path, value, NULL, err);
}

int guard_write_late(struct run *run, const char *path, const char *value,
		     const struct guard_late *late, struct error *err)
{
	struct guard_access access = { .host = &run->host,
				       .path = path,
				       .value = value,
				       .late = run_is_way_up(run) ? late : NULL };
	char what[512];
	struct guard_job job = { .what = what, .access = &access };
	int r;

	snprintf(what, sizeof(what), "write of '%.100s' to %.300s", value, path);
	r = guard_run(run, &job, NULL, err);
	/* error_set() keeps the guard's own text when there is one. */
	return r < 0 ? error_errno(err, r, "%s: cannot write '%s'", path, value) : 0;
}

int guard_read(struct run *run, const char *path, char *buf, size_t size,
	       struct error *err)
{
	struct guard_access access = { .host = &run->host, .path = path };
	char what[512], text[GUARD_TEXT_MAX];
	struct guard_job job = { .what = what, .access = &access, .reads = true };
	int r;

	snprintf(what, sizeof(what), "read of %.300s", path);
	r = guard_run(run, &job, text, err);
	if (r < 0)
		return error_errno(err, r, "%s: cannot read", path);
	return snprintf(buf, size, "%s", text);
}

/* What a read outside of any phase needs to know of one. */
static struct run brief_run(const struct host *host)
{
	int64_t deadline = now_ms() + READ_MS;

	return (struct run){
		.host = *host, .deadline = deadline, .budget = deadline, .cancel_fd = -1
	};
}

int guard_read_host(const struct host *host, const char *path, char *buf, size_t size,
		    struct error *err)
{
	struct run run = brief_run(host);

	return guard_read(&run, path, buf, size, err);
}

int guard_run_host(const struct host *host, const struct guard_job *job,
		   char text[GUARD_TEXT_MAX], struct error *err)
{
	struct run run = brief_run(host);
	struct guard_job reads = *job;

	reads.reads = true;
	return guard_run(&run, &reads, text, err);
}

struct whole_file {
	const struct host *host;
	const char *path;
	char *text; /* shared with the child, READ_ALL_MAX */
};

static int do_read_all(void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	const struct whole_file *file = arg;
	_cleanup_free_ char *all = NULL;
	int r = host_read_all(file->host, &all, "%s", file->path);

	if (r < 0)
		return r;
	if (strlen(all) >= READ_ALL_MAX)
		return -EFBIG;
	strcpy(file->text, all);
	return 0;
}

int guard_read_all_host(const struct host *host, const char *path, char **ret,
			struct error *err)
{
	struct whole_file file = { .host = host, .path = path };
	char what[512];
	struct guard_job job = { .what = what, .fn = do_read_all, .arg = &file };
	int r;

	snprintf(what, sizeof(what), "read of %.300s", path);
	/* A child that is left behind keeps its own view of this. */
	file.text = mmap(NULL, READ_ALL_MAX, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (file.text == MAP_FAILED)
		return error_oom(err);
	r = guard_run_host(host, &job, NULL, err);
	if (r == 0 && !(*ret = strdup(file.text)))
		r = error_oom(err);
	munmap(file.text, READ_ALL_MAX);
	return r;
}
