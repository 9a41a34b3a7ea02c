#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# initramfs.sh SUITE OUT EXAMPLE: the initramfs OUT by which the libvirt lab's guest boots as
# any Debian does: made by initramfs-tools, with what we ship for it. conf.d/EXAMPLE.ini, with
# this machine's card and memory, is the config of win10 there and on the disk, over which it
# lays what that of initrd.sh does; server has one that waits.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab
suite=$1 out=$2 example=$3

work=$(mktemp -d "${TMPDIR:-/tmp}/lab-initramfs.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
mkdir -p "$work/conf.d" "$work/conf/hooks" "$work/conf/scripts/init-bottom"
# The card is the only one that the machine has.
sed -e '1i [domain]\nheadless = yes' -e 's/^\(gpu *= *\).*/\101:00.*/' -e 's/memory=12G/memory=64M/' \
	"$here/../../conf.d/$example.ini" >"$work/conf.d/win10.ini"
# One that has to wait for a driver which is not in the initramfs, as headless-host.ini does.
cat >"$work/conf.d/server.ini" <<END
[boot/begin]
wait.for = timeout=60s path=/sys/bus/pci/devices/0000:00:03.0/driver
sysctl.write = vm.stat_interval 77
END

"$here/initrd.sh" "$suite" "$work/plain"
(cd "$work" && cpio -id --quiet 'over/*' <plain)
cat >"$work/conf/hooks/lab" <<END
#!/bin/sh
[ "\$1" != prereqs ] || exit 0
cp -a $work/over "\$DESTDIR/"
END
cat >"$work/conf/scripts/init-bottom/lab" <<'END'
#!/bin/sh
[ "$1" != prereqs ] || exit 0
cp -a /over/. "$rootmnt/"
chroot "$rootmnt" /bin/tar -xf - </dev/vdb
cp -a /etc/libvirt/hooks/conf.d/. "$rootmnt/etc/libvirt/hooks/conf.d/"
for n in $(cat "$rootmnt/lab/want"); do
	[ ! -e "$rootmnt/lab/scenarios/$n.boot" ] || chroot "$rootmnt" /bin/sh "/lab/scenarios/$n.boot"
done
END
chmod 755 "$work/conf/hooks/lab" "$work/conf/scripts/init-bottom/lab"
printf 'virtio_pci\nvirtio_blk\next4\n' >"$work/conf/modules"
"$lab/mkinitramfs.sh" "$work" "$suite"
mv "$work/initrd" "$out"
