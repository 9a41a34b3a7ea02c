/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices from the host to VFIO and back, whole phases on a machine that reacts: a GPU
 * with its audio function in one IOMMU group, a network card in another.
 */
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "faketree.h"
#include "storage.h"
#include "kmod.h"
#include "phase_of.h"
#include "suite.h"

#define GPU "0000:0a:00.0"
#define SOUND "0000:0a:00.1"
#define UUID "11111111-2222-3333-4444-555555555555"
#define NIC "0000:0b:00.0"

static const char xml_format[] =
	"<domain type='kvm'><name>win10</name>"
	"<uuid>" UUID "</uuid><memory>1024</memory><devices>"
	"<hostdev mode='subsystem' type='pci' managed='%s'><source>"
	"<address domain='0x0000' bus='0x0a' slot='0x00' function='0x0'/></source></hostdev>"
	"</devices></domain>";

static struct host host;
static const char *managed; /* what the XML says of the GPU */
static char *before;

static void setup(void)
{
	managed = "yes";
	faketree_new(&host);
	faketree_module("nvidia", "nvidia");
	faketree_module("nvidia_drm", NULL);
	faketree_module("snd_hda_intel", "snd_hda_intel");
	faketree_module("e1000e", "e1000e");
	faketree_module_load("nvidia");
	faketree_module_load("nvidia_drm");
	faketree_module_use("nvidia", "nvidia_drm");
	faketree_module_load("snd_hda_intel");
	faketree_module_load("e1000e");
	faketree_pci(GPU, "10de:1e84", "030000", "nvidia", "14");
	faketree_pci(SOUND, "10de:10f8", "040300", "snd_hda_intel", "14");
	faketree_pci(NIC, "8086:10d3", "020000", "e1000e", "15");
	faketree_file("", "/sys/devices/pci0000:00/" SOUND "/sound/card1/controlC1/dev");
	before = faketree_snapshot();
}

static void teardown(void)
{
	free(STEAL(before));
	faketree_free();
}

static void config(const char *text)
{
	faketree_file(text, "/etc/libvirt/hooks/conf.d/win10.ini");
}

/* Runs a phase as the hook does; the error's text is in a buffer of its own. */
static char *phase(const char *operation, const char *sub)
{
	_cleanup_free_ char *xml = NULL;
	struct event event;

	event_init(&event, "win10", operation, sub, "-");
	ck_assert_int_gt(asprintf(&xml, xml_format, managed), 0);
	return phase_of(host.root, &event, xml);
}

/* Fails with all of the words in its text, and frees it. */
static void assert_error(char *error, const char *a, const char *b)
{
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, a) != NULL, "%s", error);
	ck_assert_msg(strstr(error, b) != NULL, "%s", error);
	free(error);
}

static void assert_same(void)
{
	_cleanup_free_ char *after = faketree_snapshot();

	ck_assert_str_eq(after, before);
}

START_TEST(takes_and_gives_back)
{
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\n"
	       "pci.detach = 0a:00.*\n");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(GPU), "vfio-pci");
	ck_assert_str_eq(faketree_driver_of(SOUND), "vfio-pci");
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	assert_no_error(phase("release", "end"));
	ck_assert_str_eq(faketree_driver_of(GPU), "nvidia");
	/* a load of nvidia finds no nvidia_drm by itself: the record brings it */
	faketree_module_use("nvidia", "nvidia_drm");
	assert_same();
}
END_TEST

START_TEST(refuses_nvidia_while_loaded)
{
	config("[prepare/begin]\npci.detach = 0a:00.*\n");
	assert_error(phase("prepare", "begin"), "kmod.unload = nvidia_drm nvidia", GPU);
	assert_same();
}
END_TEST

static void put_smi(const char *answer)
{
	char text[64], path[PATH_MAX];

	snprintf(text, sizeof(text), "#!/bin/sh\necho %s\n", answer);
	faketree_file(text, "/usr/bin/nvidia-smi");
	ck_assert_int_eq(chmod(host_path(&host, path, "/usr/bin/nvidia-smi"), 0755), 0);
}

