#!/bin/bash
gpu="0000:06:00.0"
aud="0000:06:00.1"
unbind_vfio() {
  echo "1002 67df" > "/sys/bus/pci/drivers/vfio-pci/remove_id"
  echo "1002 aaf0" > "/sys/bus/pci/drivers/vfio-pci/remove_id"
  echo 1 > "/sys/bus/pci/devices/$gpu/remove"
  echo 1 > "/sys/bus/pci/devices/$aud/remove"
  echo 1 > "/sys/bus/pci/rescan"
}
unbind_vfio
