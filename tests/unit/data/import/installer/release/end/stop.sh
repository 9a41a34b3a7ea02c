#!/bin/bash
modprobe -r vfio-pci vfio_iommu_type1 vfio
virsh nodedev-reattach pci_0000_2b_00_0
virsh nodedev-reattach pci_0000_2b_00_1
modprobe -a nvidia nvidia_modeset nvidia_drm nvidia_uvm
for i in /sys/class/vtconsole/*/bind; do echo 1 > $i; done
systemctl start sddm.service
