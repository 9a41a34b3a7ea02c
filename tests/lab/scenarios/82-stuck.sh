# shellcheck shell=dash
# Unbinds that the kernel does not finish: the hook returns in time and tells.
#
# A file in a socket's queue is held by nobody that /proc could name: the check cannot
# see it, and the unbind begins.

log=/var/log/vfio-hook/win10.log
journal=/run/vfio-hook/$(uuid_of win10).journal
HUGE='' domain win10 $GPU_ALL
left() { sed -n 's/^left	\([0-9]*\)	.*/\1/p' "$journal" | tail -n 1; }
gone() { ! kill -0 "$1" 2>/dev/null; }

config win10 <<END
[prepare/begin]
governor.set = performance
vtconsole.unbind =
pci.detach = timeout=4s 01:00.*
END
state "$LAB/before"
holder queued -q /dev/snd/controlC0
hook_refused "sound: an unbind that does not return" \
	"unbind of $GPU_SOUND from snd_hda_intel has not returned from the kernel after [0-9]+ s \\(in [a-z_]+\\).*process [0-9]+" prepare begin
check "in time" test "$HOOK_MS" -lt 25000
equal "libvirt's pipes are free" "$HOOK_HUNG" ""
pid=$(left)
check "the child left behind is journalled" test -n "$pid"
equal "and is the one that was named" "$(grep -o 'process [0-9]*' "$ERR" | head -n 1)" "process $pid"
check "it is in the kernel still" kill -0 "$pid"
refute "everything else is back" grep -q performance /sys/devices/system/cpu/cpufreq/policy*/scaling_governor
equal "the GPU as well" "$(driver $GPU)" "$(sed -n "s/^pci $GPU driver //p" "$LAB/before")"
hook release end win10 failed
contains "the release behind it tells, too" "$ERR" "process $pid is still inside the kernel"
equal "and fails no more" "$RC" 0
check "without any wait" test "$HOOK_MS" -lt 10000
hook_refused "a new start says why not" "process $pid|$GPU_SOUND" prepare begin
check "in time" test "$HOOK_MS" -lt 20000
vfio-hook undo win10 >"$LAB/out" 2>&1
equal "undo cannot do it yet" $? 1
contains "and tells who" "$LAB/out" "process $pid"
vfio-hook undo --forget win10 >"$LAB/out" 2>&1
equal "nor is it forgotten" $? 1
contains "while that is at work" "$LAB/out" "nothing is given up while process $pid is in the kernel"
check "the journal is kept" test -s "$journal"
kill "$HOLDER"
check "the holder goes: the child ends" until_true 20 gone "$pid"
check "and undo completes" vfio-hook undo win10
refute "no journal is left" test -e "$journal"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
hook_ok "and the domain starts" prepare begin
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
holders_end

# Killed while the unbind hangs: the run behind it knows of the child, and waits only for
# what may still end by itself.
unbinding()
{
	grep -qs "^child	[0-9]*	[0-9]*	unbind of $GPU_SOUND from snd_hda_intel" "$journal"
}
state "$LAB/before"
holder killed -q /dev/snd/controlC0
hook_bg prepare begin
first=$HOOKPID
check "killed: it is journalled before its unbind ends" until_true 20 unbinding
pid=$(sed -n "s/^child	\([0-9]*\)	.*unbind of $GPU_SOUND .*/\1/p" "$journal")
check "killed: the child is in the kernel" kill -0 "$pid"
kill -9 "$first"
hook_wait "$first"
check "killed: the child goes on" kill -0 "$pid"
hook release end win10 failed
equal "killed: the release cannot end" "$RC" 1
contains "killed: and names the child" "$ERR" "process $pid is still inside the kernel"
check "killed: in time" test "$HOOK_MS" -lt 25000
vfio-hook status win10 >"$LAB/out" 2>&1
contains "killed: status names it, too" "$LAB/out" "left +.*process $pid waits in the kernel"
kill "$HOLDER"
check "killed: the holder goes, the child ends" until_true 20 gone "$pid"
hook_ok "killed: a later release completes" release end
refute "killed: no journal is left" test -e "$journal"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "killed: the host is as before" "$ONEWAY_VFIO"
holders_end

