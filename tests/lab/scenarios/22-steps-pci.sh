# shellcheck shell=dash
# The steps for PCI functions and graphics cards: each alone, and the host as before.

# untouched DESC REGEX <<LINES: refused, and the host as before.
untouched()
{
	state "$LAB/before"
	refused "$1" "$2"
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$1: the host is as before" "$ONEWAY_VFIO"
}

pci() { cat "/sys/bus/pci/devices/$1"; }
holds() { ls -l "/proc/$1/fd" | grep -q -e "-> $2\$"; }

HUGE='' domain win10
modprobe vfio-pci

step "pci.power" '[ "$(pci $NET1/power/control) $(pci $NET1/d3cold_allowed)" = "auto 0" ]' <<END
pci.power = control=auto d3cold=0 $NET1
END
step "pci.power in front of pci.detach" '[ "$(driver $NET1)" = vfio-pci ]' <<END
pci.power = control=auto $NET1
pci.detach = $NET1
END
step "pci.power behind pci.detach" '[ "$(pci $NET1/power/control)" = on ]' <<END
pci.detach = $NET1
pci.power = control=on $NET1
END

# Another driver than vfio-pci, by the step's own word or by the XML's.
step "pci.detach driver=" '[ "$(driver $NET1) $(driver $NET2)" = "vfio-lab e1000e" ]' <<END
pci.detach = driver=vfio-lab $NET1
END
HUGE='' MODEL=vfio-lab domain win10 $NET1
step "pci.detach: the XML's <driver model>" '[ "$(driver $NET1)" = vfio-lab ]' <<END
pci.detach =
END
HUGE='' domain win10
untouched "pci.detach driver= that there is not" 'the driver vfio-none cannot be loaded' <<END
pci.detach = driver=vfio-none $NET1
END

on_vfio() { for d; do [ "$(driver "$d")" = vfio-pci ] || return 1; done; }
# Their ports' names are the kernel's own: each gets its old one back.
step "pci.detach of twins" 'on_vfio $NET1 $NET2' <<END
pci.detach = $NET1 $NET2
END
untouched "pci.detach of one of a group" "$GPU_SOUND|$GPU_USB" <<END
vtconsole.unbind =
pci.detach       = $GPU
END
step "pci.detach group=whole" 'on_vfio $GPU_ALL && ! on_vfio $NET1 && [ "$(driver $GPU_PORT)" = pcieport ]' <<END
vtconsole.unbind =
pci.detach       = group=whole $GPU
END

# Two cards on one module of a name that is feared: its unbind never returns while the
# card is in use.
rmmod e1000e
modprobe nvidia
equal "two cards on nvidia" "$(driver $NET1) $(driver $NET2)" "nvidia nvidia"
untouched "a card on nvidia, whose module stays" "$NET1 is on nvidia, .*kmod.unload = nvidia" <<END
pci.detach = $NET1
END
untouched "while-loaded=yes without a proof" 'cannot prove that the persistence mode .* is off' <<END
pci.detach = while-loaded=yes $NET1
END
printf '#!/bin/sh\ncat /run/lab/persistence\n' >/usr/bin/nvidia-smi
chmod 755 /usr/bin/nvidia-smi
echo Enabled >/run/lab/persistence
untouched "while-loaded=yes with persistence" 'the persistence mode of .* is on' <<END
pci.detach = while-loaded=yes $NET1
END
echo Disabled >/run/lab/persistence
untouched "while-loaded=yes when no card stays on it" 'here none does: use kmod.unload, which is the safe way' <<END
pci.detach = while-loaded=yes $NET1 $NET2
END
step "pci.detach while-loaded=yes" '[ "$(driver $NET1) $(driver $NET2)" = "vfio-pci nvidia" ]' <<END
pci.detach = while-loaded=yes $NET1
END
untouched "kmod.unload of a module that another card is on" 'nvidia also drives 0000:00:04.0' <<END
kmod.unload = nvidia
pci.detach  = $NET1
END
step "kmod.unload of nvidia, and both cards" '! [ -e /sys/module/nvidia ] && on_vfio $NET1 $NET2' <<END
kmod.unload = nvidia
pci.detach  = $NET1 $NET2
END
rm /usr/bin/nvidia-smi
rmmod nvidia
modprobe e1000e