START_TEST(takes_one_of_two_nvidia_cards)
{
	config("[prepare/begin]\npci.detach = while-loaded=yes 0a:00.*\n");
	put_smi("Disabled");
	assert_error(phase("prepare", "begin"), "another card stays on nvidia", GPU);
	faketree_pci("0000:0d:00.0", "10de:2204", "030000", "nvidia", "17");
	free(before);
	before = faketree_snapshot();
	put_smi("Enabled");
	assert_error(phase("prepare", "begin"), "persistence mode", "nvidia-smi -i " GPU);
	put_smi("Disabled");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(GPU), "vfio-pci");
	ck_assert_str_eq(faketree_driver_of("0000:0d:00.0"), "nvidia");
	assert_no_error(phase("release", "end"));
	assert_same();
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\npci.detach = 0a:00.*\n");
	assert_error(phase("prepare", "begin"), "also drives 0000:0d:00.0",
		     "while-loaded=yes");
}
END_TEST

/* Root to whom not all of /proc is open, as within an AppArmor profile. */
static void make_unreadable(int pid)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];
	char path[PATH_MAX];

	host_path(&host, path, "/proc/%d/fd", pid);
	ck_assert_int_eq(chmod(path, 0700), 0);
	ck_assert_int_eq(chown(path, 65534, 65534), 0);
	ck_assert_int_eq(syscall(SYS_capget, &head, caps), 0);
	caps[0].effective &= ~(1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH);
	ck_assert_int_eq(syscall(SYS_capset, &head, caps), 0);
}

START_TEST(nvidia_needs_all_to_be_seen)
{
	config("[prepare/begin]\npci.detach = while-loaded=yes 0a:00.*\n");
	put_smi("Disabled");
	faketree_pci("0000:0d:00.0", "10de:2204", "030000", "nvidia", "17");
	faketree_process(812, "Xorg", "lightdm.service", "/dev/nvidia0");
	make_unreadable(812);
	assert_error(phase("prepare", "begin"), "cannot prove that nobody holds " GPU,
		     "Xorg (pid 812)");
	ck_assert_str_eq(faketree_driver_of(GPU), "nvidia");
}
END_TEST

START_TEST(refuses_half_a_group)
{
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\npci.detach = 0a:00.0\n");
	assert_error(phase("prepare", "begin"), "group=whole", SOUND);
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\n"
	       "pci.detach = group=whole 0a:00.0\n");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(SOUND), "vfio-pci");
	assert_no_error(phase("release", "end"));
}
END_TEST

START_TEST(refuses_holders_that_stay)
{
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\npci.detach = 0a:00.*\n");
	faketree_process(812, "pipewire", "audio.service", "/dev/snd/controlC1");
	assert_error(phase("prepare", "begin"), "pipewire (pid 812", "audio.service");
	assert_same();
}
END_TEST

/* The message that README shows is what is said, and nothing was touched. */
START_TEST(readme_shows_a_real_message)
{
	_cleanup_free_ char *readme = NULL, *said = NULL, *indented = NULL;
	const struct host real = { .root = "" };

	config("[devices]\ngpu = 0000:0a:00.*\n\n[prepare/begin]\n\n\n\n\n\n"
	       "kmod.unload = nvidia_drm nvidia\npci.detach = gpu\n");
	faketree_file("Device Minor: \t 0\n",
		      "/proc/driver/nvidia/gpus/" GPU "/information");
	faketree_process(812, "ollama", "ollama.service", "/dev/nvidia0");
	said = phase("prepare", "begin");
	ck_assert_ptr_nonnull(said);
	ck_assert_int_gt(asprintf(&indented, "\n      %s", said), 0);
	ck_assert_int_gt(host_read_all(&real, &readme, "%s/README.md", getenv("SOURCE")),
			 -1);
	ck_assert_msg(strstr(readme, indented) != NULL, "%s", said);
	assert_same();
}
END_TEST

