/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What surrounds the steps of a phase: who is refused, what a refusal leaves for the
 * release behind it, the switch, and the time that each part of the way back gets.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "faketree.h"
#include "log.h"
#include "ownership.h"
#include "phase_of.h"
#include "suite.h"

#define NIC "0000:0b:00.0"
#define HOOKS "/etc/libvirt/hooks"
#define TREE HOOKS "/qemu.d/win10"

#define XML(uuid)                                          \
	"<domain type='kvm'><name>win10</name><uuid>" uuid \
	"</uuid><memory>1024</memory><devices/></domain>"

static const char xml[] = XML("11111111-2222-3333-4444-555555555555");
static const char other_xml[] = XML("99999999-2222-3333-4444-555555555555");
static const char *of = xml; /* whose phases are run */
static const char detach[] = "[prepare/begin]\npci.detach = " NIC "\n";

static struct host host;

static void setup(void)
{
	faketree_new(&host);
	faketree_module("e1000e", "e1000e");
	faketree_module_load("e1000e");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
}

static void teardown(void)
{
	faketree_free();
}

static void config(const char *text)
{
	faketree_file(text, HOOKS "/conf.d/win10.ini");
}

/* A program that leaves PATH.ran behind. */
static void program(const char *path, const char *text)
{
	char rooted[PATH_MAX];

	faketree_file(text, "%s", path);
	ck_assert_int_eq(chmod(host_path(&host, rooted, "%s", path), 0755), 0);
}

static bool has_run(const char *path)
{
	return host_exists(&host, "%s.ran", path);
}

static void off(const char *path)
{
	char rooted[PATH_MAX];

	ck_assert_int_eq(unlink(host_path(&host, rooted, "%s", path)), 0);
}

static char *phase(const char *operation, const char *sub)
{
	struct event event;

	event_init(&event, "win10", operation, sub, "-");
	return phase_of(host.root, &event, of);
}

static void tree(void)
{
	program(TREE "/prepare/begin/x", "#!/bin/sh\n: >\"$0.ran\"\n");
	program(TREE "/release/end/x", "#!/bin/sh\n: >\"$0.ran\"\n");
}

/* Prepare is behind us; with a config that is fine again, release must run no script. */
static void assert_release_runs_nothing(void)
{
	ck_assert(!has_run(TREE "/prepare/begin/x"));
	config(detach);
	assert_no_error(phase("release", "end"));
	ck_assert(!has_run(TREE "/release/end/x"));
	ck_assert(!host_exists(&host, "/run/vfio-hook/"
				      "11111111-2222-3333-4444-555555555555.journal"));
}

START_TEST(no_release_of_a_bad_config)
{
	tree();
	config("[prepare/begin\n");
	assert_error_has(phase("prepare", "begin"), "win10.ini:1");
	assert_release_runs_nothing();
}
END_TEST

START_TEST(no_release_of_a_switched_off_prepare)
{
	tree();
	config(detach);
	faketree_file("", HOOKS "/disable");
	assert_no_error(phase("prepare", "begin"));
	off(HOOKS "/disable");
	assert_release_runs_nothing();
}
END_TEST

START_TEST(no_release_of_a_dry_run)
{
	tree();
	config("[domain]\ndry-run = yes\n[prepare/begin]\npci.detach = " NIC "\n");
	assert_error_has(phase("prepare", "begin"), "dry run");
	assert_release_runs_nothing();
	/* One that lets the guest start, too. */
	config("[domain]\ndry-run = yes\n[prepare/begin]\nwait.sleep = 1\n");
	assert_no_error(phase("prepare", "begin"));
	assert_release_runs_nothing();
}
END_TEST

START_TEST(the_switch_is_asked_before_the_config)
{
	config("[prepare/begin\n");
	faketree_file("", HOOKS "/disable");
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("start", "begin"));
	assert_no_error(phase("started", "begin"));
	assert_no_error(phase("release", "end"));
	off(HOOKS "/disable");
	assert_error_has(phase("prepare", "begin"), "win10.ini:1");
}
END_TEST

static const struct {
	const char *path, *text;
	bool off;
} switches[] = {
	{ HOOKS "/disable", "", true },
	{ "/run/vfio-hook/disable", "", true },
	{ "/proc/cmdline", "vfio_hook=off quiet\n", true },
	{ "/proc/cmdline", "quiet vfio_hook=off ro\n", true },
	{ "/proc/cmdline", "quiet vfio_hook=off\n", true },
	{ "/proc/cmdline", "vfio_hook=offline my.vfio_hook=off vfio_hook=on\n", false },
};

