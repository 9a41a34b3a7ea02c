#!/bin/sh
# boot.sh [OPTION...] [SCENARIO...]: run scenarios in the lab's guest.
#
#   --uefi          OVMF instead of SeaBIOS (gives efi-framebuffer)
#   --suite SUITE   the kernel of this Debian suite (bookworm)
#   --memory MIB    (1024)
#   --smp N         2 or 4 processors, in two NUMA nodes (4)
#   --multi         a host thread for each processor: true races, and now and then
#                   a guest kernel that dies of QEMU's own (int3 in a boot)
#   --counted       one processor, whose time is counted: an instruction takes a nanosecond,
#                   and where it has nothing to do the next timer is due at once. Figures
#                   depend neither on how busy this machine is nor on the emulator
#   --skip MODULE   do not load this native driver at the start; repeatable
#   --append ARGS   more kernel parameters
#   --timeout SEC   whole boot (120, and 180 for each scenario)
#   --qemu ARGS     more QEMU arguments, split at blanks
#   --shell         a shell on the terminal instead of scenarios
#   --keep FILE     also write the serial output there
#
# A SCENARIO is the name of a file in scenarios/, with or without its number
# and .sh; none means all without a '# boot:' line. A scenario that needs
# another machine has such a line with the options above; they are used when it
# is named here. Environment: see guest.sh.
#
# Exit status: 0 all is well; 1 a 'not ok', a panic, a timeout or an early end;
# 2 wrong usage.
set -eu

lab=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$lab/../.." && pwd)
cache=${LAB_CACHE:-$top/build-lab}

uefi='' suite=bookworm memory=1024 smp=4 skip='' append='' timeout='' extra='' shell='' keep='' thread=single counted=''

usage()
{
	echo "boot.sh: $1" >&2
	exit 2
}

options()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--suite | --memory | --smp | --skip | --append | --timeout | --qemu | --keep)
			[ $# -gt 1 ] || usage "$1 needs a value" ;;
		esac
		case $1 in
		--uefi) uefi=1 ;;
		--shell) shell=1 ;;
		--multi) thread=multi ;;
		--counted) counted=1 ;;
		--suite) suite=$2; shift ;;
		--memory) memory=$2; shift ;;
		--smp) smp=$2; shift ;;
		--skip) skip=$skip${skip:+,}$2; shift ;;
		--append) append="$append $2"; shift ;;
		--timeout) timeout=$2; shift ;;
		--qemu) extra="$extra $2"; shift ;;
		--keep) keep=$2; shift ;;
		--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
		-*) usage "unknown option $1" ;;
		*) names="$names $1" ;;
		esac
		shift
	done
}

