# shellcheck shell=dash
# shellcheck disable=SC2016 # tests are evaluated later
# More steps alone: prepare, what it did, release, the host as before.

HUGE='' domain win10
swappiness=$(cat /proc/sys/vm/swappiness)

step "sysctl.write" '[ "$(cat /proc/sys/vm/swappiness)" = 7 ]' <<END
sysctl.write = vm.swappiness 7
END
step "sysctl.write with slashes and a glob" '[ "$(cat /proc/sys/vm/swappiness)" = 9 ]' <<END
sysctl.write = vm/swappines[s] 9
END
step "sysfs.write" 'grep -q "\[never\]" /sys/kernel/mm/transparent_hugepage/enabled' <<END
sysfs.write = /sys/kernel/mm/transparent_hugepage/enabled never
END
step "sysfs.write with a glob" '[ "$(cat /sys/bus/pci/devices/$NVME/power/control /sys/bus/pci/devices/$NET1/power/control | sort -u)" = auto ]' <<END
sysfs.write = /sys/bus/pci/devices/0000:0[02]:0[03].0/power/control auto
END
step "sysfs.write of a mask that reads back otherwise" '[ "$(cat /sys/devices/virtual/workqueue/cpumask)" != "$(sed -n "s/^value .*workqueue.cpumask //p" $LAB/before)" ]' <<END
sysfs.write = /sys/devices/virtual/workqueue/cpumask 00000001
END
# What the kernel counts of both.
did() { sed -n 's/^\(drop_pagecache\|compact_migrate_scanned\) //p' /proc/vmstat; }
more() { did | { read -r a; read -r b; [ "$a" -ne "$1" ] && [ "$b" -ne "$2" ]; }; }
step "sysctl.write of a trigger with undo=none" "more $(did | tr '\n' ' ')" <<END
sysctl.write = undo=none vm.drop_caches 1
sysctl.write = undo=none vm/compact_memory 1
END
step "undo= writes that instead of the old value" '[ "$(cat /proc/sys/vm/swappiness)" = 11 ]' <<END
sysctl.write = undo=$swappiness vm.swappiness 11
END
# Two lines about one target: the first old value counts.
step "two writes of one file" '[ "$(cat /proc/sys/vm/swappiness)" = 13 ]' <<END
sysctl.write = vm.swappiness 12
sysctl.write = vm/swappiness 13
END
state "$LAB/refused.before"
refused "sysfs.write of driver_override" 'pci.detach' <<END
sysfs.write = /sys/bus/pci/devices/$NET1/driver_override vfio-pci
END
refused "sysfs.write of unbind" 'pci.detach' <<END
sysfs.write = undo=none /sys/bus/pci/drivers/e1000e/unbind $NET1
END
refused "sysfs.write of a trigger without undo=" 'undo=VALUE' <<END
sysfs.write = /sys/bus/pci/rescan 1
END
refused "sysfs.write of a write-only file without undo=" 'undo=VALUE' <<END
sysctl.write = net.ipv4.route.flush 1
END
refused "sysfs.write of a path with .." 'without "[.][.]"' <<END
sysfs.write = /sys/bus/../kernel/mm/ksm/run 1
END
refused "sysfs.write of a read-only file" 'read-only' <<END
sysfs.write = /sys/bus/pci/devices/$NET1/vendor 0x1
END
refused "sysctl.write of what is not there" 'does not exist' <<END
sysctl.write = vm.swapiness 1
END
refused "sysctl.write of a value that the kernel refuses" "cannot write '999'" <<END
sysctl.write = vm.stat_interval 5
sysctl.write = vm.swappiness 999
END

state "$LAB/refused.after"
same "$LAB/refused.before" "$LAB/refused.after" "refused writes: the host is as before" "$ONEWAY_VFIO"

