#!/bin/bash
STAMP=$(date +"%F %R:%S :")
echo "$STAMP teardown begins"
modprobe -r vfio_pci
modprobe -r vfio_iommu_type1
modprobe -r vfio
if grep -q "true" "/tmp/vfio-is-nvidia" ; then
    modprobe drm
    modprobe drm_kms_helper
    modprobe i2c_nvidia_gpu
    modprobe nvidia
    modprobe nvidia_modeset
    modprobe nvidia_drm
    modprobe nvidia_uvm
fi
if  grep -q "true" "/tmp/vfio-is-amd" ; then
    modprobe drm
    modprobe amdgpu
    modprobe radeon
    modprobe drm_kms_helper
fi
input="/tmp/vfio-store-display-manager"
while read -r DISPMGR; do
  if command -v systemctl; then
    echo "$STAMP $DISPMGR"
    systemctl start "$DISPMGR.service"
  else
    if command -v rc-service; then
      rc-service "$DISPMGR" start
    fi
  fi
done < "$input"
input="/tmp/vfio-bound-consoles"
while read -r consoleNumber; do
  if test -x /sys/class/vtconsole/vtcon"${consoleNumber}"; then
      if [ "$(grep -c "frame buffer" "/sys/class/vtconsole/vtcon${consoleNumber}/name")" \
           = 1 ]; then
    echo "$STAMP console ${consoleNumber}"
    echo 1 > /sys/class/vtconsole/vtcon"${consoleNumber}"/bind
      fi
  fi
done < "$input"
echo "$STAMP teardown ends"