/* Going up nothing is done any more; what was is put back by its own way back. */
START_TEST(switched_off_while_the_guest_runs)
{
	bool is_off = switches[_i].off;
	char rooted[PATH_MAX];

	tree();
	program("/bin/step", "#!/bin/sh\n: >\"$0.ran\"\n");
	config("[prepare/begin]\npci.detach = " NIC
	       "\n[start/begin]\nexec.run = /bin/step\n");
	ck_assert_int_eq(mkdir(host_path(&host, rooted, "/run/vfio-hook"), 0700), 0);
	faketree_file(switches[_i].text, "%s", switches[_i].path);
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(NIC), is_off ? "e1000e" : "vfio-pci");
	ck_assert(has_run(TREE "/prepare/begin/x") == !is_off);
	off(switches[_i].path);
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
	faketree_file(switches[_i].text, "%s", switches[_i].path);
	assert_no_error(phase("start", "begin"));
	ck_assert(has_run("/bin/step") == !is_off);
	assert_no_error(phase("release", "end"));
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	ck_assert(has_run(TREE "/release/end/x"));
}
END_TEST

/* Prepare with a program, a device, and one whose undo hangs, and may for very long. */
static void prepare_slow_undo(void)
{
	program("/bin/true", "#!/bin/sh\n");
	program("/bin/first", "#!/bin/sh\n: >\"$0.ran\"\n");
	program("/bin/slow", "#!/bin/sh\nexec sleep 1000\n");
	config("[prepare/begin]\nexec.run = /bin/true 1\nexec.undo = /bin/first\n"
	       "pci.detach = " NIC "\n"
	       "exec.run = /bin/true 2\nexec.undo = timeout=10min /bin/slow\n");
	assert_no_error(phase("prepare", "begin"));
}

/* Release, whose way back has so much time; NULL or the error. */
static char *release_within(int64_t ms)
{
	_cleanup_error_ struct error err = {};
	struct event event;
	struct call call;
	int r;

	event_of_phase(&event, "win10", PHASE_RELEASE);
	r = phase_open(&call, host.root, &event, xml, &err);
	call.run.undo_by = now_ms() + ms;
	if (r == 0)
		r = phase_down(&call.run, &err);
	call_done(&call);
	return r == 0 ? NULL : strdup(error_text(&err));
}

static void assert_others_are_back(void)
{
	ck_assert(has_run("/bin/first"));
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
}

START_TEST(a_slow_undo_leaves_time_to_the_others)
{
	char *error;

	prepare_slow_undo();
	error = release_within(14000);
	ck_assert(error && !strstr(error, " 600 s"));
	assert_error_has(error, "/bin/slow did not end within");
	assert_others_are_back();
}
END_TEST

START_TEST(each_undo_has_some_time_when_all_is_used_up)
{
	prepare_slow_undo();
	program("/bin/slow", "#!/bin/sh\n");
	assert_no_error(release_within(-1));
	assert_others_are_back();
}
END_TEST

/* Why the start fails, and what is left of it; all else is back. */
START_TEST(rollback_tells_what_is_left)
{
	char *error;

	program("/bin/true", "#!/bin/sh\n");
	program("/bin/first", "#!/bin/sh\n: >\"$0.ran\"\n");
	program("/bin/unwilling", "#!/bin/sh\nexit 3\n");
	program("/bin/broken", "#!/bin/sh\nexit 4\n");
	config("[prepare/begin]\nexec.run = /bin/true 1\nexec.undo = /bin/first\n"
	       "pci.detach = " NIC "\n"
	       "exec.run = /bin/true 2\nexec.undo = /bin/unwilling\n"
	       "exec.run = /bin/broken\n");
	error = phase("prepare", "begin");
	ck_assert(error && strstr(error, "exec.run (win10.ini:7): /bin/broken"));
	assert_error_has(error, "; not put back: ");
	assert_others_are_back();
	error = phase("release", "end");
	assert_error_has(error, "/bin/unwilling");
}
END_TEST