/* The step before might have ended it: so it is waited for, and nothing taken meanwhile. */
START_TEST(takes_none_while_one_is_held)
{
	char path[PATH_MAX];

	managed = "no";
	config("[prepare/begin]\nexec.run = /bin/true\n"
	       "kmod.unload = nvidia_drm nvidia\npci.detach = timeout=1s " NIC
	       " 0a:00.*\n");
	faketree_file("#!/bin/sh\n", "/bin/true");
	ck_assert_int_eq(chmod(host_path(&host, path, "/bin/true"), 0755), 0);
	faketree_process(812, "pipewire", "audio.service", "/dev/snd/controlC1");
	faketree_fail("/e1000e/unbind", FAKE_ERRNO, EIO);
	assert_error(phase("prepare", "begin"), "pipewire (pid 812", SOUND " is held by");
	faketree_process_gone(812);
	assert_error(phase("prepare", "begin"), NIC, "Input/output error");
	faketree_fail(NULL, FAKE_ERRNO, 0);
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("release", "end"));
}
END_TEST

START_TEST(refuses_order_and_names_it)
{
	config("[prepare/begin]\nkmod.unload = nvidia\n");
	assert_error(phase("prepare", "begin"), "kmod.unload = nvidia_drm nvidia",
		     "nvidia is used by");
}
END_TEST

/* The card is libvirt's to take; its driver's end would be that of its virtual ones. */
START_TEST(refuses_to_unload_below_virtual_functions)
{
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\n");
	faketree_file("2\n", "/sys/devices/pci0000:00/" GPU "/sriov_numvfs");
	assert_error(phase("prepare", "begin"), "2 virtual functions",
		     "they would go with its driver");
	faketree_file("0\n", "/sys/devices/pci0000:00/" GPU "/sriov_numvfs");
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("release", "end"));
}
END_TEST

START_TEST(undoes_a_failed_bind)
{
	managed = "no";
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\npci.detach = 0a:00.* " NIC
	       "\n");
	/* a probe is the second try, and would bind by the override */
	faketree_fail("/driver_override", FAKE_ERRNO, EIO);
	assert_error(phase("prepare", "begin"), "driver_override", "Input/output error");
	faketree_fail(NULL, FAKE_ERRNO, 0);
	assert_same();
	faketree_fail("/snd_hda_intel/unbind", FAKE_ERRNO, EIO);
	assert_error(phase("prepare", "begin"), SOUND, "snd_hda_intel");
	faketree_fail(NULL, FAKE_ERRNO, 0);
	faketree_module_use("nvidia", "nvidia_drm");
	assert_same();
	assert_no_error(phase("release", "end"));
	assert_same();
}
END_TEST

START_TEST(rescans_when_home_does_not_bind)
{
	managed = "no";
	config("[prepare/begin]\npci.detach = " NIC "\n");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(NIC), "vfio-pci");
	faketree_wedge(NIC);
	assert_no_error(phase("release", "end")); /* by the second way */
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	assert_same();
}
END_TEST

/*
 * A service manager with one unit, which notes at its start what drives the function, and with
 * vnc.service, which starts it.
 */
