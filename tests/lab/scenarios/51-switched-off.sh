# shellcheck shell=dash
# boot: --append vfio_hook=off
# Switched off by the kernel's command line, which who cannot reach the config types at boot.

log=/var/log/vfio-hook/win10.log
journal=/run/vfio-hook/$(uuid_of win10).journal
governor() { cat /sys/devices/system/cpu/cpufreq/policy0/scaling_governor; }
first=$(governor)
HUGE='' domain win10 $NET1
config win10 <<END
[boot/begin]
governor.set = powersave
[prepare/begin]
governor.set = performance
exec.run = /bin/touch /run/prepare-ran
pci.detach =
[start/begin]
exec.run = /bin/touch /run/start-ran
[started/begin]
exec.run = /bin/touch /run/started-ran
[release/end]
exec.run = /bin/touch /run/release-ran
undo =
END
mkdir -p /etc/libvirt/hooks/qemu.d/win10/prepare/begin /etc/libvirt/hooks/qemu.d/win10/release/end
for phase in prepare/begin release/end; do
	printf '#!/bin/sh\n: >/run/tree-ran\n' >/etc/libvirt/hooks/qemu.d/win10/$phase/x
	chmod 755 /etc/libvirt/hooks/qemu.d/win10/$phase/x
done
# nothing DESC: no step and no script ran.
nothing()
{
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before" "$2"
	equal "$1: nothing ran" "$(echo /run/*-ran)" "/run/*-ran"
}

contains "the kernel was told so" /proc/cmdline '(^| )vfio_hook=off( |$)'
state "$LAB/before"
hook_ok "prepare" prepare begin
contains "the log says what it is switched off by" $log "switched off by vfio_hook=off on the kernel command line: no step is run"
nothing "prepare"
hook_ok "start" start begin
hook_ok "started" started begin
hook_ok "stopped" stopped end win10 shutdown
hook_ok "release" release end win10 shutdown
nothing "the whole life of a guest"
refute "no journal is left" test -e "$journal"
vfio-hook run win10 prepare </etc/lab/win10.xml >"$LAB/out" 2>&1
equal "prepare by hand: exit 0" $? 0
nothing "prepare by hand"
vfio-hook run win10 release </etc/lab/win10.xml >"$LAB/out" 2>&1
check "boot" vfio-hook boot
nothing "boot"

# The last gate stays: libvirt would hang as before.
HUGE='' domain win10 $GPU_ALL
holder musicd /dev/snd/controlC0
hook_refused "the gate stays" "musicd \(pid $HOLDER" prepare begin
holders_end
HUGE='' domain win10 $NET1
hook release end win10 failed

# on: the same kernel, if it had been booted without.
on()
{
	sed 's/vfio_hook=off//' /proc/cmdline >"$LAB/cmdline"
	mount --bind "$LAB/cmdline" /proc/cmdline
}
off() { umount /proc/cmdline; }

# A word that only begins or ends so is not it.
on
for word in vfio_hook=offline my.vfio_hook=off vfio_hook=on; do
	echo "quiet $word" >"$LAB/cmdline"
	hook_ok "$word: prepare" prepare begin
	check "$word: the steps run" test -e /run/prepare-ran
	hook_ok "$word: release" release end
	rm -f /run/*-ran
done
off

# What a domain has changed before goes back, its own way back and all.
on
hook_ok "switched on: prepare" prepare begin
equal "switched on: the device is taken" "$(driver $NET1)" vfio-pci
equal "switched on: the governor is set" "$(governor)" performance
check "switched on: the tree ran" test -e /run/tree-ran
rm -f /run/*-ran
off
hook_ok "off meanwhile: start" start begin
hook_ok "off meanwhile: started" started begin
equal "off meanwhile: nothing ran" "$(echo /run/*-ran)" "/run/*-ran"
hook_ok "off meanwhile: stopped" stopped end win10 shutdown
hook_ok "off meanwhile: release" release end win10 shutdown
equal "off meanwhile: the device is home" "$(driver $NET1)" e1000e
equal "off meanwhile: the governor is back" "$(governor)" "$first"
check "off meanwhile: the steps of the way back ran" test -e /run/release-ran
check "off meanwhile: and its scripts" test -e /run/tree-ran
rm -f /run/*-ran
nothing "off meanwhile" "$ONEWAY_VFIO"
refute "off meanwhile: no journal is left" test -e "$journal"

# A crash, then a boot's worth of caution: by hand, all goes back.
on
hook_ok "on again: prepare" prepare begin
off
check "off: undo by hand" vfio-hook undo win10
rm -f /run/*-ran
nothing "undo by hand" "$ONEWAY_VFIO"

rm -rf /etc/libvirt/hooks/qemu.d/win10