/* The plan's own questions are asked within the time of the phase. */
START_TEST(a_plan_has_no_time_of_its_own)
{
	program("/usr/bin/systemctl", "#!/bin/sh\nsleep 2\n");
	faketree_file("", "/run/systemd/system/x");
	config("[domain]\ntimeout = 1s\n[prepare/begin]\n"
	       "-service.stop = a.service\npci.detach = " NIC "\n");
	assert_error_has(phase("prepare", "begin"),
			 "pci.detach (win10.ini:5): the time of the whole phase");
}
END_TEST

/* Nor has a dead domain's way back, which is walked first. */
START_TEST(a_dead_domain_has_no_time_of_its_own)
{
	char *error;

	of = other_xml; /* nobody in this tree stands behind it */
	prepare_slow_undo();
	of = xml;
	config("[domain]\ntimeout = 8s\n[prepare/begin]\npci.detach = " NIC "\n");
	error = phase("prepare", "begin");
	ck_assert(error && strstr(error, "/bin/slow did not end within"));
	assert_error_has(error, "cannot put back what a dead domain changed");
}
END_TEST

START_TEST(no_read_hangs_a_phase)
{
	int fd;

	faketree_vtcon(0, "(S) dummy device", false);
	faketree_vtcon(1, "(M) frame buffer device", true);
	fd = faketree_stuck("/sys/class/vtconsole/vtcon1/bind");
	config("[prepare/begin]\nvtconsole.unbind =\n");
	assert_error_has(phase("prepare", "begin"), "vtcon1/bind has not returned");
	close(fd);
	faketree_file("", "/sys/kernel/stuck");
	fd = faketree_stuck("/sys/kernel/stuck");
	config("[prepare/begin]\nsysfs.write = /sys/kernel/stuck 1\n");
	assert_error_has(phase("prepare", "begin"), "/sys/kernel/stuck");
	close(fd);
}
END_TEST

/* Our only child: who writes the log. */
static int log_writer(void)
{
	struct host machine = { .root = "" };
	_cleanup_strv_ struct strv pids = {};
	char text[4096], parent[32];

	snprintf(parent, sizeof(parent), "PPid:\t%d\n", (int)getpid());
	ck_assert_int_eq(host_list(&machine, &pids, "/proc"), 0);
	for (size_t i = 0; i < pids.n; i++)
		if (host_read(&machine, text, sizeof(text), "/proc/%s/status",
			      pids.v[i]) > 0 &&
		    strstr(text, parent))
			return atoi(pids.v[i]);
	ck_abort_msg("nobody writes the log");
}

static int log_has(struct run *run, void *arg, struct error *err)
{
	_cleanup_free_ char *text = NULL;

	return host_read_all(&run->host, &text, LOG_DIR "/win10.log") == 0 &&
	       strstr(text, arg);
}

static void assert_log_has(const char *text)
{
	struct run run = { .host = host,
			   .cancel_fd = -1,
			   .undoing = true,
			   .deadline = now_ms() + 30000,
			   .budget = INT64_MAX };

	ck_assert_int_eq(run_wait(&run, log_has, (void *)(uintptr_t)text, NULL), 0);
}

/* A line is there when log_sync() returns; a disk that hangs holds nobody up. */
START_TEST(the_log_waits_for_no_disk)
{
	char long_line[100000];
	int writer;

	faketree_file("", "/var/log/messages");
	log_open(&host, "win10");
	log_info("the first line");
	log_sync();
	ck_assert_int_eq(log_has(&(struct run){ .host = host },
				 (void *)(uintptr_t) "the first line\n", NULL),
			 1);
	writer = log_writer();
	ck_assert_int_eq(kill(writer, SIGSTOP), 0);
	log_info("the second line");
	for (unsigned i = 0; i < 10000; i++)
		log_info("one of many");
	ck_assert_int_eq(kill(writer, SIGCONT), 0);
	assert_log_has("the second line\n");
	memset(long_line, 'x', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	log_info("%s", long_line);
	log_info("the last line");
	assert_log_has("the last line\n");
	log_close();
}
END_TEST

static int send_fails; /* once, with this */

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	errno = send_fails;
	send_fails = 0;
	return errno ? -1 : sendto(fd, buf, n, flags, NULL, 0);
}

/* The machine is short of memory for a moment: a line is lost, not all that follow. */
START_TEST(the_log_goes_on_after_a_line_was_lost)
{
	static const int errors[] = { ENOBUFS, ENOMEM, EMSGSIZE };

	log_open(&host, "win10");
	log_info("the first line");
	send_fails = errors[_i];
	log_info("the second line");
	log_info("the last line");
	assert_log_has("the last line\n");
	ck_assert_int_eq(log_has(&(struct run){ .host = host },
				 (void *)(uintptr_t) "the second line\n", NULL),
			 0);
	log_close();
}
END_TEST

