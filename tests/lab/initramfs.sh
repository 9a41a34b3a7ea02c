#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# [boot/begin] in an initramfs that initramfs-tools made with what we ship for it: the real
# mkinitramfs, and the real start of a machine up to where udev has loaded its drivers.
# In a mount namespace of its own, as initramfs-tools knows no other root than /.
set -eu
lab=$(cd "$(dirname "$0")" && pwd)
top=${lab%/tests/lab}
hook=${HOOK:-$top/build/qemu}
cache=${LAB_CACHE:-$top/build-lab}
suite=bookworm

if [ -z "${LAB_NAMESPACE:-}" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	"$lab/kernel.sh" "$suite" >/dev/null
	LAB_NAMESPACE=1 HOOK=$hook unshare -m "$0" "$work" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 1
	}
	LAB_INITRD=$work/initrd "$lab/boot.sh" --timeout 300 host
	exit
fi

work=$1
mount --make-rprivate /
version=$(cat "$cache/kernel/$suite/version")
cp -a /etc "$work/etc"
mkdir -p "$work/etc/libvirt/hooks/conf.d" "$work/sbin" "$work/conf/hooks" "$work/conf/conf.d" \
	"$work/conf/scripts/init-top" "$work/conf/scripts/init-premount" /lib/modules /boot
cp "$hook" "$work/sbin/vfio-hook"
cat >"$work/etc/libvirt/hooks/conf.d/win10.ini" <<END
[boot/begin]
pci.detach = 00:03.0 02:00.0
END
cat >"$work/etc/libvirt/hooks/conf.d/other.ini" <<END
[prepare/begin]
pci.detach = 00:04.0
END
# The driver of this one is not in the initramfs.
cat >"$work/etc/libvirt/hooks/conf.d/server.ini" <<END
[boot/begin]
pci.detach = 00:04.0
wait.for = timeout=60s path=/sys/bus/pci/devices/0000:01:00.0/driver
END
mount --bind "$work/etc" /etc
mount --bind "$work/sbin" /usr/local/sbin
mount --bind "$cache/kernel/$suite/tree/lib/modules" /lib/modules
mount --bind "$cache/kernel/$suite/tree/boot" /boot

cp "$top/share/initramfs-tools/hooks/vfio-hook" "$work/conf/hooks/"
cp "$top/share/initramfs-tools/scripts/init-top/vfio-hook" "$work/conf/scripts/init-top/"
printf 'MODULES=list\nCOMPRESS=gzip\nRUNSIZE=10%%\n' >"$work/conf/initramfs.conf"
printf 'e1000e\nnvme\n' >"$work/conf/modules"
cat >"$work/conf/scripts/init-premount/check" <<'END'
#!/bin/sh
[ "$1" != prereqs ] || exit 0
driver() { d=$(readlink "/sys/bus/pci/devices/$1/driver"); echo "${d##*/}"; }
is() { if [ "$2" = "$3" ]; then echo "ok initramfs - $1"; else echo "not ok initramfs - $1: '$2', not '$3'"; fi; }
udevadm settle
is "the network card is taken" "$(driver 0000:00:03.0)" vfio-pci
is "the disk is taken" "$(driver 0000:02:00.0)" vfio-pci
is "what is put off as a whole has its driver" "$(driver 0000:00:04.0)" e1000e
is "the journal is in /run, which the root gets" "$(ls /run/vfio-hook)" "boot.win10.journal
lock"
is "a config without [boot/begin] is not taken along" "$(ls /etc/libvirt/hooks/conf.d)" "server.ini
win10.ini"
log() { sed -n 's/.*boot\/begin is put off: wait.for .server.ini:3.: \([^ ]*\) may come when the root file system is there.*/\1/p' /var/log/vfio-hook/server.log; }
is "what does not come here is not waited for" "$(log)" /sys/bus/pci/devices/0000:01:00.0/driver
is "what is done is not done again" "$(vfio-hook boot --early 2>&1; echo $?)" \
	"server: boot/begin: later: wait.for (server.ini:3): /sys/bus/pci/devices/0000:01:00.0/driver may come when the root file system is there: vfio-hook-boot.service waits for it
win10: boot/begin: done
0"
is "and it can be given back" "$(vfio-hook undo --boot win10 2>&1; driver 0000:00:03.0; driver 0000:02:00.0)" "win10: undo: done, 4 changes
e1000e
nvme"
echo "# lab: done"
echo o >/proc/sysrq-trigger
sleep 60
END
chmod 755 "$work/conf/scripts/init-premount/check"
mkinitramfs -d "$work/conf" -o "$work/initrd" "$version"
