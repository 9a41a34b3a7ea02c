#!/bin/bash
set -x
# move the desktop to the other card
optimus-manager --switch --no-confirm integrated
systemctl stop display-manager.service
modprobe -r nvidia_uvm
modprobe -r nvidia_drm
modprobe -r nvidia_modeset
modprobe -r nvidia
virsh nodedev-detach pci_0000_01_00_0
virsh nodedev-detach pci_0000_01_00_1
virsh nodedev-detach pci_0000_01_00_2
virsh nodedev-detach pci_0000_01_00_3
modprobe vfio_pci
modprobe vfio_iommu_type1
modprobe vfio
systemctl restart display-manager.service
