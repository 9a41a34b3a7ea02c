#!/bin/bash
set -x
source "/etc/libvirt/hooks/kvm.conf"
systemctl stop lightdm.service
pulse_pid=$(pgrep -u anna pulseaudio)
pipewire_pid=$(pgrep -u anna pipewire-media)
kill $pulse_pid
kill $pipewire_pid
echo 0 > /sys/class/vtconsole/vtcon0/bind
echo 0 > /sys/class/vtconsole/vtcon1/bind
# echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind
sleep 5
modprobe -r amdgpu
virsh nodedev-detach $VIRSH_GPU_VIDEO
virsh nodedev-detach $VIRSH_GPU_AUDIO
modprobe vfio
modprobe vfio_pci
modprobe vfio_iommu_type1
