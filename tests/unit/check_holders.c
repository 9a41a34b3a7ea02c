/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holders: on a made-up tree, where every kind of node, process and session can be had,
 * and with real processes that have files of such a tree open.
 */

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guard.h"
#include "holders.h"
#include "state.h"
#include "suite.h"

#define GPU "0000:0a:00.0"
#define SOUND "0000:0a:00.1"
#define SYS "/sys/bus/pci/devices/"

static char root[64];
static struct host host = { .root = root };
static struct pci_list functions;

static void make_dirs(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
}

/* A file with TEXT; parents are made. */
static void put(const char *text, const char *fmt, ...) _printf_(2, 3);
static void put(const char *text, const char *fmt, ...)
{
	char name[512], path[PATH_MAX];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	make_dirs(host_path(&host, path, "%s", name));
	f = fopen(path, "w");
	ck_assert_msg(f != NULL, "%s", path);
	fputs(text, f);
	fclose(f);
}

static void put_link(const char *target, const char *fmt, ...) _printf_(2, 3);
static void put_link(const char *target, const char *fmt, ...)
{
	char name[512], path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	make_dirs(host_path(&host, path, "%s", name));
	ck_assert_int_eq(symlink(target, path), 0);
}

static void put_process(int pid, const char *comm, const char *cgroup)
{
	char line[256];

	snprintf(line, sizeof(line), "%d (%s) S 1 1 1", pid, comm);
	put(line, "/proc/%d/stat", pid);
	put(comm, "/proc/%d/comm", pid);
	snprintf(line, sizeof(line), "0::%s\n", cgroup);
	put(line, "/proc/%d/cgroup", pid);
	put("", "/proc/%d/maps", pid);
}

static void add_function(const char *name)
{
	struct pci_function fn = {};

	snprintf(fn.name, sizeof(fn.name), "%s", name);
	ck_assert_int_eq(pci_list_add(&functions, &fn), 0);
}

