# shellcheck shell=dash
# boot: --uefi --skip bochs
# The lab without a native GPU driver: the firmware's framebuffer has the card.

equal "nothing drives the GPU" "$(driver $GPU)" -
fw=$(find /sys/bus/platform/devices/ -name '*-framebuffer.0')
equal "there is one firmware framebuffer" "$(echo "$fw" | wc -l)" 1
note "${fw##*/}: $(readlink "$fw/driver"), $(cat /proc/fb), $(grep -il 'efifb\|bootfb' /proc/iomem)"
check "and it has a driver" test -e "$fw/driver"
check "there is a frame buffer" grep -q . /proc/fb
vt=$(grep -l 'frame buffer' /sys/class/vtconsole/*/name)
vt=${vt%/name}
equal "the frame buffer console is bound" "$(cat "$vt/bind")" 1
check "a fixed console is there" grep -q '^(S)' /sys/class/vtconsole/*/name

state /run/lab/a
echo 0 >"$vt/bind"
equal "the console can be unbound" "$(cat "$vt/bind")" 0
drv=$(readlink -f "$fw/driver")
echo "${fw##*/}" >"$drv/unbind"
refute "the framebuffer can be unbound" test -e "$fw/driver"
state /run/lab/b
contains "state sees it" /run/lab/b '^framebuffer .* driver -$'
echo "${fw##*/}" >"$drv/bind"
check "and bound" test -e "$fw/driver"
vt=$(grep -l 'frame buffer' /sys/class/vtconsole/*/name)
vt=${vt%/name}
echo 1 >"$vt/bind"
equal "the console too" "$(cat "$vt/bind")" 1
state /run/lab/b
same /run/lab/a /run/lab/b "all is as before"
