# shellcheck shell=dash
# Steps that fail: what is said, and the host after it.
# modules: ext4

bochs=$(grep -oE '^bochs[a-z_]*' /proc/modules)
HUGE='' domain win10 $GPU_ALL

config win10 <<END
[domain]
headless = yes
[prepare/begin]
governor.set = performance
-kmod.unload = no_such_module_here
-service.stop = no-such-unit.service
-wait.for = path=/nowhere timeout=1s
pci.detach = 01:00.*
END
state "$LAB/before"
hook_ok "steps marked '-' fail and do not count" prepare begin
equal "the steps behind them ran" "$(driver $GPU)" vfio-pci
check "their failure is in the log" grep -q '/nowhere' /var/log/vfio-hook/win10.log
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

# Fails for real, late: everything is undone by prepare itself.
config win10 <<END
[prepare/begin]
hugepages.allocate = pages=8
governor.set = performance
service.stop = display-manager.service
vtconsole.unbind =
framebuffer.unbind =
kmod.unload = $bochs
pci.detach = 01:00.*
exec.run = /bin/false
END
systemctl start display-manager.service
state "$LAB/before"
hook_refused "a program that fails" 'exec.run \(win10.ini:9\).*/bin/false' prepare begin
equal "one line on stderr" "$(wc -l <"$ERR")" 1
state "$LAB/after"
same "$LAB/before" "$LAB/after" "prepare undid itself" "$ONEWAY_VFIO"
hook_ok "stopped" stopped end
hook_ok "release" release end win10 failed
state "$LAB/after2"
same "$LAB/after" "$LAB/after2" "release found nothing to do"
holders_end

# A failing start or started undoes only its own phase.
for phase in start started; do
	config win10 <<-END
		[domain]
		headless = yes
		[prepare/begin]
		pci.detach = 01:00.*
		sysfs.write = /sys/kernel/mm/ksm/pages_to_scan 150
		[start/begin]
		sysfs.write = /sys/kernel/mm/ksm/sleep_millisecs 77
		$([ $phase = start ] || echo '[started/begin]')
		governor.set = performance
		sysfs.write = /sys/kernel/mm/ksm/pages_to_scan 250
		sysfs.write = /sys/kernel/mm/ksm/pages_to_scan 350
		wait.for = path=/nowhere timeout=1s
	END
	state "$LAB/before"
	hook_ok "prepare" prepare begin
	[ $phase = start ] || hook_ok "start" start begin
	hook_refused "$phase fails" '/nowhere' $phase begin
	refute "$phase's governor is back" grep -q performance /sys/devices/system/cpu/cpufreq/policy*/scaling_governor
	if [ $phase = started ]; then
		equal "start's own change waits for release" "$(cat /sys/kernel/mm/ksm/sleep_millisecs)" 77
	else
		refute "and what start changed before" grep -qx 77 /sys/kernel/mm/ksm/sleep_millisecs
	fi
	equal "of what both changed it has prepare's value" "$(cat /sys/kernel/mm/ksm/pages_to_scan)" 150
	equal "prepare's device waits for release" "$(driver $GPU)" vfio-pci
	hook_ok "stopped" stopped end
	hook_ok "release" release end win10 failed
	state "$LAB/after"
	same "$LAB/before" "$LAB/after" "$phase: the host is as before" "$ONEWAY_VFIO"
done

# The card that the host shows its only picture on, and no word that this is meant.
HUGE='' domain win10 $GPU_ALL
config win10 <<END
[prepare/begin]
governor.set = performance
pci.detach = 01:00.*
END
hook_refused "the only picture" "pci.detach \(win10.ini:3\): $GPU has the only picture of this host.*headless = yes under \[domain\]" prepare begin
equal "in one line" "$(wc -l <"$ERR")" 1
refute "before anything was touched" grep -q performance /sys/devices/system/cpu/cpufreq/policy*/scaling_governor

# Refused before anything is touched.
HUGE='' domain win10 $GPU
config win10 <<END
[prepare/begin]
service.stop = display-manager.service
pci.detach = 01:00.0
END
systemctl start display-manager.service
mkdir -p /mnt
modprobe ext4
state "$LAB/before"
hook_refused "an incomplete IOMMU group" "$GPU_SOUND" prepare begin
hook_refused "a group of the XML alone counts the whole plan" "group" prepare begin
config win10 <<END
[prepare/begin]
service.stop = display-manager.service
kmod.unload = drm
END
hook_refused "a module that others need" 'drm' prepare begin
config win10 <<END
[prepare/begin]
service.stop = display-manager.service
kmod.unload = e1000e
END
hook_refused "a module of other devices" '0000:00:0[34].0' prepare begin
builtin=$(sed -n '/input-core/{s|.*/||; s|\.ko.*||p; q}' "/lib/modules/$(uname -r)/modules.builtin" | tr - _)
[ -n "$builtin" ] || fail "a module that is built in"
config win10 <<END
[prepare/begin]
service.stop = display-manager.service
kmod.unload = $builtin
END
hook_refused "a module that is built in" \
	"kmod.unload \(win10.ini:3\): $builtin is built into the kernel and cannot be unloaded: leave it out, and let pci.detach" prepare begin
