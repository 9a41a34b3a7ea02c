# shellcheck shell=dash
# boot: --timeout 180 --qemu '-action reboot=reset'
# modules: ext4
# The machine is reset in the middle of a prepare, with nothing synced by anybody else: the
# log, on a disk, tells where that was. Each reset boots this scenario anew.

disk=/dev/nvme0n1 stage=
modprobe ext4
# What the reset has left there; it has no journal, so nothing more is written to it.
mkdir -p /mnt
if mount -t ext4 -o ro $disk /mnt 2>/dev/null; then
	stage=$(cat /mnt/stage)
	mkdir -p /var/log
	cp -r /mnt/vfio-hook /var/log
	umount /mnt
fi
# new_log STAGE: the log on a disk of its own, and what the next boot is to look at.
new_log()
{
	mke2fs $disk >/dev/null
	rm -rf /var/log/vfio-hook
	mount -t ext4 $disk /var/log && echo "$1" >/var/log/stage && sync
}

HUGE='' domain win10 $GPU_ALL
at_unbind() { grep -qs "^child	.*unbind of $GPU_SOUND from snd_hda_intel" "/run/vfio-hook/$(uuid_of win10).journal"; }
detach()
{
	config win10 <<-END
	[prepare/begin]
	governor.set = performance
	vtconsole.unbind =
	pci.detach = timeout=60s 01:00.*
	END
}
program()
{
	printf '#!/bin/sh\n%s\n' "$1" >/run/lab/program
	chmod 755 /run/lab/program
	config win10 <<-END
	[prepare/begin]
	governor.set = performance
	vtconsole.unbind =
	pci.detach = 01:00.*
	exec.run = /run/lab/program
	END
}
# told STEP LAST: what status and the log's last line say of it, and that it does not get in
# the way.
told()
{
	vfio-hook status win10 </dev/null >"$LAB/status" 2>&1
	equal "status: somebody has to look" $? 1
	contains "status: where it was" "$LAB/status" "^win10: interrupted in prepare at $1\$"
	tail -n 1 /var/log/vfio-hook/win10.log >"$LAB/last"
	contains "the log: its last line" "$LAB/last" "^20[^ ]* +$2\$"
	program true
	state "$LAB/before"
	hook_ok "the next prepare" prepare begin
	vfio-hook status win10 </dev/null >"$LAB/status" 2>&1
	refute "status: that is over" grep -q interrupted "$LAB/status"
	hook_ok "its release" release end
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
}

case $stage in
'')
	check "first boot: the log is on a disk" new_log unbind
	detach
	holder queued -q /dev/snd/controlC0
	hook_bg prepare begin
	check "first boot: an unbind hangs" until_true 20 at_unbind
	echo b >/proc/sysrq-trigger
	;;
unbind)
	told 'pci.detach 01:00\.\*' "DEBUG pci.detach: driver $GPU_SOUND: setting vfio-pci"
	check "second boot: the log is on a disk" new_log program
	program 'echo b >/proc/sysrq-trigger'
	hook prepare begin
	fail "a program that resets the machine returns" "$ERR"
	;;
program)
	told 'exec.run /run/lab/program' 'DEBUG exec.run: run /run/lab/program'
	;;
esac