names=
header=
options "$@"
set --
for n in $names; do
	n=${n##*/}
	n=${n%.sh}
	file=
	for f in "$lab/scenarios/$n.sh" "$lab"/scenarios/[0-9][0-9]-"$n".sh; do
		[ -f "$f" ] && file=$f
	done
	[ -n "$file" ] || usage "no scenario $n"
	h=$(sed -n 's/^# boot: *//p' "$file")
	[ $# -eq 0 ] || [ "$h" = "$header" ] || usage "$n wants another machine ($h): boot it by itself"
	header=$h
	file=${file##*/}
	set -- "$@" "${file%.sh}"
done
if [ $# -eq 0 ] && [ -z "$shell" ]; then
	for f in "$lab"/scenarios/[0-9][0-9]-*.sh; do
		grep -q '^# boot:' "$f" && continue
		f=${f##*/}
		set -- "$@" "${f%.sh}"
	done
fi
names=
if [ -n "$header" ]; then
	eval "options $header"
fi
case $smp in 2 | 4) ;; *) usage "--smp is 2 or 4" ;; esac
case $memory in *[!0-9]* | '') usage "--memory is a number of MiB" ;; esac
list=$(echo "$*" | tr ' ' ,)
[ -n "$timeout" ] || timeout=$((120 + 180 * $#))

lab_tests=$lab/..
# shellcheck source=tests/lab/qemu.sh
. "$lab/qemu.sh"

if [ -n "${LAB_INITRD:-}" ]; then
	ln -s "$LAB_INITRD" "$work/initrd"
else
	"$lab/guest.sh" "$suite" "$work/initrd"
fi
four=
[ "$smp" -ne 4 ] || four=-DFOUR
# shellcheck disable=SC2086 # empty or one word
iasl $four -p "$work/cpufreq" "$lab/cpufreq.asl" >"$work/iasl" 2>&1 || { cat "$work/iasl" >&2; exit 1; }
[ -s "$work/cpufreq.aml" ] || { cat "$work/iasl" >&2; exit 1; }

half=$((memory / 2))
c=$((smp / 2))
params="console=ttyS0 panic=-1 intel_iommu=on no_timer_check quiet loglevel=3 mitigations=off nokaslr audit=0 apparmor=0 rcupdate.rcu_expedited=1 cryptomgr.notests lab=$list"
[ -z "$skip" ] || params="$params labskip=$skip"
[ -z "$shell" ] || params="$params labshell"
# A second processor would not come up, as each waits for the other in turns.
[ -z "$counted" ] || params="$params maxcpus=1" thread=single
params="$params$append"

# The addresses, as scenarios use them (lib.sh has names for them):
#   0000:01:00.0 VGA, .1 sound, .2 USB   behind the port 00:01.0
#   0000:02:00.0 NVMe                    behind the port 00:02.0
#   0000:00:03.0, 0000:00:04.0           twin network cards
set -- -accel tcg,thread=$thread -cpu Nehalem,+pdpe1gb -M q35,kernel-irqchip=split \
	-nodefaults -no-user-config -display none -vga none -no-reboot -monitor none \
	-m "$memory" -smp "$smp" \
	-object "memory-backend-ram,id=m0,size=${half}M" -object "memory-backend-ram,id=m1,size=${half}M" \
	-numa "node,nodeid=0,cpus=0-$((c - 1)),memdev=m0" -numa "node,nodeid=1,cpus=$c-$((smp - 1)),memdev=m1" \
	-device intel-iommu,intremap=on,caching-mode=on \
	-acpitable "file=$work/cpufreq.aml" \
	-device pcie-root-port,id=gpu,bus=pcie.0,addr=01.0,chassis=1,slot=1 \
	-device VGA,bus=gpu,addr=00.0,multifunction=on \
	-audiodev none,id=snd \
	-device intel-hda,id=hda,bus=gpu,addr=00.1 -device hda-duplex,bus=hda.0,audiodev=snd \
	-device qemu-xhci,id=usb,bus=gpu,addr=00.2 -device usb-kbd,bus=usb.0 \
	-device pcie-root-port,id=disk,bus=pcie.0,addr=02.0,chassis=2,slot=2 \
	-drive driver=null-co,read-zeroes=on,size=1G,if=none,id=nvme,snapshot=on \
	-device nvme,bus=disk,addr=00.0,drive=nvme,serial=lab \
	-netdev socket,id=net0,udp=127.0.0.1:9,localaddr=127.0.0.1:0 \
	-netdev socket,id=net1,udp=127.0.0.1:9,localaddr=127.0.0.1:0 \
	-device e1000e,bus=pcie.0,addr=03.0,netdev=net0,romfile=,mac=52:54:00:00:00:03 \
	-device e1000e,bus=pcie.0,addr=04.0,netdev=net1,romfile=,mac=52:54:00:00:00:04 \
	-kernel "$cache/kernel/$suite/vmlinuz" -initrd "$work/initrd" -append "$params"
if [ -n "$uefi" ]; then
	set -- "$@" -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE.fd \
		-drive if=pflash,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS.fd
fi
[ -z "$counted" ] || set -- "$@" -icount shift=0,sleep=off
# shellcheck disable=SC2086 # meant to be split
[ -z "$extra" ] || set -- "$@" $extra

if [ -n "$shell" ]; then
	qemu-system-x86_64 "$@" -serial stdio
	exit 0
fi

run_qemu "$suite${uefi:+, UEFI}" "$@"
