# shellcheck shell=dash
# boot: --qemu '-device pcie-root-port,id=sriov,bus=pcie.0,addr=05.0,chassis=5,slot=5 -device nvme-subsys,id=sub -device nvme,bus=sriov,addr=00.0,serial=sriov,subsys=sub,max_ioqpairs=26,msix_qsize=28,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2'
# Virtual functions (SR-IOV), here of an NVMe controller: made at boot, one is the guest's,
# and nobody takes the controller from under it.

PF=0000:03:00.0 VF=0000:03:00.1 VF2=0000:03:00.2
numvfs() { cat /sys/bus/pci/devices/$PF/sriov_numvfs; }

# untouched DESC: nothing is different from $LAB/taken.
untouched()
{
	state "$LAB/now"
	same "$LAB/taken" "$LAB/now" "$1: nothing was touched"
}

# The example, with this machine's devices and sizes, and with what it says for the boot.
sed -e "s/^\(vf *= *\)[0-9a-f:.]*/\1$VF/" -e "s/^\(nvme *= *\)[0-9a-f:.]* id=[0-9a-f:]*/\1$NVME/" \
	-e 's/^; *\(\[boot\/begin\]\|\(sysfs.write\|wait.for\) *=.*\)$/\1/' -e 's/0000:3b:00.0/'$PF/ \
	-e 's/size=1G/size=2M/' /lab/conf.d/headless-host.ini | awk '
	/^\[boot/ { boot = $0; next } /^(sysfs|wait)/ { boot = boot "\n" $0; next } { print }
	END { print boot }' | config win10
contains "the example makes virtual functions at boot" /etc/libvirt/hooks/conf.d/win10.ini "^sysfs.write *= .*$PF/sriov_numvfs 2"
MIB=16 domain win10 $VF $NVME
equal "no virtual function yet" "$(numvfs)" 0
state "$LAB/host"
# Before udev has loaded the controller's driver, without which the kernel makes none.
autoprobe() { [ "$(cat /sys/bus/pci/devices/$PF/sriov_drivers_autoprobe)" = "$1" ]; }
echo $PF >/sys/bus/pci/drivers/nvme/unbind
vfio-hook boot >"$LAB/boot" 2>&1
equal "at boot, and it never gets one" $? 1
contains "at boot, and it never gets one: that is said" "$LAB/boot" "wait.for .*$PF/driver is still not there after 10 s"
check "at boot, and it never gets one: all is put back" autoprobe 1
vfio-hook boot >"$LAB/boot" 2>&1 &
boot=$!
check "at boot: it is under way before the controller has a driver" until_true 10 autoprobe 0
echo $PF >/sys/bus/pci/drivers/nvme/bind
wait $boot
equal "at boot" "$? $(cat "$LAB/boot")" "0 win10: boot/begin: done"
equal "two virtual functions" "$(numvfs)" 2
equal "no driver took them" "$(driver $VF) $(driver $VF2)" "- -"
state "$LAB/before"
check "boot again" vfio-hook boot
equal "makes no more" "$(numvfs)" 2

vfio-hook plan win10 </etc/lab/win10.xml >"$LAB/plan" 2>&1
equal "the plan is fine" $? 0
hook_ok "prepare" prepare begin
equal "one virtual function is the guest's" "$(driver $VF)" vfio-pci
equal "alone in its group" "$(ls /sys/bus/pci/devices/$VF/iommu_group/devices)" $VF
equal "the other is not" "$(driver $VF2)" -
equal "the controller is the host's" "$(driver $PF)" nvme

# The guest runs.
group=$(readlink /sys/bus/pci/devices/$VF/iommu_group)
holder qemu-win10 -d $VF "/dev/vfio/${group##*/}"
state "$LAB/taken"
config other <<END
[prepare/begin]
service.stop = display-manager.service
pci.detach = $PF
END
HUGE='' domain other $PF
hook_refused "the controller for another guest" "$PF has 2 virtual functions .SR-IOV., and VFIO takes it only without" prepare begin other
untouched "the controller for another guest"
config other <<END
[prepare/begin]
service.stop = display-manager.service
sysfs.write = /sys/bus/pci/devices/$PF/sriov_numvfs 0
END
HUGE='' domain other
hook_refused "no virtual functions any more" "$VF belongs to domain win10 now" prepare begin other
untouched "no virtual functions any more"
config other <<END
[prepare/begin]
pci.remove = $PF
END
hook_refused "the controller off the bus" "$PF has 2 virtual functions .SR-IOV., and they would go with it" prepare begin other
untouched "the controller off the bus"
config other <<END
[prepare/begin]
service.stop = display-manager.service
sysfs.write = /sys/bus/pci/devices/$PF/sriov_numvfs 0
END
vfio-hook plan other </etc/lab/other.xml >"$LAB/plan" 2>&1
contains "the plan says so" "$LAB/plan" "belongs to domain win10 now"
vfio-hook undo --boot win10 >"$LAB/out" 2>&1
equal "what the boot made is not undone under a guest" $? 1
contains "by name" "$LAB/out" "$VF belongs to domain win10 now"
equal "and they are there still" "$(numvfs)" 2
holders_end
hook_ok "release" release end
state "$LAB/after"
same "$LAB/before" "$LAB/after" "release: the host is as before the start" "$ONEWAY_VFIO"

# A guest that the hook knows nothing of.
check "a virtual function is bound by hand" bind_to $VF2 vfio-pci
group=$(readlink /sys/bus/pci/devices/$VF2/iommu_group)
holder qemu-unknown -d $VF2 "/dev/vfio/${group##*/}"
state "$LAB/taken"
hook_refused "no virtual functions any more, with an unknown guest" "a virtual function of $PF is held by qemu-unknown .pid $HOLDER" prepare begin other
untouched "no virtual functions any more, with an unknown guest"
vfio-hook undo --boot win10 >"$LAB/out" 2>&1
equal "what the boot made is not undone under an unknown guest" $? 1
contains "which is named" "$LAB/out" "a virtual function of $PF is held by qemu-unknown .pid $HOLDER"
equal "its virtual functions are there still" "$(numvfs)" 2
holders_end
check "the guest is gone: undo --boot" vfio-hook undo --boot win10
equal "no virtual function is left" "$(numvfs)" 0
refute "nor its address" test -e /sys/bus/pci/devices/$VF
state "$LAB/after"
same "$LAB/host" "$LAB/after" "the host is as before the boot" "$ONEWAY_VFIO"

# Without the guest nothing stands in the way; what was set comes back.
config win10 <<END
[prepare/begin]
sysfs.write = /sys/bus/pci/devices/$PF/sriov_drivers_autoprobe 0
sysfs.write = /sys/bus/pci/devices/$PF/sriov_numvfs 1
END
HUGE='' domain win10
hook_ok "virtual functions for a start only: prepare" prepare begin
equal "there is one" "$(numvfs)" 1
hook_ok "virtual functions for a start only: release" release end
state "$LAB/after"
same "$LAB/host" "$LAB/after" "virtual functions for a start only: the host is as before" "$ONEWAY_VFIO"