static void setup(void)
{
	strcpy(root, "/tmp/check-holders-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	put("", SYS GPU "/drm/card1/card1-DP-1/i2c-5/name");
	put("", SYS GPU "/drm/card1/card1-DP-1/drm_dp_aux0/dev");
	put("", SYS GPU "/drm/renderD129/dev");
	put("", SYS GPU "/graphics/fb0/name");
	put("", SYS GPU "/i2c-3/name");
	put("", SYS SOUND "/sound/card2/pcmC2D3p/dev");
	put("", SYS SOUND "/sound/card2/controlC2/dev");
	put_link("../../../kernel/iommu_groups/17", SYS GPU "/iommu_group");
	put_link("../../../kernel/iommu_groups/17", SYS SOUND "/iommu_group");
	put("root:x:0:0::/root:/bin/sh\n", "/etc/passwd");
	add_function(GPU);
	add_function(SOUND);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void teardown(void)
{
	pci_list_done(&functions);
	overlay_free(STEAL(host.overlay));
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct holder_list scan(void)
{
	struct holder_list list = {};
	struct error err = {};

	ck_assert_msg(holders_scan(&host, &functions, &list, &err) == 0, "%s",
		      error_text(&err));
	return list;
}

/* The one holder that there is. */
static struct holder scan_one(void)
{
	struct holder_list list = scan();
	struct holder holder;

	ck_assert_uint_eq(list.n, 1);
	holder = list.holder[0];
	holder_list_done(&list);
	return holder;
}

static void assert_node(const char *node, const char *function)
{
	char path[PATH_MAX];
	struct holder holder;

	put_link(node, "/proc/812/fd/7");
	holder = scan_one();
	ck_assert_str_eq(holder.node, node);
	ck_assert_str_eq(holder.function, function);
	unlink(host_path(&host, path, "/proc/812/fd/7"));
}

START_TEST(knows_all_nodes)
{
	put_process(812, "Xorg", "/system.slice/lightdm.service");
	assert_node("/dev/dri/card1", GPU);
	assert_node("/dev/dri/renderD129", GPU);
	assert_node("/dev/fb0", GPU);
	assert_node("/dev/i2c-3", GPU);
	assert_node("/dev/i2c-5", GPU);
	assert_node("/dev/drm_dp_aux0", GPU);
	assert_node("/dev/snd/pcmC2D3p", SOUND);
	assert_node("/dev/snd/controlC2", SOUND);
	assert_node("/dev/vfio/17", GPU);
}
END_TEST

START_TEST(leaves_others_alone)
{
	struct holder_list list;

	put_process(812, "Xorg", "/system.slice/lightdm.service");
	put_link("/dev/dri/card0", "/proc/812/fd/1");
	put_link("/dev/dri/card11", "/proc/812/fd/2");
	put_link("/dev/snd/seq", "/proc/812/fd/3");
	put_link("/dev/vfio/vfio", "/proc/812/fd/4");
	put_link("/home/alice/card1", "/proc/812/fd/5");
	put_link("socket:[812]", "/proc/812/fd/6");
	put_link("anon_inode:[vfio-device]", "/proc/812/fd/8");
	/* nvidia's nodes, and none of our functions is nvidia's */
	put_link("/dev/nvidia0", "/proc/812/fd/9");
	put_process(getpid(), "self", "/");
	put_link("/dev/dri/card1", "/proc/%d/fd/3", getpid());
	list = scan();
	ck_assert_uint_eq(list.n, 0);
	holder_list_done(&list);
}
END_TEST

/* 0x200000 in the field of the flags: a kernel thread, whatever else is said of it. */
START_TEST(kernel_threads_hold_nothing)
{
	struct holder_list list;

	put_process(813, "kworker/0:0", "/");
	put_link("/dev/dri/card1", "/proc/813/fd/7");
	put("813 (kworker/0:0) I 2 0 0 0 -1 69238880 0", "/proc/813/stat");
	list = scan();
	ck_assert_uint_eq(list.n, 0);
	put("813 (Xorg) I 2 0 0 0 -1 4194560 0", "/proc/813/stat");
	ck_assert_int_eq(scan_one().pid, 813);
}
END_TEST

START_TEST(one_entry_for_process_and_node)
{
	_cleanup_free_ char *text = NULL, *cure = NULL;
	struct holder_list list;

	put_process(812, "Xorg", "/system.slice/lightdm.service");
	put_link("/dev/dri/card1", "/proc/812/fd/7");
	put_link("/dev/dri/card1", "/proc/812/fd/8");
	put_link("/dev/fb0 (deleted)", "/proc/812/fd/9");
	list = scan();
	ck_assert_uint_eq(list.n, 2);
	text = holders_describe(&list);
	ck_assert_ptr_nonnull(str_after(text, "Xorg (pid 812, "));
	ck_assert_ptr_null(strchr(strstr(text, "812") + 1, '('));
	cure = holders_cure(&list);
	ck_assert_str_eq(cure, "stop lightdm.service first");
	holder_list_done(&list);
}
END_TEST

START_TEST(names_three_and_counts_the_rest)
{
	_cleanup_free_ char *text = NULL;
	struct holder_list list;

	for (int pid = 901; pid <= 905; pid++) {
		put_process(pid, "game", "/user.slice/user-1000.slice/session-2.scope");
		put_link("/dev/dri/renderD129", "/proc/%d/fd/4", pid);
	}
	list = scan();
	ck_assert_uint_eq(list.n, 5);
	text = holders_describe(&list);
	ck_assert_ptr_nonnull(strstr(text, "pid 903"));
	ck_assert_ptr_null(strstr(text, "pid 904"));
	ck_assert(str_ends(text, ", and 2 more"));
	holder_list_done(&list);
}
END_TEST

START_TEST(sees_mappings)
{
	put_process(812, "sway", "/system.slice/greetd.service");
	put("7f0000000000-7f0000001000 rw-s 00000000 00:06 812   /dev/dri/renderD129\n"
	    "7f0000002000-7f0000003000 r-xp 00000000 08:01 99    /usr/lib/libc.so.6\n",
	    "/proc/812/maps");
	ck_assert_str_eq(scan_one().node, "/dev/dri/renderD129");
}
END_TEST

/* A node that is the DEVICE of this host, by a link, as anybody may make one. */
static void put_node(const char *device, const char *path)
{
	put_link(device, "%s", path);
}

/* Process 812 has it open as LINK below our root, and no other file. */
static void assert_opened(const char *link, const char *node)
{
	struct holder_list list;
	char path[PATH_MAX], target[PATH_MAX];

	put_link(host_path(&host, target, "%s", link), "/proc/812/fd/7");
	list = scan();
	ck_assert_msg(list.n == (node ? 1 : 0), "%s", link);
	if (node)
		ck_assert_str_eq(list.holder[0].node, node);
	holder_list_done(&list);
	unlink(host_path(&host, path, "/proc/812/fd/7"));
}

/* "--device OURS:ANOTHER" and the reverse: what it is called there says nothing. */
START_TEST(knows_nodes_by_number)
{
	put_process(812, "ffmpeg", "/system.slice/docker-1.scope");
	put_node("/dev/null", "/dev/dri/renderD129");
	put_node("/dev/null", "/jail/dev/dri/renderD128");
	put_node("/dev/null", "/jail/dev/dri/gpu");
	put_node("/dev/zero", "/jail/dev/dri/renderD129");
	put_node("/dev/zero", "/dev/dri/renderD129 (deleted)");
	put("a disk", "/jail/renderD1");
	assert_opened("/dev/dri/renderD129", "/dev/dri/renderD129");
	assert_opened("/jail/dev/dri/renderD128", "/dev/dri/renderD129");
	assert_opened("/jail/dev/dri/renderD129", NULL);
	assert_opened("/jail/renderD1", NULL);
	/* Our path, but what is open by it is another device. */
	assert_opened("/dev/dri/renderD129 (deleted)", NULL);
	/* By another kind of name nothing is looked at. */
	assert_opened("/jail/dev/dri/gpu", NULL);
	/* No number to be had: the path. */
	put_link("/dev/dri/renderD129", "/proc/812/fd/8");
	ck_assert_str_eq(scan_one().node, "/dev/dri/renderD129");
}
END_TEST

/* A group's file is a mere number, as many a file of others. */
START_TEST(a_mere_number_is_no_kind)
{
	put_process(812, "qemu-system-x86", "/machine.slice/machine-qemu.scope");
	put_node("/dev/null", "/dev/vfio/17");
	put_node("/dev/null", "/jail/dev/pts/3");
	put_node("/dev/null", "/jail/dev/vfio/17");
	assert_opened("/jail/dev/pts/3", NULL);
	assert_opened("/jail/dev/vfio/17", "/dev/vfio/17");
}
END_TEST

static void assert_mapped(const char *path, const char *node)
{
	struct holder_list list;
	char line[256];

	snprintf(line, sizeof(line), "00400000-00500000 rw-s 00000000 00:06 812   %s\n",
		 path);
	put(line, "/proc/812/maps");
	list = scan();
	ck_assert_msg(list.n == (node ? 1 : 0), "%s", path);
	if (node)
		ck_assert_str_eq(list.holder[0].node, node);
	holder_list_done(&list);
}

START_TEST(knows_mapped_nodes_by_number)
{
	char path[PATH_MAX];

	put_process(812, "ffmpeg", "/system.slice/docker-1.scope");
	put_node("/dev/null", "/dev/dri/renderD129");
	put_link("/dev/null", "/proc/812/map_files/400000-500000");
	assert_mapped("/dev/dri/renderD129", "/dev/dri/renderD129");
	assert_mapped("/nodes/renderD128", "/dev/dri/renderD129");
	unlink(host_path(&host, path, "/proc/812/map_files/400000-500000"));
	put_link("/dev/zero", "/proc/812/map_files/400000-500000");
	assert_mapped("/dev/dri/renderD129", NULL);
}
END_TEST

static size_t found(int (*look)(const struct host *host, const struct pci_list *functions,
				struct holder_list *ret, struct error *err))
{
	struct holder_list list = {};
	struct error err = {};
	size_t n;

	ck_assert_int_eq(look(&host, &functions, &list, &err), 0);
	n = list.n;
	holder_list_done(&list);
	return n;
}

/* One card of sound, on a driver whose module counts COUNT users, and held by a process. */
static void held_sound(const char *count)
{
	pci_list_done(&functions);
	add_function(SOUND);
	put_link("../../../bus/pci/drivers/snd_hda_intel", SYS SOUND "/driver");
	put_link("../../../../module/snd_hda_intel",
		 "/sys/bus/pci/drivers/snd_hda_intel/module");
	put(count, "/sys/module/snd_hda_intel/refcnt");
	put_process(812, "pipewire", "/system.slice/audio.service");
	put_link("/dev/snd/controlC2", "/proc/812/fd/7");
}

/* Each open file is a reference to the module: where there is none, nobody is looked at. */
START_TEST(trusts_the_count_of_the_module)
{
	held_sound("1\n");
	ck_assert_uint_eq(found(holders_scan), 1);
	ck_assert_uint_eq(found(holders_scan_blocking), 1);
	put("0\n", "/sys/module/snd_hda_intel/refcnt");
	ck_assert_uint_eq(found(holders_scan), 0);
	ck_assert_uint_eq(found(holders_scan_blocking), 0);
}
END_TEST

/* Built in, it counts nothing. */
START_TEST(looks_where_nobody_counts)
{
	char path[PATH_MAX];

	held_sound("0\n");
	unlink(host_path(&host, path, "/sys/bus/pci/drivers/snd_hda_intel/module"));
	ck_assert_uint_eq(found(holders_scan_blocking), 1);
}
END_TEST

/* An i2c bus is waited for and not counted, where i2c-dev gives it a file. */
START_TEST(looks_for_users_of_i2c)
{
	held_sound("0\n");
	put_link("/dev/i2c-9", "/proc/812/fd/8");
	put("", SYS SOUND "/i2c-9/name");
	ck_assert_uint_eq(found(holders_scan_blocking), 0);
	put("", "/sys/class/i2c-dev/i2c-9/dev");
	ck_assert_uint_eq(found(holders_scan_blocking), 2);
}
END_TEST

/* A DP AUX channel is told of, but no unbind waits for it. */
START_TEST(tells_what_blocks_from_what_does_not)
{
	pci_list_done(&functions);
	add_function(GPU);
	put_link("../../../bus/pci/drivers/amdgpu", SYS GPU "/driver");
	put_link("../../../../module/amdgpu", "/sys/bus/pci/drivers/amdgpu/module");
	put("0\n", "/sys/module/amdgpu/refcnt");
	put_process(812, "fwupd", "/system.slice/fwupd.service");
	put_link("/dev/drm_dp_aux0", "/proc/812/fd/7");
	ck_assert_uint_eq(found(holders_scan), 1);
	ck_assert_uint_eq(found(holders_scan_blocking), 0);
}
END_TEST

/* A guest's file of the device counts, that of its group does not. */
START_TEST(trusts_the_count_of_vfio)
{
	pci_list_done(&functions);
	add_function(SOUND);
	put_link("../../../bus/pci/drivers/vfio-pci", SYS SOUND "/driver");
	put_link("../../../../module/vfio_pci", "/sys/bus/pci/drivers/vfio-pci/module");
	put("1\n", "/sys/module/vfio_pci/refcnt");
	put_process(812, "qemu-system-x86", "/machine.slice/machine-qemu.scope");
	put_link("/dev/vfio/17", "/proc/812/fd/7");
	ck_assert_uint_eq(found(holders_scan_blocking), 1);
	put("0\n", "/sys/module/vfio_pci/refcnt");
	ck_assert_uint_eq(found(holders_scan_blocking), 0);
	ck_assert_uint_eq(found(holders_scan), 1);
}
END_TEST

/* Another's process does not tell what it has open: counted, not taken for harmless. */
START_TEST(counts_the_unreadable)
{
	struct holder_list list;
	char path[PATH_MAX];

	if (geteuid() != 0)
		return; /* only root can make a file that we may not read */
	put_process(812, "Xorg", "/system.slice/lightdm.service");
	put_link("/dev/dri/card1", "/proc/812/fd/7");
	put_process(813, "firefox", "/user.slice/user-1000.slice/session-2.scope");
	put_link("/dev/dri/card1", "/proc/813/fd/9");
	ck_assert_int_eq(chmod(root, 0755), 0);
	ck_assert_int_eq(chmod(host_path(&host, path, "/proc/812/fd"), 0700), 0);
	/* What AppArmor does: the names can be listed, the links not read. */
	ck_assert_int_eq(chmod(host_path(&host, path, "/proc/813/fd"), 0744), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	list = scan();
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_uint_eq(list.unreadable, 2);
	ck_assert_str_eq(list.unreadable_one, "Xorg (pid 812)");
	holder_list_done(&list);
}
END_TEST

START_TEST(knows_nvidia)
{
	put_link("../../../bus/pci/drivers/nvidia", SYS GPU "/driver");
	put("Model: \t\t TU104\nIRQ:   \t\t 85\nDevice Minor: \t 1\n",
	    "/proc/driver/nvidia/gpus/" GPU "/information");
	put_process(700, "nvidia-persiste", "/system.slice/nvidia-persistenced.service");
	put_link("/dev/nvidia0", "/proc/700/fd/3"); /* another card */
	put_link("/dev/nvidia1", "/proc/700/fd/4");
	ck_assert_str_eq(scan_one().node, "/dev/nvidia1");
}
END_TEST

/* They stand for no card, but who has one open keeps the module in use. */
START_TEST(knows_nvidia_of_all_cards)
{
	static const char *const nodes[] = {
		"/dev/nvidiactl",
		"/dev/nvidia-modeset",
		"/dev/nvidia-uvm",
		"/dev/nvidia-uvm-tools",
		"/dev/nvidia-caps/nvidia-cap1",
		"/dev/nvidia-caps/nvidia-cap12",
		"/dev/nvidia-caps-imex-channels/channel0",
	};

	put_link("../../../bus/pci/drivers/nvidia", SYS GPU "/driver");
	put_process(812, "dcgm", "/system.slice/dcgm.service");
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		put("", "%s", nodes[i]);
		assert_node(nodes[i], GPU);
	}
}
END_TEST

START_TEST(knows_guests)
{
	_cleanup_free_ char *cure = NULL;
	struct holder_list list;

	put_process(3000, "qemu-system-x86", "/machine.slice/machine-qemu-1-win10.scope");
	put_link("anon_inode:[vfio-device]", "/proc/3000/fd/30");
	put("pos:\t0\nvfio-device-syspath: /sys/devices/pci0000:00/0000:00:03.1/" GPU
	    "\n",
	    "/proc/3000/fdinfo/30");
	list = scan();
	ck_assert_uint_eq(list.n, 1);
	ck_assert(list.holder[0].is_vfio);
	ck_assert_str_eq(list.holder[0].function, GPU);
	cure = holders_cure(&list);
	ck_assert_str_eq(cure, "shut its guest down first");
	holder_list_done(&list);
}
END_TEST

static void put_session(const char *id, const char *service, const char *class)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "UID=1000\nUSER=alice\nCLASS=%s\nSEAT=seat0\nTTY=tty2\nSERVICE=%s\n"
		 "LEADER=1234\nDEVICES=226:1\n",
		 class, service);
	put(text, "/run/systemd/sessions/%s", id);
}

static void will_be(const struct state_kind *kind, const char *target, const char *value)
{
	ck_assert_int_eq(overlay_set(host.overlay, kind, target, value), 0);
}

START_TEST(ends_with_its_unit)
{
	struct holder holder;

	put_process(812, "Xorg", "/system.slice/lightdm.service");
	put_link("/dev/dri/card1", "/proc/812/fd/7");
	holder = scan_one();
	ck_assert_str_eq(holder.unit, "lightdm.service");
	ck_assert(!holder_ends(&host, &holder));
	host.overlay = overlay_new();
	ck_assert(!holder_ends(&host, &holder));
	will_be(&state_unit, "gdm.service", "inactive");
	ck_assert(!holder_ends(&host, &holder));
	will_be(&state_unit, "lightdm.service", "inactive");
	ck_assert(holder_ends(&host, &holder));
	will_be(&state_unit, "lightdm.service", "active");
	ck_assert(!holder_ends(&host, &holder));
}
END_TEST

START_TEST(ends_with_its_session)
{
	struct holder holder;

	put_session("2", "gdm-password", "user");
	put_process(900, "game", "/user.slice/user-1000.slice/session-2.scope");
	put_link("/dev/dri/card1", "/proc/900/fd/7");
	host.overlay = overlay_new();
	holder = scan_one();
	ck_assert_str_eq(holder.unit, "session-2.scope");
	ck_assert(!holder_ends(&host, &holder));
	will_be(&state_unit, "gdm.service", "inactive");
	ck_assert(holder_ends(&host, &holder));
	will_be(&state_unit, "gdm.service", "active");
	will_be(&state_session, "seat0", "ended");
	ck_assert(holder_ends(&host, &holder));
}
END_TEST

START_TEST(console_login_outlives_display_manager)
{
	struct holder holder;

	put_session("3", "login", "user");
	put_link("/lib/systemd/system/lightdm.service",
		 "/etc/systemd/system/display-manager.service");
	put_process(900, "sway", "/user.slice/user-1000.slice/session-3.scope");
	put_link("/dev/dri/card1", "/proc/900/fd/7");
	host.overlay = overlay_new();
	holder = scan_one();
	will_be(&state_unit, "lightdm.service", "inactive");
	ck_assert(!holder_ends(&host, &holder));
	put_session("3", "ly", "user"); /* a manager whose PAM service tells nothing */
	ck_assert(holder_ends(&host, &holder));
}
END_TEST

START_TEST(user_manager_goes_with_session)
{
	struct holder holder;

	put_session("2", "sddm", "user");
	put("NAME=alice\nSESSIONS=2 4\nSEATS=seat0\n", "/run/systemd/users/1000");
	put_process(901, "plasmashell",
		    "/user.slice/user-1000.slice/user@1000.service/session.slice/"
		    "plasma-plasmashell.service");
	put_link("/dev/dri/card1", "/proc/901/fd/7");
	host.overlay = overlay_new();
	holder = scan_one();
	ck_assert_str_eq(holder.unit, "user@1000.service");
	ck_assert(holder_is_session(&holder));
	ck_assert(!holder_ends(&host, &holder));
	will_be(&state_unit, "sddm.service", "inactive");
	ck_assert(holder_ends(&host, &holder));
}
END_TEST

/* Whose unit it is, its manager tells: a process with capabilities looks like root's. */
START_TEST(user_unit_is_stopped)
{
	struct holder holder;

	put("alice:x:1000:1000::/home/alice:/bin/sh\n", "/etc/passwd");
	put_process(902, "kwin_wayland",
		    "/user.slice/user-1000.slice/user@1000.service/session.slice/"
		    "plasma-kwin_wayland.service");
	put_link("/dev/dri/card1", "/proc/902/fd/7");
	host.overlay = overlay_new();
	holder = scan_one();
	ck_assert_str_ne(holder.user, "alice");
	will_be(&state_unit, "plasma-kwin_wayland.service", "inactive");
	ck_assert(!holder_ends(&host, &holder));
	will_be(&state_unit, "user:alice:plasma-kwin_wayland.service", "inactive");
	ck_assert(holder_ends(&host, &holder));
}
END_TEST

START_TEST(logind_holds_for_sessions)
{
	_cleanup_free_ char *cure = NULL;
	struct holder_list list;

	put("SESSIONS=2\n", "/run/systemd/seats/seat0");
	put_session("2", "sddm", "user");
	put_process(500, "systemd-logind", "/system.slice/systemd-logind.service");
	put_link("/dev/dri/card1", "/proc/500/fd/7");
	host.overlay = overlay_new();
	list = scan();
	ck_assert_uint_eq(list.n, 1);
	ck_assert(!holder_ends(&host, &list.holder[0]));
	cure = holders_cure(&list);
	ck_assert_str_eq(cure, "end the session on that seat first");
	will_be(&state_session, "seat0", "ended");
	ck_assert(holder_ends(&host, &list.holder[0]));
	holder_list_done(&list);
}
END_TEST

/* A process that is no child of ours, until KILLED; it has PATH open or mapped. */
static int start_holder(const char *path, bool mapped)
{
	int ready[2], pid = 0, status;
	pid_t child;

	ck_assert_int_eq(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		if (fork() > 0)
			_exit(0);
		int fd = open(path, O_RDWR);

		pid = getpid();
		if (mapped) {
			if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
				_exit(1);
			close(fd);
		}
		while (getppid() == child)
			usleep(1000);
		if (write(ready[1], &pid, sizeof(pid)) < 0)
			_exit(1);
		sleep(60);
		_exit(0);
	}
	waitpid(child, &status, 0);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &pid, sizeof(pid)), sizeof(pid));
	close(ready[0]);
	return pid;
}

