/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What steps and effects share while a phase runs: time left, waits, findings.
 */
#include <poll.h>
#include <time.h>

#include "effect.h"
#include "log.h"

#define DOWN_BUDGET_MS 300000
#define NO_CONFIG_BUDGET_MS 120000
#define PROMISED_MS 5000
#define POLL_FIRST_MS 2
#define POLL_MAX_MS 100

bool run_is_way_up(const struct run *run)
{
	return !run->undoing && phase_goes_up(run->event.phase);
}

static int64_t phase_budget(const struct run *run)
{
	if (!phase_goes_up(run->event.phase))
		return DOWN_BUDGET_MS;
	return run->config ? run->config->timeout_ms : NO_CONFIG_BUDGET_MS;
}

void run_start_clock(struct run *run)
{
	run->budget = now_ms() + phase_budget(run);
	run->deadline = run->budget;
	run->promised = 0;
}

void run_promise_time(struct run *run)
{
	run->promised = run_is_way_up(run) ? 0 : now_ms() + PROMISED_MS;
}

int64_t run_deadline(const struct run *run)
{
	int64_t all = run->budget < run->promised ? run->promised : run->budget;

	return run->deadline < all ? run->deadline : all;
}

int64_t run_time_left(const struct run *run)
{
	int64_t left = run_deadline(run) - now_ms();

	return left > 0 ? left : 0;
}

static void sleep_ms(int64_t ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

static bool reader_gone(int fd)
{
	struct pollfd pfd = { .fd = fd };

	return poll(&pfd, 1, 0) > 0 && (pfd.revents & POLLERR);
}

int run_cancelled(const struct run *run, struct error *err)
{
	struct pollfd pfd = { .fd = run->cancel_fd, .events = POLLIN };

	/* A way back is always walked to its end. */
	if (!run_is_way_up(run))
		return 0;
	if (run->cancel_fd >= 0 && poll(&pfd, 1, 0) > 0)
		return error_set(err, -ECANCELED, "interrupted by a signal");
	/* The pipe tells it, too, where a wrapper stands between the daemon and us. */
	if (run->caller > 0 && (getppid() != run->caller || reader_gone(STDERR_FILENO)))
		return error_set(err, -ECANCELED, "the libvirt daemon is gone");
	return 0;
}

void run_tell(struct run *run, enum run_event event, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!run->observer || run->simulate)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	run->observer->tell(run->observer, event, text);
}

void run_awaits(struct run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(run->awaited, sizeof(run->awaited), fmt, ap);
	va_end(ap);
}

static int wait_until(struct run *run,
		      int (*done)(struct run *run, void *arg, struct error *err),
		      void *arg, struct error *err)
{
	int64_t pause = POLL_FIRST_MS;

	for (;;) {
		int64_t left;
		int r = done(run, arg, err);

		if (r != 0)
			return r < 0 ? r : 0;
		if (run->simulate)
			return 0;
		r = run_cancelled(run, err);
		if (r < 0)
			return r;
		left = run_time_left(run);
		if (left == 0)
			return -ETIMEDOUT;
		run_tell(run, RUN_GOES_ON, "waiting%s%s, %lld s left",
			 *run->awaited ? " for " : "", run->awaited,
			 (long long)((left + 999) / 1000));
		sleep_ms(pause < left ? pause : left);
		pause = pause * 2 < POLL_MAX_MS ? pause * 2 : POLL_MAX_MS;
	}
}

int run_wait(struct run *run, int (*done)(struct run *run, void *arg, struct error *err),
	     void *arg, struct error *err)
{
	int r = wait_until(run, done, arg, err);

	run->awaited[0] = '\0';
	return r;
}
