# shellcheck shell=dash
# [boot/begin]: the script of the initramfs takes the devices, the unit's command finds
# them taken, domains come and go, and the boot's journal gives them back when asked.

boot=/run/vfio-hook/boot.win10.journal
initramfs=/lab/initramfs-tools/scripts/init-top/00-vfio-hook

config win10 <<END
[devices]
nvme = $NVME
nic = $NET1
[boot/begin]
pci.detach = nvme nic
hugepages.allocate = pages=4 size=2M
[prepare/begin]
pci.detach = nvme nic
hugepages.allocate = pages=4 size=2M
END
MIB=8 domain win10 $NVME $NET1
state "$LAB/before"

equal "initramfs-tools is told of no prerequisite" "$($initramfs prereqs)" ""
check "the script of the initramfs" $initramfs
equal "the NVMe is taken" "$(driver $NVME)" vfio-pci
equal "the network card is taken" "$(driver $NET1)" vfio-pci
check "the boot has a journal of its own" test -s $boot
state "$LAB/taken"
cp $boot "$LAB/journal"

check "vfio-hook boot, as the unit calls it" vfio-hook boot
check "does nothing again" cmp $boot "$LAB/journal"
state "$LAB/taken2"
same "$LAB/taken" "$LAB/taken2" "the unit leaves all as the initramfs made it"

vfio-hook status win10 >"$LAB/status" </dev/null
contains "status tells what the boot took" "$LAB/status" "win10 at boot: prepared"
contains "and how to give it back" "$LAB/status" "vfio-hook undo --boot win10"
vfio-hook devices >"$LAB/devices"
contains "devices names the boot as owner" "$LAB/devices" "win10 \(boot\)"

for n in 1 2; do
	hook_ok "prepare $n" prepare begin
	vfio-hook undo --boot win10 >"$LAB/out" 2>&1
	equal "the boot is not undone under a domain" $? 1
	contains "which is named" "$LAB/out" "belongs to domain win10"
	hook_ok "stopped $n" stopped end
	hook_ok "release $n" release end
	state "$LAB/released"
	same "$LAB/taken" "$LAB/released" "release $n leaves what the boot took" "$ONEWAY_VFIO"
done

# Another domain may come for the same device; two at once may not.
config other <<END
[prepare/begin]
pci.detach = $NVME
END
domain other $NVME
hook_ok "another domain's prepare" prepare begin other
hook_refused "one device, one owner" "belongs to domain other" prepare begin win10
hook_ok "its release" release end other
state "$LAB/released"
same "$LAB/taken" "$LAB/released" "the other domain leaves what the boot took" "$ONEWAY_VFIO"
vfio-hook undo --orphans
equal "nobody has to stand behind it" "$(driver $NVME)" vfio-pci

check "undo --boot" vfio-hook undo --boot win10
refute "the boot's journal is gone" test -e $boot
state "$LAB/after"
same "$LAB/before" "$LAB/after" "the host is as before the boot" "$ONEWAY_VFIO"

# What cannot be done is put back, said, and does not stop the boot.
config win10 <<END
[boot/begin]
pci.detach = $NVME
file.own = mode=0600 /nowhere
END
check "the initramfs goes on when a step fails" $initramfs
$initramfs 2>"$LAB/out"
contains "and says what failed" "$LAB/out" "win10: file.own .win10.ini:3.: "
contains "and that the boot goes on" "$LAB/out" "^vfio-hook: the boot goes on without$"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "and all is put back" "$ONEWAY_VFIO"
equal "as for the unit" "$(vfio-hook boot >"$LAB/out" 2>&1; echo $?)" 1

# What has to be waited for does not come in the initramfs, so all of it is the unit's, to
# which udev comes as well: as headless-host.ini says.
config win10 <<END
[boot/begin]
sysctl.write = vm.stat_interval 77
wait.for = timeout=60s path=/sys/bus/pci/devices/$NET1/driver
sysctl.write = vm.swappiness 7
END
echo $NET1 >/sys/bus/pci/drivers/e1000e/unbind
state "$LAB/before"
check "the initramfs goes on when something is not there yet" eval '$initramfs >"$LAB/out" 2>&1'
equal "and says who waits for it" "$(cat "$LAB/out")" "win10: boot/begin: later: wait.for (win10.ini:3): /sys/bus/pci/devices/$NET1/driver may come \
when the root file system is there: vfio-hook-boot.service waits for it, if it is enabled"
state "$LAB/after"
same "$LAB/before" "$LAB/after" "nothing of it is done there"
begun() { [ "$(cat /proc/sys/vm/stat_interval)" = 77 ]; }
(
	until_true 50 begun
	echo $NET1 >/sys/bus/pci/drivers/e1000e/bind
) &
check "the unit waits for it" vfio-hook boot
wait
equal "and does it" "$(cat /proc/sys/vm/stat_interval /proc/sys/vm/swappiness | tr '\n' ' ')" "77 7 "
check "undo --boot" vfio-hook undo --boot win10
