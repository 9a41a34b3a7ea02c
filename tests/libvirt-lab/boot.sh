#!/bin/sh
# boot.sh [OPTION...] [SCENARIO...]: a Debian with systemd, libvirtd and the hook, in which
# libvirt starts guests that own a device; runs scenarios there.
#
#   --suite SUITE   the kernel, systemd, libvirt and QEMU of this Debian suite (bookworm)
#   --all           the long scenarios too
#   --fresh         boot, instead of going on where a boot was saved
#   --append ARGS   more kernel parameters; boots
#   --initramfs EXAMPLE   boots by an initramfs of initramfs-tools, with conf.d/EXAMPLE.ini
#   --counted       one processor that takes a nanosecond for an instruction, whatever it takes
#                   this machine; what it waits for is as long as it is; boots
#   --timeout SEC   whole boot (300, and 300 for each scenario)
#   --qemu ARGS     more QEMU arguments, split at blanks
#   --shell         a root shell on the terminal instead of scenarios
#   --keep FILE     also write the serial output there
#
# A SCENARIO is the name of a file in scenarios/, with or without its number and .sh; none
# means all that have no line '# long'. One that has a line '# boot' wants a boot of its own
# (with the options that follow, as '# boot: --append ARGS'; its .boot changes the disk before
# systemd begins) and runs only when it is named, as does one with '# bench'. The disk is not
# written to.
#
# HOOK=FILE is the executable under test (default build/qemu), LAB_CACHE=DIR where the disk
# and the kernel are kept (default build-lab).
#
# LAB_FRESH=SUITE lets the scenario 96-clone build in an empty Debian of that suite, by the
# commands in README alone, instead of on this machine.
#
# Exit status: 0 all is well; 1 a 'not ok', a panic, a timeout or an early end; 2 wrong
# usage.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab
top=$(cd "$here/../.." && pwd)
cache=${LAB_CACHE:-$top/build-lab}
hook=${HOOK:-$top/build/qemu}
suite=bookworm all='' fresh='' counted='' initramfs='' append='' timeout='' extra='' shell='' keep='' names=''

usage()
{
	echo "boot.sh: $1" >&2
	exit 2
}

options()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--suite | --append | --initramfs | --timeout | --qemu | --keep) [ $# -gt 1 ] || usage "$1 needs a value" ;;
		esac
		case $1 in
		--suite) suite=$2; shift ;;
		--all) all=1 ;;
		--fresh) fresh=1 ;;
		--counted) counted=1 fresh=1 append="$append maxcpus=1" ;;
		--append) append="$append $2" fresh=1; shift ;;
		--initramfs) initramfs=$2 fresh=1; shift ;;
		--timeout) timeout=$2; shift ;;
		--qemu) extra="$extra $2"; shift ;;
		--shell) shell=1 ;;
		--keep) keep=$2; shift ;;
		--help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
		-*) usage "unknown option $1" ;;
		*) names="$names $1" ;;
		esac
		shift
	done
}

header=
options "$@"
set --
for n in $names; do
	n=${n##*/}
	n=${n%.sh}
	file=
	for f in "$here/scenarios/$n.sh" "$here"/scenarios/[0-9][0-9]-"$n".sh; do
		[ -f "$f" ] && file=$f
	done
	[ -n "$file" ] || usage "no scenario $n"
	! grep -q '^# boot' "$file" || fresh=1
	h=$(sed -n 's/^# boot: *//p' "$file")
	[ $# -eq 0 ] || [ "$h" = "$header" ] || usage "$n wants another machine ($h): boot it by itself"
	header=$h
	set -- "$@" "$(basename "$file" .sh)"
done
if [ $# -eq 0 ]; then
	for f in "$here"/scenarios/[0-9][0-9]-*.sh; do
		[ -z "$all" ] && grep -q '^# long' "$f" && continue
		grep -qE '^# (boot|bench)' "$f" && continue
		set -- "$@" "$(basename "$f" .sh)"
	done
fi
[ -z "$header" ] || eval "options $header"
[ -n "$timeout" ] || timeout=$((300 + 300 * $#))

lab_tests=$lab/..
# shellcheck source=tests/lab/qemu.sh
. "$lab/qemu.sh"
# shellcheck source=tests/libvirt-lab/machine.sh
. "$here/machine.sh"
if [ -n "$initramfs" ]; then
	"$here/root.sh" "$suite"
	HOOK=$hook "$here/initramfs.sh" "$suite" "$work/initrd" "$initramfs"
	append="$append root=/dev/vda rw"
elif [ -n "$fresh" ]; then
	"$here/root.sh" "$suite"
	"$here/initrd.sh" "$suite" "$work/initrd"
else
	"$here/ready.sh" "$suite"
fi
cache=$(cd "$cache" && pwd)
saved=$cache/libvirt/$suite
[ -z "$shell" ] || set --
"$here/payload.sh" "$hook" "$work/payload" "$@"

if [ -n "$fresh" ]; then
	disk=$saved/root.img
else
	disk=$saved/ready.img
	ln -s "$saved/initrd" "$work/initrd"
fi
thread=multi
[ -z "$counted" ] || thread=single
machine_arguments $thread "$cache/kernel/$suite/vmlinuz" "$disk,snapshot=on" "$work/payload" "$work/initrd" "$append"
set -f
IFS='
'
# shellcheck disable=SC2086 # meant to be split
set -- $machine -monitor none
unset IFS
set +f
[ -z "$counted" ] || set -- "$@" -icount shift=0
[ -n "$fresh" ] || set -- "$@" -incoming "exec:cat '$saved/ready.state'"
# shellcheck disable=SC2086 # meant to be split
[ -z "$extra" ] || set -- "$@" $extra

if [ -n "$shell" ]; then
	qemu-system-x86_64 "$@" -serial stdio
	exit 0
fi
run_qemu "libvirt, $suite" "$@"