config win10 <<END
[prepare/begin]
service.stop = display-manager.service
hugepages.allocate = memory=64G
END
hook_refused "more memory than there is" 'hugepages' prepare begin
config win10 <<END
[prepare/begin]
service.stop = display-manager.service
pci.detach = $NVME
END
check "a file system on the NVMe" mke2fs /dev/nvme0n1
check "it is mounted" mount -t ext4 /dev/nvme0n1 /mnt
hook_refused "a mounted NVMe" 'nvme0n1, mounted at /mnt' prepare begin
umount /mnt
# Mounted where only the kernel knows of it, as in a container.
rm -f "$LAB/mounted"
unshare -m sh -c "mount -t ext4 /dev/nvme0n1 /mnt && : >$LAB/mounted && exec sleep 1000" &
mounter=$!
check "it is mounted in another namespace" until_true 10 test -e "$LAB/mounted"
refute "of which our list of mounts knows nothing" grep -q nvme0n1 /proc/self/mountinfo
hook_refused "an NVMe mounted in another namespace" "$NVME carries nvme0n1, in use" prepare begin
kill $mounter
wait $mounter 2>/dev/null
# Given to another guest as it is: no mount, no claim, but a process that has it open.
holder diskd /dev/nvme0n1
hook_refused "an NVMe that a process has open" "$NVME is held by diskd \(pid $HOLDER.*/dev/nvme0n1" prepare begin
kill "$HOLDER"
check "the display manager never stopped" systemctl is-active display-manager.service
state "$LAB/after"
same "$LAB/before" "$LAB/after" "refusals touch nothing"
holders_end

# Mounted while the steps before the detach took their time.
state "$LAB/before"
printf '#!/bin/sh\n"$@" || ! grep -q " /mnt " /proc/mounts\n' >/run/mounter
chmod 755 /run/mounter
HUGE='' domain win10
config win10 <<END
[prepare/begin]
governor.set = performance
exec.run  = /run/mounter mount -t ext4 /dev/nvme0n1 /mnt
exec.undo = /run/mounter umount /mnt
pci.detach = $NVME
END
hook_refused "an NVMe mounted after the plan was made" 'pci.detach.*nvme0n1, mounted at /mnt' prepare begin
sed -i '/^exec/d' /etc/libvirt/hooks/conf.d/win10.ini
hook_ok "unmounted it is taken: prepare" prepare begin
equal "the NVMe is on vfio-pci" "$(driver $NVME)" vfio-pci
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before" "$ONEWAY_VFIO"

HUGE='' domain win10 $GPU_ALL
# The last gate: nothing detaches the sound function, and somebody holds it.
config win10 <<END
[prepare/begin]
governor.set = performance
END
holder musicd /dev/snd/controlC0
state "$LAB/before"
hook_refused "the last gate names who holds a device" 'musicd \(pid '"$HOLDER" prepare begin
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the gate undoes prepare"
touch /etc/libvirt/hooks/disable
hook_refused "the gate stays when the hook is switched off" 'musicd \(pid '"$HOLDER" prepare begin
rm /etc/libvirt/hooks/disable
sed -i '1i [domain]\ndry-run = yes' /etc/libvirt/hooks/conf.d/win10.ini
hook_refused "and in a dry run" 'musicd \(pid '"$HOLDER" prepare begin
holders_end
touch /run/vfio-hook/disable
HUGE='' domain win10
config win10 <<END
[prepare/begin]
governor.set = performance
END
state "$LAB/before"
hook_ok "switched off, nobody holds anything: exit 0" prepare begin
state "$LAB/after"
same "$LAB/before" "$LAB/after" "switched off: no step ran"
echo "[prepare/begin" >/etc/libvirt/hooks/conf.d/win10.ini
hook_ok "switched off, a bad config: exit 0" prepare begin
hook_ok "switched off, a bad config: start" start begin
HUGE='' domain win10 $GPU_ALL
holder musicd /dev/snd/controlC0
hook_refused "the gate stays with a bad config, too" 'musicd \(pid '"$HOLDER" prepare begin
holders_end
rm /run/vfio-hook/disable
hook_refused "switched on again it is refused" 'win10.ini:1' prepare begin

# The switch is set while the domain runs: start and started run no step, and what the
# journal holds goes back all the same.
HUGE='' domain win10
config win10 <<END
[prepare/begin]
governor.set = performance
[start/begin]
exec.run = /bin/touch /run/start-ran
[started/begin]
exec.run = /bin/touch /run/started-ran
END
state "$LAB/before"
hook_ok "prepare" prepare begin
check "it is at work" grep -q performance /sys/devices/system/cpu/cpufreq/policy0/scaling_governor
touch /etc/libvirt/hooks/disable
hook_ok "switched off: start" start begin
hook_ok "switched off: started" started begin
refute "start ran no step" test -e /run/start-ran
refute "started ran no step" test -e /run/started-ran
hook_ok "switched off: stopped" stopped end
hook_ok "switched off: release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "switched off meanwhile: the host is as before"
rm /etc/libvirt/hooks/disable
