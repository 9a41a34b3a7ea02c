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
	untouched "pci.reset with a method: refused by a kernel without the choice" "cannot be reset by flr: it offers no choice" <<-END
		pci.detach = $NET1
		pci.reset = method=flr $NET1
	END
fi
untouched "pci.reset: refused while a driver has the device" 'in the hands of e1000e' <<END
pci.reset = $NET1
END
untouched "pci.reset: a method that is not there" "cannot be reset by acpi: it offers ${method:-no choice}" <<END
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
step "pci.remove and pci.rescan" '[ "$(driver $NET2)" = e1000e ]' <<END
pci.remove = $NET2
pci.rescan = $NET2
END
step "pci.remove, pci.rescan and pci.detach" '[ "$(driver $NET2)" = vfio-pci ]' <<END
pci.remove = $NET2
pci.rescan = $NET2
pci.detach = $NET2
END
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
