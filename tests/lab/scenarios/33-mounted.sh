# shellcheck shell=dash
# boot: --qemu '-device pcie-root-port,id=games,bus=pcie.0,addr=05.0,chassis=5,slot=5 -drive driver=null-co,read-zeroes=on,size=64M,if=none,id=games,snapshot=on -device nvme,bus=games,addr=00.0,drive=games,serial=games'
# modules: ext4
# A disk that the host has mounted until the guest gets it: unmounted by its unit, and
# mounted again afterwards. Nothing that is still mounted is ever taken.

DISK=0000:03:00.0
node=/dev/$(basename /sys/bus/pci/devices/$DISK/nvme/nvme*/nvme*n1)

# What systemd does for a .mount unit, in front of the stand-in.
mkdir -p /usr/local/sbin /mnt/games
cat >/usr/local/sbin/systemctl <<END
#!/bin/sh
case "\$* " in
*stop\ *mnt-games.mount\ *) umount /mnt/games || exit 1 ;;
*start\ *mnt-games.mount\ *) mount -t ext4 $node /mnt/games || exit 1 ;;
esac
exec /usr/bin/systemctl "\$@"
END
chmod 755 /usr/local/sbin/systemctl
mounted() { grep -q " /mnt/games " /proc/mounts; }

unit mnt-games.mount mountd /dev/null
modprobe ext4
check "a file system on the disk" mke2fs "$node"
check "is mounted" systemctl start mnt-games.mount
echo saved >/mnt/games/file
HUGE='' domain win10 $DISK
state "$LAB/before"

refused "a mounted disk" "$DISK carries ${node#/dev/}, mounted at /mnt/games: to take it from the host put 'service.stop = mnt-games.mount' in front" <<END
pci.detach = $DISK
END
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a mounted disk: nothing was touched"
check "a mounted disk: it is mounted" mounted

refused "a mounted disk that libvirt would take" "libvirt would take a managed device in use: $DISK carries ${node#/dev/}, mounted at /mnt/games" <<END
governor.set = performance
END
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a mounted disk that libvirt would take: the host is as before"
refused "a mounted disk off the bus" "pci.remove .*: $DISK carries ${node#/dev/}, mounted at /mnt/games" <<END
pci.remove = $DISK
END
check "a mounted disk off the bus: it is there" mounted
check "a mounted disk off the bus: and can be read" dd if="$node" of=/dev/null bs=4096 count=1

config win10 <<END
[prepare/begin]
service.stop = mnt-games.mount
pci.detach = $DISK
END
vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan" 2>&1
equal "with its unit stopped the plan is fine" $? 0
hook_ok "with its unit stopped: prepare" prepare begin
refute "it is unmounted" mounted
equal "and the guest's" "$(driver $DISK)" vfio-pci
hook_ok "with its unit stopped: release" release end
check "it is mounted again" mounted
equal "with what was on it" "$(cat /mnt/games/file)" saved
state "$LAB/after"
same "$LAB/before" "$LAB/after" "with its unit stopped: the host is as before" "$ONEWAY_VFIO"

holder gamed /mnt/games/file
refused "a file on it is open" "mnt-games.mount" <<END
service.stop = timeout=3s mnt-games.mount
pci.detach = $DISK
END
refused "and the stop may fail" "pci.detach .*: $DISK carries ${node#/dev/}, mounted at /mnt/games" <<END
-service.stop = timeout=3s mnt-games.mount
pci.detach = $DISK
END
equal "the disk stays with the host" "$(driver $DISK)" nvme
check "and mounted" mounted
equal "with what is on it" "$(cat /mnt/games/file)" saved
kill -9 "$HOLDER"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a disk in use: the host is as before" "$ONEWAY_VFIO"
check "the end" systemctl stop mnt-games.mount
rm /usr/local/sbin/systemctl
