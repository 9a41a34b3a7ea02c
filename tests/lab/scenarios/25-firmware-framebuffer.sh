# shellcheck shell=dash
# boot: --uefi --skip bochs
# The firmware's framebuffer has the card: it is let go of and comes back.

fw=$(find /sys/bus/platform/devices/ -name '*-framebuffer.0')
HUGE='' domain win10 $GPU_ALL
config win10 <<END
[prepare/begin]
vtconsole.unbind   =
framebuffer.unbind =
END
state "$LAB/before"
vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan"
contains "the plan names the framebuffer" "$LAB/plan" "platform ${fw##*/} +[a-z-]+ → none"
hook_ok "prepare" prepare begin
refute "the framebuffer is unbound" test -e "$fw/driver"
equal "the console is off it" "$(grep -l 'frame buffer' /sys/class/vtconsole/*/name | sed 's/name$/bind/' | xargs cat 2>/dev/null)" ""
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "framebuffer and console are as before"

config win10 <<END
[prepare/begin]
vtconsole.unbind =
END
hook_ok "the console alone: prepare" prepare begin
equal "the console is unbound" "$(cat "$(grep -l 'frame buffer' /sys/class/vtconsole/*/name | sed 's/name$/bind/')")" 0
hook_ok "the console alone: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the console is as before"

config win10 <<END
[prepare/begin]
framebuffer.unbind =
framebuffer.unbind = ${fw##*/}
[release/end]
framebuffer.bind =
vtconsole.bind =
END
hook_ok "explicit way back: prepare" prepare begin
hook_ok "explicit way back: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the explicit way back is exact"

# With the card taken the firmware's framebuffer is gone for good: that is one way,
# and release must get through all the same.
config win10 <<END
[prepare/begin]
vtconsole.unbind   =
framebuffer.unbind =
pci.detach         = 01:00.*
END
state "$LAB/before"
hook_ok "with the card: prepare" prepare begin
equal "with the card: it is on vfio-pci" "$(driver $GPU)" vfio-pci
hook_ok "with the card: release" release end
equal "with the card: no driver, as before" "$(driver $GPU)" -
state "$LAB/after"
same "$LAB/before" "$LAB/after" "with the card: the rest is as before" \
	"$ONEWAY_VFIO|^(framebuffer|fb|vtconsole|node .*/dev/fb)"
