#!/bin/bash
set -x
modprobe -r vfio_pci
modprobe -r vfio_iommu_type1
modprobe -r vfio
virsh nodedev-reattach pci_0000_01_00_0
virsh nodedev-reattach pci_0000_01_00_1
virsh nodedev-reattach pci_0000_01_00_2
virsh nodedev-reattach pci_0000_01_00_3
modprobe nvidia_uvm
modprobe nvidia_drm
modprobe nvidia_modeset
modprobe nvidia
optimus-manager --switch --no-confirm hybrid
systemctl restart display-manager.service
