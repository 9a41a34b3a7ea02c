# shellcheck shell=dash
# Each step alone: prepare, what it did, release, the host as before.

HUGE='' domain win10
modprobe loop
step "kmod.unload" '! test -e /sys/module/loop/initstate' <<END
kmod.unload = loop
END
rmmod loop
modprobe loop max_part=3
config win10 <<END
[prepare/begin]
kmod.unload = loop
END
hook_ok "kmod.unload of a module with parameters: prepare" prepare begin
hook_ok "kmod.unload of a module with parameters: release" release end
check "a parameter that cannot be given back is reported" grep -q 'max_part' /var/log/vfio-hook/win10.log
rmmod loop
step "kmod.load" 'test -e /sys/module/loop/initstate && [ "$(cat /sys/module/loop/parameters/max_loop)" = 3 ]' <<END
kmod.load = loop max_loop=3
END
config win10 <<END
[prepare/begin]
kmod.load = loop
END
truncate -s 1M /tmp/disk
hook_ok "kmod.load of a module that is used: prepare" prepare begin
check "kmod.load of a module that is used: somebody uses it" losetup /dev/loop0 /tmp/disk
hook_ok "kmod.load of a module that is used: release" release end
contains "a module that is used is left loaded" /var/log/vfio-hook/win10.log 'module loop is left loaded: in use by something else \(reference count 1\)$'
check "a module that is used is there" test -e /sys/module/loop/initstate
losetup -d /dev/loop0
check "a module that was used can go" until_true 5 rmmod loop
rm /tmp/disk
# Its parameter can be set while it is there: state has it.
modprobe usb_storage delay_use=5
step "kmod.load of a module that is loaded" '[ "$(cat /sys/module/usb_storage/parameters/delay_use)" = 5 ]' <<END
kmod.load = usb_storage delay_use=2
END
echo 5 >/sys/module/usb_storage/parameters/delay_use
step "kmod.load behind a kmod.unload" '[ "$(cat /sys/module/usb_storage/parameters/delay_use)" = 2 ]' <<END
kmod.unload = usb_storage
kmod.load = usb_storage delay_use=2
END
rmmod usb_storage
# The stand-in for Looking Glass's module needs another one.
refute "kmod.load of a module that needs another: neither is there" grep -qE '^(kvmfr|configfs) ' /proc/modules
step "kmod.load of a module that needs another" '[ "$(cat /sys/module/kvmfr/parameters/static_size_mb)" = 32 ] && [ -e /dev/kvmfr0 ]' <<END
kmod.load = kvmfr static_size_mb=32
END
modprobe -q -r vfio_pci
echo 'options vfio-pci disable_vga=1' >/etc/modprobe.d/lab.conf
step "pci.detach loads vfio-pci as modprobe.d has it" '[ "$(cat /sys/module/vfio_pci/parameters/disable_vga) $(driver $NET1)" = "Y vfio-pci" ]' <<END
pci.detach = $NET1
END
rm /etc/modprobe.d/lab.conf
step "governor.set" '! grep -v performance /sys/devices/system/cpu/cpufreq/policy*/scaling_governor' <<END
governor.set = performance
END
step "governor.set on one CPU" '[ "$(grep -l powersave /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | wc -l)" = 1 ]' <<END
governor.set = cpus=0 powersave
END
step "hugepages.allocate pages=" '[ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages)" = 10 ]' <<END
hugepages.allocate = pages=10 size=2M
END
step "hugepages.allocate node=" '[ "$(cat /sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages)" = 7 ]' <<END
hugepages.allocate = memory=14M node=1
END
step "service.stop" '! systemctl is-active display-manager.service' <<END
service.stop = display-manager
END
unit helper.service helperd /dev/null
step "service.start" 'systemctl is-active helper.service' <<END
service.start = helper
END

