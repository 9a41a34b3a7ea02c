#!/bin/sh
# initrd.sh SUITE OUT: make the initramfs OUT of the libvirt lab, which mounts the disk, lays
# over it the service that runs the scenarios, and gives way to systemd.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${LAB_CACHE:-$here/../../build-lab}
kernel=$cache/kernel/$1
out=$2
version=$(cat "$kernel/version")

top=$(mktemp -d "${TMPDIR:-/tmp}/lab-initrd.XXXXXX")
trap 'rm -rf "$top"' EXIT
trap 'exit 1' INT TERM HUP

mkdir -p "$top/bin" "$top/dev" "$top/disk" "$top/modules" "$top/over/lab"
cp -L "$(command -v busybox)" "$top/bin/busybox"
install -m 755 "$here/guest/init" "$top/init"
for m in virtio_pci virtio_blk ext4; do
	modprobe -d "$kernel/tree" -S "$version" -C /dev/null --ignore-install --show-depends $m || {
		echo "initrd.sh: the kernel of $1 ($version) has no module $m: the disk could not be mounted;" \
			"remove $kernel, to have it fetched again" >&2
		exit 1
	}
done >"$top/needed"
n=10
sed -n 's/^insmod \([^ ]*\).*/\1/p' "$top/needed" | awk '!seen[$0]++' |
while read -r f; do
	name=$n-${f##*/}
	case $f in
	*.xz) xz -dc "$f" >"$top/modules/${name%.xz}" ;;
	*) cp "$f" "$top/modules/$name" ;;
	esac
	n=$((n + 1))
done

rm "$top/needed"

units=$top/over/etc/systemd/system
mkdir -p "$units/multi-user.target.wants" "$units/libvirtd.service.d"
install -m 755 "$here/guest/loader" "$top/over/lab/loader"
install -m 644 "$here/guest/lab.service" "$units/lab.service"
# Without guests it ends after two minutes, in the middle of a scenario's comparison.
printf '[Service]\nEnvironment=LIBVIRTD_ARGS=\n' >"$units/libvirtd.service.d/lab.conf"
ln -s ../lab.service "$units/multi-user.target.wants/lab.service"

(cd "$top" && find . -mindepth 1 -print0 | sort -z | cpio -o -0 -H newc -R 0:0 --quiet) >"$out"