static void desktop(const char *unit)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	ck_assert_int_gt(
		asprintf(&text,
			 "#!/bin/sh\nR=%s/run/desktop\n"
			 "case \" $* \" in\n"
			 "*\" -p Id,\"*\" vnc.service \") echo Id=vnc.service; "
			 "echo LoadState=loaded\n"
			 "	[ -e $R.vnc ] && echo ActiveState=active || "
			 "echo ActiveState=inactive ;;\n"
			 "*\" stop \"*\" vnc.service \") rm $R.vnc ;;\n"
			 "*\" start \"*\" vnc.service \") : >$R.vnc; $0 start . ;;\n"
			 "*RequiredBy*\" vnc.service \") echo RequiredBy= ;;\n"
			 "*RequiredBy*) echo RequiredBy=vnc.service ;;\n"
			 "*\" -p Id,\"*) echo Id=%s; echo LoadState=loaded\n"
			 "	[ -e $R ] && echo ActiveState=active || echo ActiveState=inactive ;;\n"
			 "*\" stop \"*) rm $R ;;\n"
			 "*\" start \"*) [ -e $R ] || readlink %s/sys/bus/pci/devices/" NIC
			 "/driver >$R ;;\n"
			 "esac\n",
			 host.root, unit, host.root),
		0);
	faketree_file("running\n", "/run/desktop");
	faketree_file("running\n", "/run/desktop.vnc");
	faketree_file("", "/run/systemd/system/x");
	faketree_file(text, "/usr/bin/systemctl");
	ck_assert_int_eq(chmod(host_path(&host, path, "/usr/bin/systemctl"), 0755), 0);
}

/* Whatever the config's order, and by whatever way its card comes home. */
START_TEST(desktop_comes_last)
{
	static const struct {
		const char *unit, *steps;
	} cases[] = {
		{ "gdm.service", "service.stop = gdm.service\npci.detach = " NIC "\n" },
		{ "gdm.service", "pci.detach = " NIC "\nservice.stop = gdm.service\n" },
		{ "own.service", "pci.detach = " NIC "\nservice.stop = own.service\n" },
	};
	_cleanup_free_ char *text = NULL;

	managed = "no";
	desktop(cases[_i].unit);
	if (streq(cases[_i].unit, "own.service"))
		faketree_link("/usr/lib/systemd/system/own.service",
			      "/etc/systemd/system/display-manager.service");
	ck_assert_int_gt(asprintf(&text, "[prepare/begin]\n%s", cases[_i].steps), 0);
	config(text);
	assert_no_error(phase("prepare", "begin"));
	ck_assert(!host_exists(&host, "/run/desktop"));
	ck_assert(!host_exists(&host, "/run/desktop.vnc"));
	faketree_wedge(NIC);
	assert_no_error(phase("release", "end"));
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
	ck_assert_msg(str_ends(faketree_read("/run/desktop"), "/e1000e"), "%s",
		      faketree_read("/run/desktop"));
	ck_assert(host_exists(&host, "/run/desktop.vnc"));
}
END_TEST

/* At home without a driver, and vfio not loaded: its load must not bind it unseen. */
START_TEST(driverless_stays_driverless)
{
	managed = "no";
	faketree_pci("0000:0c:00.0", "1002:73bf", "038000", NULL, "16");
	ck_assert_int_eq(kmod_remove(&host, "vfio_pci"), 0);
	ck_assert(!host_exists(&host, "/sys/bus/pci/drivers/vfio-pci"));
	config("[prepare/begin]\npci.detach = 0c:00.0\n");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of("0000:0c:00.0"), "vfio-pci");
	assert_no_error(phase("release", "end"));
	ck_assert_str_eq(faketree_driver_of("0000:0c:00.0"), "");
	ck_assert_str_eq(faketree_read(
				 "/sys/bus/pci/devices/0000:0c:00.0/driver_override"),
			 "(null)");
}
END_TEST

START_TEST(at_home_on_vfio)
{
	managed = "no";
	faketree_pci("0000:0c:00.0", "1002:73bf", "038000", "vfio-pci", "16");
	free(before);
	before = faketree_snapshot();
	config("[prepare/begin]\npci.detach = 0c:00.0\n");
	assert_no_error(phase("prepare", "begin"));
	assert_same();
	assert_no_error(phase("release", "end"));
	assert_same();
}
END_TEST

