/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-hook import: some lines of the shell, and what they become. What it is depends on
 * the machine, or on variables that nobody knows, is left over rather than guessed.
 */
#include "import_script.h"
#include "suite.h"

#define UNKNOWN(line, text)                                                         \
	"; NOT CONVERTED, x.sh:" line ": what it depends on is known only when it " \
	"runs\n;     " text "\n"
#define STOP_IF(condition) "if " condition "; then systemctl stop docker; fi"
#define PREPARE "[prepare/begin]\n"
#define STOP "service.stop = docker.service\n"

#define FOR(name)                                                          \
	"; For domain " name                                               \
	", the first that the script asks for. For another one: vfio-hook" \
	"\n; import x.sh NAME\n"
#define WHICH_DEVICE                                                                     \
	"; NOT CONVERTED, x.sh:2: 0000:$G:00.0 is known only when it runs\n;     virsh " \
	"nodedev-detach 0000:$G:00.0\n"
#define GOVERNOR \
	"echo performance > /sys/devices/system/cpu/cpu$i/cpufreq/scaling_governor"
#define WHICH_CPUS(line, text)                                                \
	"; NOT CONVERTED, x.sh:" line ": which CPUs it is for is not known: " \
	"governor.set = cpus=LIST\n; VALUE\n;     " text "\n"

