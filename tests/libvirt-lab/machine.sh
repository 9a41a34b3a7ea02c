# shellcheck shell=dash
# The libvirt lab's machine; sourced by ready.sh and boot.sh: a machine that goes on from a
# saved state must be the one that was saved.

# machine_arguments THREAD KERNEL DISK PAYLOAD INITRD [PARAMETERS]: sets $machine, to be split
# at newlines. THREAD is multi or single. The addresses are those of the other lab (lib.sh has
# names for them). TERM is for systemd, which else makes the console's first line start with
# escapes.
machine_arguments()
{
	local thread=$1
	shift
	# audit=0 is for good, and without audit no denial is in the log.
	local security="audit=0 apparmor=0"
	case ${5:-} in *apparmor=1*) security=audit=1 ;; esac
	# shellcheck disable=SC2034 # for who calls
	machine="-accel
tcg,thread=$thread,tb-size=512
-cpu
Nehalem
-M
pc-q35-7.2,kernel-irqchip=split
-nodefaults
-no-user-config
-display
none
-vga
none
-no-reboot
-m
2048
-smp
2
-device
intel-iommu,intremap=on,caching-mode=on
-device
pcie-root-port,id=gpu,bus=pcie.0,addr=01.0,chassis=1,slot=1
-device
VGA,bus=gpu,addr=00.0,multifunction=on
-audiodev
none,id=snd
-device
intel-hda,id=hda,bus=gpu,addr=00.1
-device
hda-duplex,bus=hda.0,audiodev=snd
-netdev
socket,id=net0,udp=127.0.0.1:9,localaddr=127.0.0.1:0
-netdev
socket,id=net1,udp=127.0.0.1:9,localaddr=127.0.0.1:0
-device
e1000e,bus=pcie.0,addr=03.0,netdev=net0,romfile=,mac=52:54:00:00:00:03
-device
e1000e,bus=pcie.0,addr=04.0,netdev=net1,romfile=,mac=52:54:00:00:00:04
-drive
file=$2,format=raw,if=none,id=root,cache=unsafe
-device
virtio-blk-pci,bus=pcie.0,addr=08.0,drive=root
-drive
file=$3,format=raw,if=none,id=payload,read-only=on
-device
virtio-blk-pci,bus=pcie.0,addr=09.0,drive=payload
-kernel
$1
-initrd
$4
-append
console=ttyS0 panic=-1 intel_iommu=on no_timer_check quiet loglevel=3 mitigations=off nokaslr $security selinux=0 rcupdate.rcu_expedited=1 cryptomgr.notests systemd.show_status=false TERM=dumb ${5:-}"
}
