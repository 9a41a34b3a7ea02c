#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mkinitramfs.sh WORK SUITE: the initramfs WORK/initrd that initramfs-tools makes with what we
# ship for it. The configs in WORK/conf.d are this host's then, WORK/conf is the folder of
# initramfs-tools: what else is to be in it. HOOK=FILE is the program.
# In a mount namespace of its own, as initramfs-tools knows no other root than /.
set -eu
lab=$(cd "$(dirname "$0")" && pwd)
top=${lab%/tests/lab}
hook=${HOOK:-$top/build/qemu}
cache=${LAB_CACHE:-$top/build-lab}
work=$1
suite=$2

if [ -z "${LAB_NAMESPACE:-}" ]; then
	LAB_NAMESPACE=1 unshare -m "$0" "$work" "$suite" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 1
	}
	exit
fi

mount --make-rprivate /
version=$(cat "$cache/kernel/$suite/version")
cp -a /etc "$work/etc"
mkdir -p "$work/etc/libvirt/hooks/conf.d" "$work/sbin" "$work/conf/hooks" "$work/conf/conf.d" \
	"$work/conf/scripts/init-top" /lib/modules /boot
cp "$hook" "$work/sbin/vfio-hook"
cp "$work/conf.d"/*.ini "$work/etc/libvirt/hooks/conf.d/"
mount --bind "$work/etc" /etc
mount --bind "$work/sbin" /usr/local/sbin
mount --bind "$cache/kernel/$suite/tree/lib/modules" /lib/modules
mount --bind "$cache/kernel/$suite/tree/boot" /boot

cp "$top/share/initramfs-tools/hooks/vfio-hook" "$work/conf/hooks/"
cp "$top/share/initramfs-tools/scripts/init-top/00-vfio-hook" "$work/conf/scripts/init-top/"
printf 'MODULES=list\nCOMPRESS=gzip\nRUNSIZE=10%%\n' >"$work/conf/initramfs.conf"
mkinitramfs -d "$work/conf" -o "$work/initrd" "$version"