mkdir -p /run/lab/own
: >/run/lab/own/disk
: >/run/lab/own/event
chmod 640 /run/lab/own/*
owned='[ "$(stat -c %U:%G:%a /run/lab/own/disk /run/lab/own/event | sort -u)" = libvirt-qemu:kvm:660 ]'
step "file.own" "$owned" <<END
file.own = owner=libvirt-qemu group=kvm mode=0660 /run/lab/own/disk /run/lab/own/ev*
END
equal "file.own: the files have their owner and mode again" "$(stat -c %u:%g:%a /run/lab/own/disk /run/lab/own/event | sort -u)" 0:0:640
refused "file.own of an unknown user" 'user nouser is not in /etc/passwd' <<END
file.own = owner=nouser /run/lab/own/disk
END
mkdir -m 1777 /run/lab/sticky
ln -s /etc/passwd /run/lab/sticky/x
refused "file.own of a symlink that others may have put there" 'symlink' <<END
file.own = owner=user /run/lab/sticky/x
END
equal "file.own: what it leads to is untouched" "$(stat -c %u /etc/passwd)" 0
ln /run/lab/own/disk /run/lab/own/other
refused "file.own of a file with two names" 'hard links' <<END
file.own = owner=user /run/lab/own/disk
END
rm /run/lab/own/other

step "shm.create" '[ "$(stat -c %U:%G:%a:%s /dev/shm/looking-glass)" = user:kvm:660:33554432 ]' <<END
shm.create = owner=user group=kvm mode=0660 size=32M looking-glass
END
refute "shm.create: it is gone again" test -e /dev/shm/looking-glass
echo old >/dev/shm/scream
chmod 600 /dev/shm/scream
step "shm.create of a file that is there" '[ "$(stat -c %U:%G:%a /dev/shm/scream)" = root:kvm:660 ]' <<END
shm.create = group=kvm mode=0660 /dev/shm/scream
END
equal "shm.create: it kept what is in it" "$(cat /dev/shm/scream)" old
refused "shm.create with another size than the file that is there" 'instead of 4096' <<END
shm.create = size=4K scream
END
refused "shm.create of more than fits" 'does not fit' <<END
shm.create = size=64G looking-glass
END
ln -s /etc/passwd /dev/shm/trap
refused "shm.create where a symlink is" 'no file' <<END
shm.create = owner=user trap
END
rm /dev/shm/trap /dev/shm/scream

# What has the card's node open is ended, by SIGKILL if it must be.
holder player /dev/snd/controlC0
player=$HOLDER
step "holders.kill" '! test -d /proc/$player/fd || grep -q "^State:.Z" /proc/$player/status' <<END
holders.kill = timeout=4s $GPU_SOUND
END
holder stubborn -i /dev/snd/controlC0
stubborn=$HOLDER
step "holders.kill of a process that ignores SIGTERM" '! test -d /proc/$stubborn/fd || grep -q "^State:.Z" /proc/$stubborn/status' <<END
holders.kill = timeout=4s $GPU_SOUND
END
contains "holders.kill: the log has the signal" /var/log/vfio-hook/win10.log "stubborn \(pid $stubborn, root\) got SIGKILL"
# At once, without the signal that this one ignores.
holder headstrong -i /dev/snd/controlC0
headstrong=$HOLDER
: >/var/log/vfio-hook/win10.log
step "holders.kill signal=" '! test -d /proc/$headstrong/fd || grep -q "^State:.Z" /proc/$headstrong/status' <<END
holders.kill = signal=KILL timeout=4s $GPU_SOUND
END
contains "holders.kill signal=: the log has it" /var/log/vfio-hook/win10.log "headstrong \(pid $headstrong, root\) got SIGKILL"
refute "holders.kill signal=: and no other" grep -q 'got SIGTERM' /var/log/vfio-hook/win10.log
holder headstrong -i /dev/snd/controlC0
refused "holders.kill signal=: one that ignores it is named" "still held by headstrong .pid $HOLDER" <<END
holders.kill = signal=HUP timeout=1s $GPU_SOUND
END
check "holders.kill signal=: and lives, as there is no SIGKILL behind it" kill -0 "$HOLDER"
kill -9 "$HOLDER"
holder qemu-system-x86 /dev/snd/controlC0
spared=$HOLDER
refused "holders.kill spares a guest and names it" 'still held by qemu-system-x86' <<END
holders.kill = timeout=1s $GPU_SOUND
END
check "holders.kill: the guest lives" kill -0 "$spared"

holder sunshine /dev/null
stopped=$HOLDER
holder sunshine2 /dev/null
step "process.stop" '! kill -0 $stopped || grep -q "^State:.Z" /proc/$stopped/status' <<END
process.stop = timeout=4s sunshine
END
check "process.stop: a name is meant whole" kill -0 "$HOLDER"
step "process.stop user= leaves others alone" 'kill -0 $HOLDER' <<END
process.stop = user=user sunshine2
END
refused "process.stop of libvirtd" 'never stopped' <<END
process.stop = libvirtd
END
holders_end

# logind lets the lid pass a lock of sleep.
lock=/run/systemd/inhibit/vfio-hook-inhibit-$(uuid_of win10).service
locked='grep -q "^WHO=vfio-hook" $lock && grep -qx "WHAT=sleep:idle:handle-lid-switch" $lock'
step "sleep.inhibit" "$locked" <<END
sleep.inhibit =
END
refute "sleep.inhibit: the lock is gone" test -e "$lock"
refused "sleep.inhibit ends with a failing prepare" 'cannot write' <<END
sleep.inhibit =
sysctl.write = vm.swappiness 999
END
refute "sleep.inhibit: the lock is gone" test -e "$lock"
# Each guest has a lock of its own.
for d in win10 other; do
	HUGE='' domain $d
	config $d <<-END
	[prepare/begin]
	sleep.inhibit =
	END
	hook_ok "sleep.inhibit of $d: prepare" prepare begin $d
done
others=/run/systemd/inhibit/vfio-hook-inhibit-$(uuid_of other).service
contains "sleep.inhibit: a lock tells whose it is" "$others" "^WHY=.*$(uuid_of other)"
hook_ok "sleep.inhibit of the first: release" release end win10
refute "sleep.inhibit of the first: its lock is gone" test -e "$lock"
check "sleep.inhibit of the second: its lock stays" test -e "$others"
hook_ok "sleep.inhibit of the second: release" release end other
refute "sleep.inhibit of the second: its lock is gone" test -e "$others"