/* A command that refuses its arguments has no call yet: descriptor 0 is not its own. */
START_TEST(no_call_closes_nothing)
{
	struct call call = CALL_NONE;

	ck_assert_int_eq(dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO),
			 STDIN_FILENO);
	call_done(&call);
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
}
END_TEST

/* Its last line survives us, too. */
START_TEST(the_log_outlives_who_wrote_it)
{
	int pid, status;

	pid = fork();
	if (pid == 0) {
		log_open(&host, "win10");
		log_info("the end is near");
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	assert_log_has("the end is near\n");
}
END_TEST

/* Who reads them never comes to the end: nobody writes. */
static void lock_names(void)
{
	char path[PATH_MAX];

	faketree_file("", "/usr/share/misc/x");
	ck_assert_int_eq(mkfifo(host_path(&host, path, "/usr/share/misc/pci.ids"), 0600),
			 0);
}

/* The names of all devices there are cost a start more than all else does. */
START_TEST(names_are_read_when_there_is_something_to_say)
{
	static const char said[] = "check: " NIC " (Intel of the fake The Network Card) "
				   "cannot be reset by the kernel";

	of = "<domain type='kvm'><name>win10</name><uuid>11111111-2222-3333-4444-"
	     "555555555555</uuid><memory>1024</memory><devices><hostdev "
	     "mode='subsystem' type='pci' managed='yes'><source><address bus='0x0b' "
	     "slot='0' function='0'/></source></hostdev></devices></domain>";
	config(detach);
	lock_names();
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("release", "end"));

	off("/usr/share/misc/pci.ids");
	off("/sys/devices/pci0000:00/" NIC "/reset_method");
	faketree_file("8086  Intel of the fake\n\t10d3  The Network Card\n",
		      "/usr/share/misc/pci.ids");
	faketree_file("", "/var/log/vfio-hook/x");
	log_open(&host, "win10");
	assert_no_error(phase("prepare", "begin"));
	log_close();
	assert_no_error(phase("release", "end"));
	assert_log_has(said);
}
END_TEST

#define GPU "0000:0a:00.0"
#define OTHER_GPU "0000:0c:00.0"
#define OUTLET "/sys/devices/pci0000:00/" GPU "/drm/card0/card0-DP-1/status"

/* The card that the firmware showed its picture on, with a driver. */
static void only_card(void)
{
	faketree_module("amdgpu", "amdgpu");
	faketree_module_load("amdgpu");
	faketree_pci(GPU, "1002:73df", "030000", "amdgpu", "14");
}

/* CONFIG gets through prepare and back. */
static void assert_taken(const char *text)
{
	config(text);
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(GPU), "vfio-pci");
	assert_no_error(phase("release", "end"));
	ck_assert_str_eq(faketree_driver_of(GPU), "amdgpu");
}

static void assert_last_picture(const char *text)
{
	config(text);
	assert_error_has(phase("prepare", "begin"),
			 GPU " has the only picture of this host");
	ck_assert_str_eq(faketree_driver_of(GPU), "amdgpu");
}

START_TEST(the_last_picture_goes_only_when_it_is_meant)
{
	only_card();
	assert_last_picture("[prepare/begin]\npci.detach = 0a:00.0\n");
	assert_last_picture("[domain]\nheadless = no\n"
			    "[prepare/begin]\nwait.sleep = 1\n"
			    "pci.detach = 0a:00.0\n");
	assert_taken("[domain]\nheadless = yes\n[prepare/begin]\n"
		     "pci.detach = 0a:00.0\n");
	assert_taken("[prepare/begin]\nvtconsole.unbind =\npci.detach = 0a:00.0\n");
	assert_taken("[prepare/begin]\nkmod.unload = amdgpu\npci.detach = 0a:00.0\n");
}
END_TEST

START_TEST(another_picture_is_enough)
{
	only_card();
	faketree_pci(OTHER_GPU, "1002:67df", "030000", "amdgpu", "16");
	assert_taken("[prepare/begin]\npci.detach = 0a:00.0\n");
	/* but not when that goes, too, or shows nothing */
	assert_last_picture("[prepare/begin]\npci.detach = 0a:00.0\n"
			    "pci.detach = 0c:00.0\n");
	faketree_file("disconnected\n", "/sys/devices/pci0000:00/" OTHER_GPU
					"/drm/card1/card1-DP-2/status");
	assert_last_picture("[prepare/begin]\npci.detach = 0a:00.0\n");
}
END_TEST

