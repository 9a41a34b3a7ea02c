/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `init` writes for hosts of several kinds, and that `check` finds no fault with it.
 */
#include "machine.h"

#define PASSTHROUGH "<cpu mode='host-passthrough'/>"
#define CARD        \
	PASSTHROUGH \
	"<devices>" HOSTDEV("0x0a", "0") HOSTDEV("0x0a", "1") "</devices>"

/* systemctl that knows of units what KNOWN, lines of a case of sh's, sets for them. */
static void systemd(const char *known)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "for u; do :; done\n"
		 "id=$u active=inactive load=loaded\n"
		 "case $u in\n"
		 "%s"
		 "*) load=not-found ;;\n"
		 "esac\n"
		 "echo Id=$id; echo LoadState=$load; echo ActiveState=$active\n",
		 known);
	faketree_file("", "/run/systemd/system/x");
	faketree_file("", "/run/systemd/seats/seat0");
	faketree_program("systemctl", text);
}

/* Of what was written: what check says, and what is in the file. */
static void assert_check_passes(void)
{
	char path[PATH_MAX];

	install("\177ELF", 0755);
	unlink(host_path(&host, path, "/etc/libvirt/hooks/conf.d/win10.ini"));
	ck_assert_int_eq(command("init win10 --write"), STATUS_OK);
	ck_assert_msg(command("check win10") == STATUS_OK, "%s", out);
	assert_has("win10: ");
	assert_hasnt("problem");
	ck_assert_int_eq(command("init win10"), STATUS_OK);
}

START_TEST(with_systemd)
{
	domain(CARD);
	systemd("display-manager.service | lightdm.service) id=lightdm.service "
		"active=active ;;\n");
	assert_check_passes();
	assert_has("\nservice.stop = display-manager.service\n");
	assert_has("\nsession.end = seat=seat0 timeout=15s\n");
	assert_hasnt("persistenced");
	assert_hasnt("lightdm");
	assert_hasnt("exec.");

	/* Without the alias: of those installed the one that runs. */
	systemd("gdm.service | gdm3.service) id=gdm.service ;;\n"
		"sddm.service) active=active ;;\n");
	assert_check_passes();
	assert_has("\nservice.stop = sddm.service\n");
	systemd("gdm.service | gdm3.service) id=gdm.service ;;\n"
		"sddm.service) ;;\n");
	assert_check_passes();
	assert_has("\nservice.stop = gdm.service sddm.service\n");
	systemd("");
	assert_check_passes();
	assert_hasnt("\nservice.stop");
	assert_has("\nsession.end = ");
}
END_TEST

/* What holds the card without a desktop, and the whole stack in its order. */
START_TEST(with_nvidia)
{
	static const char *const stack[] = { "nvidia_modeset", "nvidia_drm",
					     "nvidia_uvm" };

	domain(CARD);
	for (size_t i = 0; i < ARRAY_SIZE(stack); i++) {
		faketree_module(stack[i], NULL);
		faketree_module_load(stack[i]);
	}
	faketree_module_use("nvidia", "nvidia_uvm");
	faketree_module_use("nvidia", "nvidia_modeset");
	faketree_module_use("nvidia_modeset", "nvidia_drm");
	systemd("nvidia-persistenced.service) active=active ;;\n");
	assert_check_passes();
	assert_has("\n-service.stop = nvidia-persistenced.service\n");
	assert_has("\nkmod.unload = timeout=30s nvidia_uvm nvidia_drm nvidia_modeset "
		   "nvidia\n");
	assert_has("\npci.detach = timeout=15s gpu\n");
}
END_TEST

START_TEST(with_openrc)
{
	domain(CARD);
	faketree_program("rc-service",
			 "case $1:$2 in\n"
			 "--exists:lightdm | --exists:nvidia-persistenced) exit 0 ;;\n"
			 "lightdm:status | nvidia-persistenced:status) exit 0 ;;\n"
			 "*:needsme) exit 0 ;;\n"
			 "esac\n"
			 "exit 1\n");
	assert_check_passes();
	assert_has("\nservice.stop = lightdm\n");
	assert_has("\n-service.stop = nvidia-persistenced\n");
	assert_hasnt("session.end");
	assert_hasnt("exec.");
}
END_TEST

START_TEST(with_runit)
{
	domain(CARD);
	faketree_program("sv",
			 "shift 2\n"
			 "case $1:$2 in\n"
			 "status:greetd) echo \"run: $2: (pid 7) 9s\" ;;\n"
			 "*) echo \"fail: $2: unable to change to service directory: "
			 "file does not exist\"; exit 1 ;;\n"
			 "esac\n");
	assert_check_passes();
	assert_has("\nservice.stop = greetd\n");
	assert_hasnt("persistenced");
	assert_hasnt("session.end");
}
END_TEST

START_TEST(with_nothing)
{
	domain(CARD);
	assert_check_passes();
	assert_has(
		"\n; exec.run = PROGRAM that stops the desktop: no display manager is known "
		"here\n");
	assert_hasnt("\nservice.stop");
	assert_hasnt("session.end");
}
END_TEST

/* One driver that lets go of a single card. */
START_TEST(with_amdgpu)
{
	faketree_free();
	faketree_new(&host);
	faketree_module("amdgpu", "amdgpu");
	faketree_module_load("amdgpu");
	faketree_pci(GPU, "1002:73bf", "030000", "amdgpu", "14");
	faketree_pci(SOUND, "1002:ab28", "040300", NULL, "14");
	domain(CARD);
	assert_check_passes();
	assert_has("; amdgpu lets go of a single card");
	assert_has("\n;   kmod.unload = timeout=30s amdgpu\n");
	assert_hasnt("\nkmod.unload");
	assert_has("\npci.detach = timeout=15s gpu\n");
	assert_has("\nheadless = yes\n");
	/* Where a step takes it down there is no need to say it. */
	faketree_vtcon(1, "(M) frame buffer device", true);
	assert_check_passes();
	assert_has("\nvtconsole.unbind =\n");
	assert_hasnt("headless");
}
END_TEST

/* Another device in the group of one that goes. */
START_TEST(with_a_shared_group)
{
	faketree_pci("0000:0c:00.0", "8086:10d3", "020000", "e1000e", "15");
	domain(PASSTHROUGH "<devices>" HOSTDEV("0x0b", "0") "</devices>");
	assert_check_passes();
	assert_has("; group=whole: the rest of the IOMMU group goes along");
	assert_has("\npci.detach = timeout=15s group=whole nic\n");
	assert_hasnt("\nservice.stop");
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, with_systemd);
	tcase_add_test(tc, with_nvidia);
	tcase_add_test(tc, with_openrc);
	tcase_add_test(tc, with_runit);
	tcase_add_test(tc, with_nothing);
	tcase_add_test(tc, with_amdgpu);
	tcase_add_test(tc, with_a_shared_group);
}

int main(void)
{
	return machine_run("init", add);
}
