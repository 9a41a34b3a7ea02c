#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# [boot/begin] in an initramfs that initramfs-tools made with what we ship for it: the real
# mkinitramfs, and the real start of a machine up to where udev has loaded its drivers.
set -eu
lab=$(cd "$(dirname "$0")" && pwd)
suite=bookworm

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$lab/kernel.sh" "$suite" >/dev/null
mkdir -p "$work/conf.d" "$work/conf/scripts/init-premount"
cat >"$work/conf.d/win10.ini" <<END
[boot/begin]
pci.detach = 00:03.0 02:00.0
END
cat >"$work/conf.d/other.ini" <<END
[prepare/begin]
pci.detach = 00:04.0
END
# The driver of this one is not in the initramfs.
cat >"$work/conf.d/server.ini" <<END
[boot/begin]
pci.detach = 00:04.0
wait.for = timeout=60s path=/sys/bus/pci/devices/0000:01:00.0/driver
END

printf 'e1000e\nnvme\n' >"$work/conf/modules"
cat >"$work/conf/scripts/init-premount/check" <<'END'
#!/bin/sh
[ "$1" != prereqs ] || exit 0
driver() { d=$(readlink "/sys/bus/pci/devices/$1/driver"); echo "${d##*/}"; }
is() { if [ "$2" = "$3" ]; then echo "ok initramfs - $1"; else echo "not ok initramfs - $1: '$2', not '$3'"; fi; }
udevadm settle
is "the network card is taken" "$(driver 0000:00:03.0)" vfio-pci
is "the disk is taken" "$(driver 0000:02:00.0)" vfio-pci
is "no driver of the host's ever had them" "$(dmesg | grep -cE 'e1000e 0000:00:03.0|nvme nvme0: .*0000:02:00.0')" 0
is "what is put off as a whole has its driver" "$(driver 0000:00:04.0)" e1000e
is "the journal is in /run, which the root gets" "$(ls /run/vfio-hook)" "boot.win10.journal
lock"
is "a config without [boot/begin] is not taken along" "$(ls /etc/libvirt/hooks/conf.d)" "server.ini
win10.ini"
log() { sed -n 's/.*boot\/begin is put off: wait.for .server.ini:3.: \([^ ]*\) may come when the root file system is there.*/\1/p' /var/log/vfio-hook/server.log; }
is "what does not come here is not waited for" "$(log)" /sys/bus/pci/devices/0000:01:00.0/driver
is "what is done is not done again" "$(vfio-hook boot --early 2>&1; echo $?)" \
	"server: boot/begin: later: wait.for (server.ini:3): /sys/bus/pci/devices/0000:01:00.0/driver may come when the root file system is there: vfio-hook-boot.service waits for it, if it is enabled
win10: boot/begin: done
0"
is "and it can be given back" "$(vfio-hook undo --boot win10 2>&1; driver 0000:00:03.0; driver 0000:02:00.0)" "win10: undo: done, 6 changes
e1000e
nvme"
echo "# lab: done"
echo o >/proc/sysrq-trigger
sleep 60
END
chmod 755 "$work/conf/scripts/init-premount/check"

"$lab/mkinitramfs.sh" "$work" "$suite"
LAB_INITRD=$work/initrd "$lab/boot.sh" --timeout 300 host