static const struct {
	const char *script, *domain, *config; /* NULL: nothing comes of it */
} cases[] = {
	/* what is not known, and what is false, together are false */
	{ STOP_IF("[ \"$MODE\" = x ] && [ \"$2\" = prepare ]"), NULL,
	  PREPARE UNKNOWN("1", STOP_IF("[ \"$MODE\" = x ] && [ \"$2\" = prepare ]")) },
	{ STOP_IF("[ -n \"$VAR\" ] && [ \"$2\" = release ] && true"), NULL,
	  "[release/end]\n" UNKNOWN(
		  "1", STOP_IF("[ -n \"$VAR\" ] && [ \"$2\" = release ] && true")) },
	{ STOP_IF("[ -z \"$(pgrep foo)\" ] && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ STOP_IF("[ \"$A\" = x ] || [ \"$2\" = prepare ] || [ \"$2\" != stopped ]"), NULL,
	  PREPARE STOP
	  "\n[start/begin]\n" STOP "\n[started/begin]\n" STOP "\n[stopped/end]\n" UNKNOWN(
		  "1", STOP_IF("[ \"$A\" = x ] || [ \"$2\" = prepare ] || [ "
			       "\"$2\" != stopped ]")) "\n[release/end]\n" STOP },
	/* variables that nobody knows */
	{ "if [ $A = x ]; then G=01; else G=02; fi\nvirsh nodedev-detach 0000:$G:00.0",
	  NULL, PREPARE WHICH_DEVICE },
	{ "G=01; [ $A = x ] && G=02\nvirsh nodedev-detach 0000:$G:00.0", NULL,
	  PREPARE WHICH_DEVICE },
	{ "case $A in x) G=01;; *) G=02;; esac\nvirsh nodedev-detach 0000:$G:00.0", NULL,
	  PREPARE WHICH_DEVICE },
	{ "G=01; case $A in x) G=01;; *) H=02;; esac\nvirsh nodedev-detach 0000:$G:00.0",
	  NULL, PREPARE "pci.detach = 0000:01:00.0\n" },
	{ "is() { [ $A = x ] && return 0; return 1; }\n" STOP_IF("is"), NULL,
	  PREPARE UNKNOWN("2", STOP_IF("is")) },
	{ "is() { if [ $A = x ]; then return 0; else return 1; fi; }\n" STOP_IF("is"),
	  NULL, PREPARE UNKNOWN("2", STOP_IF("is")) },

	/* root is who runs it */
	{ STOP_IF("[ $(id -u) = 0 ] && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ STOP_IF("[[ $EUID -eq 0 ]] && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ STOP_IF("((UID == 0)) && [ \"$2\" = prepare ]"), NULL, PREPARE STOP },
	{ "[ $EUID -ne 0 ] && systemctl stop podman\n"
	  "systemctl stop docker",
	  NULL, PREPARE STOP },

	/* units of which one is there */
	{ "if systemctl is-active gdm; then systemctl stop gdm\n"
	  "elif systemctl is-active sddm; then systemctl stop sddm; fi",
	  NULL, PREPARE "service.stop = display-manager.service\n" },
	{ "if systemctl is-active docker; then systemctl stop docker\n"
	  "elif systemctl is-active podman; then systemctl stop podman; fi",
	  NULL, PREPARE "-" STOP "-service.stop = podman.service\n" },
	{ "if [ -x /bin/foo ]; then systemctl stop foo; else systemctl stop bar; fi",
	  NULL, PREPARE "-service.stop = foo.service\n-service.stop = bar.service\n" },
	{ "for i in a b; do systemctl is-active $i && systemctl stop $i; done", NULL,
	  PREPARE "-service.stop = a.service\n-service.stop = b.service\n" },
	{ "systemctl stop a b || true", NULL,
	  PREPARE "-service.stop = a.service\n-service.stop = b.service\n" },
	{ "service gdm status && service gdm stop", NULL,
	  PREPARE "service.stop = gdm.service\n" },

	/* what is done when something else fails */
	{ "systemctl stop gdm || systemctl stop sddm", NULL,
	  PREPARE "service.stop = display-manager.service\n" },
	{ "systemctl stop a || systemctl stop b", NULL,
	  PREPARE "-service.stop = a.service\n-service.stop = b.service\n" },
	{ "modprobe -r nouveau || modprobe -r nvidia", NULL,
	  PREPARE "-kmod.unload = nouveau nvidia\n" },
	{ "modprobe -r nouveau || modprobe -r nouveau", NULL,
	  PREPARE "kmod.unload = nouveau\n" },
	{ "cd /sys/bus/platform/drivers\n"
	  "echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind ||\n"
	  "echo simple-framebuffer.0 > "
	  "/sys/bus/platform/drivers/simple-framebuffer/unbind",
	  NULL,
	  PREPARE "-framebuffer.unbind = efi-framebuffer.0\n"
		  "-framebuffer.unbind = simple-framebuffer.0\n" },

	/* CPUs */
	{ "for i in $(seq 0 $(($(nproc)-1))); do echo performance > "
	  "/sys/devices/system/cpu/cpu$i/cpufreq/scaling_governor; done",
	  NULL, PREPARE "governor.set = performance\n" },
	{ "for ((i=0;i<$(nproc);i++)); do echo performance > "
	  "/sys/devices/system/cpu/cpu$i/cpufreq/scaling_governor; done",
	  NULL, PREPARE "governor.set = performance\n" },
	{ "n=$(nproc); for ((i=0; i<n; i++)); do echo performance > "
	  "/sys/devices/system/cpu/cpu$i/cpufreq/scaling_governor; done",
	  NULL, PREPARE "governor.set = performance\n" },
	{ "for i in $(seq 2 $(($(nproc)-1))); do\n" GOVERNOR "\ndone", NULL,
	  PREPARE WHICH_CPUS("2", GOVERNOR) },
	{ "for ((i=2;i<$(nproc);i++)); do\n" GOVERNOR "\ndone", NULL,
	  PREPARE WHICH_CPUS("2", GOVERNOR) },
	{ "for i in $GUEST; do\n" GOVERNOR "\ndone", NULL,
	  PREPARE WHICH_CPUS("2", GOVERNOR) },
	{ "for i in $(seq 0 3); do\n" GOVERNOR "\ndone", NULL,
	  PREPARE "governor.set = cpus=0-3 performance\n" },

	{ "for f in /sys/devices/system/cpu/cpu[2-5]/cpufreq/scaling_governor\n"
	  "do echo performance > $f; done\n"
	  "echo x > /sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor",
	  NULL, PREPARE "governor.set = cpus=2-5 performance\ngovernor.set = x\n" },

	/* parameters of modules */
	{ "modprobe vfio_iommu_type1 allow_unsafe_interrupts=1\n"
	  "modprobe vfio-pci ids=10de:1e84 disable_idle_d3=1\n"
	  "modprobe kvm ignore_msrs=1; modprobe kvm_intel nested=1",
	  NULL,
	  PREPARE "kmod.load = vfio_iommu_type1 allow_unsafe_interrupts=1\n"
		  "kmod.load = vfio_pci disable_idle_d3=1\n"
		  "pci.detach = 10de:1e84\n"
		  "kmod.load = kvm ignore_msrs=1\n"
		  "kmod.load = kvm_intel nested=1\n" },

	{ "modprobe vfio-pci disable_idle_d3", NULL,
	  PREPARE "kmod.load = vfio_pci disable_idle_d3=1\n" },
	{ "modprobe -i vfio_pci vfio_pci_core vfio_iommu_type1", NULL,
	  PREPARE
	  "; vfio modules: pci.detach loads what it needs, and they stay loaded\n" },

	/* masks of interrupts */
	{ "for irq in $(grep vfio /proc/interrupts | cut -d: -f1); do "
	  "echo f0 > /proc/irq/$irq/smp_affinity; done",
	  NULL, PREPARE "irq.move = to=4-7 *vfio*\n" },
	{ "for irq in /proc/irq/*; do echo 1,0000000d > $irq/smp_affinity; done", NULL,
	  PREPARE "irq.move = to=0,2-3,32\n" },
	{ "for i in /proc/irq/*; do echo $MASK > $i/smp_affinity; done", NULL,
	  PREPARE "; a mask: the CPUs that the guest does not have\nirq.move =\n" },
	{ "for i in $(grep vfio /proc/interrupts | cut -d: -f1); do\n"
	  "echo $MASK > /proc/irq/$i/smp_affinity; done",
	  NULL,
	  PREPARE
	  "; NOT CONVERTED, x.sh:2: which CPUs $MASK means is not known: irq.move = "
	  "to=CPUS\n; '*vfio*'\n;     echo $MASK > /proc/irq/$i/smp_affinity\n" },

	/* programs and their opposites */
	{ "umount -l /a /b", NULL,
	  PREPARE "exec.run = umount -l /a /b\nexec.undo = mount /a\n"
		  "exec.undo = mount /b\n" },
	{ "umount -a -t cifs", NULL, PREPARE "exec.run = umount -a -t cifs\n" },
	{ "umount -at cifs", NULL, PREPARE "exec.run = umount -at cifs\n" },

	/* what is printed */
	{ "printf '%s\\n' 0000:01:00.0 | tee /sys/bus/pci/drivers/nvidia/unbind", NULL,
	  PREPARE "pci.detach = 0000:01:00.0\n" },
	{ "for i in /proc/irq/*; do printf %x $((1 << 4 | 1 << 6)) > $i/smp_affinity; done",
	  NULL, PREPARE "irq.move = to=4,6\n" },
	{ "printf '0000:%s:00.%d' 01 1 > /sys/bus/pci/drivers/nvidia/unbind", NULL,
	  PREPARE "pci.detach = 0000:01:00.1\n" },

	/* whichever domain */
	{ "/x.py \"$@\"", NULL,
	  PREPARE "; NOT CONVERTED, x.sh:1: DOMAIN is whichever domain it is called for: "
		  "name that,\n; vfio-hook import x.sh NAME\n;     /x.py \"$@\"\n" },
	{ "/x.py \"$@\"", "win10", PREPARE "exec.run = /x.py win10 prepare begin -\n" },
	{ "/x.py $1; [ \"$1\" = win10 ] && systemctl stop docker", NULL,
	  PREPARE FOR("win10") "exec.run = /x.py win10\n" STOP },
	{ STOP_IF("[[ $1 =~ ^win11$ ]]"), NULL, PREPARE FOR("win11") STOP },
	{ STOP_IF("[[ $1 =~ ^(win10|win11)$ ]] && [ \"$2\" = prepare ]"), "win11",
	  PREPARE STOP },
	{ STOP_IF("[[ \" win10 mac \" =~ \" $1 \" ]]"), NULL, PREPARE FOR("win10") STOP },
	{ "[[ $1 =~ ^win1 ]] || exit 0; systemctl stop docker", "mac", NULL },
	{ "[ \"$1\" != debian ] && exit 0; systemctl stop docker", NULL, PREPARE STOP },
	{ STOP_IF("[ \"$1\" != debian ]") "; /x.py $1", NULL,
	  PREPARE STOP
	  "; NOT CONVERTED, x.sh:1: DOMAIN is whichever domain it is called for: name "
	  "that,\n; vfio-hook import x.sh NAME\n;     /x.py $1\n" },
	{ "case \"$1:$2/$3\" in\nwin10:prepare/begin) systemctl stop docker;;\n"
	  "mac:prepare/begin) systemctl stop podman;; esac",
	  NULL, PREPARE FOR("win10") STOP },
	{ "[[ $1 == win* ]] && systemctl stop docker\n"
	  "[[ $1 == mac* ]] && systemctl stop podman",
	  NULL,
	  PREPARE
	  "; For domain win*, the first that the script asks for. For another one: "
	  "vfio-hook import\n; x.sh NAME\n" STOP },

	{ "[[ $1 =~ ^win ]] && systemctl stop docker\n"
	  "[[ $1 == mac ]] && systemctl stop podman\n"
	  "[[ $1 == win10 ]] && /x.py $1",
	  NULL, PREPARE FOR("win10") STOP "exec.run = /x.py win10\n" },
	{ STOP_IF("[[ $1 =~ _vfio$ ]]"), NULL,
	  PREPARE
	  "; For domain *_vfio, the first that the script asks for. For another one: "
	  "vfio-hook\n; import x.sh NAME\n" STOP },
	{ "[[ $1 =~ ^(start|stop)$ ]] || systemctl stop docker", NULL, PREPARE STOP },

	/* functions of operations */
	{ "prepare() { systemctl stop docker; }\n\"$2\"", NULL,
	  PREPARE STOP "\n[start/begin]\n; there is no function start\n"
		       "\n[started/begin]\n; there is no function started\n" },
	{ "on_prepare() { systemctl stop docker; }; op=$2; on_$op; true release", NULL,
	  PREPARE STOP "\n[start/begin]\n; there is no function on_start\n"
		       "\n[started/begin]\n; there is no function on_started\n" },

	/* ${NAME/…} */
	{ "GPU=0000:01:00.0; virsh nodedev-detach pci_${GPU//[:.]/_}", NULL,
	  "[devices]\n; GPU\ngpu = 0000:01:00.0\n\n" PREPARE "pci.detach = gpu\n" },
	{ "X=aXbXc; echo ${X/X*/-} ${X/?X/-} ${X//X/} ${X/#a/-} ${X/#b/-} ${X/%c/-} "
	  "${X/%b/-} ${X//[!X]/} > /proc/sys/a",
	  NULL, PREPARE "sysctl.write = a \"a- -bXc abc -XbXc aXbXc aXbX- aXbXc XX\"\n" },
	{ "virsh nodedev-detach pci_${GPU//[:.]/_}", NULL,
	  PREPARE
	  "; NOT CONVERTED, x.sh:1: pci_${GPU//[:.]/_} is known only when it runs\n"
	  ";     virsh nodedev-detach pci_${GPU//[:.]/_}\n" },
	{ "X='a*b'; /x ${X/\\*/-}", NULL,
	  PREPARE
	  "; NOT CONVERTED, x.sh:1: ${X/\\*/-} is known only when it runs, or is in "
	  "a kvm.conf: give\n; it with --conf\n;     /x ${X/\\*/-}\n" },

	/* arguments */
	{ "f() { while [[ $# -gt 0 ]]; do systemctl stop $1; shift; done; }\nf a b", NULL,
	  PREPARE "service.stop = a.service b.service\n" },
	{ "f() { shift 2; systemctl stop \"$1\"; shift 2 || systemctl stop d; }\nf a b c",
	  NULL, PREPARE "service.stop = c.service d.service\n" },
	{ "f() { /x \"${@:2}\"; /y \"${@:1:1}\" \"${@: -1}\"; }\nf a b c", NULL,
	  PREPARE "exec.run = /x b c\nexec.run = /y a c\n" },
	{ "A=(a b c d); /x \"${A[@]:1:2}\"", NULL, PREPARE "exec.run = /x b c\n" },
	{ "A=(a b); /x \"${A[@]:$n}\"", NULL,
	  PREPARE
	  "; NOT CONVERTED, x.sh:1: ${A[@]:$n} is known only when it runs, or is in "
	  "a kvm.conf:\n; give it with --conf\n;     /x \"${A[@]:$n}\"\n" },
	{ "for i in 1 2 3; do\nx > /a\ndone", NULL,
	  PREPARE "; NOT CONVERTED, x.sh:2: it writes to a file\n;     x > /a\n" },

	/* a whole group */
	{ "for d in /sys/bus/pci/devices/0000:01:00.0/iommu_group/devices/*; do\n"
	  "echo vfio-pci > $d/driver_override\n"
	  "echo ${d##*/} > $d/driver/unbind\n"
	  "echo $(basename $d) > /sys/bus/pci/drivers_probe; done",
	  NULL, PREPARE "pci.detach = group=whole 0000:01:00.0\n" },
	{ "virsh nodedev-detach pci_0000_01_00_0\n"
	  "for d in /sys/bus/pci/devices/0000:01:00.0/iommu_group/devices/*; do "
	  "echo vfio-pci > $d/driver_override; done",
	  NULL, PREPARE "pci.detach = group=whole 0000:01:00.0\n" },

	{ "for d in $(ls /sys/bus/pci/devices/0000:01:00.0/iommu_group/devices); do "
	  "echo vfio-pci > /sys/bus/pci/devices/$d/driver_override; done",
	  NULL, PREPARE "pci.detach = group=whole 0000:01:00.0\n" },
	{ "for d in $(ls /a/b); do\n"
	  "echo vfio-pci > /sys/bus/pci/devices/$d/driver_override; done",
	  NULL,
	  PREPARE "; NOT CONVERTED, x.sh:2: $(ls /a/b) is known only when it runs\n"
		  ";     echo vfio-pci > /sys/bus/pci/devices/$d/driver_override\n" },

	/* numbers */
	{ "echo $((1<<10 | 3)) > /proc/sys/a; echo $((1024 >> 2 & ~1)) > /proc/sys/b",
	  NULL, PREPARE "sysctl.write = a 1027\nsysctl.write = b 256\n" },
	{ "echo $((1 < 2 && 3 <= 3 || 0)) $((5 ^ 1)) $((3 <= 2 || 5 >= 5)) > /proc/sys/a",
	  NULL, PREPARE "sysctl.write = a \"1 4 1\"\n" },
};

START_TEST(lines_become_a_config)
{
	_cleanup_free_ char *text = NULL;
	const char *config;

	import_script(cases[_i].script, cases[_i].domain, &text);
	config = strstr(text, "\n[");
	ck_assert_msg(cases[_i].config ? config && streq(config + 1, cases[_i].config) :
					 !config,
		      "%s\n%s", cases[_i].script, text);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("import_lines");

	tcase_add_loop_test(tcase, lines_become_a_config, 0, ARRAY_SIZE(cases));
	return suite_run("import_lines", tcase);
}