START_TEST(explicit_way_back)
{
	managed = "no";
	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\npci.detach = 0a:00.*\n"
	       "[release/end]\npci.reattach =\nkmod.load = nvidia nvidia_drm\n"
	       "[devices]\ngpu = 0a:00.*\n");
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("release", "end"));
	faketree_module_use("nvidia", "nvidia_drm");
	assert_same();
}
END_TEST

static void add_consoles(const char *dummy, bool other)
{
	managed = "no";
	faketree_vtcon(0, dummy, false);
	faketree_vtcon(1, "(M) frame buffer device", true);
	/* As the kernel has it, from where the framebuffer really is. */
	faketree_link("../../../" GPU, "/sys/class/graphics/fb0/device");
	if (other)
		faketree_link("../../../" NIC, "/sys/class/graphics/fb1/device");
	free(before);
	before = faketree_snapshot();
	config("[prepare/begin]\nvtconsole.unbind =\nkmod.unload = nvidia_drm nvidia\n"
	       "pci.detach = 0a:00.*\n");
}

START_TEST(console_goes_and_comes)
{
	add_consoles("(S) dummy device", false);
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_read("/sys/class/vtconsole/vtcon1/bind"), "0");
	assert_no_error(phase("release", "end"));
	faketree_module_use("nvidia", "nvidia_drm");
	assert_same();
}
END_TEST

/* virtio's framebuffer is not the PCI function's own child. */
START_TEST(console_of_a_card_with_a_bus_between)
{
	char path[PATH_MAX];

	add_consoles("(S) dummy device", false);
	faketree_file("", "/sys/devices/pci0000:00/" GPU "/virtio0/uevent");
	ck_assert_int_eq(unlink(host_path(&host, path, "/sys/class/graphics/fb0/device")),
			 0);
	faketree_link("../../../devices/pci0000:00/" GPU "/virtio0",
		      "/sys/class/graphics/fb0/device");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_read("/sys/class/vtconsole/vtcon1/bind"), "0");
}
END_TEST

START_TEST(console_stays_with_another_card)
{
	add_consoles("(S) dummy device", true);
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_read("/sys/class/vtconsole/vtcon1/bind"), "1");
}
END_TEST

START_TEST(console_without_fallback_stays)
{
	add_consoles("(M) dummy device", false);
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_read("/sys/class/vtconsole/vtcon1/bind"), "1");
	assert_no_error(phase("release", "end"));
	faketree_module_use("nvidia", "nvidia_drm");
	assert_same();
}
END_TEST

START_TEST(firmware_framebuffer)
{
	managed = "no";
	faketree_platform("efi-framebuffer.0", "efi-framebuffer");
	faketree_file("c0000000-cfffffff : PCI Bus 0000:0a\n"
		      "  c0000000-c0ffffff : " GPU "\n    c0000000-c03fffff : efifb\n",
		      "/proc/iomem");
	faketree_file("0x00000000c0000000 0x00000000c0ffffff 0x0000000000040200\n",
		      "/sys/devices/pci0000:00/" GPU "/resource");
	free(before);
	before = faketree_snapshot();
	config("[prepare/begin]\nframebuffer.unbind =\nkmod.unload = nvidia_drm nvidia\n"
	       "pci.detach = 0a:00.*\n");
	assert_no_error(phase("prepare", "begin"));
	ck_assert(!host_exists(&host,
			       "/sys/bus/platform/devices/efi-framebuffer.0/driver"));
	assert_no_error(phase("release", "end"));
	faketree_module_use("nvidia", "nvidia_drm");
	assert_same();
}
END_TEST

START_TEST(gate_refuses_nvidia)
{
	config("[prepare/begin]\npci.detach = " NIC "\n");
	assert_error(phase("prepare", "begin"), "libvirt would hang", GPU);
	assert_same();
}
END_TEST