# The display manager's own session ends with it.
systemctl start display-manager.service
session 3 user
config win10 <<END
[prepare/begin]
session.end = seat=seat0 timeout=2s force=yes
END
hook_ok "session.end force=yes: prepare" prepare begin
refute "session.end: the session is closed" test -e /run/systemd/sessions/3
hook_ok "session.end: release" release end
session 4 user
config win10 <<END
[prepare/begin]
session.end = seat=seat0 timeout=1s
END
hook_refused "session.end: a session that stays is named" 'session 4 of user' prepare begin
hook_ok "session.end: release behind it" release end
holders_end

domain win10 $NET1
step "pci.detach of the XML's device" '[ "$(driver $NET1)" = vfio-pci ] && [ "$(driver $NET2)" = e1000e ]' <<END
pci.detach =
END
step "pci.detach, libvirt's form" '[ "$(driver $NET1)" = vfio-pci ]' <<END
pci.detach = pci_0000_00_03_0
END
step "pci.detach, short form" '[ "$(driver $NET1)" = vfio-pci ]' <<END
pci.detach = 00:03.0
END
id=$(cut -c3- /sys/bus/pci/devices/$NVME/vendor):$(cut -c3- /sys/bus/pci/devices/$NVME/device)
step "pci.detach by vendor:device" '[ "$(driver $NVME)" = vfio-pci ]' <<END
pci.detach = $id
END
step "pci.detach of all functions" '[ "$(driver $GPU_USB)" = vfio-pci ]' <<END
vtconsole.unbind =
pci.detach = 01:00.*
END
step "pci.detach behind kmod.unload" '[ "$(driver $GPU)" = vfio-pci ]' <<END
kmod.unload = $(grep -oE '^bochs[a-z_]*' /proc/modules)
pci.detach = 01:00.*
END
config win10 <<END
[devices]
card = 00:03.0 id=8086:10d3
disk = $NVME
[prepare/begin]
pci.detach =
END
state "$LAB/before"
hook_ok "named sets: prepare" prepare begin
equal "named sets: the first" "$(driver $NET1)" vfio-pci
equal "named sets: the second" "$(driver $NVME)" vfio-pci
hook_ok "named sets: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "named sets: the host is as before" "$ONEWAY_VFIO"

HUGE='' domain win10 $GPU_ALL
# Where nothing could bind it again by hand it is left alone. The picture is the graphics
# driver's by now; the firmware's has a scenario of its own.
console=$(grep -l 'frame buffer' /sys/class/vtconsole/*/name)
console=${console%/name}/bind
if grep -q '^(S)' /sys/class/vtconsole/*/name; then bound=0; else bound=1; fi
: >/var/log/vfio-hook/win10.log
step "vtconsole.unbind" '[ "$(cat $console)" = $bound ]' <<END
vtconsole.unbind =
pci.power = control=auto $GPU
END
[ $bound = 0 ] || contains "vtconsole.unbind: the log tells why not" /var/log/vfio-hook/win10.log \
	"console 'frame buffer device' is left bound: there is no .S. console driver"
: >/var/log/vfio-hook/win10.log
step "framebuffer.unbind" 'grep -q "no firmware framebuffer is bound: nothing to unbind\|is left on .* a graphics driver took over" /var/log/vfio-hook/win10.log' <<END
framebuffer.unbind =
END
# It is gone when the step is done, as that waits for it.
holder leaver -s 3 /dev/snd/controlC0
leaver=$HOLDER
step "holders.wait" '! test -d /proc/$leaver/fd || grep -q "^State:.Z" /proc/$leaver/status' <<END
holders.wait = timeout=30s $GPU_SOUND
END
holder stayer /dev/snd/controlC0
refused "holders.wait: who stays is named" "held by stayer .pid $HOLDER, root, /dev/snd/controlC0" <<END
holders.wait = timeout=1s $GPU_SOUND
END
check "holders.wait: and lives" kill -0 "$HOLDER"
holders_end
