# shellcheck shell=dash
# A journal that this vfio-hook cannot follow: of a step that it does not have, of another
# version, of an earlier boot. It is told, the rest is put back, and there is a way on.

log=/var/log/vfio-hook/win10.log
journal=/run/vfio-hook/$(uuid_of win10).journal
HUGE='' domain win10 $NET1
config win10 <<END
[prepare/begin]
governor.set = performance
sysfs.write  = /sys/kernel/mm/ksm/sleep_millisecs 77
pci.detach   = $NET1
END
ksm=$(cat /sys/kernel/mm/ksm/sleep_millisecs)
at_work() { [ "$(driver $NET1)" = vfio-pci ] && grep -q performance /sys/devices/system/cpu/cpufreq/policy0/scaling_governor; }
state "$LAB/before"

# A record of a step that is gone since.
hook_ok "a step is gone: prepare" prepare begin
printf 'set\tteleport\t/dev/pad\taway\there\t\tprepare/begin\t5\t.\n' >>"$journal"
hook release end win10 shutdown
equal "a step is gone: release says so" "$RC" 1
contains "a step is gone: which, and on what" "$ERR" "not put back: this version does not know how to put back teleport /dev/pad"
equal "a step is gone: in one line" "$(wc -l <"$ERR")" 1
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a step is gone: all else is as before" "$ONEWAY_VFIO"
check "a step is gone: the journal is kept" test -s "$journal"
hook_refused "a step is gone: the next start names the way on" \
	'cannot put back an earlier prepare: .*teleport /dev/pad \(if it never can be: vfio-hook undo --forget win10\)' prepare begin
hook release end win10 failed
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a step is gone: the refused start changed nothing" "$ONEWAY_VFIO"
vfio-hook undo win10 >"$LAB/out" 2>&1
equal "a step is gone: undo fails" $? 1
contains "a step is gone: and offers" "$LAB/out" 'vfio-hook undo --forget win10\)'
vfio-hook undo --forget win10 >"$LAB/out" 2>&1
equal "a step is gone: undo --forget succeeds" $? 0
contains "a step is gone: it tells what is given up" "$LAB/out" 'given up: teleport /dev/pad, which was away'
equal "a step is gone: nothing else is" "$(grep -c 'given up' "$LAB/out")" 1
refute "a step is gone: no journal is left" test -e "$journal"
hook_ok "a step is gone: the domain starts again" prepare begin
check "a step is gone: with all it wants" at_work
hook_ok "a step is gone: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a step is gone: the host is as before" "$ONEWAY_VFIO"

# What another version has written is read by nobody but that.
hook_ok "another version: prepare" prepare begin
cp "$journal" "$LAB/journal"
sed -i '1s/^vfio-hook	1	/vfio-hook	2	/' "$journal"
refute "another version: it is one" cmp -s "$journal" "$LAB/journal"
told="$journal was written by another version of vfio-hook: run that version's vfio-hook undo, or remove the file"
hook release end win10 shutdown
equal "another version: release says so" "$RC" 1
contains "another version: and what to do" "$ERR" "$told"
hook_refused "another version: so does a start" "$told" prepare begin
vfio-hook undo win10 >"$LAB/out" 2>&1
equal "another version: so does undo" $? 1
contains "another version: with the same words" "$LAB/out" "$told"
check "another version: it changed nothing" at_work
cp "$LAB/journal" "$journal"
hook_ok "another version: that one puts it back" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "another version: the host is as before" "$ONEWAY_VFIO"

# Of an earlier boot: what it says was undone by the power switch. It is kept, and not obeyed.
boot_id=$(cat /proc/sys/kernel/random/boot_id)
sed "s/$boot_id/00000000-1111-2222-3333-444444444444/" "$LAB/journal" >"$journal"
chmod 600 "$journal"
echo 88 >/sys/kernel/mm/ksm/sleep_millisecs
: >$log
hook_ok "an earlier boot: release" release end
equal "an earlier boot: nothing of it is put back" "$(cat /sys/kernel/mm/ksm/sleep_millisecs)" 88
contains "an earlier boot: the log tells" $log "is from an earlier boot, or damaged: set aside as $journal.stale"
refute "an earlier boot: it is out of the way" test -e "$journal"
check "an earlier boot: to be read" test -s "$journal.stale"
mv "$journal.stale" "$journal"
vfio-hook undo win10 >"$LAB/out" 2>&1
equal "an earlier boot: undo" $? 0
contains "an earlier boot: has nothing to do" "$LAB/out" 'win10: nothing to put back'
rm -f "$journal.stale"
echo "$ksm" >/sys/kernel/mm/ksm/sleep_millisecs

# The home module is gone for good: what is given up is told by function, too.
HUGE='' domain win10 $GPU_ALL
bochs=$(grep -oE '^bochs[a-z_]*' /proc/modules)
native=$(driver $GPU)
file=$(find "/lib/modules/$(uname -r)" -name "$(echo "$bochs" | tr _ -).ko*" -o -name "$bochs.ko*" | head -n 1)
config win10 <<END
[domain]
headless = yes
[prepare/begin]
governor.set = performance
vtconsole.unbind =
framebuffer.unbind =
kmod.unload = $bochs
pci.detach = 01:00.*
END
hook_ok "a module for good: prepare" prepare begin
mv "$file" /tmp/
hook release end win10 shutdown
equal "a module for good: release says so" "$RC" 1
vfio-hook undo --forget win10 >"$LAB/out" 2>&1
equal "a module for good: undo --forget succeeds" $? 0
contains "a module for good: the module is given up" "$LAB/out" "given up: module $bochs, which was loaded"
contains "a module for good: and the function" "$LAB/out" "given up: driver $GPU, which was $native"
refute "a module for good: but none that is home" grep -q "given up: driver $GPU_SOUND" "$LAB/out"
refute "a module for good: no journal is left" test -e "$journal"
mv "/tmp/${file##*/}" "$file"
modprobe "$bochs"
at_home() { [ "$(driver $GPU)" = "$native" ]; }
check "a module for good: found again, it takes its card" until_true 10 at_home