START_TEST(unknown_words)
{
	config("[devices]\nnic = 0b:00.0 id=8086:1234\n[prepare/begin]\npci.detach = nic\n");
	assert_error(phase("prepare", "begin"), "8086:10d3, not 8086:1234", "win10.ini:2");
	config("[devices]\nnic = 0b:00.0\n[prepare/begin]\npci.detach = gpu\n");
	assert_error(phase("prepare", "begin"), "no such device set: gpu", "nic");
	config("[prepare/begin]\npci.detach = 0c:00.0\n");
	assert_error(phase("prepare", "begin"), "no such PCI device", "0c:00.0");
}
END_TEST

START_TEST(says_on_the_console_that_there_is_no_picture)
{
	_cleanup_free_ char *said = NULL;

	config("[prepare/begin]\nkmod.unload = nvidia_drm nvidia\n"
	       "pci.detach = 0a:00.*\n");
	faketree_file("", "/dev/console");
	assert_no_error(phase("prepare", "begin"));
	faketree_wedge(GPU);
	faketree_fail("/remove", FAKE_ERRNO, EIO); /* no second way either */
	assert_error(phase("release", "end"), "not put back", GPU);
	ck_assert_int_eq(host_read_all(&host, &said, "/dev/console"), 0);
	ck_assert_msg(strstr(said, "display " GPU " did not come back to nvidia") != NULL,
		      "%s", said);
}
END_TEST

/* Of several problems the one that would lose data is told first. */
START_TEST(tells_the_worst_first)
{
	config("[prepare/begin]\ngovernor.set = performance\npci.detach = " NIC "\n");
	faketree_disk("sdx", NIC);
	faketree_file("8:16\n", "/sys/devices/pci0000:00/" NIC "/block/sdx/dev");
	faketree_file("36 35 8:16 / /home rw,noatime - ext4 /dev/sdx rw\n",
		      "/proc/self/mountinfo");
	assert_error(phase("prepare", "begin"), "pci.detach (win10.ini:3): ", "and more");
}
END_TEST

START_TEST(refuses_mounted_disks)
{
	config("[prepare/begin]\npci.detach = " NIC "\n");
	faketree_disk("sdx", NIC);
	faketree_file("8:16\n", "/sys/devices/pci0000:00/" NIC "/block/sdx/dev");
	faketree_file("36 35 8:16 / /home rw,noatime - ext4 /dev/sdx rw\n",
		      "/proc/self/mountinfo");
	assert_error(phase("prepare", "begin"), "sdx, mounted at /home", NIC);
}
END_TEST

/* Below the controller is but a path to the disk, which itself is below none. */
START_TEST(refuses_mounted_multipath_disks)
{
	config("[prepare/begin]\npci.detach = " NIC "\n");
	faketree_disk("nvme0c0n1", NIC);
	faketree_file("8:16\n", "/sys/devices/virtual/nvme-subsystem/nvme0n1/dev");
	faketree_link("../../devices/virtual/nvme-subsystem/nvme0n1",
		      "/sys/class/block/nvme0n1");
	faketree_file("36 35 8:16 / /home rw,noatime - ext4 /dev/nvme0n1 rw\n",
		      "/proc/self/mountinfo");
	assert_error(phase("prepare", "begin"), "nvme0n1, mounted at /home", NIC);
}
END_TEST

static void disk(const char *how)
{
	faketree_disk("sdx", NIC);
	faketree_file("8:16\n", "/sys/devices/pci0000:00/" NIC "/block/sdx/dev");
	faketree_file("", "/proc/self/mountinfo");
	faketree_file(how, "/dev/sdx");
}

/* No list has them: mounted in another namespace, ZFS, an md that lies idle. */
START_TEST(refuses_disks_that_somebody_has_taken)
{
	static const char *const steps[] = { "pci.detach", "pci.remove" };
	_cleanup_free_ char *text = NULL;

	disk("taken\n");
	ck_assert_int_gt(asprintf(&text, "[prepare/begin]\n%s = " NIC "\n", steps[_i]), 0);
	config(text);
	assert_error(phase("prepare", "begin"), "sdx, in use", NIC);
	faketree_file("", "/sys/devices/pci0000:00/" NIC "/block/sdx/holders/md127");
	assert_error(phase("prepare", "begin"), "sdx, part of md127", steps[_i]);
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
}
END_TEST

