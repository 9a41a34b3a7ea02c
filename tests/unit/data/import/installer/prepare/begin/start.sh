#!/bin/bash
set -x

managers=("sddm" "gdm" "lightdm" "lxdm" "xdm")
if [ -d /run/systemd/system ]; then
  for dm in "${managers[@]}"; do
    systemctl is-active "$dm" >/dev/null && systemctl stop $dm.service
  done
elif command -v sv > /dev/null; then
  sv down sddm
fi
systemctl --user -M anna@ stop plasma*
for i in /sys/class/vtconsole/*/bind; do
  echo 0 > "$i" 2>/dev/null || true
done
echo efi-framebuffer.0 > /sys/bus/platform/drivers/efi-framebuffer/unbind || echo "no framebuffer"
modprobe -r nvidia_drm nvidia_modeset nvidia_uvm nvidia || exit 1
virsh nodedev-detach pci_0000_2b_00_0 || { echo "it is busy" >&2; exit 1; }
virsh nodedev-detach pci_0000_2b_00_1
modprobe -a vfio vfio-pci vfio_iommu_type1
