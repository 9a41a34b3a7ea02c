#!/bin/sh
# root.sh [SUITE]: make the disk of the libvirt lab's guest, once.
#
# Leaves OUTDIR/root.img: a Debian of that suite (bookworm) with systemd, libvirtd and QEMU,
# and the modules of the kernel that the other lab fetched. OUTDIR is build-lab/libvirt/SUITE,
# or $LAB_CACHE/libvirt/SUITE. Does nothing when it is there and was made by this script as
# it is now. Takes two minutes, must be root (for mmdebstrap's chroot).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../lab
cache=${LAB_CACHE:-$here/../../build-lab}
suite=${1:-bookworm}

[ -d "$cache" ] || { mkdir -p "$cache" && echo '*' >"$cache/.gitignore"; }
cache=$(cd "$cache" && pwd)
out=$cache/libvirt/$suite
LAB_CACHE=$cache "$lab/kernel.sh" "$suite"
version=$(cat "$cache/kernel/$suite/version")

key=$( (cat "$0"; echo "$version") | sha256sum | cut -c1-16)
is_there() { [ -s "$out/root.img" ] && [ "$(cat "$out/key" 2>/dev/null)" = "$key" ]; }
! is_there || exit 0
mkdir -p "$out"
exec 9>"$out/lock"
flock 9
! is_there || exit 0
[ "$(id -u)" = 0 ] || { echo "root.sh: must be root to run mmdebstrap" >&2; exit 1; }
rm -f "$out/root.img" "$out/key"

# shellcheck source=tests/lab/sources.sh
. "$lab/sources.sh"

work=$(mktemp -d "$out/root.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
root=$work/root
mkdir "$work/sources"
sources "$suite" "$work/sources"

packages=systemd-sysv,systemd,udev,dbus,libpam-systemd,kmod,procps,iproute2,util-linux
packages=$packages,libvirt-daemon-system,libvirt-daemon-driver-qemu,libvirt-clients,qemu-system-x86,strace
packages=$packages,apparmor,sudo,dbus-user-session

# mmdebstrap reads none of the machine's apt.conf: what it says of how to reach an archive.
set --
apt-config dump | grep -E '^Acquire::(Check|http|Retries)' >"$work/apt" || :
while read -r line; do
	set -- "$@" "--aptopt=$line"
done <"$work/apt"
for f in "$work"/sources/lab.*; do
	set -- "$@" "$f"
done
mmdebstrap --quiet --mode=root --variant=minbase --architectures=amd64 \
	--aptopt='Apt::Install-Recommends "false"' \
	--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
	--dpkgopt='path-exclude=/usr/share/doc/*' --include=$packages \
	"$suite" "$root" "$@" >&2

# The kernel's modules, without those that no machine of ours has.
mkdir -p "$root/lib/modules"
cp -a "$cache/kernel/$suite/tree/lib/modules/$version" "$root/lib/modules/"
for f in drivers/media drivers/staging drivers/infiniband drivers/isdn drivers/iio drivers/gpu/drm/amd \
	drivers/gpu/drm/i915 drivers/gpu/drm/nouveau drivers/gpu/drm/radeon drivers/net/wireless \
	sound/soc sound/usb sound/firewire; do
	rm -rf "$root/lib/modules/$version/kernel/$f"
done
depmod -b "$root" "$version"

# What costs seconds at boot and is not under test.
for f in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
	fstrim.timer systemd-timesyncd.service getty@tty1.service serial-getty@ttyS0.service \
	console-getty.service systemd-pstore.service systemd-random-seed.service systemd-update-utmp.service \
	systemd-journal-flush.service systemd-binfmt.service systemd-sysusers.service \
	libvirt-guests.service systemd-networkd-wait-online.service systemd-journal-catalog-update.service \
	systemd-update-done.service systemd-hwdb-update.service systemd-machine-id-commit.service \
	sys-kernel-debug.mount sys-kernel-tracing.mount remote-fs.target; do
	ln -sf /dev/null "$root/etc/systemd/system/$f"
done
mkdir -p "$root/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/lab.conf"
chroot "$root" useradd --create-home --shell /bin/bash --groups video,render,kvm user
chroot "$root" passwd --quiet --delete user
echo 'user ALL=(ALL:ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/user"
echo lab >"$root/etc/hostname"
echo '127.0.0.1 localhost lab' >"$root/etc/hosts"
echo 6c61620000000000000000000000001a >"$root/etc/machine-id"
echo '/dev/vda / ext4 noatime 0 0' >"$root/etc/fstab"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*

mke2fs -q -t ext4 -m 0 -O ^has_journal -L lab -d "$root" "$work/root.img" 3G
mv "$work/root.img" "$out/root.img"
echo "$key" >"$out/key"