/* Killed behind its first change, which hides the device from the check of the next. */
START_TEST(puts_back_before_it_looks)
{
	struct journal journal = { .fd = -1 };
	struct error err = {};

	managed = "no";
	config("[prepare/begin]\npci.remove = " NIC "\n");
	assert_no_error(phase("prepare", "begin"));
	ck_assert_str_eq(faketree_driver_of(NIC), "");
	ck_assert_int_eq(journal_open(&host, UUID, "win10", true, NULL, &journal, &err),
			 0);
	ck_assert_int_eq(journal_phase(&journal, PHASE_PREPARE, PHASE_STATE_BEGUN, NULL),
			 0);
	journal_done(&journal);
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("release", "end"));
	assert_same();
}
END_TEST

static int driver_in_plan(const char *function, const char *simulated, char **ret)
{
	struct host plan = { .root = host.root, .overlay = overlay_new() };
	int r = overlay_set(plan.overlay, &state_function, function, simulated);

	ck_assert_int_eq(r, 0);
	r = state_get(&plan, &state_driver, function, ret, NULL);
	overlay_free(plan.overlay);
	return r;
}

/* Its folder is there yet, with its driver, or not yet: the plan is as it would unfold. */
START_TEST(removal_and_rescan_are_simulated)
{
	_cleanup_free_ char *driver = NULL, *new = NULL;

	ck_assert_int_eq(driver_in_plan(NIC, "", &driver), -ENODEV);
	ck_assert_int_eq(driver_in_plan(NIC, "present", &driver), 0);
	ck_assert_str_eq(driver, "e1000e");
	ck_assert_int_eq(driver_in_plan("0000:0c:00.0", "present", &new), 0);
	ck_assert_str_eq(new, "");
	ck_assert_int_eq(state_get(&host, &state_driver, "0000:0c:00.0", &new, NULL),
			 -ENODEV);
}
END_TEST

/* One of its disks is unmounted by an earlier step, which says nothing of the other. */
START_TEST(asks_for_each_disk)
{
	char path[PATH_MAX];

	disk("taken\n");
	faketree_disk("sdw", NIC);
	faketree_file("8:0\n", "/sys/devices/pci0000:00/" NIC "/block/sdw/dev");
	faketree_file("36 35 8:0 / /games rw - ext4 /dev/sdw rw\n",
		      "/proc/self/mountinfo");
	faketree_file("taken\n", "/dev/sdw");
	faketree_file("", "/run/systemd/system/x");
	faketree_file("#!/bin/sh\necho Id=games.mount\necho LoadState=loaded\n"
		      "echo ActiveState=active\n",
		      "/usr/bin/systemctl");
	ck_assert_int_eq(chmod(host_path(&host, path, "/usr/bin/systemctl"), 0755), 0);
	config("[prepare/begin]\nservice.stop = games.mount\npci.detach = " NIC "\n");
	assert_error(phase("prepare", "begin"), "sdx, in use", NIC);
}
END_TEST

/* Given to another guest as it is. */
START_TEST(refuses_disks_that_are_open)
{
	managed = "no";
	disk("");
	faketree_process(812, "qemu-system-x86", "machine.slice", "/dev/sdx");
	config("[prepare/begin]\npci.detach = " NIC "\n");
	assert_error(phase("prepare", "begin"), "qemu-system-x86 (pid 812", "/dev/sdx");
	faketree_process_gone(812);
	assert_no_error(phase("prepare", "begin"));
	assert_no_error(phase("release", "end"));
}
END_TEST