START_TEST(a_card_without_a_screen_is_no_picture)
{
	only_card();
	faketree_file("disconnected\n", OUTLET);
	assert_taken("[prepare/begin]\npci.detach = 0a:00.0\n");
	faketree_file("connected\n", OUTLET);
	assert_last_picture("[prepare/begin]\npci.detach = 0a:00.0\n");
}
END_TEST

static void change_owner(const char *path, uid_t uid)
{
	char rooted[PATH_MAX];

	ck_assert_int_eq(chown(host_path(&host, rooted, "%s", path), uid, 0), 0);
}

static void assert_owner(const char *path, uid_t uid)
{
	char rooted[PATH_MAX];
	struct stat st;

	ck_assert_int_eq(stat(host_path(&host, rooted, "%s", path), &st), 0);
	ck_assert_int_eq(st.st_uid, uid);
}

static void assert_mode(const char *path, mode_t mode)
{
	char rooted[PATH_MAX];
	struct stat st;

	ck_assert_int_eq(stat(host_path(&host, rooted, "%s", path), &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, mode);
}

/* A user's link, last on the way or not, must not choose what root gives away. */
START_TEST(no_file_is_owned_over_a_users_link)
{
	static const char *const words[] = { "/home/u/link", "/home/u/d/shadow",
					     "/home/*/d/shadow", "/home/u/li*" };
	_cleanup_free_ char *text = NULL;

	faketree_file("secret\n", "/etc/shadow");
	faketree_link("../../etc", "/home/u/d");
	faketree_link("../../etc/shadow", "/home/u/link");
	change_owner("/home/u", 1000);
	ck_assert_int_gt(asprintf(&text, "[prepare/begin]\nfile.own = mode=0666 %s\n",
				  words[_i]),
			 0);
	config(text);
	assert_error_has(phase("prepare", "begin"), "leads over a symlink to /etc/shadow");
	/* Nobody but root could have put it there. */
	change_owner("/home/u", 0);
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("release", "end"));
}
END_TEST

/* Swapped between the look and the change, or before the way back. */
START_TEST(no_folder_is_swapped_under_us)
{
	_cleanup_error_ struct error err = {};
	struct run run = { .host = host, .cancel_fd = -1 };
	char path[] = "/home/u/d/file", old[] = "0:0:0644", new[] = "1000:0:0644",
	     rooted[PATH_MAX];
	struct record record = {
		.kind = &state_owner, .target = path, .old = old, .new = new
	};

	faketree_file("", "%s", path);
	ck_assert_int_eq(state_owner.change(&run, &record, old, new, &err), 0);
	assert_owner(path, 1000);
	ck_assert_int_eq(unlink(host_path(&host, rooted, "%s", path)), 0);
	ck_assert_int_eq(rmdir(host_path(&host, rooted, "/home/u/d")), 0);
	faketree_file("", "/etc/file");
	faketree_link("../../etc", "/home/u/d");
	ck_assert_int_eq(state_owner.change(&run, &record, old, new, &err), -ELOOP);
	assert_owner("/etc/file", 0);
}
END_TEST

/* Root's own link, as of some distributions: what is behind it is made and removed. */
START_TEST(shared_memory_behind_a_link)
{
	char rooted[PATH_MAX];

	faketree_file("", "/run/shm/theirs");
	faketree_link("../run/shm", "/dev/shm");
	config("[prepare/begin]\nshm.create = mode=0600 ours\n"
	       "shm.create = mode=0600 theirs\n");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_int_eq(access(host_path(&host, rooted, "/run/shm/ours"), F_OK), 0);
	assert_mode("/run/shm/theirs", 0600);
	assert_no_error(phase("release", "end"));
	ck_assert_int_lt(access(rooted, F_OK), 0);
	assert_mode("/run/shm/theirs", 0644);
}
END_TEST