# Linux 5.15 and later let one choose.
method=
[ -e /sys/bus/pci/devices/$NET1/reset_method ] && method=$(pci $NET1/reset_method | cut -d' ' -f1)
step "pci.reset" 'grep -q "reset of $NET1: done" /var/log/vfio-hook/win10.log' <<END
pci.detach = $NET1
pci.reset = $NET1
END
if [ "$method" ]; then
	step "pci.reset with a method" '[ "$(pci $NET1/reset_method)" = '"$method"' ]' <<-END
		pci.detach = $NET1
		pci.reset = method=$method $NET1
	END
else
	untouched "pci.reset with a method: refused by a kernel without the choice" "cannot be reset by flr: leave method= out" <<-END
		pci.detach = $NET1
		pci.reset = method=flr $NET1
	END
fi
untouched "pci.reset: refused while a driver has the device" 'in the hands of e1000e' <<END
pci.reset = $NET1
END
# Somebody comes between.
group=$(readlink /sys/bus/pci/devices/$NET1/iommu_group)
mkdir -p $LAB/bin
cp /bin/hold $LAB/bin/guestd
cat >/usr/bin/lab-guest <<END
#!/bin/sh
if [ \$1 = start ]; then
	setsid $LAB/bin/guestd -p $LAB/guestd.pid /dev/vfio/${group##*/} >/dev/null 2>&1 &
	until [ -s $LAB/guestd.pid ]; do usleep 20000; done
else
	kill \$(cat $LAB/guestd.pid)
	rm $LAB/guestd.pid
fi
END
chmod 755 /usr/bin/lab-guest
untouched "pci.reset: its timeout" "$NET1 .*held by guestd .pid [0-9]+, root, /dev/vfio/${group##*/}.: shut its guest down" <<END
pci.detach = $NET1
exec.run   = /usr/bin/lab-guest start
exec.undo  = /usr/bin/lab-guest stop
pci.reset  = timeout=1s $NET1
END
rm /usr/bin/lab-guest
untouched "pci.reset: a method that is not there" "cannot be reset by acpi: leave method= out, or use one of those that it offers: ${method:-none}" <<END
pci.detach = $NET1
pci.reset = method=acpi $NET1
END
config win10 <<END
[prepare/begin]
pci.detach = $NET1
[release/end]
pci.reset = ${method:+method=$method} $NET1
END
state "$LAB/before"
hook_ok "pci.reset on the way down: prepare" prepare begin
rm /var/log/vfio-hook/win10.log
hook_ok "pci.reset on the way down: release" release end
check "pci.reset on the way down: done" grep -q "reset of $NET1: done" /var/log/vfio-hook/win10.log
state "$LAB/after"
same "$LAB/before" "$LAB/after" "pci.reset on the way down: reset_method is as before" "$ONEWAY_VFIO"

step "pci.remove" '! test -e /sys/bus/pci/devices/$NET2' <<END
pci.remove = $NET2
END
# Found anew, a function has the kernel's defaults, and whatever driver is loaded.
echo auto >/sys/bus/pci/devices/$NET2/power/control
echo 0 >/sys/bus/pci/devices/$NET2/d3cold_allowed
step "pci.remove of one with settings" '! test -e /sys/bus/pci/devices/$NET2' <<END
pci.power  = control=on $NET2
pci.remove = $NET2
END
echo $NET2 >/sys/bus/pci/drivers/e1000e/unbind
step "pci.remove of one without a driver" '! test -e /sys/bus/pci/devices/$NET2' <<END
pci.remove = $NET2
END
echo $NET2 >/sys/bus/pci/drivers/e1000e/bind
echo on >/sys/bus/pci/devices/$NET2/power/control
echo 1 >/sys/bus/pci/devices/$NET2/d3cold_allowed
step "pci.remove and pci.rescan" '[ "$(driver $NET2)" = e1000e ]' <<END
pci.remove = $NET2
pci.rescan = $NET2
END
step "pci.remove, pci.rescan and pci.detach" '[ "$(driver $NET2)" = vfio-pci ]' <<END
pci.remove = $NET2
pci.rescan = $NET2
pci.detach = $NET2
END
# Killed right behind the removal: the next prepare puts the function back before it looks
# whether all is there.
config win10 <<END
[prepare/begin]
pci.remove   = $NET2
governor.set = performance
END
state "$LAB/before"
HOOK_WRAP="inject -o $LAB/calls" hook_ok "pci.remove, traced: prepare" prepare begin
hook_ok "pci.remove, traced: release" release end
removal=$(grep -n "$NET2/remove" "$LAB/calls" | cut -d: -f1)
HOOK_WRAP="inject -o $LAB/calls -n $((removal + 1))" hook prepare begin
equal "pci.remove, then SIGKILL" "$RC" 137
refute "the function is gone" test -e /sys/bus/pci/devices/$NET2
hook_ok "the next prepare knows it" prepare begin
refute "and removes it again" test -e /sys/bus/pci/devices/$NET2
hook_ok "pci.remove, killed: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "pci.remove, killed: the host is as before" "$ONEWAY_VFIO"
config win10 <<END
[prepare/begin]
pci.detach = $NET2
[release/end]
pci.remove = $NET2
pci.rescan = $NET2
END
state "$LAB/before"
hook_ok "pci.remove on the way down: prepare" prepare begin
hook_ok "pci.remove on the way down: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "pci.remove on the way down: the host is as before" "$ONEWAY_VFIO"
untouched "pci.remove: what is not there then cannot be detached" 'there is no PCI function' <<END
pci.remove = $NET2
pci.detach = $NET2
END
untouched "pci.remove: a bridge" 'is a bridge' <<END
pci.remove = $GPU_PORT
END
holder Xorg /dev/dri/card0
untouched "pci.remove: a card in use" 'held by Xorg' <<END
pci.remove = $GPU
END
holders_end
# A session may end with the display manager: it is waited for.
systemctl start display-manager.service
session 9 user /dev/snd/controlC0
: >/var/log/vfio-hook/win10.log
untouched "pci.remove: its timeout" "$GPU_SOUND is held by session-9 .pid $HOLDER, " <<END
service.stop = display-manager
pci.remove   = timeout=1s $GPU_SOUND
END
contains "pci.remove: it was waited for" /var/log/vfio-hook/win10.log 'display-manager.service: active → inactive'
holders_end
untouched "pci.resize-bar: nothing to resize here" 'BAR 2 of .* cannot be resized' <<END
pci.resize-bar = bar=2 size=256M $GPU
END

SCOPE=/user.slice/user-1000.slice/session-9.scope holder kwin_wayland -u /dev/dri/card0
kwin=$HOLDER
step "drm.release" '! holds '"$kwin"' /dev/dri/card0' <<END
drm.release = timeout=5s $GPU
END
check "drm.release: the compositor has the card again" until_true 5 holds "$kwin" /dev/dri/card0
step "drm.release in front of pci.detach" '[ "$(driver $GPU)" = vfio-pci ]' <<END
drm.release = timeout=5s $GPU
vtconsole.unbind =
pci.detach = 01:00.*
END
check "drm.release and pci.detach: the compositor has the card again" until_true 5 holds "$kwin" /dev/dri/card0
holder Xorg /dev/dri/card0
untouched "drm.release: one that stays is named" 'held by Xorg' <<END
drm.release = timeout=1s $GPU
END
check "drm.release refused: the compositor has the card again" until_true 5 holds "$kwin" /dev/dri/card0
{ echo "[prepare/begin]"; echo "-drm.release = timeout=1s $GPU"; } | config win10
hook_ok "drm.release with '-' fails and does not count" prepare begin
check "drm.release with '-': the compositor has the card again" until_true 5 holds "$kwin" /dev/dri/card0
hook_ok "drm.release with '-': release" release end
holders_end