/* Mounted while an earlier step took its time: looked at again right before the unbind. */
START_TEST(refuses_disks_mounted_meanwhile)
{
	static const char *const steps[] = { "pci.detach", "pci.remove" };
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	disk("");
	faketree_file("#!/bin/sh\necho taken >\"$1\"\n", "/bin/mount");
	ck_assert_int_eq(chmod(host_path(&host, path, "/bin/mount"), 0755), 0);
	ck_assert_int_gt(asprintf(&text,
				  "[prepare/begin]\nexec.run = /bin/mount %s/dev/sdx\n"
				  "%s = " NIC "\n",
				  host.root, steps[_i]),
			 0);
	config(text);
	assert_error(phase("prepare", "begin"), "sdx, in use", steps[_i]);
	ck_assert_str_eq(faketree_driver_of(NIC), "e1000e");
}
END_TEST

START_TEST(names_units_of_mounts)
{
	char unit[64];

	storage_unit("/", "mount", unit, sizeof(unit));
	ck_assert_str_eq(unit, "-.mount");
	storage_unit("/mnt/games", "mount", unit, sizeof(unit));
	ck_assert_str_eq(unit, "mnt-games.mount");
	storage_unit("/mnt/my-disk 1/.x.y", "mount", unit, sizeof(unit));
	ck_assert_str_eq(unit, "mnt-my\\x2ddisk\\x201-.x.y.mount");
	storage_unit("/.x", "mount", unit, sizeof(unit));
	ck_assert_str_eq(unit, "\\x2ex.mount");
	storage_unit("/a/very/long/path/that/does/not/fit/into/the/little/name", "mount",
		     unit, 16);
	ck_assert_uint_lt(strlen(unit), 16);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("phases");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, takes_and_gives_back);
	tcase_add_test(tc, refuses_nvidia_while_loaded);
	tcase_add_test(tc, nvidia_needs_all_to_be_seen);
	tcase_add_test(tc, takes_one_of_two_nvidia_cards);
	tcase_add_test(tc, refuses_half_a_group);
	tcase_add_test(tc, refuses_holders_that_stay);
	tcase_add_test(tc, readme_shows_a_real_message);
	tcase_add_test(tc, takes_none_while_one_is_held);
	tcase_add_test(tc, refuses_order_and_names_it);
	tcase_add_test(tc, refuses_to_unload_below_virtual_functions);
	tcase_add_test(tc, undoes_a_failed_bind);
	tcase_add_test(tc, rescans_when_home_does_not_bind);
	tcase_add_loop_test(tc, desktop_comes_last, 0, 3);
	tcase_add_test(tc, driverless_stays_driverless);
	tcase_add_test(tc, at_home_on_vfio);
	tcase_add_test(tc, explicit_way_back);
	tcase_add_test(tc, console_goes_and_comes);
	tcase_add_test(tc, console_of_a_card_with_a_bus_between);
	tcase_add_test(tc, console_stays_with_another_card);
	tcase_add_test(tc, console_without_fallback_stays);
	tcase_add_test(tc, firmware_framebuffer);
	tcase_add_test(tc, gate_refuses_nvidia);
	tcase_add_test(tc, unknown_words);
	tcase_add_test(tc, says_on_the_console_that_there_is_no_picture);
	tcase_add_test(tc, tells_the_worst_first);
	tcase_add_test(tc, refuses_mounted_disks);
	tcase_add_test(tc, refuses_mounted_multipath_disks);
	tcase_add_loop_test(tc, refuses_disks_that_somebody_has_taken, 0, 2);
	tcase_add_test(tc, puts_back_before_it_looks);
	tcase_add_test(tc, removal_and_rescan_are_simulated);
	tcase_add_test(tc, asks_for_each_disk);
	tcase_add_test(tc, refuses_disks_that_are_open);
	tcase_add_loop_test(tc, refuses_disks_mounted_meanwhile, 0, 2);
	tcase_add_test(tc, names_units_of_mounts);
	tcase_set_timeout(tc, 120);
	return suite_run_as_root("devices", tc);
}