# A guest that does not end: its device's file is in a queue at release.
HUGE='' domain win10 $NET1
config win10 <<END
[prepare/begin]
governor.set = performance
pci.detach =
END
group=$(readlink /sys/bus/pci/devices/$NET1/iommu_group)
group=${group##*/}
state "$LAB/before"
hook_ok "prepare" prepare begin
holder qemud -q -d $NET1 "/dev/vfio/$group"
hook release end win10 shutdown
equal "a release that cannot end tells" "$RC" 1
contains "what, where and who" "$ERR" "unbind of $NET1 from vfio-pci has not returned from the kernel after [0-9]+ s.*process [0-9]+"
check "in time" test "$HOOK_MS" -lt 60000
equal "libvirt's pipes are free" "$HOOK_HUNG" ""
pid=$(left)
check "the child left behind is journalled" kill -0 "$pid"
refute "the governor is back" grep -q performance /sys/devices/system/cpu/cpufreq/policy*/scaling_governor
kill "$HOLDER"
check "the guest goes: the child ends" until_true 30 gone "$pid"
at_home() { [ "$(driver $NET1)" = e1000e ]; }
check "the device went home by itself" until_true 10 at_home
hook_ok "a later release completes" release end
refute "no journal is left" test -e "$journal"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# One that can be seen is waited for, named, and never made to hang.
hook_ok "prepare" prepare begin
holder qemud2 -d $NET1 "/dev/vfio/$group"
(sleep 3; kill "$HOLDER") &
hook_ok "release waits for a guest that is about to end" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# No process can be made any more (pids.max): a start is refused, a release does by itself
# what it would have left to children.
cat >$LAB/bin/alone <<'END'
#!/bin/sh
mkdir -p /sys/fs/cgroup/alone
echo 1 >/sys/fs/cgroup/alone/pids.max
echo $$ >/sys/fs/cgroup/alone/cgroup.procs
exec "$@"
END
chmod 755 $LAB/bin/alone
HOOK_WRAP=$LAB/bin/alone hook_refused "alone: a start is refused" "cannot start a child process" prepare begin
hook_ok "alone: its release" release end
rmdir /sys/fs/cgroup/alone
state "$LAB/after"
same "$LAB/before" "$LAB/after" "alone: nothing was changed" "$ONEWAY_VFIO"
hook_ok "alone: prepare, with children" prepare begin
HOOK_WRAP=$LAB/bin/alone hook_ok "alone: release without" release end
rmdir /sys/fs/cgroup/alone
refute "alone: no journal is left" test -e "$journal"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "alone: the host is as before" "$ONEWAY_VFIO"

# Who waits in the kernel is there even after SIGKILL, and so is whoever is started again.
cp /bin/busybox $LAB/bin/busybox-stuck
holder music -q /dev/snd/controlC0
echo $GPU_SOUND | $LAB/bin/busybox-stuck tee /sys/bus/pci/drivers/snd_hda_intel/unbind >/dev/null &
stuck=$!
in_kernel() { grep -q '^State:.D' /proc/$stuck/status; }
check "process.stop: one waits in the kernel" until_true 20 in_kernel
refused "process.stop: it is named" "busybox-stuck \(pid $stuck, root\) is there even after SIGKILL: it is started again, or waits in the kernel for a device" <<END
process.stop = timeout=4s busybox-stuck
END
mkdir /sys/fs/cgroup/system.slice/stuck.service
echo $stuck >/sys/fs/cgroup/system.slice/stuck.service/cgroup.procs
refused "process.stop: with the unit that it is of" "busybox-stuck \(pid $stuck, root\) is there even after SIGKILL: it is started again by stuck.service, write service.stop for that" <<END
process.stop = timeout=4s busybox-stuck
END
kill "$HOLDER"
out_of_kernel() { ! in_kernel; }
check "process.stop: it ends when the device is free" until_true 20 out_of_kernel
wait $stuck
rmdir /sys/fs/cgroup/system.slice/stuck.service
check "process.stop: the sound is the host's again" home $GPU_SOUND
