#!/bin/bash
gpu="0000:06:00.0"
aud="0000:06:00.1"
gpu_vd="$(cat /sys/bus/pci/devices/$gpu/vendor) $(cat /sys/bus/pci/devices/$gpu/device)"
aud_vd="$(cat /sys/bus/pci/devices/$aud/vendor) $(cat /sys/bus/pci/devices/$aud/device)"

function bind_vfio {
  echo "$gpu" > "/sys/bus/pci/devices/$gpu/driver/unbind"
  echo "$aud" > "/sys/bus/pci/devices/$aud/driver/unbind"
  echo "1002 67df" > /sys/bus/pci/drivers/vfio-pci/new_id
  echo "1002 aaf0" | sudo tee /sys/bus/pci/drivers/vfio-pci/new_id > /dev/null
}
bind_vfio
