# shellcheck shell=dash
# A [release/end] section as the guides write their stop scripts.

bochs=$(grep -oE '^bochs[a-z_]*' /proc/modules)
domain win10 $GPU_ALL
config win10 <<END
[prepare/begin]
service.stop       = display-manager.service
vtconsole.unbind   =
framebuffer.unbind =
kmod.unload        = $bochs
pci.detach         = 01:00.0 01:00.1 01:00.2
governor.set       = performance

[release/end]
pci.reattach     = 01:00.0 01:00.1 01:00.2
vtconsole.bind   =
framebuffer.bind =
kmod.load        = $bochs
service.start    = display-manager.service
undo =
END
systemctl start display-manager.service
state "$LAB/before"
hook_ok "prepare" prepare begin
equal "the GPU is on vfio-pci" "$(driver $GPU)" vfio-pci
hook_ok "stopped" stopped end
hook_ok "release" release end win10 shutdown
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# Effects of release are final: what it sets stays, and is not undone again.
HUGE='' domain win10
modprobe cpufreq_powersave
config win10 <<END
[prepare/begin]
governor.set = performance
[release/end]
governor.set = powersave
END
state "$LAB/before"
hook_ok "prepare with a governor" prepare begin
hook_ok "release that sets another" release end
equal "the governor that release set stays" \
	"$(cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | sort -u)" powersave
for f in /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; do
	n=${f%/*}
	sed -n "s/^cpufreq ${n##*/} scaling_governor //p" "$LAB/before" >"$f"
done
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing else was left"
rmmod cpufreq_powersave

# Without a prepare that got through no step of release runs.
unit helper.service helperd /dev/null
systemctl start helper.service
config win10 <<END
[prepare/begin]
governor.set = performance
wait.for = path=/nowhere timeout=1s
[stopped/end]
service.stop = helper.service
[release/end]
service.restart = helper.service
END
state "$LAB/before"
: >/run/standin/calls
hook_refused "a prepare that fails at its last step" '/nowhere' prepare begin
hook_ok "stopped behind it" stopped end
hook_ok "release behind it" release end win10 failed
refute "no step of stopped ran" grep -q 'stop helper' /run/standin/calls
refute "no step of release ran" grep -q 'restart' /run/standin/calls
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before"