static void assert_finds_real(bool mapped)
{
	char path[PATH_MAX];
	char comm[64];
	struct holder holder;
	int pid;

	/* The holder is a child of ours; under valgrind the name is another. */
	ck_assert_int_gt(host_read(&(struct host){ .root = "" }, comm, sizeof(comm),
				   "/proc/self/comm"),
			 0);
	put("a page", "/dev/dri/card1");
	put_link("/proc", "/proc");
	pid = start_holder(host_path(&host, path, "/dev/dri/card1"), mapped);
	holder = scan_one();
	kill(pid, SIGKILL);
	ck_assert_int_eq(holder.pid, pid);
	ck_assert_str_eq(holder.node, "/dev/dri/card1");
	ck_assert_str_eq(holder.function, GPU);
	ck_assert_str_eq(holder.comm, comm);
}

START_TEST(finds_a_real_process)
{
	assert_finds_real(false);
}
END_TEST

START_TEST(finds_a_real_mapping)
{
	assert_finds_real(true);
}
END_TEST

static int busy(_unused_ void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	int64_t end = now_ms() + 500;

	while (now_ms() < end)
		;
	return 0;
}

static int asleep(_unused_ void *arg, _unused_ char text[GUARD_TEXT_MAX])
{
	pause();
	return 0;
}

