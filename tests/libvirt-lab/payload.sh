#!/bin/sh
# payload.sh HOOK OUT SCENARIO...: make the disk OUT that the libvirt lab's guest unpacks
# when it goes on: the hook, the scenarios and which of them to run, nested guests.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab
hook=$1 out=$2
shift 2

top=$(mktemp -d "${TMPDIR:-/tmp}/lab-payload.XXXXXX")
trap 'rm -rf "$top"' EXIT
trap 'exit 1' INT TERM HUP

mkdir -p "$top/etc/libvirt/hooks/conf.d" "$top/etc/libvirt/hooks/qemu.d" "$top/etc/systemd/system" \
	"$top/usr/sbin" "$top/usr/bin" "$top/lab" "$top/var/lib/libvirt/images"
chmod 755 "$top"
# As it is installed: without what a debugger wants.
cp "$hook" "$top/etc/libvirt/hooks/qemu"
strip "$top/etc/libvirt/hooks/qemu" 2>/dev/null || : # a script in its stead
chmod 755 "$top/etc/libvirt/hooks/qemu"
cp "$top/etc/libvirt/hooks/qemu" "$top/usr/sbin/vfio-hook"
install -m 755 "$here/guest/run" "$here/../../share/install-hook" "$top/lab/"
# What the hook was built in: a package is made of the same. Without one (HOOK= is a lone
# file) the scenario that wants it says so.
build=$(dirname "$hook")
[ ! -f "$build/build.ninja" ] || "$here/../package.sh" --make "$build" "$top/lab"
# shellcheck disable=SC2086 # two words or none
case " $* " in *" 96-clone "*) "$here/clone.sh" ${LAB_FRESH:+--fresh $LAB_FRESH} "$top/lab" ;; esac
mkdir "$top/lab/pictures"
cp "$here"/../../share/doc/*.svg "$top/lab/pictures/"
for f in "$here"/guest/*.service; do
	case $f in */lab.service) ;; *) install -m 644 "$f" "$top/etc/systemd/system/" ;; esac
done
for f in "$here"/../../share/systemd/*.in; do
	sed 's|@sbindir@|/usr/sbin|' "$f" >"$top/etc/systemd/system/$(basename "$f" .in)"
done
install -m 644 "$lab/lib.sh" "$top/lab/host.sh"
install -m 644 "$here/lib.sh" "$top/lab/lib.sh"
cp -r "$here/scenarios" "$top/lab/scenarios"
cp -r "$here/../../conf.d" "$top/lab/conf.d"
echo "$*" >"$top/lab/want"
for a in hold lap; do cc -O2 -Wall -Wextra -static -s -o "$top/usr/bin/$a" "$lab/$a.c"; done
for f in stay poweroff; do
	define=
	[ $f = stay ] || define=-DPOWEROFF
	# shellcheck disable=SC2086 # empty or one word
	cc -m32 -c $define -o "$top/nested.o" "$here/nested.S"
	image=$top/var/lib/libvirt/images/$f.img
	ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$image" "$top/nested.o"
	truncate -s 1M "$image"
done
rm "$top/nested.o"
# The guest looks for these three letters at the start.
tar -C "$top" --owner=0 --group=0 --mtime=@1700000000 --sparse -cf "$out" lab etc usr var
[ "$(stat -c %s "$out")" -le $((16 << 20)) ] || { echo "payload.sh: larger than its disk" >&2; exit 1; }
truncate -s 16M "$out"
