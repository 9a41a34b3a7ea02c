# shellcheck shell=dash
# What is gone or changed at release: devices, module files, the config, the name.

log=/var/log/vfio-hook/win10.log
HUGE='' domain win10 $NET1
plain()
{
	config win10 <<-END
	[prepare/begin]
	governor.set = performance
	pci.detach   = $NET1 $NVME
	END
}

# A device that fell off the bus.
plain
state "$LAB/before"
hook_ok "prepare" prepare begin
echo 1 >/sys/bus/pci/devices/$NET1/remove
hook release end win10 shutdown
equal "a device is gone: release says so" "$RC" 1
contains "which one, and what to do" "$ERR" "$NET1.*rescan"
equal "one line" "$(wc -l <"$ERR")" 1
equal "the other device is back" "$(driver $NVME)" nvme
refute "and the governor" grep -q performance /sys/devices/system/cpu/cpufreq/policy*/scaling_governor
echo 1 >/sys/bus/pci/rescan
until_true 5 test -e /sys/bus/pci/devices/$NET1/driver
check "after a rescan undo completes" vfio-hook undo win10
refute "no journal is left" test -e "/run/vfio-hook/$(uuid_of win10).journal"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
hook_ok "and the domain starts again" prepare begin

# Its config is edited, broken, deleted while it runs.
config win10 <<END
[prepare/begin]
governor.set = powersave
END
hook_ok "another config: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
plain
hook_ok "prepare" prepare begin
echo "[release/end" >/etc/libvirt/hooks/conf.d/win10.ini
hook release end win10 shutdown
state "$LAB/after"
same "$LAB/before" "$LAB/after" "a broken config: the host is as before" "$ONEWAY_VFIO"
plain
hook_ok "prepare" prepare begin
rm /etc/libvirt/hooks/conf.d/win10.ini
hook_ok "a deleted config: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# A driver changed by hand: reconnect tells, and does nothing.
plain
hook_ok "prepare" prepare begin
: >$log
hook_ok "reconnect" reconnect begin
refute "all is where it was put" grep -q 'is no longer on' $log
echo $NET1 >/sys/bus/pci/drivers/vfio-pci/unbind
hook_ok "reconnect, with a device unbound by hand" reconnect begin
check "it tells which" grep -q "reconnect: $NET1 is no longer on vfio-pci" $log
equal "and leaves it alone" "$(driver $NET1)" -
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# What an earlier boot has left says nothing of this one.
journal=/run/vfio-hook/$(uuid_of win10).journal
plain
hook_ok "prepare" prepare begin
cp "$journal" "$LAB/journal"
hook_ok "release" release end
sed "s/$(cat /proc/sys/kernel/random/boot_id)/00000000-1111-2222-3333-444444444444/" "$LAB/journal" >"$journal"
chmod 600 "$journal"
refute "a journal of another boot" cmp -s "$journal" "$LAB/journal"
hook_ok "the domain starts all the same" prepare begin
equal "and has its device" "$(driver $NET1)" vfio-pci
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
refute "no journal is left" test -e "$journal"

# Renamed: the UUID tells.
plain
hook_ok "prepare" prepare begin
sed 's|<name>win10</name>|<name>win11</name>|' /etc/lab/win10.xml >/etc/lab/win11.xml
hook_ok "a renamed domain: release" release end win11 shutdown
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"
rm /etc/lab/win11.xml

# The home driver's module cannot be loaded any more (a kernel update).
bochs=$(grep -oE '^bochs[a-z_]*' /proc/modules)
file=$(find "/lib/modules/$(uname -r)" -name "$(echo "$bochs" | tr _ -).ko*" -o -name "$bochs.ko*" | head -n 1)
HUGE='' domain win10 $GPU_ALL
config win10 <<END
[prepare/begin]
governor.set = performance
service.stop = display-manager.service
vtconsole.unbind =
framebuffer.unbind =
kmod.unload = $bochs
pci.detach = 01:00.*
END
native=$(driver $GPU)
# A desktop that runs without the card, too.
unit display-manager.service Xorg /dev/null
systemctl start display-manager.service
state "$LAB/before"
hook_ok "prepare" prepare begin
: >$log
mv "$file" /tmp/
# Who sits before it must be told: what goes to the console is read from a screen here.
: >/dev/tty5
mv /dev/console /dev/console.real
mknod /dev/console c 4 5
hook release end win10 shutdown
mv /dev/console.real /dev/console
equal "a module file is gone: release says so" "$RC" 1
tr -s ' ' </dev/vcs5 >"$LAB/screen"
echo >>"$LAB/screen"
contains "a module file is gone: no picture, so the console tells of it" "$LAB/screen" \
	"vfio-hook: the display $GPU did not come back to $native after win10 ended"
contains "a module file is gone: and what to do" "$LAB/screen" \
	'/var/log/vfio-hook/win10.log tells why, .vfio-hook undo win10. tries again, else reboot'
contains "which module" "$ERR" "$bochs"
equal "the sound function is home" "$(driver $GPU_SOUND)" snd_hda_intel
equal "the GPU is off vfio" "$(driver $GPU)" -
refute "the governor is back" grep -q performance /sys/devices/system/cpu/cpufreq/policy*/scaling_governor
check "and the display manager" systemctl -q is-active display-manager.service
grep -E 'governor|display-manager.service' $log | tail -n 1 >"$LAB/last"
contains "which was started last, though not stopped first" "$LAB/last" "display-manager.service.*active"
mv "/tmp/${file##*/}" "$file"
check "the file is back: undo completes" vfio-hook undo win10
equal "the GPU is home" "$(driver $GPU)" "$(sed -n "s/^pci $GPU driver //p" "$LAB/before")"
check "the display manager runs on" systemctl -q is-active display-manager.service
state "$LAB/after"
# The second way was a remove and rescan: beside its siblings a function has no bus reset.
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO|^pci $GPU reset_method "
holders_end
refute "nothing crashed" grep -rqE 'signal (6|11)' $log

# A program that anybody may write by the time it is to run.
printf '#!/bin/sh\n' >"$LAB/program"
printf '#!/bin/sh\n: >/run/lab/undone\n' >"$LAB/undo"
printf '#!/bin/sh\nchmod 777 /run/lab/program\n' >"$LAB/loosen"
chmod 755 "$LAB/program" "$LAB/undo" "$LAB/loosen"
HUGE='' domain win10
config win10 <<EOF
[prepare/begin]
exec.run = $LAB/loosen
exec.run = $LAB/program
EOF
hook_refused "a program that was opened to all since the check" \
	"exec.run.*$LAB/program runs as root, but the file $LAB/program is writable by everybody .*: chmod go-w $LAB/program" prepare begin
hook_ok "release" release end
config win10 <<EOF
[prepare/begin]
exec.run  = /bin/true
exec.undo = $LAB/undo
EOF
hook_ok "prepare" prepare begin
chmod 777 "$LAB/undo"
hook_ok "coming down one runs all the same" release end
check "it ran" test -e "$LAB/undone"
contains "and is warned of" /var/log/vfio-hook/win10.log "WARNING.*$LAB/undo runs as root, but the file"
rm -f "$LAB/undone" "$LAB/undo" "$LAB/program" "$LAB/loosen"
