#!/bin/bash
set -x
source "/etc/libvirt/hooks/kvm.conf"
modprobe -r vfio_pci
modprobe -r vfio_iommu_type1
modprobe -r vfio
virsh nodedev-reattach $VIRSH_GPU_VIDEO
virsh nodedev-reattach $VIRSH_GPU_AUDIO
echo 1 > /sys/class/vtconsole/vtcon0/bind
echo 1 > /sys/class/vtconsole/vtcon1/bind
modprobe  amdgpu
modprobe  gpu_sched
modprobe  ttm
modprobe  drm_kms_helper
modprobe  i2c_algo_bit
modprobe  drm
modprobe  snd_hda_intel
systemctl start lightdm.service
