#!/bin/sh
# ready.sh [SUITE]: boot the libvirt lab's guest once, until libvirtd has had its first
# guest, and keep it as it is then: OUTDIR/ready.img is what it wrote to its disk,
# OUTDIR/ready.state its memory. OUTDIR is that of root.sh. boot.sh goes on from there.
# Takes half a minute on an idle machine; does nothing when the state is there already and
# was made by these scripts as they are now.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${LAB_CACHE:-$here/../../build-lab}
suite=${1:-bookworm}
"$here/root.sh" "$suite"
cache=$(cd "$cache" && pwd)
out=$cache/libvirt/$suite

key=$( (cat "$0" "$here/machine.sh" "$here/initrd.sh" "$here/guest/init" "$here/guest/loader" \
	"$here/guest/lab.service" "$out/key"; qemu-system-x86_64 --version) | sha256sum | cut -c1-16)
is_there() { [ -s "$out/ready.state" ] && [ "$(cat "$out/ready.key" 2>/dev/null)" = "$key" ]; }
! is_there || exit 0
exec 9>"$out/ready.lock"
flock 9
! is_there || exit 0
rm -f "$out/ready.img" "$out/ready.state" "$out/ready.key"

keep='' timeout=900
# shellcheck source=tests/lab/qemu.sh
. "$here/../lab/qemu.sh"
# shellcheck source=tests/libvirt-lab/machine.sh
. "$here/machine.sh"

"$here/initrd.sh" "$suite" "$out/initrd"
truncate -s 16M "$work/payload"
cp --sparse=always --reflink=auto "$out/root.img" "$work/ready.img"
machine_arguments multi "$cache/kernel/$suite/vmlinuz" "$work/ready.img" "$work/payload" "$out/initrd"
set -f
IFS='
'
# shellcheck disable=SC2086 # meant to be split
set -- $machine
unset IFS
set +f

mkfifo "$work/monitor"
timeout -k 5 $timeout qemu-system-x86_64 "$@" -serial "file:$work/log" -monitor stdio \
	<"$work/monitor" >"$work/answers" &
pid=$!
exec 8>"$work/monitor"
until grep -q '^# lab: ready' "$work/log" 2>/dev/null; do
	kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; echo "ready.sh: QEMU ended early" >&2; exit 1; }
	sleep 0.5
done
printf '%s\n' 'migrate_set_parameter max-bandwidth 10G' "migrate \"exec:cat >'$work/ready.state'\"" quit >&8
wait "$pid" || { cat "$work/answers" >&2; exit 1; }
pid=
[ -s "$work/ready.state" ] || { cat "$work/answers" >&2; exit 1; }
grep '^# lab: ready' "$work/log" >&2
mv "$work/ready.img" "$work/ready.state" "$out/"
echo "$key" >"$out/ready.key"
