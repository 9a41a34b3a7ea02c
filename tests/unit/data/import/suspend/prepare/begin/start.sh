#!/bin/bash
systemctl stop display-manager
echo 1 > /sys/bus/pci/devices/0000:28:00.0/remove
echo 1 > /sys/bus/pci/devices/0000:28:00.1/remove
rtcwake -m mem --date "+3s"
sleep 5s
echo 1 > /sys/bus/pci/rescan
echo device_specific > /sys/bus/pci/devices/0000:28:00.0/reset_method
echo on > /sys/bus/pci/devices/0000:28:00.0/power/control
echo 0 | tee /sys/bus/pci/devices/0000:28:00.0/d3cold_allowed
virsh nodedev-detach pci_0000_28_00_0
virsh nodedev-detach pci_0000_28_00_1