/* Everything that is wrong at once. */
static void all_is_wrong(void)
{
	only_card();
	faketree_pci("0000:0a:00.1", "1002:ab28", "040300", "e1000e", "14");
	faketree_pci(OTHER_GPU, "1002:67df", "030000", "amdgpu", "16");
	faketree_file("", "/sys/devices/pci0000:00/" GPU "/drm/card0/uevent");
	faketree_process(812, "renderd", "render.service", "/dev/dri/card0");
	faketree_disk("sdx", NIC);
	faketree_file("8:16\n", "/sys/devices/pci0000:00/" NIC "/block/sdx/dev");
	faketree_file("36 35 8:16 / /home rw,noatime - ext4 /dev/sdx rw\n",
		      "/proc/self/mountinfo");
	faketree_hugepages(2048, 4, 64);
	faketree_file("MemTotal: 8000 kB\nMemAvailable: 7000 kB\nHugepagesize: 2048 kB\n",
		      "/proc/meminfo");
	config("[prepare/begin]\n"
	       "hugepages.allocate = memory=64G\n"
	       "kmod.load = no_such_module\n"
	       "kmod.unload = amdgpu\n"
	       "pci.detach = 0a:00.0 " NIC "\n"
	       "exec.run = /no/such/program\n");
}

/* The place of the problem that says TEXT. */
static size_t place_of(const struct run *run, const char *text)
{
	for (size_t i = 0; i < run->report.n; i++)
		if (run->report.items[i].kind == REPORT_PROBLEM &&
		    strstr(run->report.items[i].what, text))
			return i;
	for (size_t i = 0; i < run->report.n; i++)
		fprintf(stderr, "%s\n", run->report.items[i].what);
	ck_abort_msg("nothing says: %s", text);
}

/* All is told, and first what is in use: there data or a picture would be lost. */
START_TEST(all_that_is_wrong_is_told)
{
	static const char *const in_use[] = { "renderd (pid 812", "mounted at /home",
					      OTHER_GPU };
	static const char *const wrong[] = { "no_such_module", "/no/such/program",
					     "0000:0a:00.1" };
	_cleanup_error_ struct error err = {};
	struct event event;
	struct call call;
	size_t memory;

	all_is_wrong();
	event_of_phase(&event, "win10", PHASE_PREPARE);
	ck_assert_int_eq(phase_open(&call, host.root, &event, xml, &err), 0);
	ck_assert_int_lt(phase_check(&call.run, &err), 0);
	memory = place_of(&call.run, "huge");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		size_t place = place_of(&call.run, wrong[i]);

		ck_assert_uint_lt(place, memory);
		for (size_t k = 0; k < ARRAY_SIZE(in_use); k++)
			ck_assert_uint_lt(place_of(&call.run, in_use[k]), place);
	}
	call_done(&call);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("phase");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_release_of_a_bad_config);
	tcase_add_test(tc, no_release_of_a_switched_off_prepare);
	tcase_add_test(tc, no_release_of_a_dry_run);
	tcase_add_test(tc, the_switch_is_asked_before_the_config);
	tcase_add_loop_test(tc, switched_off_while_the_guest_runs, 0,
			    ARRAY_SIZE(switches));
	tcase_add_test(tc, a_slow_undo_leaves_time_to_the_others);
	tcase_add_test(tc, each_undo_has_some_time_when_all_is_used_up);
	tcase_add_test(tc, no_read_hangs_a_phase);
	tcase_add_test(tc, names_are_read_when_there_is_something_to_say);
	tcase_add_test(tc, the_last_picture_goes_only_when_it_is_meant);
	tcase_add_test(tc, another_picture_is_enough);
	tcase_add_test(tc, a_card_without_a_screen_is_no_picture);
	tcase_add_loop_test(tc, no_file_is_owned_over_a_users_link, 0, 4);
	tcase_add_test(tc, no_folder_is_swapped_under_us);
	tcase_add_test(tc, shared_memory_behind_a_link);
	tcase_add_test(tc, rollback_tells_what_is_left);
	tcase_add_test(tc, a_plan_has_no_time_of_its_own);
	tcase_add_test(tc, a_dead_domain_has_no_time_of_its_own);
	tcase_add_test(tc, the_log_waits_for_no_disk);
	tcase_add_loop_test(tc, the_log_goes_on_after_a_line_was_lost, 0, 3);
	tcase_add_test(tc, no_call_closes_nothing);
	tcase_add_test(tc, the_log_outlives_who_wrote_it);
	tcase_add_test(tc, all_that_is_wrong_is_told);
	tcase_set_timeout(tc, 120);
	return suite_run_as_root("phase", tc);
}