/* A busy machine must not make a process one that hangs. */
START_TEST(starved_is_not_stuck)
{
	const _Atomic unsigned still = 0;

	ck_assert_int_eq(guard_watch(&(struct guard_job){ .fn = busy }, &still, 200), 0);
	ck_assert_int_eq(guard_watch(&(struct guard_job){ .fn = asleep }, &still, 200),
			 -ETIMEDOUT);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("holders");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, knows_all_nodes);
	tcase_add_test(tcase, leaves_others_alone);
	tcase_add_test(tcase, kernel_threads_hold_nothing);
	tcase_add_test(tcase, one_entry_for_process_and_node);
	tcase_add_test(tcase, names_three_and_counts_the_rest);
	tcase_add_test(tcase, sees_mappings);
	tcase_add_test(tcase, knows_nodes_by_number);
	tcase_add_test(tcase, a_mere_number_is_no_kind);
	tcase_add_test(tcase, knows_mapped_nodes_by_number);
	tcase_add_test(tcase, trusts_the_count_of_the_module);
	tcase_add_test(tcase, looks_where_nobody_counts);
	tcase_add_test(tcase, looks_for_users_of_i2c);
	tcase_add_test(tcase, tells_what_blocks_from_what_does_not);
	tcase_add_test(tcase, trusts_the_count_of_vfio);
	tcase_add_test(tcase, counts_the_unreadable);
	tcase_add_test(tcase, starved_is_not_stuck);
	tcase_add_test(tcase, knows_nvidia);
	tcase_add_test(tcase, knows_nvidia_of_all_cards);
	tcase_add_test(tcase, knows_guests);
	tcase_add_test(tcase, ends_with_its_unit);
	tcase_add_test(tcase, ends_with_its_session);
	tcase_add_test(tcase, console_login_outlives_display_manager);
	tcase_add_test(tcase, user_manager_goes_with_session);
	tcase_add_test(tcase, user_unit_is_stopped);
	tcase_add_test(tcase, logind_holds_for_sessions);
	tcase_add_test(tcase, finds_a_real_process);
	tcase_add_test(tcase, finds_a_real_mapping);
	return suite_run("holders", tcase);
}
